//! A layer's zip, read: its directory at once, the content of an entry when it is asked for.
//!
//! A zip on disk is read in place, so that the largest entry decides how much memory reading takes, and not the sum.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use libdeflater::{Crc, Decompressor};
use rawzip::{
    CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ReaderAt, ZipArchive,
    ZipArchiveEntryWayfinder, ZipLocator,
};

use super::SparseZip;
use crate::checksum::Sha256;

/// Why a zip cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadZipError {
    /// It could not be opened.
    #[error(transparent)]
    Io(#[from] io::Error),
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

/// Above this, contents are not unpacked: four times what Lambda takes.
const ABSURD: u64 = 4 * 262_144_000;

/// Entries that are larger are not held in memory to see whether they are whole.
const HELD: u64 = 8 << 20;

/// The zip that entries are read from when they are asked for: a file or bytes in memory.
struct Store {
    name: String,
    archive: ZipArchive<Box<dyn ReaderAt + Send + Sync>>,
    size: u64,
    /// All entries together are more than anybody unpacks.
    absurd: bool,
}

/// A file, folder or link of a zip, as the zip has it: its path may be anything.
#[derive(Clone)]
pub struct ArchiveEntry {
    /// Its path, as it stands there.
    pub path: String,
    /// Type and permission bits.
    pub mode: u32,
    /// Unzipped size in bytes.
    pub size: u64,
    /// Its bytes in the zip.
    pub zipped_size: u64,
    /// The checksum of its content that the zip states.
    pub crc: u32,
    method: CompressionMethod,
    position: ZipArchiveEntryWayfinder,
    store: Arc<Store>,
}

impl fmt::Debug for ArchiveEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (zip, path) = (&self.store.name, &self.path);
        write!(f, "{zip}: {path} ({:o}, {} bytes)", self.mode, self.size)
    }
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

    /// The content, unpacked now and compared with its length and checksum.
    pub fn content(&self) -> Result<Vec<u8>, ReadZipError> {
        self.unpack().map_err(|reason| self.unreadable(reason))
    }

    /// Unpacks the content to see whether it is whole, and hands it to `look` if `wanted` says so of its first bytes.
    pub fn check<T>(
        &self,
        wanted: impl Fn(&[u8]) -> bool,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, ReadZipError> {
        if self.size > HELD && !wanted(&self.first_bytes()?) {
            self.refuse_absurd()
                .map_err(|reason| self.unreadable(reason))?;
            let read = io::copy(&mut self.reader()?, &mut io::sink());
            read.map_err(|error| self.unreadable(error.to_string()))?;
            return Ok(None);
        }
        let content = self.content()?;
        Ok(wanted(&content).then(|| look(&content)))
    }

    /// Reads the content, however large it is, without holding it in memory. The last read fails if it is damaged.
    pub fn reader(&self) -> Result<impl Read + '_, ReadZipError> {
        let stream = self.inflating();
        Ok(CheckedContent {
            entry: self,
            stream: stream.map_err(|reason| self.unreadable(reason))?,
            crc: Crc::new(),
            length: 0,
        })
    }

    /// The first bytes of the content: enough to tell an ELF file, and for which processor it is.
    pub fn first_bytes(&self) -> Result<Vec<u8>, ReadZipError> {
        let read = || {
            let mut first = Vec::new();
            let read = self.inflating()?.take(64).read_to_end(&mut first);
            read.map(|_| first).map_err(|error| error.to_string())
        };
        read().map_err(|reason| self.unreadable(reason))
    }

    /// Has another entry the same content? Where it cannot be unpacked, the checksum decides.
    pub fn has_content_of(&self, other: &ArchiveEntry) -> bool {
        (self.size, self.crc) == (other.size, other.crc)
            && match (self.content(), other.content()) {
                (Ok(own), Ok(others)) => own == others,
                _ => true,
            }
    }

    fn unpack(&self) -> Result<Vec<u8>, String> {
        self.refuse_absurd()?;
        let mut data = Vec::with_capacity(self.zipped_size.min(self.store.size) as usize);
        self.packed()?
            .read_to_end(&mut data)
            .map_err(|error| error.to_string())?;
        let content = match self.method {
            CompressionMethod::STORE => data,
            CompressionMethod::DEFLATE => self.inflate(&data)?,
            other => return Err(unknown(other)),
        };
        let mut crc = Crc::new();
        crc.update(&content);
        self.compare(content.len() as u64, &crc)?;
        Ok(content)
    }

    fn inflate(&self, data: &[u8]) -> Result<Vec<u8>, String> {
        let size = usize::try_from(self.size).map_err(|_| "it is too large".to_owned())?;
        let mut content = vec![0; size];
        let length = Decompressor::new()
            .deflate_decompress(data, &mut content)
            .map_err(|error| error.to_string())?;
        content.truncate(length);
        Ok(content)
    }

    fn inflating(&self) -> Result<Box<dyn Read + '_>, String> {
        let packed = self.packed()?;
        match self.method {
            CompressionMethod::STORE => Ok(Box::new(packed)),
            CompressionMethod::DEFLATE => Ok(Box::new(DeflateDecoder::new(packed))),
            other => Err(unknown(other)),
        }
    }

    /// What is to be held in memory is not unpacked from a zip that nobody would unpack.
    fn refuse_absurd(&self) -> Result<(), String> {
        match self.store.absurd {
            true => Err(format!(
                "the zip holds more than {ABSURD} bytes, which nobody unpacks"
            )),
            false => Ok(()),
        }
    }

    /// The bytes in the zip.
    fn packed(&self) -> Result<impl Read + '_, String> {
        let entry = self.store.archive.get_entry(self.position);
        Ok(entry.map_err(|error| error.to_string())?.reader())
    }

    fn compare(&self, length: u64, crc: &Crc) -> Result<(), String> {
        if length != self.size || crc.sum() != self.crc {
            return Err("its checksum or length is wrong".to_owned());
        }
        Ok(())
    }

    fn unreadable(&self, reason: String) -> ReadZipError {
        ReadZipError::Entry {
            name: self.store.name.clone(),
            entry: self.path.clone(),
            reason,
        }
    }
}

