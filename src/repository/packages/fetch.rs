//! Packages from repositories: several at once, each from the first place that has it, and only what is what it
//! should be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use md5::{Digest, Md5};
use reqwest::header::HeaderMap;
use reqwest::{StatusCode, Url};
use tokio::sync::Semaphore;

use super::arriving::Arriving;
use super::progress::Total;
use super::{
    Kept, PackageContents, PackageError, PackageFile, PackageKind, PackageOrigin, PackageRequest,
    PackageSources,
};
use crate::cache::CacheError;
use crate::checksum::Sha256;
use crate::http::{HttpError, Validators, without_query};
use crate::repository::Location;
use crate::repository::credentials_hint::{credentials_hint, short_outcome};

/// How many files are fetched from one server at once.
const AT_ONCE: usize = 8;
/// Where tarballs are kept, by their hash.
pub(super) const DOWNLOADS: &str = "downloads";
/// Where the DESCRIPTION of each is kept, by the same.
const DESCRIPTIONS: &str = "descriptions";

/// A file that has come, or was there, and what is known of it.
struct Arrived {
    path: PathBuf,
    sha256: Sha256,
    validators: Validators,
    /// What the server says that it is.
    said: Option<PackageKind>,
}

/// How many may be fetched at once from each server.
#[derive(Default)]
struct Servers(Mutex<BTreeMap<String, Arc<Semaphore>>>);

impl Servers {
    fn of(&self, url: &str) -> Arc<Semaphore> {
        let url = Url::parse(url).ok();
        let host = url.map(|url| url.origin().ascii_serialization());
        let new = || Arc::new(Semaphore::new(AT_ONCE));
        match self.0.lock() {
            Ok(mut servers) => servers
                .entry(host.unwrap_or_default())
                .or_insert_with(new)
                .clone(),
            Err(_) => new(),
        }
    }
}

/// A run of one or more downloads.
struct Run<'a> {
    sources: PackageSources<'a>,
    servers: Servers,
    total: Total<'a>,
    arriving: Arriving,
}

impl PackageSources<'_> {
    /// A package: from the cache, else from the first of its places that has it.
    ///
    /// What comes is what its DESCRIPTION says: [`PackageFile::kind`] tells whether a binary that was wanted is one, or
    /// the source that some servers send instead. A binary for another R or processor is an error.
    pub async fn fetch(&self, request: &PackageRequest) -> Result<PackageFile, PackageError> {
        let mut all = self.fetch_all(std::slice::from_ref(request)).await;
        // One request has one outcome.
        all.pop().unwrap_or_else(|| {
            Err(PackageError::Offline {
                what: request.what(),
            })
        })
    }

    /// The same of many at once, eight from each server at a time; the outcomes are in the order of the requests.
    pub async fn fetch_all(
        &self,
        requests: &[PackageRequest],
    ) -> Vec<Result<PackageFile, PackageError>> {
        let run = Run {
            sources: *self,
            servers: Servers::default(),
            total: Total::of(requests.len(), self.reporter),
            arriving: Arriving::default(),
        };
        let outcomes = join_all(requests.iter().map(|request| run.obtain(request))).await;
        run.total.finish();
        outcomes
    }

    /// A tarball of the cache as a package, by a DESCRIPTION that was read from it before, or is read now.
    pub(super) async fn package(
        &self,
        path: PathBuf,
        sha256: Sha256,
        origin: PackageOrigin,
    ) -> Result<PackageFile, PackageError> {
        let contents = self.contents(&path, sha256, &origin).await?;
        Ok(package_of(contents, path, sha256, origin))
    }

    async fn contents(
        &self,
        path: &Path,
        sha256: Sha256,
        origin: &PackageOrigin,
    ) -> Result<PackageContents, PackageError> {
        let name = sha256.to_string();
        let known_as = PathBuf::from(origin.to_string());
        let known = self.cache.read(DESCRIPTIONS, &name);
        let known = known.and_then(|text| String::from_utf8(text).ok());
        // A machine that lost its power may have left nothing of it.
        if let Some(text) = known.filter(|text| !text.is_empty()) {
            return PackageContents::of_text(text, &known_as);
        }
        let contents = blocking({
            let path = path.to_owned();
            move || PackageContents::of_tarball(&path, &known_as)
        })
        .await?;
        self.cache
            .put(DESCRIPTIONS, &name, contents.text.as_bytes())?;
        Ok(contents)
    }

    /// Moves a tarball whose hash is known into the cache.
    pub(super) fn keep(&self, path: &Path, sha256: Sha256) -> Result<PathBuf, CacheError> {
        self.cache.keep_by_hash(DOWNLOADS, sha256, path)
    }

    /// The tarball of that hash, if the cache has it.
    pub(super) async fn kept(&self, sha256: Sha256) -> Option<PathBuf> {
        self.cache.get_by_hash(DOWNLOADS, sha256).await
    }
}

