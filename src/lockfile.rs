//! `r-layer.lock`: what was resolved, so that the next build takes the same.
//!
//! Canonical order, so that it merges well; written beside and renamed, so that it is never half there.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::os::set_mode;
use crate::target::Architecture;

/// Why a lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Not read or not written.
    #[error("{path}: {source}")]
    Io {
        /// The lock.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// Not a lock.
    #[error("{path} is not a lock that this r-layer can read: {source}")]
    Malformed {
        /// The lock.
        path: PathBuf,
        /// What is wrong, and where.
        source: Box<toml::de::Error>,
    },
    /// From another r-layer.
    #[error("{path} has version {version}; this r-layer knows {VERSION}: take a newer r-layer")]
    Version {
        /// The lock.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

const VERSION: u32 = 1;
const HEADER: &str = "# Written by r-layer. Commit it: the next build takes exactly this.\n";

/// What a binary tarball was built for; a source tarball is for everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltFor {
    /// The processor.
    pub architecture: Architecture,
    /// For a package: the minor version of R, `4.5`.
    pub r: Option<String>,
}

/// A tarball of R or of a package: what it is, where it came from, and its hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedSource {
    /// `R`, or a package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A binary's processor; nothing for a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
    /// A binary package's minor version of R, `4.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r: Option<String>,
    /// Where it was fetched; nothing for a file of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its hash.
    pub sha256: Sha256,
}

impl LockedSource {
    /// What it was built for, if it is a binary.
    pub fn built_for(&self) -> Option<BuiltFor> {
        self.architecture.map(|architecture| BuiltFor {
            architecture,
            r: self.r.clone(),
        })
    }

    fn is(&self, name: &str, version: &str, built_for: Option<&BuiltFor>) -> bool {
        self.name == name && self.version == version && self.built_for().as_ref() == built_for
    }
}

/// What a word like `release` meant when it was first resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolvedR {
    request: String,
    version: String,
}

/// A container image: its name, and the manifest that it led to for an architecture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedImage {
    /// Its whole name, as `docker.io/library/debian:bullseye`.
    pub reference: String,
    /// For which processor.
    pub architecture: Architecture,
    /// The digest of its manifest.
    #[serde(with = "oci_digest")]
    pub digest: Sha256,
}

/// Digests as OCI writes them, `sha256:…`, so that they can be pasted behind an `@`.
mod oci_digest {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Sha256;

    pub fn serialize<S: Serializer>(digest: &Sha256, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&digest.oci())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sha256, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hex = text.strip_prefix("sha256:");
        hex.and_then(|hex| hex.parse().ok())
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a digest (sha256:…)")))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    #[serde(default, rename = "r", skip_serializing_if = "Vec::is_empty")]
    resolved: Vec<ResolvedR>,
    #[serde(default, rename = "source")]
    sources: Vec<LockedSource>,
    #[serde(default, rename = "image", skip_serializing_if = "Vec::is_empty")]
    images: Vec<LockedImage>,
}

/// The lock of a project.
#[derive(Clone, Debug)]
pub struct Lockfile {
    path: PathBuf,
    resolved: Vec<ResolvedR>,
    sources: Vec<LockedSource>,
    images: Vec<LockedImage>,
    changed: bool,
}

impl Lockfile {
    /// The name of the file.
    pub const NAME: &'static str = "r-layer.lock";