/// The content of an entry on its way, compared at its end with its length and checksum.
struct CheckedContent<'a> {
    entry: &'a ArchiveEntry,
    stream: Box<dyn Read + 'a>,
    crc: Crc,
    length: u64,
}

impl Read for CheckedContent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.crc.update(&buffer[..read]);
        self.length += read as u64;
        let is_end = read == 0 && !buffer.is_empty();
        if is_end || self.length > self.entry.size {
            let whole = self.entry.compare(self.length, &self.crc);
            whole.map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))?;
        }
        Ok(read)
    }
}

fn unknown(method: CompressionMethod) -> String {
    format!("compression method {method:?} is none that Lambda unpacks")
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
    /// The zip's hash.
    pub sha256: Sha256,
}

impl LayerArchive {
    /// Reads the directory of a zip file.
    pub fn open(path: &Path) -> Result<LayerArchive, ReadZipError> {
        Ok(LayerArchive {
            sha256: Sha256::of_file(path)?,
            ..LayerArchive::open_unhashed(path)?
        })
    }

    /// The same without the zip's hash, for those who compute it meanwhile.
    pub(super) fn open_unhashed(path: &Path) -> Result<LayerArchive, ReadZipError> {
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        let file = fs_err::File::open(path)?;
        let size = file.metadata()?.len();
        let reader = FileReader::from(file.into_file());
        LayerArchive::of(name, Box::new(reader), size)
    }

    /// Reads the directory of a zip in memory.
    pub fn read(name: &str, zip: Arc<[u8]>) -> Result<LayerArchive, ReadZipError> {
        let (size, sha256) = (zip.len() as u64, Sha256::of(&zip));
        Ok(LayerArchive {
            sha256,
            ..LayerArchive::of(name.to_owned(), Box::new(zip), size)?
        })
    }

    /// Reads the directory of a zip that is elsewhere, without its hash. An error may only mean that bytes are to be
    /// fetched first: [`SparseZip::missing`] then says which.
    pub fn open_sparse(name: &str, zip: &SparseZip) -> Result<LayerArchive, ReadZipError> {
        LayerArchive::of(name.to_owned(), Box::new(zip.clone()), zip.size())
    }

