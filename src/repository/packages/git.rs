//! Packages of git repositories, by the program `git`: one commit, no hooks, no questions.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::str::FromStr;

use tokio::process::Command;

use super::{CommitOrigin, Kept, PackageError, PackageFile, PackageOrigin, PackageSources};
use crate::credentials::Credentials;
use crate::http::{Validators, without_query};
use crate::root_path::within_folder;

/// A package of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitRequest {
    /// `https://…`, `ssh://…` or `file://…`, without credentials.
    pub url: String,
    /// A branch, a tag or a commit; the repository's own branch if nothing is said.
    pub reference: Option<String>,
    /// The package's folder in it.
    pub subdirectory: Option<String>,
}

impl FromStr for GitRequest {
    type Err = PackageError;

    /// `git+https://host/x.git@ref#subdirectory=folder`.
    fn from_str(text: &str) -> Result<GitRequest, PackageError> {
        let text = text.strip_prefix("git+").unwrap_or(text);
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        // An `@` before the last slash parts a user from a host.
        let at = rest.rfind('@').filter(|at| {
            let path = rest.find("://").map_or(0, |start| start + 3);
            rest[path..]
                .find('/')
                .is_some_and(|slash| *at > path + slash)
        });
        let (url, reference) = match at {
            Some(at) => (&rest[..at], Some(rest[at + 1..].to_owned())),
            None => (rest, None),
        };
        let request = GitRequest {
            url: url.to_owned(),
            reference,
            subdirectory: fragment.strip_prefix("subdirectory=").map(str::to_owned),
        };
        request.check()?;
        Ok(request)
    }
}

impl GitRequest {
    /// Nothing that git would take for an option, a command or another way of transport.
    fn check(&self) -> Result<(), PackageError> {
        let refused = |reason: &str| {
            Err(PackageError::Refused {
                // What stands before an `@` may be a password.
                what: format!("git+{}", shown(&self.url)),
                reason: reason.to_owned(),
            })
        };
        let transports = ["https://", "ssh://", "file://"];
        let rest = transports
            .iter()
            .find_map(|begin| self.url.strip_prefix(begin));
        let Some(rest) = rest else {
            return refused(
                "a git repository needs a URL that begins with https://, ssh:// or file://",
            );
        };
        // `ssh://-oProxyCommand=…` and `ssh://user@-o…`.
        let host = rest.split('/').next().unwrap_or_default();
        if rest.starts_with('-') || host.split('@').any(|part| part.starts_with('-')) {
            return refused("its host begins with `-`");
        }
        if self.url.starts_with("https://") && host.contains('@') {
            return refused(
                "credentials do not belong into it, as it is written to files; put them into ~/.netrc",
            );
        }
        if self
            .url
            .chars()
            .any(|one| one.is_control() || one.is_whitespace())
        {
            return refused("its URL has white space in it");
        }
        if let Err(reason) = check_reference(self.reference.as_deref()) {
            return refused(reason);
        }
        match check_subdirectory(self.subdirectory.as_deref()) {
            Ok(()) => Ok(()),
            Err(reason) => refused(reason),
        }
    }
}

/// What git and GitHub take for a branch, a tag or a commit.
pub(super) fn check_reference(reference: Option<&str>) -> Result<(), &'static str> {
    let Some(reference) = reference else {
        return Ok(());
    };
    let bad = |one: char| one.is_control() || " ~^:?*[\\".contains(one);
    if reference.is_empty() || reference.starts_with('-') {
        return Err("what stands behind the `@` is empty or begins with `-`");
    }
    if reference.contains("..") || reference.contains("@{") || reference.chars().any(bad) {
        return Err("what stands behind the `@` is no branch, tag or commit");
    }
    Ok(())
}

pub(super) fn check_subdirectory(subdirectory: Option<&str>) -> Result<(), &'static str> {
    let inside = |path: &str| {
        let place = within_folder(Path::new(""), Path::new(path));
        place.is_some_and(|place| place != Path::new("") && !place.starts_with(".git"))
    };
    match subdirectory {
        Some(path) if !inside(path) => Err("its subdirectory is no folder in it"),
        _ => Ok(()),
    }
}

fn shown(url: &str) -> &str {
    let rest = url.rsplit('@').next().unwrap_or(url);
    without_query(rest)
}

/// Does it look like a commit, which a server may have but not under that name?
fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_whole_commit(text: &str) -> bool {
    is_commit(text) && (text.len() == 40 || text.len() == 64)
}

