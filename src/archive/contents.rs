//! A tarball's files in memory: what goes into a layer need not be written to a disk first, which for thousands of small
//! files takes longer than all else.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tar::EntryType;

use super::{Allowance, ArchiveError, check, link_target, open};
use crate::root_path::within_folder;

/// A file of a tarball.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarballFile {
    /// Its bytes.
    pub content: Bytes,
    /// Is it marked as executable?
    pub executable: bool,
}

/// The files of a tarball by their path in it, `/` between folders.
pub type TarballFiles = BTreeMap<String, TarballFile>;

/// Reads the files of a .tar.gz or .tar.xz, at most `limit` bytes: those that [`super::unpack`] would write with links as
/// copies, and nothing that it would refuse.
pub fn read_files(path: &Path, limit: u64) -> Result<TarballFiles, ArchiveError> {
    read_within(path, Allowance::new(path, limit))
}

pub(super) fn read_within(
    path: &Path,
    allowance: Allowance<'_>,
) -> Result<TarballFiles, ArchiveError> {
    let damaged = |source| ArchiveError::Damaged {
        path: path.to_owned(),
        source,
    };
    // One byte more than the limit can be read, so that a longer stream is noticed.
    let mut archive = tar::Archive::new(open(path)?.take(allowance.limit.saturating_add(1)));
    let mut reading = Reading {
        path,
        allowance,
        files: TarballFiles::new(),
        folders: BTreeSet::new(),
        links: Vec::new(),
    };
    for entry in archive.entries().map_err(damaged)? {
        reading.entry(entry.map_err(damaged)?)?;
    }
    reading.follow_links()?;
    // The stream behind the last entry is read too: gzip and xz have their checksums there.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
    reading.check_folders()?;
    Ok(reading.files)
}

/// What was read so far.
struct Reading<'a> {
    path: &'a Path,
    allowance: Allowance<'a>,
    files: TarballFiles,
    /// The folders that have an entry of their own.
    folders: BTreeSet<String>,
    /// Symbolic links: their place, and what they say.
    links: Vec<(PathBuf, PathBuf)>,
}

impl Reading<'_> {
    fn entry<R: Read>(&mut self, mut entry: tar::Entry<'_, R>) -> Result<(), ArchiveError> {
        self.allowance.take(entry.size())?;
        let place = check(self.path, &entry)?;
        let name = self.name(&entry, &place)?;
        match entry.header().entry_type() {
            EntryType::Symlink => {
                self.links.push((place, PathBuf::from(link_target(&entry))));
            }
            EntryType::Link => {
                let target = within_folder(Path::new(""), Path::new(&link_target(&entry)));
                let found = target.and_then(|target| self.files.get(&text(&target)));
                let Some(found) = found.cloned() else {
                    return Err(self.damaged(format!("`{name}` is linked to what is not there")));
                };
                self.allowance.take(found.content.len() as u64)?;
                self.files.insert(name, found);
            }
            EntryType::Directory => {
                self.folders.insert(name);
            }
            EntryType::Regular | EntryType::Continuous if !name.is_empty() => {
                let file = self.file(&mut entry)?;
                self.files.insert(name, file);
            }
            // Headers that say something of the next entry or of all.
            _ => {}
        }
        Ok(())
    }

    fn name<R: Read>(
        &self,
        entry: &tar::Entry<'_, R>,
        place: &Path,
    ) -> Result<String, ArchiveError> {
        if std::str::from_utf8(&entry.path_bytes()).is_err() {
            return Err(ArchiveError::NotUtf8 {
                path: self.path.to_owned(),
                entry: place.display().to_string(),
            });
        }
        Ok(text(place))
    }

    fn file<R: Read>(&self, entry: &mut tar::Entry<'_, R>) -> Result<TarballFile, ArchiveError> {
        /// What a header says is not believed for more than this.
        const ROOM: u64 = 16 << 20;
        let size = entry.size();
        let mut content = Vec::with_capacity(size.min(ROOM) as usize);
        let read = entry.read_to_end(&mut content);
        read.map_err(|error| self.damaged(error))?;
        if content.len() as u64 != size {
            return Err(self.damaged(io::Error::from(io::ErrorKind::UnexpectedEof)));
        }
        Ok(TarballFile {
            content: content.into(),
            executable: entry.header().mode().unwrap_or(0) & 0o100 != 0,
        })
    }

    /// Makes each link a copy of what it leads to, those that lead to other links after these; what leads nowhere is left
    /// out.
    fn follow_links(&mut self) -> Result<(), ArchiveError> {
        let mut links = std::mem::take(&mut self.links);
        loop {
            let before = links.len();
            let mut waiting = Vec::new();
            for (place, target) in links {
                let parent = place.parent().unwrap_or(Path::new(""));
                // Its words were checked already: it leads to a place within.
                let Some(source) = within_folder(parent, &target) else {
                    continue;
                };
                if !self.copy(&source, &place)? {
                    waiting.push((place, target));
                }
            }
            if waiting.is_empty() || waiting.len() == before {
                return Ok(());
            }
            links = waiting;
        }
    }

    /// False if nothing is there yet.
    fn copy(&mut self, source: &Path, place: &Path) -> Result<bool, ArchiveError> {
        if place.starts_with(source) {
            return Ok(false);
        }
        let (source, place) = (text(source), text(place));
        let below = format!("{source}/");
        let in_folder = self.files.range(below.clone()..);
        let in_folder = in_folder.take_while(|(path, _)| path.starts_with(&below));
        let as_file = self.files.get_key_value(&source);
        let mut copies = Vec::new();
        for (path, file) in in_folder.chain(as_file) {
            self.allowance.take(file.content.len() as u64)?;
            copies.push((format!("{place}{}", &path[source.len()..]), file.clone()));
        }
        if copies.is_empty() && !self.folders.contains(&source) {
            return Ok(false);
        }
        self.allowance.take(0)?;
        self.files.extend(copies);
        self.folders.insert(place);
        Ok(true)
    }

    /// No disk holds what is a file and a folder.
    fn check_folders(&self) -> Result<(), ArchiveError> {
        for path in self.files.keys() {
            let above = path.match_indices('/').map(|(end, _)| &path[..end]);
            for folder in above {
                if self.files.contains_key(folder) {
                    return Err(self.damaged(format!("`{folder}` is a file and a folder")));
                }
            }
        }
        Ok(())
    }

    fn damaged(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ArchiveError {
        ArchiveError::Damaged {
            path: self.path.to_owned(),
            source: io::Error::other(source),
        }
    }
}

/// A path as layers have it.
fn text(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
