//! Where a package comes from that a file asks for.

use serde::Serialize;

use crate::public_url::PublicUrl;

/// A repository that is laid out as CRAN is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RepositoryOrigin {
    /// Its name in the file.
    pub name: Option<String>,
    /// Its URL, if the file has it; without one, any repository will do.
    pub url: Option<PublicUrl>,
    /// The commit that its source was made from, where the repository says it: R-universe keeps the newest version alone,
    /// an older one is to be had from here.
    pub upstream: Option<GitRevision>,
}

/// A commit, tag or branch of a git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GitRevision {
    /// The repository's URL.
    pub url: PublicUrl,
    /// Commit, tag, branch or other reference; nothing means the default branch.
    pub revision: Option<String>,
    /// The folder of the package, if it is not at the top.
    pub folder: Option<String>,
}

impl GitRevision {
    /// A revision by the URL of its repository; git's short form of ssh (`git@host:path`) is written out.
    pub(super) fn new(url: &str, revision: Option<String>, folder: Option<String>) -> GitRevision {
        let url = url.strip_prefix("git+").unwrap_or(url);
        let short = match url.contains("://") {
            true => None,
            false => url.split_once(':').filter(|(host, _)| host.contains('@')),
        };
        GitRevision {
            url: match short {
                Some((host, path)) => {
                    PublicUrl::new(&format!("ssh://{host}/{}", path.trim_start_matches('/')))
                }
                None => PublicUrl::new(url),
            },
            revision,
            folder,
        }
    }

    /// The same as the origin of a package. What is on GitHub needs no git.
    fn origin(&self) -> Origin {
        let on_github = self.url.as_str().strip_prefix("https://github.com/");
        let path = on_github.map(|path| path.trim_end_matches('/').trim_end_matches(".git"));
        match path.and_then(|path| path.split_once('/')) {
            Some((owner, repository)) => hosted(
                "github.com",
                owner,
                repository,
                self.revision.clone(),
                self.folder.clone(),
            ),
            None => Origin::Git(self.clone()),
        }
    }

    /// `git+https://host/repo.git@ref#subdirectory=pkg`.
    fn place(&self) -> String {
        let revision = self.revision.iter().map(|revision| format!("@{revision}"));
        let folder = self
            .folder
            .iter()
            .map(|folder| format!("#subdirectory={folder}"));
        let parts: String = revision.chain(folder).collect();
        format!("git+{}{parts}", self.url)
    }
}

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Origin {
    /// A repository that is laid out as CRAN is.
    Repository(RepositoryOrigin),
    /// Bioconductor.
    Bioconductor {
        /// Its release, `3.20`; nothing means the one for the version of R.
        release: Option<String>,
    },
    /// A repository of github.com.
    GitHub {
        /// Its owner.
        owner: String,
        /// Its name.
        repository: String,
        /// Commit, tag, branch or `refs/pull/7/head`; nothing means the default branch.
        revision: Option<String>,
        /// The folder of the package, if it is not at the top.
        folder: Option<String>,
    },
    /// Another git repository.
    Git(GitRevision),
    /// A tarball with a URL of its own.
    Url {
        /// The URL.
        url: PublicUrl,
    },
    /// A tarball or folder, from the folder of the file.
    Local {
        /// Its path.
        path: String,
    },
}

impl Origin {
    /// Any repository.
    pub fn any() -> Origin {
        Origin::Repository(RepositoryOrigin::default())
    }

    /// The origin as it is typed; nothing for repositories, where the name of the package is enough. R-universe may have
    /// another version by now: its package is asked for by the commit that it was made from, if that is known.
    pub(super) fn place(&self) -> Option<String> {
        match self {
            Origin::Repository(RepositoryOrigin {
                upstream: Some(git),
                ..
            }) if git.revision.is_some() => git.origin().place(),
            Origin::Repository(_) | Origin::Bioconductor { .. } => None,
            Origin::GitHub {
                owner,
                repository,
                revision,
                folder,
            } => {
                let folder = folder.iter().map(|folder| format!("/{folder}"));
                let revision = revision.iter().map(|revision| format!("@{revision}"));
                let parts: String = folder.chain(revision).collect();
                Some(format!("github::{owner}/{repository}{parts}"))
            }
            Origin::Git(git) => Some(git.place()),
            Origin::Url { url } => Some(url.to_string()),
            Origin::Local { path } => {
                let begins = ["./", "../", "/", "~", ".\\", "..\\"].iter();
                let is_marked = begins.clone().any(|start| path.starts_with(start));
                let has_drive = path.get(1..2) == Some(":");
                Some(
                    match is_marked || has_drive || path == "." || path == ".." {
                        true => path.clone(),
                        false => format!("./{path}"),
                    },
                )
            }
        }
    }
}

/// A git repository of a host by the names of owner and repository; GitHub's own host is known by its name.
pub(super) fn hosted(
    host: &str,
    owner: &str,
    repository: &str,
    revision: Option<String>,
    folder: Option<String>,
) -> Origin {
    match host {
        "github.com" => Origin::GitHub {
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            revision,
            folder,
        },
        _ => Origin::Git(GitRevision {
            url: PublicUrl::new(&format!("https://{host}/{owner}/{repository}.git")),
            revision,
            folder,
        }),
    }
}
