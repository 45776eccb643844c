//! Packages that are in no repository: files and folders of this machine, git, GitHub.

use std::path::Path;
use std::process::Command;

use r_layer::checksum::Sha256;
use r_layer::repository::{
    GitHubRequest, GitRequest, Mirror, PackageError, PackageFile, PackageKind, PackageOrigin,
    unpack_source,
};

use super::making::Package;
use super::{Place, r45};
use crate::download::server::{Reply, Server};
use crate::parts::succeed;

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[tokio::test]
async fn a_tarball_of_this_machine_is_source_or_binary_by_what_is_in_it() {
    let place = Place::new();
    let file = place.folder.path().join("whatever.tar.gz");
    let source = Package::new("aa", "1.0").tarball();
    std::fs::write(&file, &source).unwrap();
    let found = place.sources().local(&file, Some(&r45())).await.unwrap();
    assert_eq!(
        (found.name.as_str(), found.kind, found.sha256),
        ("aa", PackageKind::Source, Sha256::of(&source))
    );
    assert_eq!(found.origin, PackageOrigin::LocalFile(file.clone()));
    // It has changed: the cache's copy is not taken for it.
    let binary = Package::new("aa", "1.0").built("4.5.1").tarball();
    std::fs::write(&file, &binary).unwrap();
    let found = place.sources().local(&file, Some(&r45())).await.unwrap();
    assert_eq!(
        (found.kind, found.sha256),
        (PackageKind::Binary, Sha256::of(&binary))
    );
    let error = place
        .sources()
        .local(&file, None)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("whatever.tar.gz is a binary package"),
        "{error}"
    );
    std::fs::write(&file, Package::new("aa", "1.0").built("4.3.0").tarball()).unwrap();
    let error = place
        .sources()
        .local(&file, Some(&r45()))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("built for R 4.3.0"), "{error}");
    std::fs::write(&file, "no tarball").unwrap();
    let error = place
        .sources()
        .local(&file, None)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("not a .tar.gz"), "{error}");
    let error = place
        .sources()
        .local(Path::new("/nowhere.tar.gz"), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/nowhere.tar.gz is not an R package: there is no such file"),
        "{error}"
    );
}

#[tokio::test]
async fn a_folder_of_this_machine_is_packed_by_its_content() {
    let place = Place::new();
    let folder = place.folder.path().join("mine");
    write(
        &folder,
        &[
            ("DESCRIPTION", "Package: mine\nVersion: 0.1\n"),
            ("R/a.R", "1"),
            ("src/a.o", "x"),
        ],
    );
    let first = place.sources().local(&folder, None).await.unwrap();
    assert_eq!(
        (first.name.as_str(), first.kind),
        ("mine", PackageKind::Source)
    );
    let again = place.sources().local(&folder, None).await.unwrap();
    assert_eq!(first, again);
    let top = unpack_source(&first, &place.folder.path().join("into")).unwrap();
    assert!(top.join("R/a.R").is_file() && !top.join("src/a.o").exists());
    write(&folder, &[("R/a.R", "2")]);
    let changed = place.sources().local(&folder, None).await.unwrap();
    assert_ne!(changed.sha256, first.sha256);
    assert_eq!(place.downloads(), 2);
}

/// A git repository with two commits, the first of them tagged; its hooks would leave a file.
struct Repository {
    folder: tempfile::TempDir,
    first: String,
    second: String,
}

