//! Stripping every ELF file of a tree.

use std::io;

use rayon::prelude::*;

use super::elf_files::{ElfFiles, stripped_size};
use super::tree::Content;
use super::{Entry, LayerTree};
use crate::elf::{self, StripOutcome};

/// What stripping saves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stripped {
    /// How many files become smaller.
    pub files: usize,
    /// By how many bytes, all together.
    pub bytes: u64,
}

/// Makes the tree's ELF files stripped ones. What is on the disk is stripped when it is read; its size is found out now.
pub fn strip(tree: &mut LayerTree, files: &ElfFiles) -> io::Result<Stripped> {
    let shorter: Vec<(&String, Entry, u64)> = files
        .par_iter()
        .filter_map(|(path, _)| Some((path, tree.get(path)?)))
        .map(|(path, entry)| Ok(stripped(entry)?.map(|(entry, saved)| (path, entry, saved))))
        .filter_map(Result::transpose)
        .collect::<io::Result<_>>()?;
    let mut total = Stripped::default();
    for (path, entry, saved) in shorter {
        total.files += 1;
        total.bytes += saved;
        tree.insert(path, entry);
    }
    Ok(total)
}

/// The entry stripped, and how many bytes that saves; nothing if there is nothing to strip.
fn stripped(entry: &Entry) -> io::Result<Option<(Entry, u64)>> {
    let Some(size) = stripped_size(entry)? else {
        return Ok(None);
    };
    let content = match &entry.content {
        Content::File(path) | Content::Stripped(path) => Content::Stripped(path.clone()),
        Content::Recompressed(_) => return Ok(None),
        Content::Bytes(bytes) => match elf::strip(bytes) {
            StripOutcome::Stripped(shorter) => Content::Bytes(shorter.into()),
            StripOutcome::Kept(_) => return Ok(None),
        },
    };
    let executable = entry.executable;
    let stripped = Entry {
        content,
        size,
        executable,
    };
    Ok(Some((stripped, entry.size - size)))
}
