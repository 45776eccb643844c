//! `r-layer.lock`: what was resolved, so that the next build takes the same.
//!
//! Canonical order, so that it merges well; written beside and renamed, so that it is never half there.

mod difference;
mod layer;
mod package;
mod rpm;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use difference::{ChangedPart, LockChange, LockDifference};
pub use layer::{LayerInputs, LayerTarget, LockedLayer, NotAsLocked};
pub use package::{LockedPackage, PackageKind, PackageOrigin};
pub use rpm::LockedRpm;

use layer::{LayerEntry, Layers, from_entries, to_entries};
use package::PackageEntry;

use crate::checksum::Sha256;
use crate::manifest::LayerName;
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
    #[error(
        "{path} is not a lock that this r-layer can read: {source}\nTake it from version control again, or delete it and \
         type r-layer lock"
    )]
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
    #[serde(default, rename = "layer", skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerEntry>,
    #[serde(default, rename = "package", skip_serializing_if = "Vec::is_empty")]
    packages: Vec<PackageEntry>,
    #[serde(default, rename = "rpm", skip_serializing_if = "Vec::is_empty")]
    rpms: Vec<LockedRpm>,
}

/// The lock of a project.
#[derive(Clone, Debug)]
pub struct Lockfile {
    path: PathBuf,
    resolved: Vec<ResolvedR>,
    sources: Vec<LockedSource>,
    images: Vec<LockedImage>,
    layers: Layers,
    rpms: Vec<LockedRpm>,
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
                    layers: Layers::new(),
                    rpms: Vec::new(),
                    changed: false,
                });
            }
            Err(source) => return Err(LockError::Io { path, source }),
        };
        Lockfile::parse(&text, path)
    }

    fn parse(text: &str, path: PathBuf) -> Result<Lockfile, LockError> {
        let contents: Contents = toml::from_str(text).map_err(|source| LockError::Malformed {
            path: path.clone(),
            source: Box::new(source),
        })?;
        if contents.version != VERSION {
            return Err(LockError::Version {
                path,
                version: contents.version,
            });
        }
        let layers = from_entries(contents.layers, contents.packages);
        let layers = layers.map_err(|reason| LockError::Malformed {
            path: path.clone(),
            source: Box::new(serde::de::Error::custom(reason)),
        })?;
        Ok(Lockfile {
            path,
            resolved: contents.resolved,
            sources: contents.sources,
            images: contents.images,
            layers,
            rpms: contents.rpms,
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

    /// Locks an image to another digest than before.
    pub fn repin_image(&mut self, image: LockedImage) {
        if self.image(&image.reference, image.architecture) == Some(image.digest) {
            return;
        }
        self.images.retain(|other| {
            (&other.reference, other.architecture) != (&image.reference, image.architecture)
        });
        self.pin_image(image);
    }

    /// A layer as it was resolved for a target.
    pub fn layer(&self, name: &LayerName, target: &LayerTarget) -> Option<&LockedLayer> {
        self.layers.get(&(name.clone(), target.clone()))
    }

    /// The names of the layers that are locked, and the targets that they are locked for.
    pub fn layers(&self) -> impl Iterator<Item = (&LayerName, &LayerTarget)> {
        self.layers.keys().map(|(name, target)| (name, target))
    }

    /// A layer as it was resolved for a target, if it was resolved from what the manifest says now.
    pub fn layer_as_locked(
        &self,
        name: &LayerName,
        target: &LayerTarget,
        inputs: &LayerInputs,
    ) -> Result<&LockedLayer, NotAsLocked> {
        let (layer, target) = (name.clone(), target.clone());
        let Some(locked) = self.layer(name, &target) else {
            return Err(NotAsLocked::NotLocked { layer, target });
        };
        let changes = locked.inputs.changes(inputs);
        match changes.is_empty() {
            true => Ok(locked),
            false => Err(NotAsLocked::Changed {
                layer,
                target,
                changes,
            }),
        }
    }

    /// Locks a layer for a target, in the place of what was locked for it.
    pub fn pin_layer(&mut self, name: &LayerName, target: &LayerTarget, layer: LockedLayer) {
        if self.layer(name, target) != Some(&layer) {
            self.layers.insert((name.clone(), target.clone()), layer);
            self.changed = true;
        }
    }

    /// Forgets the layers that are not wanted any more.
    pub fn retain_layers(&mut self, keep: impl Fn(&LayerName, &LayerTarget) -> bool) {
        let before = self.layers.len();
        self.layers.retain(|(name, target), _| keep(name, target));
        self.changed |= self.layers.len() != before;
    }

    /// The system's packages that libraries are taken from.
    pub fn rpms(&self) -> &[LockedRpm] {
        &self.rpms
    }

    /// Locks packages of the system; of the same name and processor, the newer one counts, for the libraries of both.
    pub fn pin_rpms(&mut self, rpms: &[LockedRpm]) {
        for rpm in rpms {
            let mut rpm = rpm.clone();
            let before = self.rpms.iter().find(|other| other.is_of(&rpm));
            if before == Some(&rpm) {
                continue;
            }
            rpm.libraries.extend(
                before
                    .into_iter()
                    .flat_map(|rpm| rpm.libraries.iter().cloned()),
            );
            if before == Some(&rpm) {
                continue;
            }
            self.rpms.retain(|other| !other.is_of(&rpm));
            self.rpms.push(rpm);
            self.rpms.sort();
            self.changed = true;
        }
    }

    /// Forgets all packages of the system, so that the newest are taken.
    pub fn forget_rpms(&mut self) {
        self.changed |= !self.rpms.is_empty();
        self.rpms.clear();
    }

    /// Its text, in canonical order.
    fn text(&self) -> Result<String, toml::ser::Error> {
        let (layers, packages) = to_entries(&self.layers);
        let contents = Contents {
            version: VERSION,
            resolved: self.resolved.clone(),
            sources: self.sources.clone(),
            images: self.images.clone(),
            layers,
            packages,
            rpms: self.rpms.clone(),
        };
        Ok(HEADER.to_owned() + &toml::to_string(&contents)?)
    }

    /// Writes the lock if anything changed.
    pub fn write(&mut self) -> Result<(), LockError> {
        if !self.changed {
            return Ok(());
        }
        let write = || -> std::io::Result<()> {
            let text = self.text().map_err(std::io::Error::other)?;
            let folder = self
                .path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            // It is committed and shared: others may read it.
            set_mode(file.path(), 0o644)?;
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
mod package_tests;
#[cfg(test)]
mod tests;