impl PackageSources<'_> {
    /// A package of a git repository: of one commit, which [`PackageOrigin::Git`] has. Submodules are not fetched,
    /// and what git-lfs keeps elsewhere neither.
    ///
    /// With a whole commit as its reference, what the cache has of it is used without asking.
    pub async fn git(&self, request: &GitRequest) -> Result<PackageFile, PackageError> {
        request.check()?;
        let pinned = request
            .reference
            .clone()
            .filter(|text| is_whole_commit(text));
        if let Some(commit) = &pinned
            && let Some(kept) = self
                .kept_commit(PackageOrigin::Git(origin(request, commit)))
                .await?
        {
            return Ok(kept);
        }
        if self.offline {
            return Err(PackageError::Offline {
                what: match pinned {
                    Some(commit) => PackageOrigin::Git(origin(request, &commit)).to_string(),
                    None => format!(
                        "git+{} (only a whole commit behind `@` is looked for there)",
                        request.url
                    ),
                },
            });
        }
        let unfinished = self.cache.unfinished()?;
        let git = Git {
            folder: unfinished.path().join("repository"),
            url: &request.url,
            credentials: self.http.credentials(),
        };
        let task = self
            .reporter
            .begin(&format!("fetching git+{}", request.url), None);
        let commit = git.check_out(request.reference.as_deref()).await?;
        task.finish(&format!(
            "fetched git+{}@{}",
            request.url,
            &commit[..commit.len().min(12)]
        ));
        let origin = PackageOrigin::Git(origin(request, &commit));
        self.packed_commit(&git.folder, request.subdirectory.as_deref(), origin)
            .await
    }

    /// What the cache has of a commit.
    pub(super) async fn kept_commit(
        &self,
        origin: PackageOrigin,
    ) -> Result<Option<PackageFile>, PackageError> {
        let Some(kept) = Kept::of(&origin.to_string(), self.cache) else {
            return Ok(None);
        };
        match self.kept(kept.sha256).await {
            Some(path) => self.package(path, kept.sha256, origin).await.map(Some),
            None => Ok(None),
        }
    }

    /// The package's folder of a commit, packed, and noted so that the commit need not be fetched again.
    pub(super) async fn packed_commit(
        &self,
        tree: &Path,
        subdirectory: Option<&str>,
        origin: PackageOrigin,
    ) -> Result<PackageFile, PackageError> {
        let folder = match subdirectory {
            None => tree.to_owned(),
            Some(path) => inside(tree, path).ok_or_else(|| PackageError::NotAPackage {
                file: origin.to_string().into(),
                reason: format!("there is no folder `{path}` in it"),
            })?,
        };
        let packed = self.packed(&folder, origin.clone()).await?;
        let kept = Kept {
            place: origin.to_string(),
            sha256: packed.sha256,
            validators: Validators::default(),
        };
        kept.keep(self.cache)?;
        Ok(packed)
    }
}

/// A folder of a tree, if no link on the way leads out of it.
fn inside(tree: &Path, path: &str) -> Option<PathBuf> {
    let top = fs_err::canonicalize(tree).ok()?;
    let place = fs_err::canonicalize(top.join(path)).ok()?;
    (place.starts_with(&top) && place.is_dir()).then_some(place)
}

fn origin(request: &GitRequest, commit: &str) -> CommitOrigin {
    CommitOrigin {
        repository: request.url.clone(),
        reference: request.reference.clone(),
        commit: commit.to_owned(),
        subdirectory: request.subdirectory.clone(),
    }
}

/// A repository that is being fetched into a folder.
struct Git<'a> {
    folder: PathBuf,
    url: &'a str,
    credentials: &'a Credentials,
}

/// Settings that take away from git what a repository, or a setting of the machine, could run.
const SETTINGS: [&str; 10] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
    "advice.detachedHead=false",
    "gc.auto=0",
    // Who sends less than a byte a second for a minute is not waited for.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
];

