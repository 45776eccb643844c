//! An RPM repository, as Amazon Linux 2023 has one: which package has a library, and the library itself.
//!
//! A list of mirrors leads to the repository, its `repodata/repomd.xml` to the list of packages (`primary.xml`), that to
//! an index of sonames, which is kept, and the index to packages, whose files are unpacked into the cache. The hash of
//! repomd.xml pins the list, the list pins the packages, and r-layer.lock pins packages from then on. Nothing of a
//! package is run.

mod access;
mod completion;
mod error;
mod index;
mod known;
mod libraries;
mod mirror_list;
mod payload;
mod primary;
mod repomd;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::OnceCell;

pub use crate::lockfile::LockedRpm;
pub use access::RpmAccess;
pub use completion::{Completed, Completion, CompletionError};
pub use error::{RpmError, Unprovided};
pub use index::PackageIndex;
pub use libraries::{FetchedLibraries, Wanted};

use crate::http::without_query;
use crate::package::RpmPackage;
use crate::target::Architecture;
use known::Known;
use repomd::Primary;

use super::Location;

/// A repository for one processor. It is asked when a library is first looked for.
pub struct RpmRepository<'a> {
    access: RpmAccess<'a>,
    place: String,
    architecture: Architecture,
    opened: OnceCell<Opened>,
}

/// The repository as it is now.
struct Opened {
    base: String,
    index: PackageIndex,
}

impl<'a> RpmRepository<'a> {
    /// The repository at a place: a URL or a path of its base (below which `repodata` is), or the URL of a list of
    /// mirrors (`…/mirror.list`). `$basearch` in it stands for the processor as RPM names it.
    pub fn new(
        access: RpmAccess<'a>,
        place: &str,
        architecture: Architecture,
    ) -> RpmRepository<'a> {
        let place = mirror_list::fill_in(place, architecture);
        RpmRepository {
            access,
            place: place.trim_end_matches('/').to_owned(),
            architecture,
            opened: OnceCell::new(),
        }
    }

    /// The processor whose packages these are.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The package that has a library, if one has.
    pub async fn provider(&self, soname: &str) -> Result<Option<Arc<RpmPackage>>, RpmError> {
        let opened = self.open().await?;
        Ok(opened.package(opened.index.provider(soname)))
    }

    /// The newest package of a name, if there is one.
    pub async fn named(&self, name: &str) -> Result<Option<Arc<RpmPackage>>, RpmError> {
        let opened = self.open().await?;
        Ok(opened.package(opened.index.named(name)))
    }

    async fn open(&self) -> Result<&Opened, RpmError> {
        self.opened.get_or_try_init(|| self.look()).await
    }

    async fn look(&self) -> Result<Opened, RpmError> {
        let (known, path) = match self.access.offline {
            true => (self.recall()?, None),
            false => {
                let (base, primary) = self.ask().await?;
                let known = Known {
                    base,
                    primary: primary.sha256,
                };
                (known, Some(primary.path))
            }
        };
        let index = self.index(&known, path.as_deref()).await?;
        if path.is_some() {
            known::remember(self.access.cache, &self.place, self.architecture, &known)?;
        }
        Ok(Opened {
            base: known.base,
            index,
        })
    }

    fn recall(&self) -> Result<Known, RpmError> {
        known::recall(self.access.cache, &self.place, self.architecture).ok_or_else(|| {
            RpmError::Offline {
                what: format!("the index of the repository {}", without_query(&self.place)),
            }
        })
    }

    /// The first mirror that answers with a repomd.xml: its base, and what its list of packages is.
    async fn ask(&self) -> Result<(String, Primary), RpmError> {
        let mut last = None;
        for base in self.bases().await? {
            let place = Location::parse(&format!("{base}/repodata/repomd.xml"));
            let asked = match place.text(self.access.http).await {
                Ok(text) => Primary::of_repomd(&text, &place.to_string()),
                Err(error) => Err(RpmError::Unreachable(error)),
            };
            match asked {
                Ok(primary) => return Ok((base, primary)),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| RpmError::NotUnderstood {
            place: without_query(&self.place).to_owned(),
            reason: "it names no repository".to_owned(),
        }))
    }

    async fn bases(&self) -> Result<Vec<String>, RpmError> {
        if !mirror_list::is_mirror_list(&self.place) {
            return Ok(vec![self.place.clone()]);
        }
        let list = Location::parse(&self.place);
        let text = list.text(self.access.http).await;
        mirror_list::mirrors(
            &text.map_err(RpmError::Unreachable)?,
            &list,
            self.architecture,
        )
    }

    /// The index of a list of packages: from the cache, else made of the list, which is at `path` of the repository.
    async fn index(&self, known: &Known, path: Option<&str>) -> Result<PackageIndex, RpmError> {
        let name = format!("{}-{}-{INDEX_FORMAT}", known.primary, self.architecture);
        let kept = self
            .access
            .cache
            .get_or_make(
                "rpm-indexes",
                &name,
                self.access.reporter,
                async |content: &Path| {
                    let Some(path) = path else {
                        let what =
                            format!("the index of the repository {}", without_query(&known.base));
                        return Err(RpmError::Offline { what });
                    };
                    let index = self.read_list(known, path).await?;
                    fs_err::write(
                        content,
                        serde_json::to_vec(&index).map_err(std::io::Error::from)?,
                    )?;
                    Ok(())
                },
            )
            .await?;
        let text = fs_err::read(kept)?;
        Ok(serde_json::from_slice(&text).map_err(std::io::Error::from)?)
    }

    async fn read_list(&self, known: &Known, path: &str) -> Result<PackageIndex, RpmError> {
        let unfinished = self.access.cache.unfinished()?;
        let list = unfinished.path().join("primary");
        let place = Location::parse(&below(&known.base, path));
        let what = "the list of the system's packages";
        self.access
            .fetch(what, &place, known.primary, &list)
            .await?;
        let architecture = self.architecture;
        let read = tokio::task::spawn_blocking(move || PackageIndex::of_list(&list, architecture));
        let read = read.await.unwrap_or_else(|error| Err(error.to_string()));
        read.map_err(|reason| RpmError::NotUnderstood {
            place: place.to_string(),
            reason,
        })
    }
}

