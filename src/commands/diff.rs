//! `r-layer diff`: text that can go into a changelog as it is.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::cli::DiffArgs;
use crate::layer::ExaminedLayer;
use crate::layer::diff::{Change, FileChanges, LayerDiff, Sameness, diff};
use crate::terminal::human_size;

/// What is different, as it is printed.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Differences(LayerDiff);

/// Compares the two zips that were named.
pub fn run(args: &DiffArgs) -> Result<Differences> {
    let open = |path: &Path| {
        ExaminedLayer::open(path).with_context(|| format!("{} cannot be compared", path.display()))
    };
    let (old, new) = (open(&args.old)?, open(&args.new)?);
    Ok(Differences(diff(&old, &new)))
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.0;
        match found.sameness {
            Sameness::SameZip => {
                return writeln!(
                    f,
                    "- The same content: the zips are the same, byte for byte."
                );
            }
            Sameness::SameContent => writeln!(
                f,
                "- The same content: only times, order or compression of the zips differ."
            )?,
            Sameness::Different => {}
        }
        write_change("R", &found.r_version, f)?;
        write_change("Processor", &found.architecture, f)?;
        write_change("Lowest glibc", &found.glibc, f)?;
        write_packages(found, f)?;
        write_files("Shared libraries", &found.libraries, f)?;
        write_files("The Lambda runtime", &found.runtime, f)?;
        write_sizes(found, f)?;
        let files = &found.files;
        if !files.is_empty() {
            writeln!(
                f,
                "- Files: {} added, {} removed, {} changed",
                files.added.len(),
                files.removed.len(),
                files.changed.len()
            )?;
        }
        Ok(())
    }
}

fn write_change(
    what: &str,
    change: &Change<Option<String>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    if change.is_none() {
        return Ok(());
    }
    let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
    writeln!(f, "- {what}: {} → {}", text(&change.from), text(&change.to))
}

fn write_packages(found: &LayerDiff, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let packages = &found.packages;
    let versions = |packages: &BTreeMap<String, String>| {
        let each = packages.iter();
        each.map(|(name, version)| format!("{name} {version}"))
            .collect()
    };
    write_list("Packages added", versions(&packages.added), f)?;
    write_list("Packages removed", versions(&packages.removed), f)?;
    let changed = packages.changed.iter();
    let changed = changed.map(|(name, change)| format!("{name} {} → {}", change.from, change.to));
    write_list("Packages changed", changed.collect(), f)?;
    let rebuilt = found.rebuilt.iter().cloned().collect();
    write_list("Packages of the same version with other files", rebuilt, f)
}

fn write_files(what: &str, files: &FileChanges, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (verb, paths) in [
        ("added", &files.added),
        ("removed", &files.removed),
        ("changed", &files.changed),
    ] {
        let paths = paths.iter().map(|path| format!("`{path}`")).collect();
        write_list(&format!("{what}, {verb}"), paths, f)?;
    }
    Ok(())
}

fn write_list(what: &str, items: Vec<String>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "- {what}: {}", items.join(", "))
}

fn write_sizes(found: &LayerDiff, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (what, change) in [("Zipped", &found.zipped), ("Unzipped", &found.unzipped)] {
        if !change.is_none() {
            let (from, to) = (human_size(change.from), human_size(change.to));
            let by = grown(change.to as i64 - change.from as i64);
            writeln!(f, "- {what}: {from} → {to} ({by})")?;
        }
    }
    for part in &found.growth {
        writeln!(f, "  - `{}`: {}", part.path, grown(part.bytes))?;
    }
    Ok(())
}

/// `+1.2 MB`, `−300 B`.
fn grown(bytes: i64) -> String {
    let sign = if bytes < 0 { "−" } else { "+" };
    format!("{sign}{}", human_size(bytes.unsigned_abs()))
}
