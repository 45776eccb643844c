//! One pass over everything in a zip, on all cores: is each entry whole, and what do its ELF files and texts say?
//!
//! What the audit and its kin want to know of contents is read here once, so that nothing is unpacked twice and nothing
//! unpacked stays in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::LayerArchive;
use super::archive::{ArchiveEntry, ReadZipError};
use crate::checksum::Sha256;
use crate::elf::{ElfError, ElfFile, is_elf};
use crate::package::Description;

/// A zip whose entries are all whole, and what was seen in them.
#[derive(Clone, Debug)]
pub struct ExaminedLayer {
    /// The zip.
    pub archive: LayerArchive,
    /// Shared, so that a layer can be looked at together with others again and again.
    seen: Arc<[Seen]>,
}

/// What is kept of an entry.
#[derive(Debug)]
enum Seen {
    Elf(Result<ElfFile, ElfError>),
    Text(String),
    Data,
}

impl ExaminedLayer {
    /// Reads a zip file; its hash is computed while its entries are unpacked.
    pub fn open(path: &Path) -> Result<ExaminedLayer, ReadZipError> {
        let (sha256, examined) = rayon::join(
            || Sha256::of_file(path),
            || ExaminedLayer::of(LayerArchive::open_unhashed(path)?),
        );
        let mut examined = examined?;
        examined.archive.sha256 = sha256?;
        Ok(examined)
    }

    /// Unpacks every entry once; the first that is damaged is the error. Of a zip that is absurdly large nothing is
    /// unpacked, and nothing seen.
    pub fn of(archive: LayerArchive) -> Result<ExaminedLayer, ReadZipError> {
        if archive.is_absurd() {
            let seen = archive.entries.iter().map(|_| Seen::Data).collect();
            return Ok(ExaminedLayer { archive, seen });
        }
        let looked: Vec<Result<Seen, ReadZipError>> = archive
            .entries
            .par_iter()
            .with_max_len(1)
            .map(examine)
            .collect();
        let seen = looked.into_iter().collect::<Result<_, _>>()?;
        Ok(ExaminedLayer { archive, seen })
    }

    /// The ELF files: entry and headers, or why these cannot be read.
    pub fn elf_files(&self) -> impl Iterator<Item = (&ArchiveEntry, &Result<ElfFile, ElfError>)> {
        self.looked().filter_map(|(entry, seen)| match seen {
            Seen::Elf(elf) if entry.is_file() => Some((entry, elf)),
            _ => None,
        })
    }

    /// The symbolic links: entry and target.
    pub fn links(&self) -> impl Iterator<Item = (&ArchiveEntry, &str)> {
        self.looked().filter_map(|(entry, seen)| match seen {
            Seen::Text(target) if entry.is_symlink() => Some((entry, target.as_str())),
            _ => None,
        })
    }

    /// The text of the bootstrap, if there is one.
    pub fn bootstrap(&self) -> Option<&str> {
        self.text(BOOTSTRAP)
    }

    /// The highest glibc version that a program or library asks for, as `2.29`.
    pub fn glibc_floor(&self) -> Option<String> {
        glibc_floor_of(std::slice::from_ref(self))
    }

    /// The R packages: name → what its DESCRIPTION says.
    pub fn packages(&self) -> BTreeMap<String, Description> {
        self.looked()
            .filter_map(|(entry, seen)| match seen {
                Seen::Text(text) => {
                    let name = described_package(&entry.path)?;
                    Some((name.to_owned(), Description::parse(text).ok()?))
                }
                _ => None,
            })
            .collect()
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.looked().find_map(|(entry, seen)| match seen {
            Seen::Text(text) if entry.path == path => Some(text.as_str()),
            _ => None,
        })
    }

    fn looked(&self) -> impl Iterator<Item = (&ArchiveEntry, &Seen)> {
        self.archive.entries.iter().zip(self.seen.iter())
    }
}

/// The highest glibc version that a program or library of any of these layers asks for, as `2.29`.
pub fn glibc_floor_of(layers: &[ExaminedLayer]) -> Option<String> {
    let files = layers.iter().flat_map(ExaminedLayer::elf_files);
    let headers = files.filter_map(|(_, elf)| elf.as_ref().ok());
    let floor = headers.filter_map(|elf| elf.floor("GLIBC")).max()?;
    let numbers: Vec<String> = floor.iter().map(u32::to_string).collect();
    Some(numbers.join("."))
}

const BOOTSTRAP: &str = "bootstrap";

/// The package whose DESCRIPTION that is.
fn described_package(path: &str) -> Option<&str> {
    let name = path.strip_suffix("/DESCRIPTION")?;
    name.strip_prefix("R/library/")
        .filter(|name| !name.contains('/'))
}

fn examine(entry: &ArchiveEntry) -> Result<Seen, ReadZipError> {
    let is_text =
        entry.is_symlink() || entry.path == BOOTSTRAP || described_package(&entry.path).is_some();
    let seen = entry.check(
        |first| is_text || is_elf(first),
        |content| {
            if is_text {
                Seen::Text(String::from_utf8_lossy(content).into_owned())
            } else {
                Seen::Elf(ElfFile::read(content))
            }
        },
    )?;
    Ok(seen.unwrap_or(Seen::Data))
}
