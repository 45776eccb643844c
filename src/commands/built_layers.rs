//! Layers in `dist/` by what they are: found by their build records.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::distribution::RVersionRequest;
use crate::layer::{BuildRecord, RuntimeRecipe};
use crate::package::RVersion;
use crate::target::Architecture;

/// The one runtime layer for a processor in a folder.
pub fn built_runtime(
    folder: &Path,
    architecture: Architecture,
    r: Option<&RVersionRequest>,
) -> Result<PathBuf> {
    let name = &RuntimeRecipe::embedded().name;
    let mut found: Vec<(RVersion, PathBuf)> = built(folder)
        .into_iter()
        .filter_map(|(record, zip)| {
            let is_it = record.name == *name && record.architecture == architecture;
            let version = record.r_version.parse().ok()?;
            is_it.then_some((version, zip))
        })
        .collect();
    // Of several, the one that the manifest names first.
    let versions: Vec<RVersion> = found.iter().map(|(version, _)| version.clone()).collect();
    if let Some(meant) = r.and_then(|r| r.choose(&versions))
        && versions.contains(&meant)
    {
        found.retain(|(version, _)| *version == meant);
    }
    let mut found: Vec<PathBuf> = found.into_iter().map(|(_, zip)| zip).collect();
    found.sort();
    match found.len() {
        0 => bail!(
            "there is no runtime layer for {architecture} in {}; type r-layer build runtime --arch {architecture}, or name \
             one with --layer",
            folder.display()
        ),
        1 => Ok(found.remove(0)),
        _ => bail!(
            "there are several runtime layers in {}; name one with --layer: {}",
            folder.display(),
            found
                .iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

/// The zips of a layer of packages for a processor and a minor version of R, its parts in order.
pub fn built_packages(
    folder: &Path,
    layer: &str,
    architecture: Architecture,
    r_minor: &str,
) -> Vec<PathBuf> {
    let mut found: Vec<(usize, PathBuf)> = built(folder)
        .into_iter()
        .filter(|(record, _)| {
            record.layer_of_packages() == Some(layer)
                && record.architecture == architecture
                && record.r_minor().as_deref() == Some(r_minor)
        })
        .map(|(record, zip)| {
            let part = record.of_packages.part.as_ref();
            (part.map_or(1, |part| part.number), zip)
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, zip)| zip).collect()
}

/// What there is in a folder: build records, and the zips that are of them.
pub fn built(folder: &Path) -> Vec<(BuildRecord, PathBuf)> {
    let entries = fs_err::read_dir(folder);
    let paths = entries.into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = paths.map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    let records = paths.iter().filter_map(|path| {
        let record: BuildRecord = serde_json::from_slice(&fs_err::read(path).ok()?).ok()?;
        let zip = folder.join(&record.zip);
        zip.is_file().then_some((record, zip))
    });
    records.collect()
}
