//! Unpacking an image's layers into a root file system that they may not leave.
//!
//! A root holds absolute links and links that lead upwards; they are kept as they are and followed within the root.
//! What only root may make (devices, owners, setuid) is left out: the root is for running commands as this user.

use std::cell::Cell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use tar::EntryType;

use crate::os::{set_mode, symlink};
use crate::root_path::resolve_in_root;

/// Why a layer is refused.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It ends early, or is no tarball.
    #[error("a layer is damaged: {0}")]
    Damaged(#[source] io::Error),
    /// An entry that cannot be made.
    #[error("its entry `{entry}` cannot be unpacked: {source}")]
    Entry {
        /// The entry.
        entry: String,
        /// The system's word.
        source: io::Error,
    },
    /// A path that leads out of the root.
    #[error("its entry `{entry}` leads out of the root file system (`{path}`)")]
    Leaves {
        /// The entry.
        entry: String,
        /// Where it leads.
        path: String,
    },
    /// Other bytes than its manifest names.
    #[error(
        "a layer was changed: it has the digest {found}, and its manifest says {expected}. Build or pull the image again \
         (r-layer cache clean blobs, if it was changed in the cache)"
    )]
    OtherDigest {
        /// The digest by which it is named.
        expected: String,
        /// The digest that it has.
        found: String,
    },
    /// It would fill the disk.
    #[error("it unpacks to more than {0} bytes")]
    TooLarge(u64),
    /// The same, with many small files.
    #[error("it has more than {0} files")]
    TooMany(u64),
}

/// How much all layers of an image may unpack to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of files.
    pub bytes: u64,
    /// Entries of whatever kind.
    pub entries: u64,
}

impl Default for Limits {
    /// Lambda takes images of 10 GB.
    fn default() -> Self {
        Limits {
            bytes: 10 << 30,
            entries: 1_000_000,
        }
    }
}

/// A root file system that layers are unpacked into, one over the other.
pub struct Unpacker {
    root: PathBuf,
    limits: Limits,
    bytes: u64,
    entries: u64,
}

/// How the files are named that take something away from the layers below.
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

impl Unpacker {
    /// Into an empty folder, which is made.
    pub fn new(root: &Path, limits: Limits) -> io::Result<Unpacker> {
        fs_err::create_dir_all(root)?;
        Ok(Unpacker {
            root: root.to_owned(),
            limits,
            bytes: 0,
            entries: 0,
        })
    }

