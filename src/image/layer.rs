//! A layer of an image, from a layer's zip or from the files of a function: a tarball that is the same for the same content,
//! written without holding it in memory.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use super::gzip::ParallelGzip;
use crate::checksum::{Sha256, Sha256Stream};
use crate::layer::archive::{ArchiveEntry, ReadZipError};
use crate::layer::tree::Content;
use crate::layer::{Entry, LayerArchive, LayerTree};
use crate::root_path::within_folder;

/// Why a layer is not made.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A zip that is damaged.
    #[error(transparent)]
    Zip(#[from] ReadZipError),
    /// An entry that an image cannot have.
    #[error("{source_name}: the entry `{entry}` cannot be in an image: {reason}")]
    Entry {
        /// The zip, or the folder.
        source_name: String,
        /// The entry.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file that is not read, or the layer that is not written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A layer that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WrittenLayer {
    /// The digest of the file: of the compressed tarball.
    pub digest: Sha256,
    /// The digest of the tarball, by which the configuration knows it.
    pub diff_id: Sha256,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of the files in it.
    pub unpacked: u64,
}

/// A file of a layer.
enum File {
    Zipped(ArchiveEntry),
    Kept(Entry),
}

/// What a layer holds: path from the root, without a leading `/` → file.
pub struct LayerContent {
    /// The zip, or the folder.
    source_name: String,
    files: BTreeMap<String, File>,
}

/// By this begin the names of what takes something away from the layers below.
const WHITEOUT: &str = ".wh.";

impl LayerContent {
    /// The files of a zip below a folder, as Lambda unpacks them there.
    pub fn of_zip(zip: &LayerArchive, folder: &str) -> Result<LayerContent, LayerError> {
        let mut content = LayerContent {
            source_name: zip.name.clone(),
            files: BTreeMap::new(),
        };
        for entry in zip.files() {
            let refused = |reason| content.refused(&entry.path, reason);
            let place = within_folder(Path::new(""), Path::new(&entry.path))
                .ok_or_else(|| refused("its path leaves the folder"))?;
            if !entry.is_file() && !entry.is_symlink() {
                return Err(refused("it is neither a file nor a link"));
            }
            let place = place.to_str().map(|place| place.replace('\\', "/"));
            let place = place.ok_or_else(|| refused("its name is not UTF-8"))?;
            let file = File::Zipped(entry.clone());
            content.files.insert(format!("{folder}/{place}"), file);
        }
        content.checked()
    }

    /// The files of a tree below a folder; `source_name` is for messages.
    pub fn of_tree(
        tree: &LayerTree,
        folder: &str,
        source_name: &str,
    ) -> Result<LayerContent, LayerError> {
        let files = tree.iter();
        let files = files
            .map(|(path, entry)| (format!("{folder}/{path}"), File::Kept(entry.clone())))
            .collect();
        let content = LayerContent {
            source_name: source_name.to_owned(),
            files,
        };
        content.checked()
    }

    fn refused(&self, entry: &str, reason: &'static str) -> LayerError {
        LayerError::Entry {
            source_name: self.source_name.clone(),
            entry: entry.to_owned(),
            reason,
        }
    }

    fn checked(self) -> Result<LayerContent, LayerError> {
        for path in self.files.keys() {
            let mut above = Path::new(path).ancestors().skip(1).filter_map(Path::to_str);
            if above.any(|above| self.files.contains_key(above)) {
                return Err(self.refused(path, "a folder above it is a file or a link"));
            }
            if path.split('/').any(|part| part.starts_with(WHITEOUT)) {
                return Err(self.refused(path, "in an image, .wh. means that a file is removed"));
            }
        }
        Ok(self)
    }

    /// Bytes of all files together.
    pub fn unpacked(&self) -> u64 {
        let sizes = self.files.values().map(|file| match file {
            File::Zipped(entry) => entry.size,
            File::Kept(entry) => entry.size,
        });
        sizes.fold(0, u64::saturating_add)
    }

    /// A digest of everything that decides how the layer comes out; of a zip, the zip's own says the same.
    pub fn fingerprint(&self) -> io::Result<Sha256> {
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for (path, file) in &self.files {
            let (mode, digest) = match file {
                File::Zipped(entry) => (entry.mode, Sha256::of(&entry.crc.to_le_bytes())),
                File::Kept(entry) => (entry.mode(), digest_of(entry)?),
            };
            parts.push(path.clone().into_bytes());
            parts.push(mode.to_le_bytes().to_vec());
            parts.push(digest.bytes().to_vec());
        }
        Ok(Sha256::of_parts(parts.iter().map(Vec::as_slice)))
    }

    /// Writes the layer to a file: sorted, owned by root, folders 755, files 644 or 755, all of that time (seconds since
    /// 1970), gzipped, which is what Lambda and every registry take.
    pub fn write(&self, time: u64, path: &Path) -> Result<WrittenLayer, LayerError> {
        let file = fs_err::File::create(path)?;
        let digesting = Digesting::new(io::BufWriter::with_capacity(1 << 18, file));
        let mut tar = Tar {
            archive: tar::Builder::new(ParallelGzip::new(digesting)?),
            time,
        };
        let mut made: Vec<PathBuf> = Vec::new();
        for (path, file) in &self.files {
            tar.folders_above(Path::new(path), &mut made)?;
            tar.file(path, file)?;
        }
        let (digesting, diff_id) = tar.archive.into_inner()?.finish()?;
        let (digest, size, output) = digesting.finish();
        let file = output.into_inner().map_err(|error| error.into_error())?;
        file.sync_all()?;
        Ok(WrittenLayer {
            digest,
            diff_id,
            size,
            unpacked: self.unpacked(),
        })
    }
}

/// The bytes of a file of a tree; one of this machine is not held in memory.
fn open(entry: &Entry) -> io::Result<Box<dyn Read>> {
    match &entry.content {
        Content::File(path) => Ok(Box::new(fs_err::File::open(path)?)),
        _ => Ok(Box::new(io::Cursor::new(entry.read()?))),
    }
}

fn digest_of(entry: &Entry) -> io::Result<Sha256> {
    match &entry.content {
        Content::File(path) => Sha256::of_file(path),
        _ => Ok(Sha256::of(&entry.read()?)),
    }
}

/// A tarball in the making.
struct Tar<W: Write> {
    archive: tar::Builder<W>,
    time: u64,
}

impl<W: Write> Tar<W> {
    fn header(&self, kind: EntryType, mode: u32, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_mtime(self.time);
        header.set_uid(0);
        header.set_gid(0);
        header
    }

    /// The folders above a file that are not there yet. Files come sorted, so that those of the last one are enough.
    fn folders_above(&mut self, path: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
        let above = path.ancestors().skip(1);
        let mut above: Vec<PathBuf> = above.map(Path::to_owned).collect();
        above.retain(|folder| !folder.as_os_str().is_empty());
        above.reverse();
        for folder in above.iter().filter(|folder| !made.contains(folder)) {
            let mut header = self.header(EntryType::Directory, 0o755, 0);
            let path = format!("{}/", folder.display());
            self.archive.append_data(&mut header, path, io::empty())?;
        }
        *made = above;
        Ok(())
    }

    fn file(&mut self, path: &str, file: &File) -> Result<(), LayerError> {
        match file {
            File::Zipped(entry) if entry.is_symlink() => {
                let target = String::from_utf8_lossy(&entry.content()?).into_owned();
                let mut header = self.header(EntryType::Symlink, 0o777, 0);
                self.archive.append_link(&mut header, path, target)?;
            }
            File::Zipped(entry) => {
                let mode = if entry.mode & 0o111 != 0 {
                    0o755
                } else {
                    0o644
                };
                let mut header = self.header(EntryType::Regular, mode, entry.size);
                let content = entry.reader()?;
                self.archive.append_data(&mut header, path, content)?;
            }
            File::Kept(entry) => {
                let mut header = self.header(EntryType::Regular, entry.mode(), entry.size);
                let mut content = open(entry)?.take(entry.size);
                self.archive.append_data(&mut header, path, &mut content)?;
                if content.limit() > 0 {
                    return Err(io::Error::other(format!("{path} became shorter meanwhile")).into());
                }
            }
        }
        Ok(())
    }
}

/// Passes on what is written to it, and computes its digest.
struct Digesting<W> {
    output: W,
    digest: Sha256Stream,
    size: u64,
}

impl<W: Write> Digesting<W> {
    fn new(output: W) -> Digesting<W> {
        Digesting {
            output,
            digest: Sha256Stream::default(),
            size: 0,
        }
    }

    fn finish(self) -> (Sha256, u64, W) {
        (self.digest.finish(), self.size, self.output)
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
