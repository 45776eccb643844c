//! What is in a layer's zip, and what of it takes the room.

use std::cmp::Reverse;
use std::path::Path;

use serde::Serialize;

use super::part::{Room, parts};
use super::{BuildRecord, ExaminedLayer, audit};
use crate::checksum::Sha256;
use crate::target::Architecture;

/// What a zip holds.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The zip.
    pub name: String,
    /// Its hash.
    pub sha256: Sha256,
    /// Bytes of the zip.
    pub zipped: u64,
    /// Bytes of its files.
    pub unzipped: u64,
    /// How many files it has.
    pub files: usize,
    /// The R that it is or is for, as far as it says so.
    pub r_version: Option<String>,
    /// The processor of its programs and libraries; none if it has none.
    pub architecture: Option<Architecture>,
    /// The lowest glibc that they run on.
    pub glibc: Option<String>,
    /// How many programs and shared libraries it has.
    pub elf_files: usize,
    /// R packages and other folders, the largest first.
    pub parts: Vec<Part>,
    /// The largest files.
    pub largest: Vec<LargeFile>,
}

/// A package or folder of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its folder.
    pub path: String,
    /// The R package that it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The package's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The package's licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// How much it takes.
    #[serde(flatten)]
    pub room: Room,
}

/// A file that takes room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LargeFile {
    /// Its path.
    pub path: String,
    /// Its bytes in the zip.
    pub zipped: u64,
    /// Its bytes.
    pub unzipped: u64,
}

/// How many of the largest files are named.
const LARGEST: usize = 10;

/// Looks into a zip.
pub fn inspect(layer: &ExaminedLayer) -> Inspection {
    let archive = &layer.archive;
    Inspection {
        name: archive.name.clone(),
        sha256: archive.sha256,
        zipped: archive.zipped_size,
        unzipped: archive.unzipped_size(),
        files: archive.files().count(),
        r_version: r_version(layer),
        architecture: audit::architecture_of(std::slice::from_ref(layer)),
        glibc: layer.glibc_floor(),
        elf_files: layer.elf_files().count(),
        parts: largest_parts(layer),
        largest: largest_files(layer),
    }
}

/// R's own version where the layer is R, else the one that its packages were built with.
fn r_version(layer: &ExaminedLayer) -> Option<String> {
    let packages = layer.packages();
    match packages.get("base") {
        Some(base) => Some(base.version.clone()),
        None => packages
            .values()
            .find_map(|package| package.built_with().map(str::to_owned)),
    }
}

fn largest_parts(layer: &ExaminedLayer) -> Vec<Part> {
    let packages = layer.packages();
    let mut found: Vec<Part> = parts(&layer.archive)
        .into_iter()
        .map(|(path, room)| {
            let name = path.strip_prefix("R/library/");
            let package = name.and_then(|name| packages.get(name));
            Part {
                path: path.to_owned(),
                package: package.map(|package| package.package.clone()),
                version: package.map(|package| package.version.clone()),
                license: package.and_then(|package| package.license.clone()),
                room,
            }
        })
        .collect();
    found.sort_by_key(|part| Reverse(part.room.unzipped));
    found
}

fn largest_files(layer: &ExaminedLayer) -> Vec<LargeFile> {
    let mut files: Vec<_> = layer.archive.files().collect();
    files.sort_by(|one, other| (other.size, &one.path).cmp(&(one.size, &other.path)));
    let largest = files.into_iter().take(LARGEST);
    largest
        .map(|entry| LargeFile {
            path: entry.path.clone(),
            zipped: entry.zipped_size,
            unzipped: entry.size,
        })
        .collect()
}

/// The build record beside a zip, and whether it is this zip's.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Provenance {
    /// The record says how this zip came about.
    Recorded(Box<BuildRecord>),
    /// There is none.
    NoRecord,
    /// There is one, of another zip.
    OfAnotherZip,
    /// There is one that cannot be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

impl Provenance {
    /// Reads the record beside a zip.
    pub fn beside(zip: &Path, sha256: &Sha256) -> Provenance {
        let text = match fs_err::read(zip.with_extension("json")) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Provenance::NoRecord;
            }
            Err(error) => {
                let reason = error.to_string();
                return Provenance::Unreadable { reason };
            }
        };
        match serde_json::from_slice::<BuildRecord>(&text) {
            Ok(record) if record.sha256 == *sha256 => Provenance::Recorded(Box::new(record)),
            Ok(_) => Provenance::OfAnotherZip,
            Err(error) => Provenance::Unreadable {
                reason: error.to_string(),
            },
        }
    }
}
