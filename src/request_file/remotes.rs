//! The field `Remotes` of DESCRIPTION: where a dependency is had instead of a repository.
//!
//! `[type::]place`, parted by commas; without a type, GitHub's `[package=]owner/repo[/folder][@ref|#pull|@*release]`.
//! <https://remotes.r-lib.org/articles/dependencies.html>

use super::origin::hosted;
use super::{GitRevision, Origin, RepositoryOrigin};
use crate::manifest::requested_package;
use crate::package::is_package_name;
use crate::public_url::PublicUrl;

/// A remote that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// A type that r-layer cannot fetch.
    #[error("r-layer cannot fetch `{0}::`; name it as git, GitHub, a URL or a path")]
    Type(String),
    /// Not `owner/repo`.
    #[error("it is not of the form owner/repo[/folder][@ref]")]
    Form,
    /// `@*release`.
    #[error("the latest release is another one tomorrow; name its tag: {0}@TAG")]
    LatestRelease(String),
    /// A pull request where there are none.
    #[error("a pull request by its number is GitHub's alone; name a branch or commit")]
    PullRequest,
}

/// A remote, and the package that it is for as far as it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remote {
    /// The package, if it is named (`igraph=igraph/rigraph`).
    pub package: Option<String>,
    /// Names that the package may have: its repository's, its folder's.
    pub guesses: Vec<String>,
    pub origin: Origin,
}

/// Reads one of the remotes.
pub(super) fn parse_remote(text: &str) -> Result<Remote, RemoteError> {
    let (package, text) = match text.split_once('=') {
        Some((package, rest)) if is_package_name(package.trim()) => {
            (Some(package.trim().to_owned()), rest.trim())
        }
        _ => (None, text.trim()),
    };
    let (kind, place) = text.split_once("::").unwrap_or(("github", text));
    let (package, place) = match place.split_once('=') {
        Some((name, rest)) if package.is_none() && is_package_name(name) => {
            (Some(name.to_owned()), rest)
        }
        _ => (package, place),
    };
    // A type may name a host: `gitlab@git.example::owner/repo`.
    let (kind, host) = match kind.split_once('@') {
        Some((kind, host)) => (kind, Some(host)),
        None => (kind, None),
    };
    let origin = origin(kind, host, place)?;
    let guesses = match &origin {
        Origin::GitHub {
            folder: Some(folder),
            ..
        }
        | Origin::Git(GitRevision {
            folder: Some(folder),
            ..
        }) => {
            vec![requested_package(text).to_owned(), last_part(folder)]
        }
        _ => vec![requested_package(text).to_owned()],
    };
    Ok(Remote {
        package,
        guesses,
        origin,
    })
}

fn last_part(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

fn origin(kind: &str, host: Option<&str>, place: &str) -> Result<Origin, RemoteError> {
    match kind {
        "github" if place.starts_with("https://") || place.starts_with("git@") => Ok(git(place)),
        "github" => short(host.map_or("github.com", api_host), place),
        "gitlab" => short(host.unwrap_or("gitlab.com"), place),
        "bitbucket" => short(host.unwrap_or("bitbucket.org"), place),
        "git" => Ok(git(place)),
        "url" => Ok(Origin::Url {
            url: PublicUrl::new(place),
        }),
        "local" | "deps" => Ok(Origin::Local {
            path: place.to_owned(),
        }),
        "cran" | "any" | "standard" => Ok(Origin::any()),
        "bioc" => Ok(Origin::Bioconductor {
            release: bioconductor_release(place),
        }),
        "runiverse" => Ok(Origin::Repository(RepositoryOrigin {
            name: None,
            url: place
                .split_once('/')
                .map(|(owner, _)| PublicUrl::new(&format!("https://{owner}.r-universe.dev"))),
            upstream: None,
        })),
        other => Err(RemoteError::Type(other.to_owned())),
    }
}

fn api_host(host: &str) -> &str {
    if host == "api.github.com" {
        "github.com"
    } else {
        host
    }
}

/// `owner/repo[/folder][@ref|#pull]` of a host. remotes reads GitLab's the same way, so that a group in a group has to be
/// named by its URL.
fn short(host: &str, place: &str) -> Result<Origin, RemoteError> {
    let (place, revision) = match (place.split_once('@'), place.split_once('#')) {
        (Some((place, release)), _) if release.starts_with('*') => {
            return Err(RemoteError::LatestRelease(place.to_owned()));
        }
        (Some((place, reference)), _) => (place, Some(reference.to_owned())),
        (None, Some((place, pull))) => {
            let is_number = !pull.is_empty() && pull.bytes().all(|byte| byte.is_ascii_digit());
            match host == "github.com" && is_number {
                true => (place, Some(format!("refs/pull/{pull}/head"))),
                false => return Err(RemoteError::PullRequest),
            }
        }
        (None, None) => (place, None),
    };
    let mut parts = place.trim_end_matches('/').splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(owner), Some(repository), folder) if !owner.is_empty() && !repository.is_empty() => {
            let folder = folder.map(str::to_owned);
            Ok(hosted(host, owner, repository, revision, folder))
        }
        _ => Err(RemoteError::Form),
    }
}

