//! The build record `dist/NAME.json`: what a zip is, so that later commands need not open it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::prune::Pruned;
use crate::checksum::Sha256;
use crate::package::RVersion;
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

/// Which part of a layer of packages a zip is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// The layer's name, without a number.
    pub layer: String,
    /// Which part, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

/// Whether the requested packages were loaded in a root like Lambda's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// Each was loaded and attached.
    Passed,
    /// It was not tried.
    Skipped,
}

/// What the build records of layers of packages have beside those of every layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageLayerRecord {
    /// Which part of a layer it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<PartRecord>,
    /// The packages of the layer that were asked for; the others are there because these need them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requested: Vec<String>,
    /// The layers that it was made to be beside, the runtime's first: zip → hash. What they have is not in this one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub beside: BTreeMap<String, Sha256>,
    /// Where added libraries came from: path → for people.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub library_origins: BTreeMap<String, String>,
    /// Data files that came with added libraries: a line for each folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub library_data: Vec<String>,
    /// What packages need when they run and Lambda lacks: package → for people.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lacking: BTreeMap<String, String>,
    /// What was not left out, as it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    /// Whether the requested packages were loaded in a root like Lambda's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckState>,
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
    /// What only layers of packages have.
    #[serde(flatten)]
    pub of_packages: PackageLayerRecord,
}

impl BuildRecord {
    /// The layer of packages that it is, or a part of; nothing for the runtime layer.
    pub fn layer_of_packages(&self) -> Option<&str> {
        let part = self.of_packages.part.as_ref()?;
        Some(&part.layer)
    }

    /// The minor version of the R that it is for: `4.5`.
    pub fn r_minor(&self) -> Option<String> {
        let version: RVersion = self.r_version.parse().ok()?;
        Some(version.minor_text())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As records were before there were layers of packages.
    fn old() -> serde_json::Value {
        json!({
            "record_version": 1, "name": "r-runtime", "description": "R", "zip": "r.zip", "sha256": Sha256::of(b"zip"),
            "zipped_size": 1, "unzipped_size": 2, "needs_s3": false, "target": "provided.al2023",
            "architecture": "arm64", "r_version": "4.5.0", "glibc": "2.29", "r_layer_version": "0.1.0",
            "sources": [], "packages": {}, "added_libraries": {}, "savings": [], "inputs": {}
        })
    }

    #[test]
    fn records_of_other_layers_and_of_before_read_and_are_written_as_they_were() {
        let record: BuildRecord = serde_json::from_value(old()).unwrap();
        assert_eq!(record.of_packages, PackageLayerRecord::default());
        assert_eq!(serde_json::to_value(&record).unwrap(), old());
    }

    #[test]
    fn a_part_of_a_layer_of_packages_reads_back() {
        let mut record: BuildRecord = serde_json::from_value(old()).unwrap();
        record.of_packages.part = Some(PartRecord {
            layer: "models".into(),
            number: 2,
            of: 3,
        });
        record.of_packages.check = Some(CheckState::Skipped);
        let json = serde_json::to_value(&record).unwrap();
        assert_eq!(json["part"]["number"], 2);
        assert_eq!(json["check"], "skipped");
        assert_eq!(serde_json::from_value::<BuildRecord>(json).unwrap(), record);
    }
}
