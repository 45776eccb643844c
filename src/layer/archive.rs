//! A layer's zip, read: what the audit and `invoke` look at.

use std::path::Path;
use std::sync::Arc;

use libdeflater::{Crc, Decompressor};
use rawzip::{CompressionMethod, ZipArchive};

/// Why a zip cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadZipError {
    /// It could not be opened.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// No zip at all, or a broken one.
    #[error("{name} is not a zip that can be read: {source}")]
    NotAZip {
        /// The zip.
        name: String,
        /// What is wrong.
        source: rawzip::Error,
    },
    /// An entry that is damaged or compressed in a way that Lambda does not know.
    #[error("{name}: the entry `{entry}` cannot be read: {reason}")]
    Entry {
        /// The zip.
        name: String,
        /// The entry.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A file type that a layer should not have.
const TYPE_MASK: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;

/// A file, folder or link of a zip, as the zip has it: its path may be anything.
#[derive(Clone, Debug)]
pub struct ArchiveEntry {
    /// Its path, as it stands there.
    pub path: String,
    /// Type and permission bits.
    pub mode: u32,
    /// Unzipped size in bytes.
    pub size: u64,
    /// The content; empty for a folder, and for every file of a zip that is absurdly large.
    pub content: Arc<[u8]>,
}

impl ArchiveEntry {
    /// Is it a folder?
    pub fn is_folder(&self) -> bool {
        self.path.ends_with('/')
    }

    /// Is it a symbolic link? Its content is then its target.
    pub fn is_symlink(&self) -> bool {
        self.mode & TYPE_MASK == SYMLINK
    }

    /// Is it a regular file?
    pub fn is_file(&self) -> bool {
        !self.is_folder() && matches!(self.mode & TYPE_MASK, 0 | REGULAR)
    }
}

/// What a layer's zip holds.
#[derive(Clone, Debug)]
pub struct LayerArchive {
    /// The zip's name, for messages.
    pub name: String,
    /// Its entries, in their order.
    pub entries: Vec<ArchiveEntry>,
    /// Size of the zip in bytes.
    pub zipped_size: u64,
}

/// Above this, contents are not unpacked: four times what Lambda takes.
const ABSURD: u64 = 4 * 262_144_000;

impl LayerArchive {
    /// Reads a zip file.
    pub fn open(path: &Path) -> Result<LayerArchive, ReadZipError> {
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        LayerArchive::read(&name, fs_err::read(path)?.into())
    }

    /// Reads a zip in memory.
    pub fn read(name: &str, zip: Arc<[u8]>) -> Result<LayerArchive, ReadZipError> {
        let not_a_zip = |source| ReadZipError::NotAZip {
            name: name.to_owned(),
            source,
        };
        let archive = ZipArchive::from_slice(&zip).map_err(not_a_zip)?;
        let mut records = archive.entries();
        let mut entries = Vec::new();
        let mut positions = Vec::new();
        let mut unzipped = 0_u64;
        while let Some(record) = records.next_entry().map_err(not_a_zip)? {
            let path = String::from_utf8_lossy(record.file_path().as_ref()).into_owned();
            let mode = record.external_attributes() >> 16;
            let size = record.uncompressed_size_hint();
            unzipped = unzipped.saturating_add(size);
            positions.push((
                record.wayfinder(),
                record.compression_method(),
                record.crc32(),
            ));
            entries.push(ArchiveEntry {
                path,
                mode,
                size,
                content: Arc::from([]),
            });
        }
        if unzipped <= ABSURD {
            for (entry, (position, method, crc)) in entries.iter_mut().zip(positions) {
                let data = archive.get_entry(position).map_err(not_a_zip)?.data();
                entry.content = unpack(data, method, entry.size, crc).map_err(|reason| {
                    ReadZipError::Entry {
                        name: name.to_owned(),
                        entry: entry.path.clone(),
                        reason,
                    }
                })?;
            }
        }
        Ok(LayerArchive {
            name: name.to_owned(),
            entries,
            zipped_size: zip.len() as u64,
        })
    }

    /// Bytes of all files together: the unzipped size that Lambda counts.
    pub fn unzipped_size(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| entry.size)
            .fold(0, u64::saturating_add)
    }

    /// The entry of that path.
    pub fn get(&self, path: &str) -> Option<&ArchiveEntry> {
        self.entries.iter().find(|entry| entry.path == path)
    }
}

fn unpack(
    data: &[u8],
    method: CompressionMethod,
    size: u64,
    crc: u32,
) -> Result<Arc<[u8]>, String> {
    let size = usize::try_from(size).map_err(|_| "it is too large".to_owned())?;
    let content = match method {
        CompressionMethod::STORE => data.to_vec(),
        CompressionMethod::DEFLATE => {
            let mut content = vec![0; size];
            let length = Decompressor::new()
                .deflate_decompress(data, &mut content)
                .map_err(|error| error.to_string())?;
            content.truncate(length);
            content
        }
        other => {
            return Err(format!(
                "compression method {other:?} is none that Lambda unpacks"
            ));
        }
    };
    let mut actual = Crc::new();
    actual.update(&content);
    if content.len() != size || actual.sum() != crc {
        return Err("its checksum or length is wrong".to_owned());
    }
    Ok(content.into())
}
