//! The headers of a tree's programs and shared libraries, read once for all that ask who needs whom. Files are not read
//! whole for that: all of a layer's libraries together would be too much for a small machine's memory.

use std::collections::BTreeMap;
use std::io::{self, Read};

use object::ReadCache;
use rayon::prelude::*;

use super::tree::Content;
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
    entries
        .par_iter()
        .map(|(path, entry)| Ok(headers(entry)?.map(|elf| ((*path).to_owned(), elf))))
        .filter_map(Result::transpose)
        .collect()
}

fn headers(entry: &Entry) -> io::Result<Option<ElfFile>> {
    match &entry.content {
        Content::Bytes(bytes) if elf::is_elf(bytes) => Ok(ElfFile::read(&bytes[..]).ok()),
        Content::Bytes(_) | Content::Recompressed(_) => Ok(None),
        Content::File(path) | Content::Stripped(path) => {
            let mut file = fs_err::File::open(path)?;
            let mut start = Vec::new();
            file.by_ref().take(4).read_to_end(&mut start)?;
            if !elf::is_elf(&start) {
                return Ok(None);
            }
            Ok(ElfFile::read(&ReadCache::new(file.into_file())).ok())
        }
    }
}

/// How long an entry will be when it is stripped, if that makes it shorter.
pub fn stripped_size(entry: &Entry) -> io::Result<Option<u64>> {
    Ok(match &entry.content {
        Content::Bytes(bytes) => elf::stripped_size(&bytes[..], entry.size),
        Content::File(path) => {
            let file = fs_err::File::open(path)?.into_file();
            elf::stripped_size(&ReadCache::new(file), entry.size)
        }
        Content::Stripped(_) | Content::Recompressed(_) => None,
    })
}

/// Spares looking into files that are certainly none: R's databases and texts are most of a layer.
fn may_be_elf(path: &str, entry: &Entry) -> bool {
    entry.executable || file_name(path).contains(".so")
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
