//! Tarballs from elsewhere: unpacked without letting them write anywhere but into their folder, or read into memory under
//! the same rules.

mod contents;
mod links;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

pub use contents::{TarballFile, TarballFiles, read_files};
use tar::EntryType;

use crate::root_path::within_folder;

/// Why a tarball is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Neither gzip nor xz.
    #[error("{0} is not a .tar.gz or .tar.xz file")]
    NotATarball(PathBuf),
    /// It ends early, or its checksums are wrong.
    #[error("{path} is damaged or truncated: {source}")]
    Damaged {
        /// The tarball.
        path: PathBuf,
        /// What the reader met.
        source: std::io::Error,
    },
    /// An entry whose path leads out of the folder.
    #[error("{path} is refused: its entry `{entry}` leaves the folder it is unpacked into")]
    PathLeaves {
        /// The tarball.
        path: PathBuf,
        /// The entry.
        entry: String,
    },
    /// A link whose target lies outside the folder.
    #[error("{path} is refused: its link `{entry}` leads to `{target}`, outside its folder")]
    LinkLeaves {
        /// The tarball.
        path: PathBuf,
        /// The entry.
        entry: String,
        /// Where it leads.
        target: String,
    },
    /// A device, a pipe or something else that no source package holds.
    #[error("{path} is refused: its entry `{entry}` is neither a file, a folder nor a link")]
    SpecialFile {
        /// The tarball.
        path: PathBuf,
        /// The entry.
        entry: String,
    },
    /// A name that is no UTF-8.
    #[error(
        "{path} is refused: its entry `{entry}` has a name that is not UTF-8, which a zip cannot hold"
    )]
    NotUtf8 {
        /// The tarball.
        path: PathBuf,
        /// The entry.
        entry: String,
    },
    /// It would fill the disk.
    #[error(
        "{path} is refused: it unpacks to more than {limit} bytes, or to more files than any R or package has"
    )]
    TooLarge {
        /// The tarball.
        path: PathBuf,
        /// What was allowed.
        limit: u64,
    },
}

impl ArchiveError {
    /// The same of a tarball that its user knows by another name than the cache does.
    pub fn of(mut self, name: PathBuf) -> ArchiveError {
        let (ArchiveError::NotATarball(path)
        | ArchiveError::Damaged { path, .. }
        | ArchiveError::PathLeaves { path, .. }
        | ArchiveError::LinkLeaves { path, .. }
        | ArchiveError::SpecialFile { path, .. }
        | ArchiveError::NotUtf8 { path, .. }
        | ArchiveError::TooLarge { path, .. }) = &mut self;
        *path = name;
        self
    }
}

/// More files and folders than any R or package has: R 4.5.0 with everything has 5,000.
const MOST_ENTRIES: u64 = 500_000;

/// The most that is unpacked to find one file.
const LARGEST_SEARCHED: u64 = 4 << 30;

/// What becomes of a tarball's symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// They stay links, as sources want them.
    Kept,
    /// Each becomes a copy of what it leads to, so that every system can hold it; what leads nowhere is left out.
    Copied,
}

/// The files that a tarball marks as executable, by their path in it: not every system keeps that with the file.
pub type Executables = BTreeSet<PathBuf>;

/// Unpacks a .tar.gz or .tar.xz into an empty folder, which is made if need be, at most `limit` bytes.
///
/// Regular files, folders, and links that stay within the folder are unpacked; owners are not. Links come last, so that
/// nothing is ever written through one.
pub fn unpack(
    path: &Path,
    folder: &Path,
    limit: u64,
    links: Links,
) -> Result<Executables, ArchiveError> {
    unpack_within(path, folder, Allowance::new(path, limit), links)
}

fn unpack_within(
    path: &Path,
    folder: &Path,
    mut allowance: Allowance<'_>,
    links: Links,
) -> Result<Executables, ArchiveError> {
    let damaged = |source| ArchiveError::Damaged {
        path: path.to_owned(),
        source,
    };
    // One byte more than the limit can be read, so that a longer stream is noticed.
    let reader = open(path)?.take(allowance.limit.saturating_add(1));
    let mut archive = tar::Archive::new(reader);
    fs_err::create_dir_all(folder).map_err(damaged)?;
    let mut found = Vec::new();
    let mut executables = Executables::new();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        allowance.take(entry.size())?;
        let place = check(path, &entry)?;
        match entry.header().entry_type() {
            EntryType::Symlink => {
                found.push((place, PathBuf::from(link_target(&entry))));
                continue;
            }
            EntryType::Regular if entry.header().mode().unwrap_or(0) & 0o100 != 0 => {
                executables.insert(place);
            }
            EntryType::Link if executables.contains(Path::new(&link_target(&entry))) => {
                executables.insert(place);
            }
            _ => {}
        }
        entry.set_preserve_mtime(false);
        entry.unpack_in(folder).map_err(damaged)?;
    }
    match links {
        Links::Kept => links::keep(path, folder, &found)?,
        Links::Copied => {
            let copies = links::Copies {
                folder,
                executables: &mut executables,
                room: allowance.bytes,
                entries: allowance.entries,
            };
            copies.make(found).map_err(damaged)?;
        }
    }
    // The stream behind the last entry is read too: gzip and xz have their checksums there.
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(damaged)?;
    Ok(executables)
}

/// What a tarball may unpack to, as far as it is not used up.
struct Allowance<'a> {
    path: &'a Path,
    limit: u64,
    bytes: u64,
    entries: u64,
}