    /// Unpacks a layer, compressed or not, over what is there.
    pub fn layer(&mut self, layer: impl Read) -> Result<(), UnpackError> {
        let (stream, budget) = Budgeted::new(decompressed(layer).map_err(UnpackError::Damaged)?);
        let mut archive = tar::Archive::new(stream);
        // What this layer made, and the folders above it; whiteouts concern the layers below.
        let mut made: HashSet<PathBuf> = HashSet::new();
        let mut entries = archive.entries().map_err(UnpackError::Damaged)?;
        loop {
            // Until the next entry is there, nothing is read but what names it.
            budget.set(LARGEST_HEADERS);
            let Some(entry) = entries.next() else { break };
            budget.set(u64::MAX);
            let mut entry = entry.map_err(UnpackError::Damaged)?;
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(UnpackError::TooMany(self.limits.entries));
            }
            check_name(&entry.path_bytes())?;
            let name = path_of(&entry.path_bytes());
            let path = self.within(&name, &name)?;
            if !path.as_os_str().is_empty() {
                self.entry(&mut entry, &path, &mut made)?;
            }
            // What was not wanted of it, so that it does not count as what names the next one.
            let rest = &mut entry.take(self.limits.bytes);
            io::copy(rest, &mut io::sink()).map_err(UnpackError::Damaged)?;
        }
        budget.set(u64::MAX);
        // A stream that ends within its last entry is noticed by its decoder.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(UnpackError::Damaged)?;
        Ok(())
    }

    fn entry<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        path: &Path,
        made: &mut HashSet<PathBuf>,
    ) -> Result<(), UnpackError> {
        let failed = |source| UnpackError::Entry {
            entry: shown(path),
            source,
        };
        let place = self.place(path)?;
        let name = place
            .file_name()
            .map(OsStr::as_encoded_bytes)
            .unwrap_or_default();
        let folder = place.parent().unwrap_or(&self.root).to_owned();
        if name == OPAQUE {
            return empty(&folder, made).map_err(failed);
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            let hidden = self.within(&path_of(hidden), path)?;
            return match hidden.as_os_str().is_empty() {
                true => Ok(()),
                false => remove_unless_made(&folder.join(hidden), made).map_err(failed),
            };
        }
        let kind = entry.header().entry_type();
        match kind {
            EntryType::Directory => self.folder(entry, &place).map_err(failed)?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                self.file(entry, &place, failed)?;
            }
            EntryType::Symlink | EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                check_name(&target)?;
                let target = path_of(&target);
                if kind == EntryType::Symlink {
                    clear(&place).map_err(failed)?;
                    symlink(&target, &place).map_err(failed)?;
                } else {
                    let target = self.place(&self.within(&target, path)?)?;
                    if target != place {
                        clear(&place).map_err(failed)?;
                        fs_err::hard_link(target, &place).map_err(failed)?;
                    }
                }
            }
            // Devices and pipes, which a sandbox has of its own, and remarks of the archive.
            _ => return Ok(()),
        }
        made.extend(
            place
                .ancestors()
                .take_while(|above| *above != self.root)
                .map(Path::to_owned),
        );
        Ok(())
    }

    fn folder<R: Read>(&self, entry: &tar::Entry<'_, R>, place: &Path) -> io::Result<()> {
        let there = place.symlink_metadata().is_ok_and(|found| found.is_dir());
        if !there {
            clear(place)?;
            fs_err::create_dir(place)?;
        }
        let mode = entry.header().mode().unwrap_or(0o755) & 0o1777 | 0o700;
        set_mode(place, mode)
    }

    fn file<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        place: &Path,
        failed: impl Fn(io::Error) -> UnpackError,
    ) -> Result<(), UnpackError> {
        clear(place).map_err(&failed)?;
        let mut file = fs_err::File::create_new(place).map_err(&failed)?;
        // One byte more than is left can be read, so that too much is noticed.
        let left = self.limits.bytes - self.bytes;
        let written = io::copy(&mut entry.by_ref().take(left + 1), &mut file).map_err(&failed)?;
        if written > left {
            return Err(UnpackError::TooLarge(self.limits.bytes));
        }
        self.bytes += written;
        let mode = entry.header().mode().unwrap_or(0o644) & 0o777 | 0o400;
        set_mode(place, mode).map_err(&failed)?;
        let time =
            SystemTime::UNIX_EPOCH + Duration::from_secs(entry.header().mtime().unwrap_or(0));
        // Python compares it with what it compiled; a file system that cannot keep it is none the worse.
        let _ = file.file().set_modified(time);
        Ok(())
    }

    /// A path of an entry as one within the root: as Docker does, `/etc` is `etc`, and `..` is refused.
    fn within(&self, path: &Path, entry: &Path) -> Result<PathBuf, UnpackError> {
        let mut within = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(part) => within.push(part),
                Component::CurDir | Component::RootDir => {}
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(UnpackError::Leaves {
                        entry: shown(entry),
                        path: shown(path),
                    });
                }
            }
        }
        Ok(within)
    }

    /// Where an entry goes: the folder is found within the root, through whatever links the layers made, and made if
    /// it is not there; the last part is never followed.
    fn place(&self, path: &Path) -> Result<PathBuf, UnpackError> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let failed = |source| UnpackError::Entry {
            entry: shown(path),
            source,
        };
        let folder = resolve_in_root(&self.root, parent)
            .ok_or_else(|| failed(io::Error::other("its folder is a link to itself")))?;
        fs_err::create_dir_all(&folder).map_err(failed)?;
        Ok(folder.join(path.file_name().unwrap_or_default()))
    }
}

