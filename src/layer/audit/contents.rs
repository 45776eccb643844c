//! What must hold of a zip's entries whatever they contain: paths, types, modes, sizes.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::finding::{Fault, Finding};
use crate::layer::archive::ArchiveEntry;
use crate::layer::part::part_of;
use crate::layer::{ExaminedLayer, LayerArchive};
use crate::target::Limits;

/// Checks the entries of one layer.
pub fn check(examined: &ExaminedLayer, limits: &Limits, findings: &mut Vec<Finding>) {
    let layer = &examined.archive;
    let mut find = |path: Option<&str>, fault: Fault| {
        findings.push(Finding {
            layer: layer.name.clone(),
            path: path.map(str::to_owned),
            fault,
        });
    };
    let mut seen = HashSet::new();
    let mut folded: HashMap<String, &str> = HashMap::new();
    let mut told = HashSet::new();
    for entry in &layer.entries {
        for fault in entry_faults(entry) {
            find(Some(&entry.path), fault);
        }
        if !seen.insert(entry.path.as_str()) {
            find(Some(&entry.path), Fault::DuplicatePath);
        }
        for place in places(&entry.path) {
            let first = *folded.entry(place.to_lowercase()).or_insert(place);
            if first != place {
                // What is below two such folders conflicts with them.
                if told.insert(place) {
                    let other = first.to_owned();
                    find(Some(place), Fault::CaseConflict { other });
                }
                break;
            }
        }
    }
    for (entry, target) in examined.links() {
        if !leads_within(&entry.path, target, layer) {
            let target = target.to_owned();
            find(Some(&entry.path), Fault::LinkLeaves { target });
        }
    }
    for (path, file) in below_files(&[layer]) {
        find(
            Some(path),
            Fault::BelowAFile {
                file: file.to_owned(),
            },
        );
    }
    if layer.unzipped_size() > limits.unzipped {
        find(None, too_large(std::slice::from_ref(examined), limits));
    }
    if layer.zipped_size >= limits.zipped_in_request {
        find(
            None,
            Fault::NeedsS3 {
                size: layer.zipped_size,
                limit: limits.zipped_in_request,
            },
        );
    }
}

/// The folders above a path, and itself.
fn places(path: &str) -> impl Iterator<Item = &str> {
    let path = path.trim_end_matches('/');
    let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
    folders.chain([path])
}

/// Entries that lie below another that is a file, so that both cannot be: (path, file).
fn below_files<'a>(layers: &[&'a LayerArchive]) -> Vec<(&'a str, &'a str)> {
    let entries = || layers.iter().flat_map(|layer| &layer.entries);
    let files: HashSet<&str> = entries()
        .filter(|entry| !entry.is_folder())
        .map(|entry| entry.path.as_str())
        .collect();
    entries()
        .filter_map(|entry| {
            let own = entry.path.trim_end_matches('/');
            let file = places(&entry.path)
                .find(|place| files.contains(place) && (*place != own || entry.is_folder()))?;
            Some((entry.path.as_str(), file))
        })
        .collect()
}

fn entry_faults(entry: &ArchiveEntry) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !is_safe(&entry.path) {
        faults.push(Fault::UnsafePath);
    }
    if entry.is_symlink() {
        return faults;
    }
    if !entry.is_folder() && !entry.is_file() {
        faults.push(Fault::SpecialFile);
    }
    if entry.mode & 0o6000 != 0 {
        faults.push(Fault::SetId);
    }
    // A zip made where there are no permissions has none; Lambda then gives its own.
    let wanted = if entry.is_folder() { 0o555 } else { 0o444 };
    let permissions = entry.mode & 0o777;
    if permissions != 0 && permissions & wanted != wanted {
        faults.push(Fault::NotReadable { mode: permissions });
    }
    if entry.path == "bootstrap" && permissions & 0o111 != 0o111 {
        faults.push(Fault::BootstrapNotExecutable);
    }
    faults
}

fn is_safe(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains(['\\', '\0'])
        && path
            .trim_end_matches('/')
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."))
}

fn leads_within(path: &str, target: &str, layer: &LayerArchive) -> bool {
    let parent = std::path::Path::new(path)
        .parent()
        .unwrap_or(std::path::Path::new(""));
    crate::root_path::within_folder(parent, std::path::Path::new(target))
        .and_then(|place| place.to_str().map(str::to_owned))
        .is_some_and(|place| {
            let folder = format!("{place}/");
            layer
                .entries
                .iter()
                .any(|entry| entry.path == place || entry.path.starts_with(&folder))
        })
}

/// Checks what two layers of one function must agree on: paths, and the size of all.
pub fn check_together(examined: &[ExaminedLayer], limits: &Limits, findings: &mut Vec<Finding>) {
    let layers: Vec<&LayerArchive> = examined.iter().map(|layer| &layer.archive).collect();
    let mut owners: BTreeMap<&str, (&LayerArchive, &ArchiveEntry)> = BTreeMap::new();
    for &layer in &layers {
        for entry in layer.entries.iter().filter(|entry| !entry.is_folder()) {
            let Some((other, first)) = owners.insert(&entry.path, (layer, entry)) else {
                continue;
            };
            if std::ptr::eq(other, layer) {
                // Twice in one zip: found when that was looked at alone.
                continue;
            }
            let other = other.name.clone();
            let fault = match entry.path.as_str() {
                "bootstrap" => Fault::SeveralBootstraps,
                _ if !first.has_content_of(entry) => Fault::PathConflict { other },
                _ => continue,
            };
            findings.push(Finding {
                layer: layer.name.clone(),
                path: Some(entry.path.clone()),
                fault,
            });
        }
    }
    for (path, file) in below_files(&layers) {
        let mut holders = layers.iter().filter(|layer| layer.get(path).is_some());
        // Both in one zip: found when that was looked at alone.
        if let Some(layer) = holders.find(|layer| layer.get(file).is_none()) {
            let fault = Fault::BelowAFile {
                file: file.to_owned(),
            };
            findings.push(Finding {
                layer: layer.name.clone(),
                path: Some(path.to_owned()),
                fault,
            });
        }
    }
    if layers.len() > 1 && size_of_all(examined) > limits.unzipped {
        let layer = layers
            .iter()
            .map(|layer| layer.name.as_str())
            .collect::<Vec<_>>()
            .join(" + ");
        findings.push(Finding {
            layer,
            path: None,
            fault: too_large(examined, limits),
        });
    }
}

fn too_large(layers: &[ExaminedLayer], limits: &Limits) -> Fault {
    Fault::TooLargeUnzipped {
        size: size_of_all(layers),
        limit: limits.unzipped,
        heaviest: heaviest_folders(layers),
    }
}

/// A zip may say any size of its entries, so that their sum has to stop at the largest number.
fn size_of_all(layers: &[ExaminedLayer]) -> u64 {
    layers
        .iter()
        .map(|layer| layer.archive.unzipped_size())
        .fold(0, u64::saturating_add)
}

/// The ten heaviest folders and their bytes unzipped, packages one by one.
pub fn heaviest_folders(layers: &[ExaminedLayer]) -> Vec<(String, u64)> {
    let mut folders: HashMap<&str, u64> = HashMap::new();
    for entry in layers.iter().flat_map(|layer| &layer.archive.entries) {
        let bytes = folders.entry(part_of(&entry.path)).or_default();
        *bytes = bytes.saturating_add(entry.size);
    }
    let mut heaviest: Vec<(String, u64)> = folders
        .into_iter()
        .map(|(folder, bytes)| (folder.to_owned(), bytes))
        .collect();
    heaviest.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    heaviest.truncate(10);
    heaviest
}