impl Allowance<'_> {
    fn new(path: &Path, limit: u64) -> Allowance<'_> {
        Allowance {
            path,
            limit,
            bytes: limit,
            entries: MOST_ENTRIES,
        }
    }

    /// Another file or folder, of so many bytes.
    fn take(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        let left = self.bytes.checked_sub(bytes);
        let (Some(bytes), Some(entries)) = (left, self.entries.checked_sub(1)) else {
            return Err(ArchiveError::TooLarge {
                path: self.path.to_owned(),
                limit: self.limit,
            });
        };
        (self.bytes, self.entries) = (bytes, entries);
        Ok(())
    }
}

/// How a tarball is compressed.
enum Compression {
    Gzip,
    Xz,
}

/// By a file's first bytes; nothing if it is no tarball.
fn compression(path: &Path) -> std::io::Result<Option<Compression>> {
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(6).read_to_end(&mut start)?;
    Ok(match start.as_slice() {
        [0x1f, 0x8b, ..] => Some(Compression::Gzip),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Some(Compression::Xz),
        _ => None,
    })
}

/// Does a file begin as a .tar.gz or .tar.xz does?
pub fn is_tarball(path: &Path) -> std::io::Result<bool> {
    Ok(compression(path)?.is_some())
}

/// The stream of a tarball.
fn open(path: &Path) -> Result<Box<dyn Read>, ArchiveError> {
    let damaged = |source| ArchiveError::Damaged {
        path: path.to_owned(),
        source,
    };
    let file = BufReader::new(File::open(path).map_err(damaged)?);
    match compression(path).map_err(damaged)? {
        Some(Compression::Gzip) => Ok(Box::new(flate2::read::MultiGzDecoder::new(file))),
        Some(Compression::Xz) => Ok(Box::new(liblzma::read::XzDecoder::new(file))),
        None => Err(ArchiveError::NotATarball(path.to_owned())),
    }
}

/// Where an entry belongs, if it may be there.
fn check<R: Read>(path: &Path, entry: &tar::Entry<'_, R>) -> Result<PathBuf, ArchiveError> {
    let archive = || path.to_owned();
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let Some(place) = within_folder(Path::new(""), Path::new(&name)) else {
        return Err(ArchiveError::PathLeaves {
            path: archive(),
            entry: name,
        });
    };
    let target = match entry.header().entry_type() {
        EntryType::Regular
        | EntryType::Continuous
        | EntryType::Directory
        | EntryType::XHeader
        | EntryType::XGlobalHeader
        | EntryType::GNULongName
        | EntryType::GNULongLink => None,
        EntryType::Symlink => {
            let target = link_target(entry);
            let parent = place.parent().unwrap_or(Path::new("")).to_owned();
            (within_folder(&parent, Path::new(&target)).is_none()).then_some(target)
        }
        // A hard link names its target from the top of the archive.
        EntryType::Link => {
            let target = link_target(entry);
            (within_folder(Path::new(""), Path::new(&target)).is_none()).then_some(target)
        }
        _ => {
            return Err(ArchiveError::SpecialFile {
                path: archive(),
                entry: name,
            });
        }
    };
    match target {
        Some(target) => Err(ArchiveError::LinkLeaves {
            path: archive(),
            entry: name,
            target,
        }),
        None => Ok(place),
    }
}

fn link_target<R: Read>(entry: &tar::Entry<'_, R>) -> String {
    entry
        .link_name_bytes()
        .map(|name| String::from_utf8_lossy(&name).into_owned())
        .unwrap_or_default()
}

/// The text of one file of a tarball, if it is there and no longer than any DESCRIPTION.
pub fn text_in(path: &Path, name: &str) -> Option<String> {
    let found = find_text(path, |place| place == Path::new(name)).ok()??;
    Some(found.1)
}

/// The first file of a tarball that is looked for: its path in it, and its text, of which no more is read than any
/// DESCRIPTION has. Only what stands before it is unpacked, and nothing is written.
pub fn find_text(
    path: &Path,
    is_it: impl Fn(&Path) -> bool,
) -> Result<Option<(PathBuf, String)>, ArchiveError> {
    const LONGEST: u64 = 1 << 20;
    let damaged = |source| ArchiveError::Damaged {
        path: path.to_owned(),
        source,
    };
    let mut archive = tar::Archive::new(open(path)?.take(LARGEST_SEARCHED));
    for entry in archive.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let place = within_folder(Path::new(""), Path::new(&name));
        let Some(place) = place.filter(|place| is_it(place)) else {
            continue;
        };
        let mut text = Vec::new();
        entry
            .take(LONGEST)
            .read_to_end(&mut text)
            .map_err(damaged)?;
        return Ok(Some((place, String::from_utf8_lossy(&text).into_owned())));
    }
    Ok(None)
}

/// What `git archive` wrote into a tarball's global header: the commit that it is of.
pub fn git_commit(path: &Path) -> Option<String> {
    let mut archive = tar::Archive::new(open(path).ok()?);
    let mut first = archive.entries().ok()?.next()?.ok()?;
    if first.header().entry_type() != EntryType::XGlobalHeader {
        return None;
    }
    let mut records = String::new();
    first.read_to_string(&mut records).ok()?;
    // `52 comment=0123…`, a record a line.
    let comment = records
        .lines()
        .find_map(|record| record.split_once(" comment="))?
        .1;
    let is_commit = comment.len() >= 40 && comment.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| comment.to_owned())
}

/// The one folder that a source tarball holds at its top; the folder itself if there are several.
pub fn top_folder(folder: &Path) -> std::io::Result<PathBuf> {
    let entries: Vec<PathBuf> = fs_err::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    match entries.as_slice() {
        [only] if only.is_dir() => Ok(only.clone()),
        _ => Ok(folder.to_owned()),
    }
}

#[cfg(test)]
mod tests;
