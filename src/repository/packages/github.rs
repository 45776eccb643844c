//! Packages of GitHub, by its API of tarballs
//! (<https://docs.github.com/rest/repos/contents#download-a-repository-archive-tar>): no git is needed.

use std::path::Path;
use std::str::FromStr;

use super::fetch::blocking;
use super::git::{check_reference, check_subdirectory};
use super::{CommitOrigin, PackageError, PackageFile, PackageOrigin, PackageSources};
use crate::archive::{self, Links};
use crate::repository::Mirror;

/// A package of a repository on GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHubRequest {
    /// Whose.
    pub owner: String,
    /// The repository's name.
    pub repository: String,
    /// A branch, a tag or a commit; the repository's own branch if nothing is said.
    pub reference: Option<String>,
    /// The package's folder in it.
    pub subdirectory: Option<String>,
}

impl FromStr for GitHubRequest {
    type Err = PackageError;

    /// `github::owner/repository/folder@ref`.
    fn from_str(text: &str) -> Result<GitHubRequest, PackageError> {
        let rest = text.strip_prefix("github::").unwrap_or(text);
        let (path, reference) = match rest.split_once('@') {
            Some((path, reference)) => (path, Some(reference.to_owned())),
            None => (rest, None),
        };
        let mut parts = path.splitn(3, '/').map(str::to_owned);
        let request = GitHubRequest {
            owner: parts.next().unwrap_or_default(),
            repository: parts.next().unwrap_or_default(),
            reference,
            subdirectory: parts.next(),
        };
        request.check()?;
        Ok(request)
    }
}

impl GitHubRequest {
    fn check(&self) -> Result<(), PackageError> {
        let refused = |reason: &str| {
            Err(PackageError::Refused {
                what: format!("github::{}/{}", self.owner, self.repository),
                reason: reason.to_owned(),
            })
        };
        let is_name = |name: &str| {
            let good = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
            !name.is_empty() && !name.starts_with(['-', '.']) && name.chars().all(good)
        };
        if !is_name(&self.owner) || !is_name(&self.repository) {
            return refused("a package of GitHub is written github::owner/repository@ref");
        }
        if let Err(reason) = check_reference(self.reference.as_deref())
            .and_then(|()| check_subdirectory(self.subdirectory.as_deref()))
        {
            return refused(reason);
        }
        Ok(())
    }

    /// Where the API has the tarball.
    fn url(&self, api: &Mirror) -> String {
        let place = format!("repos/{}/{}/tarball", self.owner, self.repository);
        let location = match &self.reference {
            Some(reference) => api.at(&format!("{place}/{}", encoded(reference))),
            None => api.at(&place),
        };
        location.to_string()
    }

    fn origin(&self, commit: &str) -> PackageOrigin {
        PackageOrigin::GitHub(CommitOrigin {
            repository: format!("{}/{}", self.owner, self.repository),
            reference: self.reference.clone(),
            commit: commit.to_owned(),
            subdirectory: self.subdirectory.clone(),
        })
    }
}

/// The most that a repository may unpack to.
const LARGEST: u64 = 4 << 30;

impl PackageSources<'_> {
    /// A package of GitHub, whose API lies at `api` (`https://api.github.com`, or that of a company's own server): of
    /// one commit, which [`PackageOrigin::GitHub`] has. Submodules are not part of it.
    ///
    /// With a whole commit as its reference, what the cache has of it is used without asking.
    pub async fn github(
        &self,
        request: &GitHubRequest,
        api: &Mirror,
    ) -> Result<PackageFile, PackageError> {
        request.check()?;
        let is_commit =
            |text: &&String| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let pinned = request.reference.as_ref().filter(is_commit);
        if let Some(commit) = pinned
            && let Some(kept) = self.kept_commit(request.origin(commit)).await?
        {
            return Ok(kept);
        }
        let what = format!("github::{}/{}", request.owner, request.repository);
        if self.offline {
            return Err(PackageError::Offline { what });
        }
        let unfinished = self.cache.unfinished()?;
        let tarball = unfinished.path().join("tarball");
        let task = self.reporter.begin(&format!("fetching {what}"), Some(0));
        let url = request.url(api);
        let fetched = self.http.download(&url, &tarball, &*task).await;
        fetched.map_err(|error| unanswered(error, &what))?;
        task.finish(&format!("fetched {what}"));
        let tree = unfinished.path().join("tree");
        let (into, known_as) = (tree.clone(), what.clone());
        let commit = blocking(move || unpack(&tarball, &into, &known_as)).await?;
        let commit = commit
            .or_else(|| pinned.cloned())
            .ok_or(PackageError::Git {
                what,
                reason: "the tarball does not say which commit it is of; is that GitHub's API?"
                    .to_owned(),
            })?;
        let top = archive::top_folder(&tree)?;
        let subdirectory = request.subdirectory.as_deref();
        self.packed_commit(&top, subdirectory, request.origin(&commit))
            .await
    }
}

/// Unpacks a repository's tarball and returns the commit that it is of, if it says so.
fn unpack(tarball: &Path, into: &Path, known_as: &str) -> Result<Option<String>, PackageError> {
    archive::unpack(tarball, into, LARGEST, Links::Kept)
        .map_err(|error| error.of(known_as.into()))?;
    Ok(archive::git_commit(tarball))
}

/// A branch may have slashes in its name, which the API wants as they are; everything else that a URL knows is encoded.
fn encoded(reference: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'.')
        .remove(b'-')
        .remove(b'_');
    utf8_percent_encode(reference, KEPT).to_string()
}

fn unanswered(error: crate::http::HttpError, what: &str) -> PackageError {
    use crate::http::HttpError::{NotFound, Unauthorized};
    let reason = match &error {
        NotFound { .. } => {
            "there is no such repository, branch, tag or commit, or it is a private one: set R_LAYER_REPO_GITHUB_TOKEN or \
             GITHUB_TOKEN to a token that may read it"
        }
        Unauthorized { .. } => {
            "GitHub refuses, or has been asked too often by this machine: set R_LAYER_REPO_GITHUB_TOKEN or GITHUB_TOKEN to \
             a token"
        }
        _ => return error.into(),
    };
    PackageError::Git {
        what: what.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_taken_apart() {
        let found: GitHubRequest = "github::r-lib/cli/sub/pkg@feature/x".parse().unwrap();
        assert_eq!(
            (found.owner.as_str(), found.repository.as_str()),
            ("r-lib", "cli")
        );
        assert_eq!(found.subdirectory.as_deref(), Some("sub/pkg"));
        assert_eq!(found.reference.as_deref(), Some("feature/x"));
        assert_eq!(
            found.origin("0123").to_string(),
            "github::r-lib/cli/sub/pkg@0123"
        );
        assert_eq!(encoded("feature/x#1"), "feature/x%231");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for text in [
            "github::",
            "github::owner",
            "github::-o/x",
            "github::o/..",
            "github::o/x/../y",
            "github::o/x@-x",
            "github::o/x@../../../user",
            "github::o?x=/y",
        ] {
            assert!(text.parse::<GitHubRequest>().is_err(), "{text}");
        }
    }
}