impl Run<'_> {
    async fn obtain(&self, request: &PackageRequest) -> Result<PackageFile, PackageError> {
        let pinned = request.sha256.or(request.index_sha256);
        if let Some(sha256) = pinned
            && let Some(path) = self.sources.kept(sha256).await
        {
            return self.known(request, path, sha256).await;
        }
        if self.sources.offline {
            return self.offline(request).await;
        }
        let mut tried = Vec::new();
        let mut not_there = true;
        for location in &request.locations {
            match self.from(request, location).await {
                Err(PackageError::Nowhere {
                    tried: outcome,
                    not_there: absent,
                    ..
                }) => {
                    tried.extend(outcome);
                    not_there &= absent;
                }
                outcome => return outcome,
            }
        }
        Err(PackageError::Nowhere {
            what: self.what(request),
            tried,
            not_there,
        })
    }

    fn what(&self, request: &PackageRequest) -> String {
        format!(
            "{} of the repository {}",
            request.what(),
            request.repository
        )
    }

    /// What the cache has by its hash: where it came from, as far as that is known.
    async fn known(
        &self,
        request: &PackageRequest,
        path: PathBuf,
        sha256: Sha256,
    ) -> Result<PackageFile, PackageError> {
        let cache = self.sources.cache;
        let is_from = |location: &&Location| {
            Kept::of(&location.to_string(), cache).is_some_and(|kept| kept.sha256 == sha256)
        };
        let from = match request.locations.as_slice() {
            [] => Location::File(path.clone()),
            [only] => only.clone(),
            several => several.iter().find(is_from).unwrap_or(&several[0]).clone(),
        };
        self.checked(request, path, sha256, &from).await
    }

    /// What the cache has from one of the places, without asking whether it is still the same.
    async fn offline(&self, request: &PackageRequest) -> Result<PackageFile, PackageError> {
        for location in &request.locations {
            if let Location::File(_) = location {
                match self.from(request, location).await {
                    Err(PackageError::Nowhere { .. }) => continue,
                    outcome => return outcome,
                }
            }
            if let Some((path, kept)) = self.kept(location).await
                && request.sha256.is_none_or(|sha256| sha256 == kept.sha256)
            {
                return self.checked(request, path, kept.sha256, location).await;
            }
        }
        Err(PackageError::Offline {
            what: self.what(request),
        })
    }

    /// What came from there the last time, if the cache still has it.
    async fn kept(&self, location: &Location) -> Option<(PathBuf, Kept)> {
        let kept = Kept::of(&location.to_string(), self.sources.cache)?;
        let path = self.sources.kept(kept.sha256).await?;
        Some((path, kept))
    }

    async fn from(
        &self,
        request: &PackageRequest,
        location: &Location,
    ) -> Result<PackageFile, PackageError> {
        let kept = self.kept(location).await;
        let unless = kept.as_ref().map(|(_, kept)| kept.validators.clone());
        let unless = unless.unwrap_or_default();
        let arrived = match location {
            Location::Url(url) => self.download(request, url, &unless).await?,
            Location::File(file) => self.copy(request, file, &unless).await?,
        };
        let Some(arrived) = arrived else {
            let Some((path, kept)) = kept else {
                return Err(self.nowhere(request, location, "the server sends nothing", false));
            };
            self.check_hashes(request, location, &path, kept.sha256)
                .await?;
            return self.checked(request, path, kept.sha256, location).await;
        };
        if !crate::archive::is_tarball(&arrived.path)? {
            // A portal's or a proxy's page: the next place may have the file itself.
            let outcome = "what is there is not a .tar.gz or .tar.xz file (a portal's page?)";
            return Err(self.nowhere(request, location, outcome, false));
        }
        self.check_hashes(request, location, &arrived.path, arrived.sha256)
            .await?;
        // It is looked into before it is kept: what is no package, or another one, is not.
        let origin = self.origin(request, location);
        let contents = self
            .sources
            .contents(&arrived.path, arrived.sha256, &origin)
            .await?;
        check_contents(request, &contents, location)?;
        self.tell_of_difference(location, arrived.said, contents.kind());
        let path = self.sources.keep(&arrived.path, arrived.sha256)?;
        let kept = Kept {
            place: location.to_string(),
            sha256: arrived.sha256,
            validators: arrived.validators,
        };
        kept.keep(self.sources.cache)?;
        Ok(package_of(contents, path, kept.sha256, origin))
    }

    fn origin(&self, request: &PackageRequest, location: &Location) -> PackageOrigin {
        let location = match location {
            Location::Url(url) => Location::Url(without_query(url).to_owned()),
            file => file.clone(),
        };
        PackageOrigin::Repository {
            repository: request.repository.clone(),
            location,
        }
    }

    /// A tarball of the cache, if it is what is asked for.
    async fn checked(
        &self,
        request: &PackageRequest,
        path: PathBuf,
        sha256: Sha256,
        location: &Location,
    ) -> Result<PackageFile, PackageError> {
        let origin = self.origin(request, location);
        let contents = self.sources.contents(&path, sha256, &origin).await?;
        check_contents(request, &contents, location)?;
        Ok(package_of(contents, path, sha256, origin))
    }

    async fn check_hashes(
        &self,
        request: &PackageRequest,
        location: &Location,
        path: &Path,
        found: Sha256,
    ) -> Result<(), PackageError> {
        if let Some(expected) = request.sha256.filter(|expected| *expected != found) {
            return Err(PackageError::Hash {
                what: request.what(),
                from: location.to_string(),
                found,
                expected,
            });
        }
        let differs = |algorithm, found: String, expected: String| PackageError::IndexHash {
            what: request.what(),
            from: location.to_string(),
            algorithm,
            found,
            expected,
        };
        if let Some(expected) = request.index_sha256.filter(|expected| *expected != found) {
            return Err(differs("sha256", found.to_string(), expected.to_string()));
        }
        // A lock's hash says more than an MD5 does.
        if let (Some(expected), None) = (&request.index_md5, request.sha256) {
            let path = path.to_owned();
            let found = blocking(move || Ok(md5_of_file(&path)?)).await?;
            if found != *expected {
                return Err(differs("MD5", found, expected.clone()));
            }
        }
        Ok(())
    }

    /// What a package is, its DESCRIPTION decides, as it does for R; that a server says otherwise is worth a word.
    fn tell_of_difference(&self, location: &Location, said: Option<PackageKind>, is: PackageKind) {
        if let Some(said) = said.filter(|said| *said != is) {
            self.sources.reporter.detail(&format!(
                "{location}: the server says that it is a {said} package, and it is a {is} package"
            ));
        }
    }

    fn nowhere(
        &self,
        request: &PackageRequest,
        location: &Location,
        outcome: &str,
        not_there: bool,
    ) -> PackageError {
        PackageError::Nowhere {
            what: self.what(request),
            tried: vec![(location.to_string(), outcome.to_owned())],
            not_there,
        }
    }

    /// Nothing if it is what the cache has.
    async fn download(
        &self,
        request: &PackageRequest,
        url: &str,
        unless: &Validators,
    ) -> Result<Option<Arrived>, PackageError> {
        let server = self.servers.of(url);
        // It is never closed.
        let _turn = server.acquire().await.ok();
        let path = self.arriving.another(self.sources.cache)?;
        let task = self.total.begin(&request.what());
        let headers = self.sources.http.download_unless(unless, url, &path, &task);
        let headers = headers.await.map_err(|error| {
            let (outcome, not_there) = outcome(&error, url, &request.repository);
            self.nowhere(request, &Location::Url(url.to_owned()), &outcome, not_there)
        })?;
        let Some(headers) = headers else {
            task.finish(&format!("{} is unchanged", request.what()));
            return Ok(None);
        };
        let sha256 = hash(&path).await?;
        task.finish(&format!("fetched {}", request.what()));
        Ok(Some(Arrived {
            path,
            sha256,
            validators: Validators::of(&headers),
            said: said_kind(&headers),
        }))
    }

    async fn copy(
        &self,
        request: &PackageRequest,
        file: &Path,
        unless: &Validators,
    ) -> Result<Option<Arrived>, PackageError> {
        let Some(validators) = validators_of_file(file) else {
            let location = Location::File(file.to_owned());
            return Err(self.nowhere(request, &location, "no such file", true));
        };
        if validators == *unless {
            return Ok(None);
        }
        let path = self.arriving.another(self.sources.cache)?;
        fs_err::copy(file, &path)?;
        Ok(Some(Arrived {
            sha256: hash(&path).await?,
            path,
            validators,
            said: None,
        }))
    }
}