/// What no header of an entry comes near to, in bytes, with the long names and the extensions that come before it. The
/// reader of tarballs holds them in memory.
const LARGEST_HEADERS: u64 = 1 << 20;

/// Linux takes no longer path.
const LONGEST_PATH: usize = 4096;

fn check_name(name: &[u8]) -> Result<(), UnpackError> {
    if name.len() <= LONGEST_PATH {
        return Ok(());
    }
    let source = format!("its name or what it links to has {} bytes", name.len());
    Err(UnpackError::Entry {
        entry: shown(&path_of(name)),
        source: io::Error::other(source),
    })
}

/// A path in a message.
fn shown(path: &Path) -> String {
    const LONGEST: usize = 200;
    let text = path.to_string_lossy();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// A stream of which only so many bytes may be read until more are allowed.
struct Budgeted<R> {
    stream: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Budgeted<R> {
    fn new(stream: R) -> (Budgeted<R>, Rc<Cell<u64>>) {
        let left = Rc::new(Cell::new(u64::MAX));
        let budget = Rc::clone(&left);
        (Budgeted { stream, left }, budget)
    }
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other(format!(
                "the names and extensions of one entry have more than {LARGEST_HEADERS} bytes"
            )));
        }
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.stream.read(&mut buffer[..most])?;
        self.left.set(left - read as u64);
        Ok(read)
    }
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(crate::os::file_name(bytes))
}

/// The tarball within: by its first bytes, since media types are at times wrong.
fn decompressed<'a>(stream: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut stream = BufReader::with_capacity(1 << 16, stream);
    let mut start = Vec::new();
    stream.by_ref().take(4).read_to_end(&mut start)?;
    let whole = io::Cursor::new(start.clone()).chain(stream);
    Ok(match start.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        // Debian's packages.
        [0xfd, b'7', b'z', b'X'] => Box::new(liblzma::read::XzDecoder::new(whole)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(whole)?),
        _ => Box::new(whole),
    })
}

/// Makes room for another entry of that name.
fn clear(place: &Path) -> io::Result<()> {
    match place.symlink_metadata() {
        Ok(found) if found.is_dir() => fs_err::remove_dir_all(place),
        Ok(_) => fs_err::remove_file(place),
        Err(_) => Ok(()),
    }
}

/// Takes away what the layers below put into a folder.
fn empty(folder: &Path, made: &HashSet<PathBuf>) -> io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        remove_unless_made(&entry?.path(), made)?;
    }
    Ok(())
}

/// Takes away what the layers below put at a place; what this layer put there, or below it, stays.
fn remove_unless_made(place: &Path, made: &HashSet<PathBuf>) -> io::Result<()> {
    if !made.contains(place) {
        return clear(place);
    }
    match place.symlink_metadata() {
        Ok(found) if found.is_dir() => empty(place, made),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 MB of a name, which compress to nothing, were held several times over.
    #[test]
    fn names_that_would_fill_the_memory_are_refused_and_shortened() {
        let unpacked = |length: usize| {
            let mut layer = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_gnu();
            header.set_size(1);
            let name = "n/".repeat(length / 2);
            layer.append_data(&mut header, name, &b"x"[..]).unwrap();
            let root = tempfile::tempdir().unwrap();
            let mut unpacker = Unpacker::new(root.path(), Limits::default()).unwrap();
            unpacker.layer(layer.into_inner().unwrap().as_slice())
        };
        unpacked(300).unwrap();
        let error = unpacked(5000).unwrap_err().to_string();
        assert!(error.contains("bytes") && error.len() < 500, "{error}");
        let error = unpacked(2 << 20).unwrap_err().to_string();
        assert!(error.contains("more than 1048576 bytes"), "{error}");
    }
}
