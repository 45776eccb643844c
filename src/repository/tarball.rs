//! A tarball by its hash: from the cache, a folder of this machine, or a server.

use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::Location;
use crate::cache::{Cache, CacheError};
use crate::checksum::Sha256;
use crate::http::{Http, HttpError, without_query};
use crate::lockfile::BuiltFor;
use crate::progress::Reporter;

/// A tarball that is wanted.
#[derive(Clone, Debug)]
pub struct TarballRequest {
    /// What it is, for messages: `R 4.5.0`.
    pub what: String,
    /// What it is built for, if a binary is wanted; a source is refused then.
    pub built_for: Option<BuiltFor>,
    /// Its hash, if it is known.
    pub sha256: Option<Sha256>,
    /// Names under which folders of this machine may have it.
    pub file_names: Vec<String>,
    /// Where else it is, tried in order.
    pub locations: Vec<Location>,
}

/// A tarball that is there.
#[derive(Clone, Debug)]
pub struct Tarball {
    /// In the cache.
    pub path: PathBuf,
    /// Its hash.
    pub sha256: Sha256,
    /// Where it came from; nothing if it was in the cache.
    pub from: Option<Location>,
}

impl Tarball {
    /// The name by which its user knows it: where it came from, else its place in the cache.
    pub fn known_as(&self) -> PathBuf {
        match &self.from {
            Some(location) => location.to_string().into(),
            None => self.path.clone(),
        }
    }
}

/// Why a tarball was not had.
#[derive(Debug, thiserror::Error)]
pub enum TarballError {
    /// Another content than expected.
    #[error(
        "{what}: {from} has the sha256 {found}, expected is {expected}. It was damaged on its way, or is \
         another file (where r-layer.lock pins the hash, it can be changed there)"
    )]
    Hash {
        /// What it is.
        what: String,
        /// Where it came from.
        from: String,
        /// Its hash.
        found: Sha256,
        /// The one that it should have.
        expected: Sha256,
    },
    /// Tried everywhere in vain.
    #[error("{what} could not be had.{}", tried_list(.tried))]
    Nowhere {
        /// What it is.
        what: String,
        /// Where it was looked for, and what came of it.
        tried: Vec<(String, String)>,
        /// Does every place say that it has no such thing?
        not_there: bool,
    },
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A file of this machine.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The places that were tried, and what came of each, a line each.
pub(super) fn tried_list(tried: &[(String, String)]) -> String {
    tried
        .iter()
        .map(|(place, outcome)| format!("\n  {place}: {outcome}"))
        .collect()
}

/// Where tarballs are had from.
pub struct Tarballs<'a> {
    /// For servers.
    pub http: &'a Http,
    /// Where they are kept.
    pub cache: &'a Cache,
    /// Folders of this machine that are looked into first.
    pub folders: &'a [PathBuf],
    /// Told of downloads.
    pub reporter: &'a dyn Reporter,
}

