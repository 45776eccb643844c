//! A tarball's symbolic links, made when everything else is there.

use std::io;
use std::path::{Path, PathBuf};

use super::{ArchiveError, Executables};
use crate::root_path::within_folder;

/// A link's place in the folder, and what it says.
type Link = (PathBuf, PathBuf);

/// Makes them as links.
#[cfg(unix)]
pub fn keep(path: &Path, folder: &Path, links: &[Link]) -> Result<(), ArchiveError> {
    let damaged = |source| ArchiveError::Damaged {
        path: path.to_owned(),
        source,
    };
    for (place, target) in links {
        // Below a link that was made just now lies whatever that leads to.
        if place
            .ancestors()
            .skip(1)
            .any(|above| folder.join(above).is_symlink())
        {
            return Err(ArchiveError::PathLeaves {
                path: path.to_owned(),
                entry: place.display().to_string(),
            });
        }
        let link = folder.join(place);
        if let Some(parent) = link.parent() {
            fs_err::create_dir_all(parent).map_err(damaged)?;
        }
        crate::os::symlink(target, link).map_err(damaged)?;
    }
    check(path, folder, links)
}

/// Where links need a privilege, sources are not unpacked to be compiled: copies do.
#[cfg(not(unix))]
pub fn keep(path: &Path, folder: &Path, links: &[Link]) -> Result<(), ArchiveError> {
    let executables = &mut Executables::new();
    let copies = Copies {
        folder,
        executables,
        room: u64::MAX,
        entries: u64::MAX,
    };
    let made = copies.make(links.to_vec());
    made.map_err(|source| ArchiveError::Damaged {
        path: path.to_owned(),
        source,
    })
}

/// A link through another link may lead outside though both, by their words, stay within.
#[cfg(unix)]
fn check(path: &Path, folder: &Path, links: &[Link]) -> Result<(), ArchiveError> {
    let within = fs_err::canonicalize(folder).map_err(|source| ArchiveError::Damaged {
        path: path.to_owned(),
        source,
    })?;
    for (link, _) in links {
        // One that leads nowhere leads nowhere outside either.
        if let Ok(target) = fs_err::canonicalize(folder.join(link))
            && !target.starts_with(&within)
        {
            return Err(ArchiveError::LinkLeaves {
                path: path.to_owned(),
                entry: link.display().to_string(),
                target: target.display().to_string(),
            });
        }
    }
    Ok(())
}

/// Copies in the place of links.
pub struct Copies<'a> {
    /// Where the tarball was unpacked.
    pub folder: &'a Path,
    /// Its executable files; copies of such become some too.
    pub executables: &'a mut Executables,
    /// How many bytes all copies together may have.
    pub room: u64,
    /// How many files and folders they may be.
    pub entries: u64,
}

impl Copies<'_> {
    /// Makes each link a copy of what it leads to, those that lead to other links after these.
    pub fn make(mut self, mut links: Vec<Link>) -> io::Result<()> {
        loop {
            let before = links.len();
            let mut waiting = Vec::new();
            for (place, target) in links {
                let parent = place.parent().unwrap_or(Path::new(""));
                // Its words were checked already: it leads to a place within.
                let Some(source) = within_folder(parent, &target) else {
                    continue;
                };
                let from = self.folder.join(&source);
                if from.is_file() {
                    self.copy_file(&source, &place)?;
                } else if from.is_dir() && !place.starts_with(&source) {
                    self.copy_folder(&source, &place)?;
                } else {
                    waiting.push((place, target));
                }
            }
            if waiting.is_empty() || waiting.len() == before {
                return Ok(());
            }
            links = waiting;
        }
    }

    /// Counts another file or folder.
    fn another(&mut self) -> io::Result<()> {
        self.entries = self.entries.checked_sub(1).ok_or_else(too_much)?;
        Ok(())
    }

    fn copy_file(&mut self, source: &Path, place: &Path) -> io::Result<()> {
        self.another()?;
        let (from, to) = (self.folder.join(source), self.folder.join(place));
        let size = fs_err::metadata(&from)?.len();
        self.room = self.room.checked_sub(size).ok_or_else(too_much)?;
        if let Some(parent) = to.parent() {
            fs_err::create_dir_all(parent)?;
        }
        fs_err::copy(from, to)?;
        if self.executables.contains(source) {
            self.executables.insert(place.to_owned());
        }
        Ok(())
    }

    fn copy_folder(&mut self, source: &Path, place: &Path) -> io::Result<()> {
        self.another()?;
        fs_err::create_dir_all(self.folder.join(place))?;
        for entry in fs_err::read_dir(self.folder.join(source))? {
            let name = entry?.file_name();
            let (source, place) = (source.join(&name), place.join(&name));
            if self.folder.join(&source).is_dir() {
                self.copy_folder(&source, &place)?;
            } else {
                self.copy_file(&source, &place)?;
            }
        }
        Ok(())
    }
}

fn too_much() -> io::Error {
    io::Error::other("its links lead to more than it may unpack to")
}