/// A URL with its reference behind the last `@` that is not its host's.
fn git(place: &str) -> Origin {
    // A user's `@` stands before the host's end: `https://ann@host/…`, `git@host:…`.
    let host_end = match place.find("://") {
        Some(scheme_end) => place[scheme_end + 3..]
            .find('/')
            .map(|at| scheme_end + 3 + at),
        None => place.find(':'),
    };
    let host_end = host_end.unwrap_or(place.len());
    let reference = place[host_end..].rfind('@').map(|at| host_end + at);
    let (url, revision) = match reference {
        Some(at) => (&place[..at], Some(place[at + 1..].to_owned())),
        None => (place, None),
    };
    Origin::Git(GitRevision::new(url, revision, None))
}

/// `3.20/Biobase` names a release.
fn bioconductor_release(place: &str) -> Option<String> {
    let (release, _) = place.split_once('/')?;
    let is_release = release.contains('.')
        && release
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_release.then(|| release.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> String {
        parse_remote(text).unwrap().origin.place().unwrap()
    }

    #[test]
    fn remotes_of_every_type_are_read() {
        for (remote, typed) in [
            ("r-lib/testthat", "github::r-lib/testthat"),
            ("r-lib/httr@v0.4", "github::r-lib/httr@v0.4"),
            (
                "github::tidyverse/ggplot2@feature/x",
                "github::tidyverse/ggplot2@feature/x",
            ),
            ("dmlc/xgboost/R-package", "github::dmlc/xgboost/R-package"),
            (
                "klutometis/roxygen#142",
                "github::klutometis/roxygen@refs/pull/142/head",
            ),
            ("igraph=igraph/rigraph", "github::igraph/rigraph"),
            (
                "gitlab::jimhester/covr@main",
                "git+https://gitlab.com/jimhester/covr.git@main",
            ),
            ("gitlab@git.example::a/b", "git+https://git.example/a/b.git"),
            (
                "bitbucket::sulab/mygene.r@default",
                "git+https://bitbucket.org/sulab/mygene.r.git@default",
            ),
            (
                "git::https://git.example/x/y.git@1.0",
                "git+https://git.example/x/y.git@1.0",
            ),
            (
                "git::https://ann:pw@git.example/x/y.git",
                "git+https://git.example/x/y.git",
            ),
            (
                "git::git@github.com:r-lib/cli.git@main",
                "git+ssh://git@github.com/r-lib/cli.git@main",
            ),
            (
                "github::https://github.com/r-lib/cli@v1",
                "git+https://github.com/r-lib/cli@v1",
            ),
            (
                "url::https://host.example/x_1.0.tar.gz",
                "https://host.example/x_1.0.tar.gz",
            ),
            ("local::../pkg", "../pkg"),
        ] {
            assert_eq!(place(remote), typed, "{remote}");
        }
        let release = |text: &str| parse_remote(text).unwrap().origin;
        assert_eq!(
            release("bioc::3.20/Biobase"),
            Origin::Bioconductor {
                release: Some("3.20".to_owned())
            }
        );
        assert_eq!(
            release("bioc::Biobase"),
            Origin::Bioconductor { release: None }
        );
        assert_eq!(release("cran::dplyr"), Origin::any());
    }

    #[test]
    fn the_package_is_named_or_guessed() {
        let remote = parse_remote("igraph=igraph/rigraph").unwrap();
        assert_eq!(remote.package.as_deref(), Some("igraph"));
        let remote = parse_remote("github::igraph=igraph/rigraph").unwrap();
        assert_eq!(remote.package.as_deref(), Some("igraph"));
        let remote = parse_remote("apache/arrow/r/arrow2@v1").unwrap();
        assert_eq!(
            (remote.package, remote.guesses),
            (None, vec!["arrow".to_owned(), "arrow2".to_owned()])
        );
    }

    #[test]
    fn what_cannot_be_had_says_why() {
        for (remote, words) in [
            ("svn::https://svn.example/x", "cannot fetch `svn::`"),
            ("r-lib/cli@*release", "name its tag: r-lib/cli@TAG"),
            ("cli", "owner/repo"),
            ("/cli", "owner/repo"),
            ("gitlab::a/b#7", "GitHub's alone"),
            ("a/b#x", "GitHub's alone"),
        ] {
            let error = parse_remote(remote).unwrap_err().to_string();
            assert!(error.contains(words), "{remote}: {error}");
        }
    }
}
