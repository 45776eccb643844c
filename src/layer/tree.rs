//! The layer tree: sorted path → content and mode, before it becomes a zip.
//!
//! A value, not a folder: no owner, no time, no order of a file system can get into it. Symbolic links are
//! resolved when files are taken in, so that a tree holds files only.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rayon::prelude::*;

use super::recompress::recompressed;
use crate::elf::{self, StripOutcome};
use crate::os::is_executable;

/// Where an entry's bytes are.
#[derive(Clone, Debug)]
pub enum Content {
    /// In a file on this machine, read when it is needed.
    File(PathBuf),
    /// In an ELF file on this machine, read and stripped when it is needed: a layer's programs and libraries together
    /// would be too much for a small machine's memory.
    Stripped(PathBuf),
    /// In a lazy-load database of R's on this machine, read and compressed better when it is needed.
    Recompressed(PathBuf),
    /// In memory.
    Bytes(Bytes),
}

/// A file of a layer.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its bytes.
    pub content: Content,
    /// How many they are.
    pub size: u64,
    /// Is it executable: mode 755, else 644.
    pub executable: bool,
}

impl Entry {
    /// An entry in memory.
    pub fn bytes(content: impl Into<Bytes>, executable: bool) -> Entry {
        let content = content.into();
        Entry {
            size: content.len() as u64,
            content: Content::Bytes(content),
            executable,
        }
    }

    /// The bytes, read if they are in a file.
    pub fn read(&self) -> io::Result<Bytes> {
        match &self.content {
            Content::File(path) => Ok(fs_err::read(path)?.into()),
            Content::Stripped(path) => {
                let content = fs_err::read(path)?;
                Ok(match elf::strip(&content) {
                    StripOutcome::Stripped(shorter) => shorter.into(),
                    StripOutcome::Kept(_) => content.into(),
                })
            }
            Content::Recompressed(path) => Ok(recompressed(fs_err::read(path)?).into()),
            Content::Bytes(bytes) => Ok(bytes.clone()),
        }
    }

    /// The permission bits in the zip.
    pub fn mode(&self) -> u32 {
        if self.executable { 0o755 } else { 0o644 }
    }
}

/// Why a folder cannot be taken into a tree.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Something could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A name that is no UTF-8.
    #[error("{0} has a name that is not UTF-8, which a zip cannot hold")]
    NotUtf8(PathBuf),
    /// A device, a socket or a pipe.
    #[error("{0} is neither a file, a folder nor a link to one")]
    SpecialFile(PathBuf),
    /// Links in a circle.
    #[error("{0}: folders nest too deeply; is a link leading into itself?")]
    TooDeep(PathBuf),
}

/// Which files of a folder are executable.
#[derive(Clone, Debug)]
pub enum Modes {
    /// Those whose permissions say so.
    OfFiles,
    /// Those that are named, by their path in the folder: for what comes from a tarball, whatever system unpacked it.
    Listed(BTreeSet<PathBuf>),
}

/// A folder on this machine that goes into a layer.
#[derive(Clone, Debug)]
pub struct SourceFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Which of its files are executable.
    pub modes: Modes,
}

impl SourceFolder {
    /// A folder whose files have the permissions that they are to have.
    pub fn new(path: impl Into<PathBuf>) -> SourceFolder {
        SourceFolder {
            path: path.into(),
            modes: Modes::OfFiles,
        }
    }

    fn is_executable(&self, path: &Path, metadata: &std::fs::Metadata) -> bool {
        match &self.modes {
            Modes::OfFiles => is_executable(metadata),
            Modes::Listed(executables) => path
                .strip_prefix(&self.path)
                .is_ok_and(|path| executables.contains(path)),
        }
    }
}

/// The files of a layer by their path, `/` between folders, without a leading one.
#[derive(Clone, Debug, Default)]
pub struct LayerTree {
    entries: BTreeMap<String, Entry>,
}

/// How deep folders may nest: more than any package does, less than a link in a circle.
const DEEPEST: usize = 64;

impl LayerTree {
    /// Adds a file; one of the same path is replaced.
    pub fn insert(&mut self, path: impl Into<String>, entry: Entry) {
        self.entries.insert(path.into(), entry);
    }

    /// Adds every file below a folder under `prefix`, following symbolic links; those that lead nowhere are
    /// returned by their path in the tree.
    pub fn insert_folder(
        &mut self,
        prefix: &str,
        folder: &SourceFolder,
    ) -> Result<Vec<String>, TreeError> {
        let mut found = folder.walk(prefix, &folder.path, 0)?;
        self.entries.extend(found.entries);
        found.dangling.sort();
        Ok(found.dangling)
    }

    /// A folder of this machine as a tree of its own; what leads nowhere is not in it.
    pub fn of_folder(folder: &SourceFolder) -> Result<LayerTree, TreeError> {
        let mut tree = LayerTree::default();
        tree.insert_folder("", folder)?;
        Ok(tree)
    }

