//! The shared libraries that a set of files needs beyond those that are there already.
//!
//! Libraries are found by soname in a list of folders, as the loader would find them, but by reading
//! headers: no `ldd`, which executes the file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ElfFile, is_elf};
use crate::package::RpmPackage;
use crate::root_path::resolve_in_root;
use crate::target::Architecture;

/// Where a library came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LibraryOrigin {
    /// A file of a root file system, by its path on this machine.
    File(PathBuf),
    /// A package of an RPM repository.
    Rpm(Arc<RpmPackage>),
}

impl fmt::Display for LibraryOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LibraryOrigin::File(path) => write!(f, "{}", path.display()),
            LibraryOrigin::Rpm(package) => write!(f, "{} ({})", package.nevra(), package.url),
        }
    }
}

/// A library that was found.
#[derive(Clone, Debug)]
pub struct FoundLibrary {
    /// The file that has it, on this machine.
    pub path: PathBuf,
    /// Where it came from.
    pub origin: LibraryOrigin,
    /// Its content.
    pub content: Vec<u8>,
}

/// Where libraries are looked for by their soname.
pub trait LibrarySource {
    /// The library of that soname and architecture, if there is one.
    fn find(&self, soname: &str, architecture: Architecture) -> Option<FoundLibrary>;

    /// What was searched, for messages: `where R was built`.
    fn searched(&self) -> String;
}

/// The first source that has a library wins.
impl LibrarySource for [&dyn LibrarySource] {
    fn find(&self, soname: &str, architecture: Architecture) -> Option<FoundLibrary> {
        self.iter()
            .find_map(|source| source.find(soname, architecture))
    }

    fn searched(&self) -> String {
        if self.is_empty() {
            return "anywhere else".to_owned();
        }
        let all: Vec<String> = self.iter().map(|source| source.searched()).collect();
        all.join(" nor ")
    }
}

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

    /// The root whose folders they are.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl LibrarySource for LibraryFolders {
    fn find(&self, soname: &str, architecture: Architecture) -> Option<FoundLibrary> {
        self.folders.iter().find_map(|folder| {
            let path = resolve_in_root(&self.root, &folder.join(soname))?;
            if !path.is_file() {
                return None;
            }
            let content = fs_err::read(&path).ok()?;
            let found = is_elf(&content)
                && ElfFile::read(&content[..]).ok()?.architecture == Some(architecture);
            found.then(|| FoundLibrary {
                origin: LibraryOrigin::File(path.clone()),
                path,
                content,
            })
        })
    }

    fn searched(&self) -> String {
        "where R was built".to_owned()
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
#[error("{needed_by} needs {soname}, which is neither in the layer nor {searched}")]
pub struct MissingLibrary {
    /// The library.
    pub soname: String,
    /// The file that needs it.
    pub needed_by: String,
    /// What was searched.
    pub searched: String,
}

/// The libraries to add so that every file finds what it needs.
#[derive(Debug, Default)]
pub struct Closure {
    /// Soname → what was found.
    pub libraries: BTreeMap<String, FoundLibrary>,
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
        source: &(impl LibrarySource + ?Sized),
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
            let Some(library) = source.find(&soname, architecture) else {
                closure.missing.push(MissingLibrary {
                    soname,
                    needed_by,
                    searched: source.searched(),
                });
                continue;
            };
            if let Ok(elf) = ElfFile::read(&library.content[..]) {
                queue.extend(
                    elf.needed
                        .into_iter()
                        .map(|needed| (needed, soname.clone())),
                );
            }
            closure.libraries.insert(soname, library);
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

    #[test]
    fn sources_are_searched_in_order_and_named_where_none_has_it() {
        let architecture = Architecture::of_this_machine().unwrap();
        let host = LibraryFolders::of_root(Path::new("/"), architecture, &[]);
        let none = LibraryFolders::none();
        let sources: [&dyn LibrarySource; 2] = [&none, &host];
        let found = sources[..].find("libc.so.6", architecture).unwrap();
        assert_eq!(found.origin, LibraryOrigin::File(found.path));

        let elf = ElfFile {
            needed: vec!["libnowhere.so.7".into()],
            ..ElfFile::default()
        };
        let files = BTreeMap::from([("a.so".to_owned(), elf)]);
        let words = |sources: &[&dyn LibrarySource]| {
            Closure::complete(&files, |_| false, sources, architecture).missing[0].to_string()
        };
        let expected = "a.so needs libnowhere.so.7, which is neither in the layer nor";
        assert_eq!(
            words(&sources),
            format!("{expected} where R was built nor where R was built")
        );
        assert_eq!(words(&[]), format!("{expected} anywhere else"));
    }
}
