//! What is different between two layers, as a changelog would have it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use super::archive::ArchiveEntry;
use super::inspect::{Inspection, inspect};
use super::part::{part_of, parts};
use super::{ExaminedLayer, LayerArchive};

/// How alike two zips are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sameness {
    /// Byte for byte.
    SameZip,
    /// The same files with the same content and permissions; times, order or compression differ.
    SameContent,
    /// Neither.
    Different,
}

/// Something that two layers have in different ways: from → to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// In the old layer.
    pub from: T,
    /// In the new one.
    pub to: T,
}

impl<T: PartialEq> Change<T> {
    fn of(from: T, to: T) -> Change<T> {
        Change { from, to }
    }

    /// Is it none?
    pub fn is_none(&self) -> bool {
        self.from == self.to
    }
}

/// Names that are new, gone, or the same with another value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// New: name → value.
    pub added: BTreeMap<String, String>,
    /// Gone: name → value.
    pub removed: BTreeMap<String, String>,
    /// Changed: name → from, to.
    pub changed: BTreeMap<String, Change<String>>,
}

/// Paths that are new, gone, or have another content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileChanges {
    /// New.
    pub added: BTreeSet<String>,
    /// Gone.
    pub removed: BTreeSet<String>,
    /// Changed.
    pub changed: BTreeSet<String>,
}

/// By how many bytes, unzipped, a part grew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Growth {
    /// The package's or other folder.
    pub path: String,
    /// Bytes; fewer than none if it shrank.
    pub bytes: i64,
}

/// What is different.
#[derive(Clone, Debug, Serialize)]
pub struct LayerDiff {
    /// How alike they are.
    pub sameness: Sameness,
    /// The zips' names.
    pub name: Change<String>,
    /// Bytes of the zips.
    pub zipped: Change<u64>,
    /// Bytes of their files.
    pub unzipped: Change<u64>,
    /// R's version.
    pub r_version: Change<Option<String>>,
    /// The lowest glibc.
    pub glibc: Change<Option<String>>,
    /// The processor.
    pub architecture: Change<Option<String>>,
    /// The R packages.
    pub packages: Changes,
    /// Packages of the same version with other files: built anew, or with something else left out.
    pub rebuilt: BTreeSet<String>,
    /// Shared libraries beside R and its packages.
    pub libraries: FileChanges,
    /// The Lambda runtime: bootstrap and its R code.
    pub runtime: FileChanges,
    /// Every file that is different.
    pub files: FileChanges,
    /// The parts that grew or shrank most.
    pub growth: Vec<Growth>,
}

/// How many parts are named that grew or shrank.
const MOST: usize = 10;

/// Compares two layers.
pub fn diff(old: &ExaminedLayer, new: &ExaminedLayer) -> LayerDiff {
    let (before, after) = (inspect(old), inspect(new));
    let files = changed_files(&old.archive, &new.archive);
    let packages = changed_packages(old, new);
    let within = |folders: &[&str]| files.within(|path| folders.contains(&part_of(path)));
    let architecture = |side: &Inspection| side.architecture.map(|found| found.to_string());
    LayerDiff {
        sameness: match () {
            () if before.sha256 == after.sha256 => Sameness::SameZip,
            () if files.is_empty() => Sameness::SameContent,
            () => Sameness::Different,
        },
        rebuilt: rebuilt(&files, &packages, new),
        libraries: within(&["lib"]),
        // What the layer says of itself is another with every R.
        runtime: files.within(|path| {
            path == "bootstrap" || (part_of(path) == "r-layer" && !path.ends_with(".json"))
        }),
        growth: growth(&old.archive, &new.archive),
        files,
        packages,
        zipped: Change::of(before.zipped, after.zipped),
        unzipped: Change::of(before.unzipped, after.unzipped),
        architecture: Change::of(architecture(&before), architecture(&after)),
        r_version: Change::of(before.r_version, after.r_version),
        glibc: Change::of(before.glibc, after.glibc),
        name: Change::of(before.name, after.name),
    }
}

impl FileChanges {
    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    fn within(&self, wanted: impl Fn(&str) -> bool) -> FileChanges {
        let some = |paths: &BTreeSet<String>| {
            let wanted = paths.iter().filter(|path| wanted(path));
            wanted.cloned().collect()
        };
        FileChanges {
            added: some(&self.added),
            removed: some(&self.removed),
            changed: some(&self.changed),
        }
    }
}

fn changed_files(old: &LayerArchive, new: &LayerArchive) -> FileChanges {
    let files = |layer: &LayerArchive| -> BTreeMap<String, ArchiveEntry> {
        let files = layer.files();
        files
            .map(|entry| (entry.path.clone(), entry.clone()))
            .collect()
    };
    let (old, new) = (files(old), files(new));
    let only = |here: &BTreeMap<String, ArchiveEntry>, there: &BTreeMap<String, ArchiveEntry>| {
        let only = here.keys().filter(|path| !there.contains_key(*path));
        only.cloned().collect()
    };
    let changed = old
        .par_iter()
        .filter_map(|(path, before)| {
            let after = new.get(path)?;
            (before.mode != after.mode || !before.has_content_of(after)).then(|| path.clone())
        })
        .collect();
    FileChanges {
        added: only(&new, &old),
        removed: only(&old, &new),
        changed,
    }
}

fn changed_packages(old: &ExaminedLayer, new: &ExaminedLayer) -> Changes {
    let versions = |layer: &ExaminedLayer| -> BTreeMap<String, String> {
        let packages = layer.packages().into_iter();
        packages
            .map(|(name, package)| (name, package.version))
            .collect()
    };
    let (old, new) = (versions(old), versions(new));
    let mut changes = Changes::default();
    for (name, version) in &new {
        match old.get(name) {
            None => drop(changes.added.insert(name.clone(), version.clone())),
            Some(before) if before != version => {
                let change = Change::of(before.clone(), version.clone());
                changes.changed.insert(name.clone(), change);
            }
            Some(_) => {}
        }
    }
    let gone = old.into_iter().filter(|(name, _)| !new.contains_key(name));
    changes.removed = gone.collect();
    changes
}

/// Packages of which files are different though the version is the same.
fn rebuilt(files: &FileChanges, packages: &Changes, new: &ExaminedLayer) -> BTreeSet<String> {
    let there = new.packages();
    let paths = [&files.added, &files.removed, &files.changed];
    paths
        .into_iter()
        .flatten()
        .filter_map(|path| part_of(path).strip_prefix("R/library/"))
        .filter(|name| there.contains_key(*name))
        .filter(|name| !packages.added.contains_key(*name))
        .filter(|name| !packages.changed.contains_key(*name))
        .map(str::to_owned)
        .collect()
}

fn growth(old: &LayerArchive, new: &LayerArchive) -> Vec<Growth> {
    let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let mut bytes: BTreeMap<&str, i64> = BTreeMap::new();
    for (path, room) in parts(new) {
        bytes.insert(path, signed(room.unzipped));
    }
    for (path, room) in parts(old) {
        let grown = bytes.entry(path).or_default();
        *grown = grown.saturating_sub(signed(room.unzipped));
    }
    let mut growth: Vec<Growth> = bytes
        .into_iter()
        .filter(|(_, bytes)| *bytes != 0)
        .map(|(path, bytes)| Growth {
            path: path.to_owned(),
            bytes,
        })
        .collect();
    growth.sort_by_key(|part| Reverse(part.bytes.unsigned_abs()));
    growth.truncate(MOST);
    growth
}
