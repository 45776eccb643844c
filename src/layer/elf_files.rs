//! The headers of a tree's programs and shared libraries, read once for all that ask who needs whom.

use std::collections::BTreeMap;
use std::io;

use rayon::prelude::*;

use super::{Entry, LayerTree};
use crate::elf::{self, ElfFile};

/// Path → headers.
pub type ElfFiles = BTreeMap<String, ElfFile>;

/// Reads the headers of every ELF file. What begins like one and cannot be read is left to the audit.
pub fn elf_files(tree: &LayerTree) -> io::Result<ElfFiles> {
    let entries: Vec<(&str, &Entry)> = tree
        .iter()
        .filter(|(path, entry)| may_be_elf(path, entry))
        .collect();
    let headers = |(path, entry): &(&str, &Entry)| -> io::Result<Option<(String, ElfFile)>> {
        let content = entry.read()?;
        let elf = elf::is_elf(&content)
            .then(|| ElfFile::read(&content).ok())
            .flatten();
        Ok(elf.map(|elf| ((*path).to_owned(), elf)))
    };
    entries
        .par_iter()
        .map(headers)
        .filter_map(Result::transpose)
        .collect()
}

/// Spares reading files that are certainly none: R's databases and texts are most of a layer.
pub fn may_be_elf(path: &str, entry: &Entry) -> bool {
    entry.executable || file_name(path).contains(".so")
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
