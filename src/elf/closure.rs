//! The shared libraries that a set of files needs beyond those that are there already.
//!
//! Libraries are found by soname in a list of folders, as the loader would find them, but by reading
//! headers: no `ldd`, which executes the file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use super::{ElfFile, is_elf};
use crate::root_path::resolve_in_root;
use crate::target::Architecture;

/// Folders of a root file system that hold its shared libraries.
#[derive(Clone, Debug)]
pub struct LibraryFolders {
    root: PathBuf,
    folders: Vec<PathBuf>,
}

impl LibraryFolders {
    /// The folders that the loader of that root searches: those named in /etc/ld.so.conf(.d), then the
    /// usual ones. `first` are searched before them (paths within the root).
    pub fn of_root(root: &Path, architecture: Architecture, first: &[PathBuf]) -> LibraryFolders {
        let triplet = format!("{}-linux-gnu", architecture.machine_name());
        let mut folders: Vec<PathBuf> = first.to_vec();
        folders.extend(configured_folders(root));
        for usual in ["/lib64", "/usr/lib64", "/lib", "/usr/lib"] {
            folders.push(usual.into());
        }
        for usual in ["/lib", "/usr/lib", "/usr/local/lib"] {
            folders.push(Path::new(usual).join(&triplet));
        }
        folders.push("/usr/local/lib".into());
        LibraryFolders {
            root: root.to_owned(),
            folders,
        }
    }

    /// No folders: for files that bring along all that they need.
    pub fn none() -> LibraryFolders {
        LibraryFolders {
            root: PathBuf::new(),
            folders: Vec::new(),
        }
    }

    /// The library of that soname and architecture: its path on this machine, and its content.
    pub fn find(&self, soname: &str, architecture: Architecture) -> Option<(PathBuf, Vec<u8>)> {
        self.folders.iter().find_map(|folder| {
            let path = resolve_in_root(&self.root, &folder.join(soname))?;
            if !path.is_file() {
                return None;
            }
            let content = fs_err::read(&path).ok()?;
            let found = is_elf(&content)
                && ElfFile::read(&content[..]).ok()?.architecture == Some(architecture);
            found.then_some((path, content))
        })
    }
}

/// The folders named in a root's /etc/ld.so.conf.d/*.conf.
fn configured_folders(root: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs_err::read_dir(root.join("etc/ld.so.conf.d"))
        .map(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect()
        })
        .unwrap_or_default();
    files.sort();
    files
        .iter()
        .filter_map(|file| fs_err::read_to_string(file).ok())
        .flat_map(|text| {
            text.lines()
                .filter(|line| line.starts_with('/'))
                .map(PathBuf::from)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// A soname that was found nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{needed_by} needs {soname}, which is neither in the layer nor where R was built")]
pub struct MissingLibrary {
    /// The library.
    pub soname: String,
    /// The file that needs it.
    pub needed_by: String,
}

/// The libraries to add so that every file finds what it needs.
#[derive(Debug, Default)]
pub struct Closure {
    /// Soname → (where it was found, its content).
    pub libraries: BTreeMap<String, (PathBuf, Vec<u8>)>,
    /// What was found nowhere.
    pub missing: Vec<MissingLibrary>,
}

impl Closure {
    /// Completes a set of files (path → headers).
    ///
    /// `provided` says of a soname that it need not be added: it is in the layer, or on the target.
    pub fn complete(
        files: &BTreeMap<String, ElfFile>,
        provided: impl Fn(&str) -> bool,
        folders: &LibraryFolders,
        architecture: Architecture,
    ) -> Closure {
        let mut closure = Closure::default();
        let mut asked: BTreeSet<String> = BTreeSet::new();
        let mut queue: VecDeque<(String, String)> = files
            .iter()
            .flat_map(|(path, elf)| {
                elf.needed
                    .iter()
                    .map(|soname| (soname.clone(), path.clone()))
            })
            .collect();
        while let Some((soname, needed_by)) = queue.pop_front() {
            if provided(&soname) || !asked.insert(soname.clone()) {
                continue;
            }
            let Some((path, content)) = folders.find(&soname, architecture) else {
                closure.missing.push(MissingLibrary { soname, needed_by });
                continue;
            };
            if let Ok(elf) = ElfFile::read(&content[..]) {
                queue.extend(
                    elf.needed
                        .into_iter()
                        .map(|needed| (needed, soname.clone())),
                );
            }
            closure.libraries.insert(soname, (path, content));
        }
        closure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_provided_is_found_or_missing() {
        let mut files = BTreeMap::new();
        let elf = ElfFile {
            needed: vec!["libc.so.6".into(), "libnowhere.so.7".into()],
            ..ElfFile::default()
        };
        files.insert("bin/program".to_owned(), elf);
        let architecture = Architecture::of_this_machine().unwrap();
        let host = LibraryFolders::of_root(Path::new("/"), architecture, &[]);

        let closure = Closure::complete(&files, |_| false, &host, architecture);
        assert!(closure.libraries.contains_key("libc.so.6"));
        assert!(
            closure
                .libraries
                .keys()
                .any(|soname| soname.starts_with("ld-linux"))
        );
        assert_eq!(closure.missing.len(), 1);
        assert_eq!(closure.missing[0].needed_by, "bin/program");

        let closure =
            Closure::complete(&files, |soname| soname == "libc.so.6", &host, architecture);
        assert!(closure.libraries.is_empty());
    }
}
