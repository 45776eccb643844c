//! The shared libraries that a set of files needs beyond those that are there already.
//!
//! Libraries are found by soname in a list of folders, as the loader would find them, but by reading
//! headers: no `ldd`, which executes the file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use super::{ElfFile, is_elf};
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
            let content = fs_err::read(&path).ok()?;
            let found = is_elf(&content)
                && ElfFile::read(&content).ok()?.architecture == Some(architecture);
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

/// Follows the symbolic links of a path within a root, as a process in that root would.
fn resolve_in_root(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut resolved = PathBuf::from("/");
    let mut rest: VecDeque<std::ffi::OsString> = path.iter().map(Into::into).collect();
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        if part == "/" {
            resolved = "/".into();
        } else if part == ".." {
            resolved.pop();
        } else if part != "." {
            let on_host = root.join(resolved.join(&part).strip_prefix("/").ok()?);
            match fs_err::read_link(&on_host) {
                Ok(_) if links == 40 => return None,
                Ok(link) => {
                    links += 1;
                    for part in link.iter().rev() {
                        rest.push_front(part.into());
                    }
                }
                Err(_) => resolved.push(&part),
            }
        }
    }
    let on_host = root.join(resolved.strip_prefix("/").ok()?);
    on_host.is_file().then_some(on_host)
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
            if let Ok(elf) = ElfFile::read(&content) {
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
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_within_the_root_only() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path();
        fs_err::create_dir_all(path.join("usr/lib64")).unwrap();
        symlink("/usr/lib64", path.join("lib64")).unwrap();
        fs_err::write(path.join("usr/lib64/liba.so.1.2"), b"content").unwrap();
        symlink("liba.so.1.2", path.join("usr/lib64/liba.so.1")).unwrap();
        symlink("../../../../etc/passwd", path.join("usr/lib64/escape")).unwrap();
        symlink("loop", path.join("usr/lib64/loop")).unwrap();

        let resolve = |name: &str| resolve_in_root(path, Path::new(name));
        assert_eq!(
            resolve("/lib64/liba.so.1"),
            Some(path.join("usr/lib64/liba.so.1.2"))
        );
        assert_eq!(resolve("/lib64/escape"), None);
        assert_eq!(resolve("/lib64/loop"), None);
        assert_eq!(resolve("/lib64/absent"), None);
    }

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