impl Tarballs<'_> {
    /// The tarball: from the cache if its hash is known, else from the first place that has it.
    pub async fn obtain(&self, request: &TarballRequest) -> Result<Tarball, TarballError> {
        if let Some(sha256) = request.sha256
            && let Some(path) = self.cache.get("downloads", &sha256.to_string())
        {
            return Ok(Tarball {
                path,
                sha256,
                from: None,
            });
        }
        let mut tried = Vec::new();
        let mut not_there = true;
        for location in self.places(request) {
            match self.fetch(request, &location).await {
                Ok(tarball) => return Ok(tarball),
                Err(TarballError::Nowhere {
                    tried: outcome,
                    not_there: absent,
                    ..
                }) => {
                    tried.extend(outcome);
                    not_there &= absent;
                }
                Err(error) => return Err(error),
            }
        }
        Err(TarballError::Nowhere {
            what: request.what.clone(),
            tried,
            not_there,
        })
    }

    fn places(&self, request: &TarballRequest) -> Vec<Location> {
        self.folders
            .iter()
            .flat_map(|folder| request.file_names.iter().map(|name| folder.join(name)))
            .filter(|path| path.is_file())
            .map(Location::File)
            .chain(request.locations.iter().cloned())
            .collect()
    }

    async fn fetch(
        &self,
        request: &TarballRequest,
        location: &Location,
    ) -> Result<Tarball, TarballError> {
        let unfinished = self.cache.unfinished()?;
        let path = unfinished.path().join("tarball");
        let nowhere = |outcome: String, not_there: bool| TarballError::Nowhere {
            what: request.what.clone(),
            tried: vec![(location.to_string(), outcome)],
            not_there,
        };
        match location {
            Location::File(file) if !file.is_file() => {
                return Err(nowhere("no such file".to_owned(), true));
            }
            Location::File(file) => {
                fs_err::copy(file, &path)?;
            }
            Location::Url(url) => {
                let headers = self.download(request, url, &path).await.map_err(|error| {
                    // Object stores say so of what is not there, too.
                    let forbidden = |status| status == StatusCode::FORBIDDEN;
                    let not_there = match &error {
                        HttpError::NotFound { .. } => true,
                        HttpError::Unauthorized { status, .. } => forbidden(*status),
                        _ => false,
                    };
                    nowhere(outcome(&error), not_there)
                })?;
                if request.built_for.is_some() && says_source(&headers) {
                    let outcome = "the server has the source only, nothing compiled";
                    return Err(nowhere(outcome.to_owned(), true));
                }
            }
        }
        if !crate::archive::is_tarball(&path)? {
            // A portal's or a proxy's page: the next place may have the file itself.
            return Err(nowhere(
                "what is there is not a .tar.gz or .tar.xz file".to_owned(),
                false,
            ));
        }
        let sha256 = Sha256::of_file(&path)?;
        if let Some(expected) = request.sha256.filter(|expected| *expected != sha256) {
            return Err(TarballError::Hash {
                what: request.what.clone(),
                from: location.to_string(),
                found: sha256,
                expected,
            });
        }
        let kept = self
            .cache
            .get_or_make(
                "downloads",
                &sha256.to_string(),
                self.reporter,
                async |content: &Path| {
                    fs_err::rename(&path, content)?;
                    Ok::<(), TarballError>(())
                },
            )
            .await?;
        Ok(Tarball {
            path: kept,
            sha256,
            from: Some(location.clone()),
        })
    }

    async fn download(
        &self,
        request: &TarballRequest,
        url: &str,
        path: &Path,
    ) -> Result<HeaderMap, HttpError> {
        let task = self
            .reporter
            .begin(&format!("fetching {}", request.what), Some(0));
        let headers = self.http.download(url, path, &*task).await?;
        task.finish(&format!(
            "fetched {} from {}",
            request.what,
            without_query(url)
        ));
        Ok(headers)
    }
}

/// Posit Package Manager says by a header what it sends; where it has no binary, it sends the source without a word
/// more. A mirror may drop the header: what was sent is looked at later all the same.
fn says_source(headers: &HeaderMap) -> bool {
    headers
        .get("x-package-type")
        .is_some_and(|kind| kind.as_bytes() == b"source")
}

/// What an error says beside the URL, which stands before it already.
pub(super) fn outcome(error: &HttpError) -> String {
    match error {
        HttpError::NotFound { status, .. } => format!("not there (HTTP {status})"),
        HttpError::Unauthorized { status, .. } => {
            format!(
                "the server answers {status}: it wants credentials, or others (netrc, R_LAYER_REPO_<NAME>_TOKEN)"
            )
        }
        HttpError::Refused { status, .. } => format!("the server answers {status}"),
        HttpError::Untrusted { reason, .. } => {
            format!("{reason} (AWS_CA_BUNDLE may name an authority of your own)")
        }
        HttpError::Unreachable { reason, tries, .. } => format!("{reason} ({tries} tries)"),
        other => other.to_string(),
    }
}
