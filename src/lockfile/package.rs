//! `[[package]]`: a package of a layer, and where exactly it comes from.

use serde::{Deserialize, Serialize};

use super::layer::LayerTarget;
use crate::checksum::Sha256;
use crate::manifest::LayerName;
use crate::public_url::PublicUrl;
use crate::target::Architecture;

/// What a package is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageKind {
    /// Built by others, for a processor and a minor version of R.
    Binary,
    /// A source, which is compiled here.
    Source,
    /// R itself, which brings its recommended packages.
    WithR,
}

impl PackageKind {
    /// As it is written in the lock.
    pub fn as_str(self) -> &'static str {
        match self {
            PackageKind::Binary => "binary",
            PackageKind::Source => "source",
            PackageKind::WithR => "with-r",
        }
    }
}

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageOrigin {
    /// A repository that is laid out as CRAN is.
    Repository {
        /// Its name in the manifest.
        name: String,
        /// The tarball's URL, or its path in a repository that is a folder.
        url: PublicUrl,
        /// The tarball's hash.
        sha256: Sha256,
        /// Has it been built? It is never [`PackageKind::WithR`].
        is_binary: bool,
    },
    /// A tarball with a URL of its own, a source.
    Url {
        /// The URL.
        url: PublicUrl,
        /// The tarball's hash.
        sha256: Sha256,
    },
    /// A commit, a source.
    Git {
        /// The repository's URL.
        url: PublicUrl,
        /// The commit's whole hash.
        commit: String,
        /// The folder of the package in it, if it is not at the top.
        folder: Option<String>,
    },
    /// A tarball or folder of this machine, a source.
    Local {
        /// Its path, from the project's folder.
        path: String,
        /// Its hash; that of a folder is of all that is in it.
        sha256: Sha256,
    },
    /// R's own recommended packages.
    WithR,
}

/// A package of a layer, as it was resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    /// Its version, as its DESCRIPTION writes it.
    pub version: String,
    /// Where it comes from.
    pub origin: PackageOrigin,
    /// The names of the packages that it needs itself; base packages are not among them.
    pub dependencies: Vec<String>,
    /// Is it needed for compiling others only, so that it is not in the layer?
    pub build_only: bool,
}

impl LockedPackage {
    /// What it is taken from.
    pub fn kind(&self) -> PackageKind {
        match self.origin {
            PackageOrigin::Repository {
                is_binary: true, ..
            } => PackageKind::Binary,
            PackageOrigin::WithR => PackageKind::WithR,
            _ => PackageKind::Source,
        }
    }
}

/// An entry of the file. A binary's is for one target; one without is for all targets of its layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackageEntry {
    pub layer: LayerName,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r: Option<String>,
    pub version: String,
    pub kind: PackageKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<PublicUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    git: Option<PublicUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<String>,
    #[serde(default, rename = "build-only", skip_serializing_if = "is_false")]
    build_only: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl PackageEntry {
    pub fn new(layer: &LayerName, target: Option<&LayerTarget>, package: &LockedPackage) -> Self {
        let mut entry = PackageEntry {
            layer: layer.clone(),
            name: package.name.clone(),
            architecture: target.map(|target| target.architecture),
            r: target.map(|target| target.r.clone()),
            version: package.version.clone(),
            kind: package.kind(),
            repository: None,
            url: None,
            git: None,
            commit: None,
            folder: None,
            path: None,
            sha256: None,
            dependencies: package.dependencies.clone(),
            build_only: package.build_only,
        };
        entry.dependencies.sort();
        entry.dependencies.dedup();
        entry.set_origin(package.origin.clone());
        entry
    }

    fn set_origin(&mut self, origin: PackageOrigin) {
        match origin {
            PackageOrigin::Repository {
                name, url, sha256, ..
            } => {
                (self.repository, self.url, self.sha256) = (Some(name), Some(url), Some(sha256));
            }
            PackageOrigin::Url { url, sha256 } => {
                (self.url, self.sha256) = (Some(url), Some(sha256));
            }
            PackageOrigin::Git {
                url,
                commit,
                folder,
            } => {
                (self.git, self.commit, self.folder) = (Some(url), Some(commit), folder);
            }
            PackageOrigin::Local { path, sha256 } => {
                (self.path, self.sha256) = (Some(path), Some(sha256));
            }
            PackageOrigin::WithR => {}
        }
    }

    /// The target that it is for, if it is not for all of the layer's.
    pub fn target(&self) -> Option<LayerTarget> {
        Some(LayerTarget {
            architecture: self.architecture?,
            r: self.r.clone()?,
        })
    }

    /// The package, or what is missing in the entry.
    pub fn package(self) -> Result<LockedPackage, String> {
        let wrong = |what: &str| {
            Err(format!(
                "the package {} in {}: {what}",
                self.name, self.layer
            ))
        };
        if self.architecture.is_some() != self.r.is_some() {
            return wrong("`architecture` and `r` belong together");
        }
        let is_binary = self.kind == PackageKind::Binary;
        if is_binary && self.architecture.is_none() {
            return wrong("a binary is for an `architecture` and an `r`");
        }
        let origin = match (self.kind, self.url, self.git, self.path, self.sha256) {
            (PackageKind::WithR, None, None, None, None) => PackageOrigin::WithR,
            (PackageKind::WithR, ..) => return wrong("what comes with R has no place of its own"),
            (_, Some(url), None, None, Some(sha256)) => match self.repository {
                Some(name) => PackageOrigin::Repository {
                    name,
                    url,
                    sha256,
                    is_binary,
                },
                None if is_binary => return wrong("a binary is of a `repository`"),
                None => PackageOrigin::Url { url, sha256 },
            },
            (PackageKind::Source, None, Some(url), None, None) => match self.commit {
                Some(commit) => PackageOrigin::Git {
                    url,
                    commit,
                    folder: self.folder,
                },
                None => return wrong("`git` needs a `commit`"),
            },
            (PackageKind::Source, None, None, Some(path), Some(sha256)) => {
                PackageOrigin::Local { path, sha256 }
            }
            _ => {
                return wrong(
                    "it is either of a `url` with a `sha256`, or of `git` with a `commit`, or of a `path` with a `sha256`",
                );
            }
        };
        Ok(LockedPackage {
            name: self.name,
            version: self.version,
            origin,
            dependencies: self.dependencies,
            build_only: self.build_only,
        })
    }
}
