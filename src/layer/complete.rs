//! Completing a layer's shared libraries: what its files need and Lambda lacks comes along in `lib/`.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use rayon::prelude::*;

use super::elf_files::{ElfFiles, file_name};
use super::tree::Content;
use super::{Entry, LayerTree};
use crate::elf::{self, Closure, LibraryFolders, MissingLibrary, StripOutcome};
use crate::target::{Architecture, Target};

/// Why a layer could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Libraries that are nowhere.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Missing(Vec<MissingLibrary>),
}

/// A library that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedLibrary {
    /// Its path in the layer.
    pub path: String,
    /// Where it was found on this machine.
    pub from: PathBuf,
    /// Its size in bytes, stripped.
    pub size: u64,
}

/// Adds to `lib/` every library that the tree's `files` need, directly or through others, and that neither the
/// tree nor the target's guaranteed libraries are.
pub fn complete(
    tree: &mut LayerTree,
    files: &ElfFiles,
    target: &Target,
    architecture: Architecture,
    folders: &LibraryFolders,
) -> Result<Vec<AddedLibrary>, CompleteError> {
    let names = tree.iter().map(|(path, _)| file_name(path));
    let own: BTreeSet<String> = names
        .filter(|name| name.contains(".so"))
        .map(str::to_owned)
        .collect();
    let provided = |soname: &str| own.contains(soname) || target.guarantees(soname, architecture);
    let closure = Closure::complete(files, provided, folders, architecture);
    if !closure.missing.is_empty() {
        return Err(CompleteError::Missing(closure.missing));
    }
    let stripped: Vec<(String, PathBuf, Vec<u8>)> = closure
        .libraries
        .into_par_iter()
        .map(|(soname, (from, content))| match elf::strip(&content) {
            StripOutcome::Stripped(shorter) => (soname, from, shorter),
            StripOutcome::Kept(_) => (soname, from, content),
        })
        .collect();
    let mut added = Vec::new();
    for (soname, from, content) in stripped {
        let path = format!("lib/{soname}");
        added.push(AddedLibrary {
            path: path.clone(),
            from: from.clone(),
            size: content.len() as u64,
        });
        tree.insert(
            path,
            Entry {
                size: content.len() as u64,
                content: Content::Stripped(from),
                executable: true,
            },
        );
    }
    Ok(added)
}
