//! Stripping every ELF file of a tree.

use std::io;

use rayon::prelude::*;

use super::elf_files::may_be_elf;
use super::{Entry, LayerTree};
use crate::elf::{self, StripOutcome};

/// What stripping saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stripped {
    /// How many files became smaller.
    pub files: usize,
    /// By how many bytes, all together.
    pub bytes: u64,
}

/// Strips the ELF files of a tree; all of them are in memory afterwards.
pub fn strip(tree: &mut LayerTree) -> io::Result<Stripped> {
    let entries: Vec<(&str, &Entry)> = tree.iter().collect();
    let rewritten: Vec<(String, Entry, u64)> = entries
        .par_iter()
        .map(|(path, entry)| strip_entry(path, entry))
        .filter_map(Result::transpose)
        .collect::<io::Result<_>>()?;
    let mut stripped = Stripped::default();
    for (path, entry, saved) in rewritten {
        stripped.files += usize::from(saved > 0);
        stripped.bytes += saved;
        tree.insert(path, entry);
    }
    Ok(stripped)
}

fn strip_entry(path: &str, entry: &Entry) -> io::Result<Option<(String, Entry, u64)>> {
    if !may_be_elf(path, entry) {
        return Ok(None);
    }
    let content = entry.read()?;
    if !elf::is_elf(&content) {
        return Ok(None);
    }
    let (content, saved) = match elf::strip(&content) {
        StripOutcome::Stripped(shorter) => {
            let saved = entry.size - shorter.len() as u64;
            (shorter.into(), saved)
        }
        StripOutcome::Kept(_) => (content, 0),
    };
    Ok(Some((
        path.to_owned(),
        Entry::bytes(content, entry.executable),
        saved,
    )))
}