    /// Reads the lock in a folder; none is an empty one.
    pub fn read(folder: &Path) -> Result<Lockfile, LockError> {
        let path = folder.join(Lockfile::NAME);
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Lockfile {
                    path,
                    resolved: Vec::new(),
                    sources: Vec::new(),
                    images: Vec::new(),
                    changed: false,
                });
            }
            Err(source) => return Err(LockError::Io { path, source }),
        };
        let contents: Contents = toml::from_str(&text).map_err(|source| LockError::Malformed {
            path: path.clone(),
            source: Box::new(source),
        })?;
        if contents.version != VERSION {
            return Err(LockError::Version {
                path,
                version: contents.version,
            });
        }
        Ok(Lockfile {
            path,
            resolved: contents.resolved,
            sources: contents.sources,
            images: contents.images,
            changed: false,
        })
    }

    /// Where the lock is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The locked tarball of that name and version, built for that, or a source.
    pub fn source(
        &self,
        name: &str,
        version: &str,
        built_for: Option<&BuiltFor>,
    ) -> Option<&LockedSource> {
        self.sources
            .iter()
            .find(|source| source.is(name, version, built_for))
    }

    /// The locked tarballs of that name, whatever version, built for that, or sources.
    pub fn versions<'a>(
        &'a self,
        name: &'a str,
        built_for: Option<&'a BuiltFor>,
    ) -> impl Iterator<Item = &'a LockedSource> {
        self.sources
            .iter()
            .filter(move |source| source.name == name && source.built_for().as_ref() == built_for)
    }

    /// Locks a tarball; one of the same name and version, built for the same, is replaced.
    pub fn pin(&mut self, source: LockedSource) {
        let (name, version, built_for) = (&source.name, &source.version, source.built_for());
        if self.source(name, version, built_for.as_ref()) == Some(&source) {
            return;
        }
        self.sources
            .retain(|other| !other.is(name, version, built_for.as_ref()));
        self.sources.push(source);
        self.sources.sort();
        self.changed = true;
    }

    /// The version of R that a word like `release` was resolved to.
    pub fn resolved_r(&self, request: &str) -> Option<&str> {
        self.resolved
            .iter()
            .find(|resolved| resolved.request == request)
            .map(|resolved| resolved.version.as_str())
    }

    /// Locks what a word like `release` was resolved to.
    pub fn pin_r(&mut self, request: &str, version: &str) {
        if self.resolved_r(request) == Some(version) {
            return;
        }
        self.resolved.retain(|other| other.request != request);
        self.resolved.push(ResolvedR {
            request: request.to_owned(),
            version: version.to_owned(),
        });
        self.resolved.sort();
        self.changed = true;
    }

    /// The digest that an image is locked to, by its whole name.
    pub fn image(&self, reference: &str, architecture: Architecture) -> Option<Sha256> {
        let is_it = |image: &&LockedImage| {
            image.reference == reference && image.architecture == architecture
        };
        self.images.iter().find(is_it).map(|image| image.digest)
    }

    /// Locks an image that is not locked yet.
    pub fn pin_image(&mut self, image: LockedImage) {
        if self.image(&image.reference, image.architecture).is_none() {
            self.images.push(image);
            self.images.sort();
            self.changed = true;
        }
    }

    /// Writes the lock if anything changed.
    pub fn write(&mut self) -> Result<(), LockError> {
        if !self.changed {
            return Ok(());
        }
        let contents = Contents {
            version: VERSION,
            resolved: self.resolved.clone(),
            sources: self.sources.clone(),
            images: self.images.clone(),
        };
        let write = || -> std::io::Result<()> {
            let text = toml::to_string(&contents).map_err(std::io::Error::other)?;
            let folder = self
                .path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            // It is committed and shared: others may read it.
            set_mode(file.path(), 0o644)?;
            file.write_all(HEADER.as_bytes())?;
            file.write_all(text.as_bytes())?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|source| LockError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.changed = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, version: &str) -> LockedSource {
        LockedSource {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: None,
            r: None,
            url: Some("https://cran.example/x.tar.gz".to_owned()),
            sha256: Sha256::of(name.as_bytes()),
        }
    }

    #[test]
    fn a_lock_is_written_in_canonical_order_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = Lockfile::read(folder.path()).unwrap();
        lock.pin(source("jsonlite", "2.0.0"));
        lock.pin(source("R", "4.4.3"));
        lock.write().unwrap();
        let text = fs_err::read_to_string(lock.path()).unwrap();
        assert!(
            text.find("\"R\"").unwrap() < text.find("\"jsonlite\"").unwrap(),
            "{text}"
        );
        let read = Lockfile::read(folder.path()).unwrap();
        assert_eq!(read.source("R", "4.4.3", None), Some(&source("R", "4.4.3")));
        assert_eq!(read.source("R", "4.4.2", None), None);
    }

    #[test]
    fn binaries_are_locked_beside_the_source_and_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = Lockfile::read(folder.path()).unwrap();
        let binary = |architecture, r: &str| LockedSource {
            architecture: Some(architecture),
            r: Some(r.to_owned()),
            ..source("jsonlite", "2.0.0")
        };
        lock.pin(source("jsonlite", "2.0.0"));
        for architecture in Architecture::ALL {
            for r in ["4.4", "4.5", "4.5"] {
                lock.pin(binary(architecture, r));
            }
        }
        lock.pin_r("release", "4.5.1");
        lock.pin_r("release", "4.5.2");
        lock.write().unwrap();
        let read = Lockfile::read(folder.path()).unwrap();
        assert_eq!(read.sources.len(), 5);
        let wanted = binary(Architecture::Arm64, "4.4");
        let built_for = wanted.built_for();
        assert_eq!(
            read.source("jsonlite", "2.0.0", built_for.as_ref()),
            Some(&wanted)
        );
        assert_eq!(read.versions("jsonlite", None).count(), 1);
        assert_eq!(read.resolved_r("release"), Some("4.5.2"));
        assert_eq!(read.resolved_r("oldrel"), None);
    }

    #[test]
    fn an_image_stays_at_the_digest_it_had_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = Lockfile::read(folder.path()).unwrap();
        let image = |architecture, content: &[u8]| LockedImage {
            reference: "localhost:5000/r:1".to_owned(),
            architecture,
            digest: Sha256::of(content),
        };
        lock.pin(source("R", "4.4.3"));
        lock.pin_image(image(Architecture::Arm64, b"arm"));
        lock.pin_image(image(Architecture::X86_64, b"first"));
        lock.pin_image(image(Architecture::X86_64, b"second"));
        lock.write().unwrap();
        let text = fs_err::read_to_string(lock.path()).unwrap();
        assert!(text.contains(&Sha256::of(b"first").oci()), "{text}");
        let read = Lockfile::read(folder.path()).unwrap();
        let digest = |architecture| read.image("localhost:5000/r:1", architecture);
        assert_eq!(digest(Architecture::X86_64), Some(Sha256::of(b"first")));
        assert_eq!(digest(Architecture::Arm64), Some(Sha256::of(b"arm")));
        assert_eq!(read.image("localhost:5000/r:2", Architecture::Arm64), None);
    }

    #[test]
    fn what_is_no_lock_names_its_place() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join(Lockfile::NAME), "version = 1\nnonsense").unwrap();
        let error = Lockfile::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        fs_err::write(folder.path().join(Lockfile::NAME), "version = 9").unwrap();
        let error = Lockfile::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("newer r-layer"), "{error}");
    }
}
