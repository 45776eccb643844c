//! Requests for packages that other tools' files hold: `renv.lock`, and a project's `DESCRIPTION`. Only read here;
//! nothing is fetched.

mod description;
mod origin;
mod remotes;
mod renv;
mod renv_record;

use std::fmt;

use serde::Serialize;

pub use description::{DescriptionError, ProjectDescription};
pub use origin::{GitRevision, Origin, RepositoryOrigin};
pub use remotes::RemoteError;
pub use renv::{OtherR, RenvError, RenvLock};

use crate::manifest::{SnapshotDate, part_snapshot};
use crate::public_url::PublicUrl;

/// A bound of a version, as R's files have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// `>=`, `>`, `<=`, `<`, `==` or `!=`.
    pub operator: String,
    /// The version, as written.
    pub version: String,
}

/// A package that a file asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileRequest {
    /// Its name.
    pub package: String,
    /// The bounds of its version, all of which count; a lock's is one with `==`.
    pub bounds: Vec<Bound>,
    /// Where it comes from.
    pub origin: Origin,
}

impl fmt::Display for FileRequest {
    /// As it is typed and written into the manifest: `dplyr>=1.1,<2`, `github::r-lib/cli@v3.6.0`,
    /// `git+https://host/repo.git@ref#subdirectory=pkg`, `./pkg`. A tarball on a server is its URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.origin.place() {
            return f.write_str(&place);
        }
        let bounds = self.bounds.iter();
        let bounds: Vec<String> = bounds
            .map(|bound| format!("{}{}", bound.operator, bound.version))
            .collect();
        write!(f, "{}{}", self.package, bounds.join(","))
    }
}

/// A package of a file that cannot be had, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The package, or what stands in its place.
    pub package: String,
    /// Why, and what to type.
    pub reason: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.package, self.reason)
    }
}

/// A repository that a file names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileRepository {
    /// Its name there.
    pub name: String,
    /// Its base URL. Of Posit Package Manager's, neither the day nor the distribution whose binaries it gives
    /// (`…/cran/__linux__/jammy/2025-04-01`) are in it: they are not Lambda's.
    pub url: PublicUrl,
    /// The day of its snapshot.
    #[serde(serialize_with = "shown")]
    pub snapshot: Option<SnapshotDate>,
}

fn shown<S: serde::Serializer>(
    date: &Option<SnapshotDate>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => serializer.collect_str(date),
        None => serializer.serialize_none(),
    }
}

impl FileRepository {
    fn new(name: &str, url: &str) -> FileRepository {
        let (base, snapshot) = part_snapshot(url);
        let base = match base.split_once("/__linux__/") {
            Some((base, _)) => base,
            // Without a snapshot, `latest` is a part of the URL like others.
            None if snapshot.is_none() => url.trim_end_matches('/'),
            None => base,
        };
        FileRepository {
            name: name.to_owned(),
            url: PublicUrl::new(base),
            snapshot,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_of_posits_is_parted_from_its_url_and_from_other_peoples_binaries() {
        for (url, base, snapshot) in [
            (
                "https://cloud.r-project.org/",
                "https://cloud.r-project.org",
                None,
            ),
            (
                "https://p3m.dev/cran/latest",
                "https://p3m.dev/cran/latest",
                None,
            ),
            (
                "https://p3m.dev/cran/2025-04-01",
                "https://p3m.dev/cran",
                Some("2025-04-01"),
            ),
            (
                "https://packagemanager.posit.co/cran/__linux__/jammy/2024-02-01",
                "https://packagemanager.posit.co/cran",
                Some("2024-02-01"),
            ),
            (
                "https://packagemanager.posit.co/cran/__linux__/jammy/latest",
                "https://packagemanager.posit.co/cran",
                None,
            ),
            (
                "https://ann:sesame@r.example/cran",
                "https://r.example/cran",
                None,
            ),
        ] {
            let repository = FileRepository::new("x", url);
            assert_eq!(repository.url.as_str(), base);
            assert_eq!(
                repository.snapshot.map(|date| date.to_string()).as_deref(),
                snapshot
            );
        }
    }
}
