//! The zip of a layer tree: the same bytes for the same tree, compressed on all cores.
//!
//! Entries are sorted, times fixed, modes 644 or 755. Each file is compressed on its own, so that as many
//! can be at once as there are cores; the archive around them is written in order.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use libdeflater::{CompressionLvl, Compressor, Crc};
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, Crc32Option, DataDescriptorOutput, ZipArchiveWriter};
use rayon::prelude::*;

use super::{Entry, LayerTree};

/// Why a zip was not written.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// A file could not be read, or the zip not written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The archive could not be put together.
    #[error("the zip cannot be written: {0}")]
    Archive(#[from] rawzip::Error),
    /// SOURCE_DATE_EPOCH is no time that a zip can hold.
    #[error(
        "SOURCE_DATE_EPOCH is `{0}`; it must be seconds since 1970, from 1980 on and before 2107"
    )]
    SourceDateEpoch(String),
}

/// 1980-01-01, the first day that a zip can hold.
const FIRST_DAY: i64 = 315_532_800;
/// 2107-01-01, the last year that a zip can hold.
const LAST_YEAR: i64 = 4_323_369_600;

/// The time that every entry gets: SOURCE_DATE_EPOCH (<https://reproducible-builds.org/specs>), else 1980.
pub fn entry_time(source_date_epoch: Option<&str>) -> Result<UtcDateTime, ZipError> {
    let Some(text) = source_date_epoch else {
        return Ok(UtcDateTime::from_unix(FIRST_DAY));
    };
    let seconds: i64 = text
        .trim()
        .parse()
        .map_err(|_| ZipError::SourceDateEpoch(text.to_owned()))?;
    if seconds >= LAST_YEAR {
        return Err(ZipError::SourceDateEpoch(text.to_owned()));
    }
    Ok(UtcDateTime::from_unix(seconds.max(FIRST_DAY)))
}

/// An entry as it will stand in the zip.
struct Packed {
    mode: u32,
    method: CompressionMethod,
    data: Vec<u8>,
    crc: u32,
    size: u64,
}

/// Writes a tree as a zip. Returns how many bytes the buffers had at their most: files being compressed, and what is
/// compressed and waits for its turn.
pub fn write(
    tree: &LayerTree,
    time: UtcDateTime,
    output: &mut (impl Write + Send),
) -> Result<u64, ZipError> {
    let compressed = Compressed::of(tree)?;
    compressed.write(|_| true, time, output)?;
    Ok(compressed.buffers)
}

/// A tree whose files are compressed, and in no zip yet: each once, whichever zip it will be in.
#[derive(Default)]
pub struct Compressed {
    entries: BTreeMap<String, Packed>,
    buffers: u64,
}

/// Bytes that a file takes in a zip beside its content and, twice, its path: header, descriptor and directory entry, with
/// what may be in their extra fields. <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>
const ENTRY_OVERHEAD: u64 = 30 + 24 + 46 + 64;

impl Compressed {
    /// Compresses every file of a tree, on all cores.
    pub fn of(tree: &LayerTree) -> io::Result<Compressed> {
        let entries: Vec<(&str, &Entry)> = tree.iter().collect();
        let buffers = Buffers::default();
        let packed = pack_all(&entries, &buffers);
        let entries = entries.iter().zip(packed);
        let entries = entries.map(|((path, _), packed)| Ok(((*path).to_owned(), packed?)));
        Ok(Compressed {
            entries: entries.collect::<io::Result<_>>()?,
            buffers: buffers.most.into_inner(),
        })
    }

    /// Bytes that a file takes in a zip, at most; nothing if there is none of that path.
    pub fn zipped_size(&self, path: &str) -> u64 {
        self.entries.get(path).map_or(0, |packed| {
            packed.data.len() as u64 + 2 * path.len() as u64 + ENTRY_OVERHEAD
        })
    }

    /// Adds what was compressed by itself.
    pub fn add(&mut self, other: Compressed) {
        self.entries.extend(other.entries);
    }

    /// Writes the files whose paths are wanted as a zip.
    pub fn write(
        &self,
        wanted: impl Fn(&str) -> bool,
        time: UtcDateTime,
        output: &mut (impl Write + Send),
    ) -> Result<(), ZipError> {
        let mut archive = ZipArchiveWriter::builder()
            .with_capacity(self.entries.len())
            .build(io::BufWriter::new(output));
        for (path, packed) in self.entries.iter().filter(|(path, _)| wanted(path)) {
            let (mut file, _) = archive
                .new_file(path.as_str())
                .compression_method(packed.method)
                .last_modified(time)
                // The type of a regular file, which some readers of zips expect beside the permissions.
                .unix_permissions(0o100_000 | packed.mode)
                .crc32(Crc32Option::Skip)
                .start()?;
            file.write_all(&packed.data)?;
            file.finish(DataDescriptorOutput::new(packed.crc, packed.size))?;
        }
        archive.finish()?.flush()?;
        Ok(())
    }
}

/// How many bytes are in memory for compression.
#[derive(Default)]
struct Buffers {
    now: AtomicU64,
    most: AtomicU64,
}

impl Buffers {
    fn take(&self, bytes: usize) {
        let now = self.now.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        self.most.fetch_max(now, Ordering::Relaxed);
    }