    /// The zip's hash is left to the caller.
    fn of(
        name: String,
        reader: Box<dyn ReaderAt + Send + Sync>,
        size: u64,
    ) -> Result<LayerArchive, ReadZipError> {
        let not_a_zip = |source| ReadZipError::NotAZip {
            name: name.clone(),
            source,
        };
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let archive = ZipLocator::new()
            .locate_in_reader(reader, &mut buffer, size)
            .map_err(|(_, source)| not_a_zip(source))?;
        let mut unzipped = 0_u64;
        let mut records = archive.entries(&mut buffer);
        while let Some(record) = records.next_entry().map_err(not_a_zip)? {
            unzipped = unzipped.saturating_add(record.uncompressed_size_hint());
        }
        let store = Arc::new(Store {
            name: name.clone(),
            archive,
            size,
            absurd: unzipped > ABSURD,
        });
        let mut entries = Vec::new();
        let mut records = store.archive.entries(&mut buffer);
        while let Some(record) = records.next_entry().map_err(not_a_zip)? {
            entries.push(ArchiveEntry {
                path: String::from_utf8_lossy(record.file_path().as_ref()).into_owned(),
                mode: record.external_attributes() >> 16,
                size: record.uncompressed_size_hint(),
                zipped_size: record.compressed_size_hint(),
                crc: record.crc32(),
                method: record.compression_method(),
                position: record.wayfinder(),
                store: store.clone(),
            });
        }
        Ok(LayerArchive {
            name,
            entries,
            zipped_size: size,
            sha256: Sha256::UNKNOWN,
        })
    }

    /// Is there so much in it that nothing is unpacked?
    pub fn is_absurd(&self) -> bool {
        self.unzipped_size() > ABSURD
    }

    /// Bytes of all files together: the unzipped size that Lambda counts.
    pub fn unzipped_size(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| entry.size)
            .fold(0, u64::saturating_add)
    }

    /// Everything but folders.
    pub fn files(&self) -> impl Iterator<Item = &ArchiveEntry> {
        self.entries.iter().filter(|entry| !entry.is_folder())
    }

    /// The entry of that path.
    pub fn get(&self, path: &str) -> Option<&ArchiveEntry> {
        self.entries.iter().find(|entry| entry.path == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Entry, LayerTree, zip};

    /// A zip of two files: one that is held in memory, one that is not.
    fn written() -> Vec<u8> {
        let mut tree = LayerTree::default();
        tree.insert("large", Entry::bytes(vec![7; HELD as usize + 1], false));
        tree.insert("small", Entry::bytes(&b"some text"[..], false));
        let (mut written, time) = (Vec::new(), zip::entry_time(None).unwrap());
        zip::write(&tree, time, &mut written).unwrap();
        written
    }

    #[test]
    fn a_zip_on_disk_and_one_in_memory_are_read_alike() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layer.zip");
        fs_err::write(&path, written()).unwrap();
        for archive in [
            LayerArchive::open(&path).unwrap(),
            LayerArchive::read("layer.zip", written().into()).unwrap(),
        ] {
            assert_eq!(archive.sha256, Sha256::of(&written()));
            let [large, small] = &archive.entries[..] else {
                panic!("{archive:?}");
            };
            assert_eq!(small.content().unwrap(), b"some text");
            assert!(large.zipped_size < large.size / 100);
            let looked = |wanted: bool| large.check(|_| wanted, <[u8]>::len).unwrap();
            assert_eq!(
                (looked(true), looked(false)),
                (Some(HELD as usize + 1), None)
            );
        }
    }

    #[test]
    fn what_is_damaged_is_found_whether_or_not_it_is_held() {
        let sound = written();
        for path in ["large", "small"] {
            let mut archive = LayerArchive::read("layer.zip", sound.clone().into()).unwrap();
            for entry in &mut archive.entries {
                entry.crc ^= u32::from(entry.path == path);
            }
            let damaged = archive.get(path).unwrap();
            let error = damaged.check(|_| false, |_| ()).unwrap_err().to_string();
            let said = format!("layer.zip: the entry `{path}` cannot be read: its checksum");
            assert!(error.starts_with(&said), "{error}");
        }
    }
}