fn package_of(
    contents: PackageContents,
    path: PathBuf,
    sha256: Sha256,
    origin: PackageOrigin,
) -> PackageFile {
    PackageFile {
        kind: contents.kind(),
        name: contents.description.package,
        version: contents.description.version,
        path,
        sha256,
        origin,
        description: contents.text,
    }
}

/// Is it the package, the version and the kind that are asked for?
fn check_contents(
    request: &PackageRequest,
    contents: &PackageContents,
    location: &Location,
) -> Result<(), PackageError> {
    let known_as = PathBuf::from(location.to_string());
    contents.check_is(&request.name, &request.version, &known_as)?;
    contents.check_built_for(request.built_for.as_ref(), &known_as)
}

/// Posit Package Manager says by a header what it sends; a mirror may drop it.
fn said_kind(headers: &HeaderMap) -> Option<PackageKind> {
    match headers.get("x-package-type")?.as_bytes() {
        b"binary" => Some(PackageKind::Binary),
        b"source" => Some(PackageKind::Source),
        _ => None,
    }
}

/// A file's size and time: as long as they are the same, its content is taken to be.
pub(super) fn validators_of_file(file: &Path) -> Option<Validators> {
    let metadata = std::fs::metadata(file).ok().filter(|data| data.is_file())?;
    let changed = metadata.modified().ok()?;
    let since = changed.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Validators {
        etag: Some(format!("{} bytes at {}", metadata.len(), since.as_nanos())),
        last_modified: None,
    })
}

/// What an error says of a place, and whether it says that nothing is there.
fn outcome(error: &HttpError, url: &str, repository: &str) -> (String, bool) {
    match error {
        HttpError::NotFound { .. } => (short_outcome(error), true),
        // Object stores say so of what is not there, too.
        HttpError::Unauthorized { status, .. } => (
            credentials_hint(*status, url, repository),
            *status == StatusCode::FORBIDDEN,
        ),
        other => (short_outcome(other), false),
    }
}

pub(super) async fn hash(path: &Path) -> Result<Sha256, PackageError> {
    let path = path.to_owned();
    blocking(move || Ok(Sha256::of_file(&path)?)).await
}

fn md5_of_file(path: &Path) -> std::io::Result<String> {
    let mut hasher = Md5::new();
    std::io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
    Ok(hex::encode(hasher.finalize()))
}

/// In a thread of its own, so that other downloads go on meanwhile.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PackageError> + Send + 'static,
) -> Result<T, PackageError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(std::io::Error::other)?
}