impl Git<'_> {
    /// Fetches what a reference means, lays its files into the folder, and returns the commit.
    async fn check_out(&self, reference: Option<&str>) -> Result<String, PackageError> {
        fs_err::create_dir_all(&self.folder)?;
        self.run(&["init", "--quiet", "--template="]).await?;
        let wanted = reference.unwrap_or("HEAD");
        let shallow = [
            "fetch",
            "--quiet",
            "--depth=1",
            "--no-tags",
            "--no-recurse-submodules",
            "--",
        ];
        let fetched = self
            .run(&[&shallow[..], &[self.url, wanted]].concat())
            .await;
        let commit = match fetched {
            Ok(_) => "FETCH_HEAD",
            // Not every server gives out a commit that no branch or tag ends in, and none an abbreviated one.
            Err(_) if is_commit(wanted) => {
                let all = ["fetch", "--quiet", "--no-recurse-submodules", "--"];
                let every = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
                self.run(&[&all[..], &[self.url], &every[..]].concat())
                    .await?;
                wanted
            }
            Err(error) => return Err(error),
        };
        let of_commit = format!("{commit}^{{commit}}");
        let said = self
            .run(&["rev-parse", "--verify", "--end-of-options", &of_commit])
            .await?;
        let commit = String::from_utf8_lossy(&said.stdout);
        // `--end-of-options` is printed too by some versions.
        let commit = commit.lines().last().unwrap_or_default().trim().to_owned();
        self.run(&["checkout", "--quiet", "--force", "--detach", &commit])
            .await?;
        Ok(commit)
    }

    async fn run(&self, arguments: &[&str]) -> Result<Output, PackageError> {
        let mut command = Command::new("git");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .env("GIT_CEILING_DIRECTORIES", &self.folder)
            // Messages are looked at below.
            .env("LC_ALL", "C");
        for variable in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_EXTERNAL_DIFF",
        ] {
            command.env_remove(variable);
        }
        if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        self.set_certificates(&mut command);
        self.set_credentials(&mut command);
        let output = command.output().await.map_err(|error| self.failed(match error.kind() {
            std::io::ErrorKind::NotFound => "the program git is not installed, or not in PATH; install it (the package git), \
                 or name a tarball of the package"
                .to_owned(),
            _ => format!("git cannot be run: {error}"),
        }))?;
        match output.status.success() {
            true => Ok(output),
            false => Err(self.failed(told(&String::from_utf8_lossy(&output.stderr)))),
        }
    }

    /// The authorities that every other request believes.
    fn set_certificates(&self, command: &mut Command) {
        if std::env::var_os("GIT_SSL_CAINFO").is_some() {
            return;
        }
        let named = |name| std::env::var_os(name).filter(|path| !path.is_empty());
        if let Some(path) = named("AWS_CA_BUNDLE").or_else(|| named("SSL_CERT_FILE")) {
            command.env("GIT_SSL_CAINFO", path);
        }
    }

    /// By a variable: arguments are there for everybody on the machine to read.
    fn set_credentials(&self, command: &mut Command) {
        let Some(value) = self.credentials.authorization(self.url) else {
            return;
        };
        // Behind those that the environment has already.
        let count = std::env::var("GIT_CONFIG_COUNT").ok();
        let count: usize = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        command
            .env("GIT_CONFIG_COUNT", (count + 1).to_string())
            .env(
                format!("GIT_CONFIG_KEY_{count}"),
                format!("http.{}.extraHeader", self.url),
            )
            .env(
                format!("GIT_CONFIG_VALUE_{count}"),
                format!("Authorization: {value}"),
            );
    }

    fn failed(&self, reason: String) -> PackageError {
        PackageError::Git {
            what: format!("git+{}", self.url),
            reason,
        }
    }
}

/// git's last words, and what to do about the usual ones.
fn told(stderr: &str) -> String {
    let line = stderr
        .lines()
        .rev()
        .find(|line| line.starts_with("fatal:") || line.starts_with("error:"))
        .or_else(|| stderr.lines().last())
        .unwrap_or("git failed without a word");
    let hint =
        if stderr.contains("could not read Username") || stderr.contains("Authentication failed") {
            "; put the host's credentials into ~/.netrc or git's credential helper"
        } else if stderr.contains("couldn't find remote ref") {
            "; is that a branch, a tag or a commit there?"
        } else {
            ""
        };
    format!("git says: {line}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_taken_apart() {
        let parse = |text: &str| text.parse::<GitRequest>().unwrap();
        let found = parse("git+https://h.example/o/x.git@v1.0#subdirectory=r/pkg");
        assert_eq!(found.url, "https://h.example/o/x.git");
        assert_eq!(found.reference.as_deref(), Some("v1.0"));
        assert_eq!(found.subdirectory.as_deref(), Some("r/pkg"));
        let found = parse("git+ssh://git@h.example/o/x.git");
        assert_eq!(
            (found.url.as_str(), found.reference),
            ("ssh://git@h.example/o/x.git", None)
        );
        let found = parse("git+file:///srv/x.git@feature/one");
        assert_eq!(
            found.reference.as_deref(),
            Some("one").map(|_| "feature/one")
        );
    }

    #[test]
    fn what_git_could_take_for_something_else_is_refused() {
        for text in [
            "git+ext::sh -c x",
            "git+http://h.example/x.git",
            "git+-uhttps://x",
            "git+ssh://-oProxyCommand=x/y",
            "git+ssh://user@-oProxyCommand=x/y",
            "git+https://h.example/x.git@-upload-pack=x",
            "git+https://h.example/x.git@a..b",
            "git+https://h.example/x.git@+a:b",
            "git+https://h.example/x.git@",
            "git+https://h.example/x y.git",
            "git+https://h.example/x.git#subdirectory=../y",
            "git+https://h.example/x.git#subdirectory=.git/hooks",
            "git+https://h.example/x.git#subdirectory=/etc",
        ] {
            let error = text.parse::<GitRequest>();
            assert!(
                matches!(error, Err(PackageError::Refused { .. })),
                "{text}: {error:?}"
            );
        }
        for text in [
            "git+http://ann:sesame@h.example/x",
            "git+https://ann:sesame@h.example/x",
        ] {
            let error = text.parse::<GitRequest>().unwrap_err().to_string();
            assert!(
                error.contains("h.example") && !error.contains("sesame"),
                "{error}"
            );
        }
    }

    #[test]
    fn git_s_last_words_come_with_what_to_do() {
        let said = told("warning: x\nfatal: couldn't find remote ref nope\n");
        assert!(
            said.starts_with("git says: fatal: couldn't find remote ref nope; is that a branch")
        );
    }
}