impl Repository {
    fn make() -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        git(path, &["init", "--quiet", "--initial-branch=main"]);
        write(
            path,
            &[
                ("r/pkg/DESCRIPTION", "Package: mine\nVersion: 0.1\n"),
                ("r/pkg/R/a.R", "1"),
                ("README", "x"),
            ],
        );
        git(path, &["add", "."]);
        git(path, &["commit", "--quiet", "-m", "one"]);
        git(path, &["tag", "-a", "v0.1", "-m", "v0.1"]);
        let first = git(path, &["rev-parse", "HEAD"]);
        write(
            path,
            &[("r/pkg/DESCRIPTION", "Package: mine\nVersion: 0.2\n")],
        );
        git(path, &["commit", "--quiet", "-am", "two"]);
        let second = git(path, &["rev-parse", "HEAD"]);
        Repository {
            folder,
            first,
            second,
        }
    }

    fn request(&self, reference: &str) -> GitRequest {
        let url = self.folder.path().display();
        format!("git+file://{url}{reference}#subdirectory=r/pkg")
            .parse()
            .unwrap()
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
        .args(arguments)
        .current_dir(folder);
    String::from_utf8(succeed(&mut command).stdout)
        .unwrap()
        .trim()
        .to_owned()
}

fn commit(file: &PackageFile) -> &str {
    match &file.origin {
        PackageOrigin::Git(from) | PackageOrigin::GitHub(from) => &from.commit,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_branch_a_tag_and_a_commit_of_git_lead_to_a_commit() {
    let repository = Repository::make();
    let place = Place::new();
    for (reference, version, expected) in [
        ("".to_owned(), "0.2", &repository.second),
        ("@main".to_owned(), "0.2", &repository.second),
        ("@v0.1".to_owned(), "0.1", &repository.first),
        (format!("@{}", repository.first), "0.1", &repository.first),
        (
            format!("@{}", &repository.first[..9]),
            "0.1",
            &repository.first,
        ),
    ] {
        let found = place
            .sources()
            .git(&repository.request(&reference))
            .await
            .unwrap();
        assert_eq!(
            (found.version.as_str(), commit(&found)),
            (version, expected.as_str()),
            "{reference}"
        );
    }
    assert_eq!(place.downloads(), 2);
}

#[tokio::test]
async fn a_folder_and_a_commit_of_it_are_the_same_bytes() {
    let repository = Repository::make();
    let place = Place::new();
    let committed = place.sources().git(&repository.request("")).await.unwrap();
    let folder = repository.folder.path().join("r/pkg");
    std::fs::create_dir(folder.join("empty")).unwrap();
    let packed = place.sources().local(&folder, None).await.unwrap();
    assert_eq!(packed.sha256, committed.sha256);
}

#[tokio::test]
async fn a_commit_that_was_had_needs_no_network() {
    let repository = Repository::make();
    let mut place = Place::new();
    let found = place
        .sources()
        .git(&repository.request("@v0.1"))
        .await
        .unwrap();
    place.offline = true;
    let typed = found.origin.url().unwrap();
    let again = place.sources().git(&typed.parse().unwrap()).await.unwrap();
    assert_eq!(
        (again.sha256, again.version.as_str()),
        (found.sha256, "0.1")
    );
    for reference in ["@main".to_owned(), format!("@{}", repository.second)] {
        let error = place
            .sources()
            .git(&repository.request(&reference))
            .await
            .unwrap_err();
        assert!(matches!(error, PackageError::Offline { .. }), "{error}");
    }
}

/// Settings are of a process, so that this test is one of its own.
#[test]
fn no_hook_of_the_machine_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let (hooks, proof) = (folder.path().join("hooks"), folder.path().join("ran"));
    let script = format!("#!/bin/sh\ntouch {}\n", proof.display());
    write(&hooks, &[("post-checkout", &script)]);
    write(folder.path(), &[("template/hooks/post-checkout", &script)]);
    for path in [
        hooks.join("post-checkout"),
        folder.path().join("template/hooks/post-checkout"),
    ] {
        succeed(Command::new("chmod").arg("755").arg(path));
    }
    // That such settings do run something is seen first.
    let set = |command: &mut Command| {
        command
            .env("GIT_TEMPLATE_DIR", folder.path().join("template"))
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "core.hooksPath")
            .env("GIT_CONFIG_VALUE_0", &hooks);
    };
    let repository = Repository::make();
    let mut clone = Command::new("git");
    clone
        .args(["clone", "--quiet"])
        .arg(repository.folder.path())
        .arg(folder.path().join("clone"));
    set(&mut clone);
    succeed(&mut clone);
    assert!(proof.exists());
    std::fs::remove_file(&proof).unwrap();

    let inner = "package_repository::origins::with_hooks_set";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", inner, "--ignored"])
        .env("TEST_REPOSITORY", repository.folder.path());
    set(&mut command);
    let said = String::from_utf8(succeed(&mut command).stdout).unwrap();
    assert!(said.contains("1 passed"), "{said}");
    assert!(!proof.exists());
}