    fn give_back(&self, bytes: usize) {
        self.now.fetch_sub(bytes as u64, Ordering::Relaxed);
    }
}

/// Compresses the largest files first, so that no core is left with one at the end.
fn pack_all(entries: &[(&str, &Entry)], buffers: &Buffers) -> Vec<io::Result<Packed>> {
    let mut by_size: Vec<usize> = (0..entries.len()).collect();
    by_size.sort_by_key(|&index| std::cmp::Reverse(entries[index].1.size));
    let mut packed: Vec<(usize, io::Result<Packed>)> = by_size
        .into_par_iter()
        .with_max_len(1)
        .map_init(compressor, |compressor, index| {
            let (_, entry) = entries[index];
            let packed = entry.read().map(|content| {
                buffers.take(content.len());
                let packed = pack(&content, entry.mode(), compressor);
                buffers.take(packed.data.len());
                buffers.give_back(content.len());
                packed
            });
            (index, packed)
        })
        .collect();
    packed.sort_by_key(|(index, _)| *index);
    packed.into_iter().map(|(_, packed)| packed).collect()
}

#[expect(clippy::expect_used, reason = "a constant between 0 and 12")]
fn compressor() -> Compressor {
    Compressor::new(CompressionLvl::new(LEVEL).expect("12 is a level of libdeflate"))
}

/// libdeflate's level; see `scripts/bench zip` for what each gives.
const LEVEL: i32 = 9;

fn pack(content: &[u8], mode: u32, compressor: &mut Compressor) -> Packed {
    let mut crc = Crc::new();
    crc.update(content);
    let (crc, size) = (crc.sum(), content.len() as u64);
    let mut data = vec![0; compressor.deflate_compress_bound(content.len())];
    match compressor.deflate_compress(content, &mut data) {
        Ok(length) if length < content.len() => {
            data.truncate(length);
            Packed {
                mode,
                method: CompressionMethod::DEFLATE,
                data,
                crc,
                size,
            }
        }
        _ => Packed {
            mode,
            method: CompressionMethod::STORE,
            data: content.to_vec(),
            crc,
            size,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerArchive;

    fn zip(tree: &LayerTree, epoch: Option<&str>) -> Vec<u8> {
        let mut zip = Vec::new();
        write(tree, entry_time(epoch).unwrap(), &mut zip).unwrap();
        zip
    }

    fn tree() -> LayerTree {
        let mut tree = LayerTree::default();
        tree.insert(
            "lib/b",
            Entry::bytes("text ".repeat(1000).into_bytes(), false),
        );
        tree.insert("bootstrap", Entry::bytes(&b"#!/bin/sh\n"[..], true));
        tree.insert("empty", Entry::bytes(&b""[..], false));
        tree
    }

    #[test]
    fn a_zip_is_read_back_as_it_was_written() {
        let archive = LayerArchive::read("some.zip", zip(&tree(), None).into()).unwrap();
        let read: Vec<(String, u32, u64)> = archive
            .entries
            .iter()
            .map(|entry| (entry.path.clone(), entry.mode & 0o7777, entry.size))
            .collect();
        assert_eq!(
            read,
            [
                ("bootstrap".into(), 0o755, 10),
                ("empty".into(), 0o644, 0),
                ("lib/b".into(), 0o644, 5000)
            ]
        );
        assert_eq!(&archive.entries[2].content().unwrap()[..5], b"text ");
    }

    #[test]
    fn what_is_compressed_once_is_in_whichever_zip_and_no_larger_than_was_said() {
        let mut compressed = Compressed::of(&tree()).unwrap();
        let mut more = LayerTree::default();
        more.insert("r-layer/x.json", Entry::bytes(&b"{}"[..], false));
        compressed.add(Compressed::of(&more).unwrap());
        let time = entry_time(None).unwrap();
        for (wanted, paths) in [
            ("lib/", &["lib/b"][..]),
            ("", &["bootstrap", "empty", "lib/b", "r-layer/x.json"]),
        ] {
            let mut zip = Vec::new();
            let is_wanted = |path: &str| path.starts_with(wanted);
            compressed.write(is_wanted, time, &mut zip).unwrap();
            let said: u64 = paths.iter().map(|path| compressed.zipped_size(path)).sum();
            // The end of a zip has 22 bytes.
            assert!(zip.len() as u64 <= said + 22, "{} of {said}", zip.len());
            let archive = LayerArchive::read("some.zip", zip.into()).unwrap();
            let found: Vec<&str> = archive
                .entries
                .iter()
                .map(|entry| &entry.path[..])
                .collect();
            assert_eq!(found, paths);
        }
        assert_eq!(compressed.zipped_size("nowhere"), 0);
    }

    #[test]
    fn the_same_tree_gives_the_same_bytes_and_the_time_is_the_one_asked_for() {
        assert_eq!(zip(&tree(), None), zip(&tree(), None));
        assert_eq!(zip(&tree(), Some("0")), zip(&tree(), None));
        assert_ne!(zip(&tree(), Some("1700000000")), zip(&tree(), None));
        assert!(entry_time(Some("tomorrow")).is_err());
        assert!(entry_time(Some("99999999999")).is_err());
    }
}