/// What an index holds; another number where that changes.
const INDEX_FORMAT: u32 = 1;

impl Opened {
    /// A package with its whole URL.
    fn package(&self, package: Option<&RpmPackage>) -> Option<Arc<RpmPackage>> {
        let package = package?;
        Some(Arc::new(RpmPackage {
            url: below(&self.base, &package.url),
            ..package.clone()
        }))
    }
}

/// A path below a repository, unless it is a whole URL. What leads upwards (`../../blobstore/…`, which Amazon's have) is
/// resolved as URLs are.
fn below(base: &str, path: &str) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    let (mut base, mut path) = (base, path.trim_start_matches("./"));
    while let Some(rest) = path.strip_prefix("../") {
        // Never above the server's name.
        match base.rsplit_once('/') {
            Some((above, _)) if !above.ends_with('/') && !above.ends_with(':') => base = above,
            _ => {}
        }
        path = rest;
    }
    format!("{base}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_below_the_repository_or_where_they_lead() {
        let base = "https://cdn.example/al2023/guids/ab/x86_64";
        let cases = [
            (
                "Packages/a.rpm",
                "https://cdn.example/al2023/guids/ab/x86_64/Packages/a.rpm",
            ),
            (
                "../../../blobstore/a.rpm",
                "https://cdn.example/al2023/blobstore/a.rpm",
            ),
            ("../../../../../../a.rpm", "https://cdn.example/a.rpm"),
            ("https://other.example/a.rpm", "https://other.example/a.rpm"),
        ];
        for (path, expected) in cases {
            assert_eq!(below(base, path), expected);
        }
        assert_eq!(below("/srv/repo", "../a.rpm"), "/srv/a.rpm");
    }
}
