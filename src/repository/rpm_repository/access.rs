//! How a repository's files get here: by their hash from the cache, else from where they are.

use std::path::{Path, PathBuf};

use super::{RpmError, payload};
use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::http::Http;
use crate::package::RpmPackage;
use crate::progress::Reporter;
use crate::repository::Location;

/// What an RPM repository is reached with.
#[derive(Clone, Copy)]
pub struct RpmAccess<'a> {
    /// For servers.
    pub http: &'a Http,
    /// Where packages and indexes are kept.
    pub cache: &'a Cache,
    /// Told of downloads.
    pub reporter: &'a dyn Reporter,
    /// Is nothing to be fetched, and the cache alone to be used?
    pub offline: bool,
}

/// How packages are unpacked; another number where that changes.
const UNPACKED: u32 = 1;

impl RpmAccess<'_> {
    /// Saves what is at a place in a file, and checks its hash.
    pub async fn fetch(
        &self,
        what: &str,
        place: &Location,
        expected: Sha256,
        path: &Path,
    ) -> Result<(), RpmError> {
        if self.offline {
            let what = format!("{what} ({place})");
            return Err(RpmError::Offline { what });
        }
        match place {
            Location::File(file) => {
                fs_err::copy(file, path)?;
            }
            Location::Url(url) => {
                let task = self.reporter.begin(&format!("fetching {what}"), Some(0));
                let fetched = self.http.download(url, path, &*task).await;
                fetched.map_err(RpmError::Unreachable)?;
                task.finish(&format!("fetched {what} from {place}"));
            }
        }
        let found = Sha256::of_file(path)?;
        if found == expected {
            return Ok(());
        }
        // A portal's or a proxy's page has another hash, too, but it is not damaged.
        if begins_as_page(path)? {
            return Err(RpmError::NotUnderstood {
                place: place.to_string(),
                reason: format!("it is a web page, and {what} was expected"),
            });
        }
        Err(RpmError::Hash {
            place: place.to_string(),
            found,
            expected,
        })
    }

    /// The folder with a package's files, as in a root file system.
    pub async fn unpacked(&self, package: &RpmPackage) -> Result<PathBuf, RpmError> {
        let name = format!("{}-{UNPACKED}", package.sha256);
        self.cache
            .get_or_make("rpms", &name, self.reporter, async |content: &Path| {
                let file = self.package_file(package).await?;
                let folder = content.to_owned();
                let unpacked = tokio::task::spawn_blocking(move || payload::unpack(&file, &folder));
                let outcome = unpacked
                    .await
                    .unwrap_or_else(|error| Err(error.to_string()));
                outcome.map_err(|reason| RpmError::Package {
                    place: Location::parse(&package.url).to_string(),
                    reason,
                })
            })
            .await
    }

    /// The package itself, in the cache.
    async fn package_file(&self, package: &RpmPackage) -> Result<PathBuf, RpmError> {
        let place = Location::parse(&package.url);
        self.cache
            .get_or_make(
                "downloads",
                &package.sha256.to_string(),
                self.reporter,
                async |content: &Path| {
                    self.fetch(&package.nevra(), &place, package.sha256, content)
                        .await
                },
            )
            .await
    }
}

fn begins_as_page(path: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(64).read_to_end(&mut start)?;
    let start = String::from_utf8_lossy(&start).trim_start().to_lowercase();
    Ok(start.starts_with("<!doctype html") || start.starts_with("<html"))
}
