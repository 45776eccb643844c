//! The build record `dist/NAME.json`: what a zip is, so that later commands need not open it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::prune::Pruned;
use crate::checksum::Sha256;
use crate::target::Architecture;

/// A package of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRecord {
    /// Its version.
    pub version: String,
    /// Its licence, as its DESCRIPTION has it.
    pub license: Option<String>,
}

/// A tarball that the layer was made from, or R's home folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceRecord {
    /// `R`, or a package, or a library compiled with R.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whose it is, and whether it was compiled here: for people.
    pub origin: String,
    /// Its hash; nothing for a folder that was there already.
    pub sha256: Option<Sha256>,
}

/// What was left out, or made smaller, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saving {
    /// The reason.
    pub reason: String,
    /// How many files it concerns.
    pub files: usize,
    /// How many bytes fewer, unzipped.
    pub bytes: u64,
}

impl From<Pruned> for Saving {
    fn from(pruned: Pruned) -> Saving {
        Saving {
            reason: pruned.reason,
            files: pruned.files,
            bytes: pruned.bytes,
        }
    }
}

/// What a zip is and how it came about. It holds no time and no path of the machine it was made on: the same
/// inputs give the same record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRecord {
    /// Version of this format.
    pub record_version: u32,
    /// The layer's name.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// The zip's file name.
    pub zip: String,
    /// The zip's hash.
    pub sha256: Sha256,
    /// Bytes of the zip.
    pub zipped_size: u64,
    /// Bytes of its files.
    pub unzipped_size: u64,
    /// Is the zip too large for a request, so that it has to go through S3?
    pub needs_s3: bool,
    /// The target's name.
    pub target: String,
    /// The processor.
    pub architecture: Architecture,
    /// R's version.
    pub r_version: String,
    /// The lowest glibc it runs on.
    pub glibc: Option<String>,
    /// The r-layer that made it.
    pub r_layer_version: String,
    /// What it was made from, and whose that is.
    #[serde(default)]
    pub sources: Vec<SourceRecord>,
    /// The R packages in it.
    pub packages: BTreeMap<String, PackageRecord>,
    /// Shared libraries that were added because Lambda lacks them: path → bytes.
    pub added_libraries: BTreeMap<String, u64>,
    /// What was left out.
    pub savings: Vec<Saving>,
    /// What it was made from: name → hash or other mark.
    pub inputs: BTreeMap<String, String>,
}