#[tokio::test]
#[ignore = "run by the test above, with settings of git"]
async fn with_hooks_set() {
    let repository = std::env::var("TEST_REPOSITORY").unwrap();
    let typed = format!("git+file://{repository}#subdirectory=r/pkg");
    let found = Place::new()
        .sources()
        .git(&typed.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(found.version, "0.2");
}

#[tokio::test]
async fn what_git_cannot_fetch_says_why() {
    let repository = Repository::make();
    let place = Place::new();
    let error = place
        .sources()
        .git(&repository.request("@nope"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("nope") && error.contains("is that a branch, a tag or a commit there?"),
        "{error}"
    );
    let mut request = repository.request("");
    request.subdirectory = Some("r/other".to_owned());
    let error = place.sources().git(&request).await.unwrap_err().to_string();
    assert!(
        error.contains("there is no folder `r/other` in it"),
        "{error}"
    );
    request.url = "file:///nowhere/at/all".to_owned();
    let error = place.sources().git(&request).await.unwrap_err().to_string();
    assert!(
        error.contains("git+file:///nowhere/at/all: git says: fatal:"),
        "{error}"
    );
    request.reference = Some("--upload-pack=touch".to_owned());
    let error = place.sources().git(&request).await.unwrap_err();
    assert!(matches!(error, PackageError::Refused { .. }), "{error}");
    assert_eq!(place.downloads(), 0);
}

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A tarball as GitHub makes it: by `git archive`, with the commit in its global header.
pub fn of_github() -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    let record = format!("52 comment={COMMIT}\n");
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::XGlobalHeader);
    header.set_size(record.len() as u64);
    archive
        .append_data(&mut header, "pax_global_header", record.as_bytes())
        .unwrap();
    for (path, text) in [
        ("pkg/DESCRIPTION", "Package: mine\nVersion: 0.3\n"),
        ("README", "x"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        archive
            .append_data(&mut header, format!("o-r-0123456/{path}"), text.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[tokio::test]
async fn github_s_tarball_says_which_commit_it_is_of() {
    let server = Server::start(|request, _| match request.target.as_str() {
        "/repos/o/r/tarball/feature/x" => {
            Reply::status(302).header("Location", "/codeload/x?token=secret")
        }
        "/codeload/x?token=secret" => Reply::ok(of_github()),
        _ => Reply::status(404),
    });
    let api = Mirror::parse(&server.base());
    let mut place = Place::new();
    let request: GitHubRequest = "github::o/r/pkg@feature/x".parse().unwrap();
    let found = place.sources().github(&request, &api).await.unwrap();
    assert_eq!(
        (found.name.as_str(), found.version.as_str(), commit(&found)),
        ("mine", "0.3", COMMIT)
    );
    let typed = found.origin.url().unwrap();
    assert_eq!(typed, format!("github::o/r/pkg@{COMMIT}"));
    place.offline = true;
    let again = place
        .sources()
        .github(&typed.parse().unwrap(), &api)
        .await
        .unwrap();
    assert_eq!(again.sha256, found.sha256);
    let error = place.sources().github(&request, &api).await.unwrap_err();
    assert!(matches!(error, PackageError::Offline { .. }), "{error}");
    place.offline = false;
    let request: GitHubRequest = "github::o/none".parse().unwrap();
    let error = place
        .sources()
        .github(&request, &api)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("github::o/none: there is no such repository")
            && error.contains("GITHUB_TOKEN"),
        "{error}"
    );
}