    /// Adds every file of another tree under `prefix`.
    pub fn insert_tree(&mut self, prefix: &str, tree: LayerTree) {
        let entries = tree.entries.into_iter();
        self.entries
            .extend(entries.map(|(path, entry)| (format!("{prefix}/{path}"), entry)));
    }

    /// The entry of a path.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Takes an entry out.
    pub fn remove(&mut self, path: &str) -> Option<Entry> {
        self.entries.remove(path)
    }

    /// Every path and entry, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(path, entry)| (path.as_str(), entry))
    }

    /// Keeps the entries of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Entry) -> bool) {
        self.entries.retain(|path, entry| keep(path, entry));
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there no file?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all files together: the unzipped size that Lambda counts.
    pub fn unzipped_size(&self) -> u64 {
        self.entries.values().map(|entry| entry.size).sum()
    }
}

/// What was found in a folder.
#[derive(Default)]
struct Found {
    entries: Vec<(String, Entry)>,
    /// Links that lead nowhere.
    dangling: Vec<String>,
}

impl Found {
    fn and(mut self, mut other: Found) -> Found {
        self.entries.append(&mut other.entries);
        self.dangling.append(&mut other.dangling);
        self
    }
}

impl SourceFolder {
    /// Finds every file below a folder, on all cores: what takes the time is asking for each whether it is a link, how
    /// large it is and whether it can be executed.
    fn walk(&self, prefix: &str, folder: &Path, depth: usize) -> Result<Found, TreeError> {
        if depth > DEEPEST {
            return Err(TreeError::TooDeep(folder.to_owned()));
        }
        let paths = fs_err::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()?;
        paths
            .into_par_iter()
            .map(|path| self.visit(prefix, path, depth))
            .try_reduce(Found::default, |one, other| Ok(one.and(other)))
    }

    fn visit(&self, prefix: &str, path: PathBuf, depth: usize) -> Result<Found, TreeError> {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| TreeError::NotUtf8(path.clone()))?;
        let place = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        let mut found = Found::default();
        match fs_err::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_symlink() => {
                found.dangling.push(place);
            }
            Err(error) => return Err(error.into()),
            Ok(metadata) if metadata.is_dir() => return self.walk(&place, &path, depth + 1),
            Ok(metadata) if metadata.is_file() => {
                let entry = Entry {
                    size: metadata.len(),
                    executable: self.is_executable(&path, &metadata),
                    content: Content::File(path),
                };
                found.entries.push((place, entry));
            }
            Ok(_) => return Err(TreeError::SpecialFile(path)),
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_folder_is_taken_in_with_its_links_resolved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs_err::create_dir_all(path.join("bin/exec")).unwrap();
        fs_err::write(path.join("bin/exec/R"), "program").unwrap();
        fs_err::set_permissions(path.join("bin/exec/R"), PermissionsExt::from_mode(0o700)).unwrap();
        fs_err::write(path.join("VERSION"), "4.5.0").unwrap();
        symlink("VERSION", path.join("version")).unwrap();
        symlink("bin", path.join("links")).unwrap();
        symlink("nowhere", path.join("dangling")).unwrap();

        let mut tree = LayerTree::default();
        let dangling = tree.insert_folder("R", &SourceFolder::new(path)).unwrap();
        assert_eq!(dangling, ["R/dangling"]);
        let paths: Vec<&str> = tree.iter().map(|(path, _)| path).collect();
        assert_eq!(
            paths,
            ["R/VERSION", "R/bin/exec/R", "R/links/exec/R", "R/version"]
        );
        assert_eq!(tree.get("R/bin/exec/R").unwrap().mode(), 0o755);
        assert_eq!(tree.get("R/VERSION").unwrap().mode(), 0o644);
        assert_eq!(tree.unzipped_size(), 5 + 7 + 7 + 5);
        assert_eq!(
            &tree.get("R/version").unwrap().read().unwrap()[..],
            b"4.5.0"
        );
    }

    #[test]
    fn what_a_list_names_is_executable_whatever_the_file_system_says() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("bin")).unwrap();
        for name in ["bin/R", "COPYING"] {
            fs_err::write(folder.path().join(name), name).unwrap();
        }
        fs_err::set_permissions(
            folder.path().join("COPYING"),
            PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        let folder = SourceFolder {
            path: folder.path().to_owned(),
            modes: Modes::Listed([PathBuf::from("bin/R")].into()),
        };
        let mut tree = LayerTree::default();
        tree.insert_folder("R", &folder).unwrap();
        assert_eq!(tree.get("R/bin/R").unwrap().mode(), 0o755);
        assert_eq!(tree.get("R/COPYING").unwrap().mode(), 0o644);
    }

    #[test]
    fn a_link_into_its_own_folder_is_an_error_and_no_endless_walk() {
        let folder = tempfile::tempdir().unwrap();
        symlink(".", folder.path().join("again")).unwrap();
        let error = LayerTree::default()
            .insert_folder("", &SourceFolder::new(folder.path()))
            .unwrap_err();
        assert!(error.to_string().contains("again"), "{error}");
    }
}
