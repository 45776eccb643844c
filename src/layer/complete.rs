//! Completing a layer's shared libraries: what its files need and Lambda lacks comes along in `lib/`.

use std::collections::BTreeSet;
use std::io;

use rayon::prelude::*;

use super::elf_files::{ElfFiles, file_name};
use super::tree::Content;
use super::{Entry, LayerTree};
use crate::elf::{
    self, Closure, FoundLibrary, LibraryOrigin, LibrarySource, MissingLibrary, StripOutcome,
};
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
    /// Where it came from.
    pub from: LibraryOrigin,
    /// Its size in bytes, stripped.
    pub size: u64,
}

/// The sonames that a layer's files bring themselves, by their names.
pub fn own_libraries(tree: &LayerTree) -> BTreeSet<String> {
    tree.iter()
        .map(|(path, _)| file_name(path))
        .filter(|name| name.contains(".so"))
        .map(str::to_owned)
        .collect()
}

/// Adds to `lib/` every library that the tree's `files` need, directly or through others, and that neither the
/// tree nor the target's guaranteed libraries are.
pub fn complete(
    tree: &mut LayerTree,
    files: &ElfFiles,
    target: &Target,
    architecture: Architecture,
    source: &(impl LibrarySource + ?Sized),
) -> Result<Vec<AddedLibrary>, CompleteError> {
    let own = own_libraries(tree);
    let provided = |soname: &str| own.contains(soname) || target.guarantees(soname, architecture);
    complete_beside(tree, files, provided, architecture, source)
}

/// The same of a layer that is not alone: `provided` says of a soname that it need not be added, as it is in this
/// layer, in one below it, or on the target.
pub fn complete_beside(
    tree: &mut LayerTree,
    files: &ElfFiles,
    provided: impl Fn(&str) -> bool,
    architecture: Architecture,
    source: &(impl LibrarySource + ?Sized),
) -> Result<Vec<AddedLibrary>, CompleteError> {
    let closure = Closure::complete(files, provided, source, architecture);
    if !closure.missing.is_empty() {
        return Err(CompleteError::Missing(closure.missing));
    }
    let sized: Vec<(String, FoundLibrary, u64)> = closure
        .libraries
        .into_par_iter()
        .map(|(soname, mut library)| {
            let content = std::mem::take(&mut library.content);
            let size = match elf::strip(&content) {
                StripOutcome::Stripped(shorter) => shorter.len(),
                StripOutcome::Kept(_) => content.len(),
            };
            (soname, library, size as u64)
        })
        .collect();
    let mut added = Vec::new();
    for (soname, library, size) in sized {
        let path = format!("lib/{soname}");
        added.push(AddedLibrary {
            path: path.clone(),
            from: library.origin,
            size,
        });
        let entry = Entry {
            size,
            content: Content::Stripped(library.path),
            executable: true,
        };
        tree.insert(path, entry);
    }
    Ok(added)
}
