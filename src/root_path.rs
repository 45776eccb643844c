//! Paths within a root file system, or a folder that something is unpacked into: links are followed as a process in that
//! root would follow them, and nothing leads out of it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// How many links a path may go through, as the kernel has it.
const MOST_LINKS: usize = 40;

/// Where a path of a root lies on this machine, every symbolic link followed within the root. Nothing if the
/// links run in a circle; what the path leads to need not be there.
pub fn resolve_in_root(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut resolved = PathBuf::new();
    let mut rest: VecDeque<OsString> = path.iter().map(Into::into).collect();
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        if part == "/" {
            resolved = PathBuf::new();
        } else if part == ".." {
            resolved.pop();
        } else if part != "." {
            match fs_err::read_link(root.join(&resolved).join(&part)) {
                Ok(_) if links == MOST_LINKS => return None,
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
    Some(root.join(resolved))
}

/// Where a path from `start` leads, if it never leaves the folder; an absolute path does.
pub fn within_folder(start: &Path, path: &Path) -> Option<PathBuf> {
    let mut place = start.to_owned();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => place.push(part),
            Component::ParentDir => {
                if !place.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(place)
}

/// Can scripts be run in a root?
pub fn has_shell(root: &Path) -> bool {
    resolve_in_root(root, Path::new("/bin/sh")).is_some_and(|shell| shell.is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_within_the_root_only() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path();
        fs_err::create_dir_all(path.join("usr/lib64")).unwrap();
        symlink("/usr/lib64", path.join("lib64")).unwrap();
        symlink("liba.so.1.2", path.join("usr/lib64/liba.so.1")).unwrap();
        symlink("../../../../etc/passwd", path.join("usr/lib64/escape")).unwrap();
        symlink("loop", path.join("usr/lib64/loop")).unwrap();

        let resolve = |name: &str| resolve_in_root(path, Path::new(name));
        assert_eq!(
            resolve("/lib64/liba.so.1"),
            Some(path.join("usr/lib64/liba.so.1.2"))
        );
        assert_eq!(resolve("/lib64/escape"), Some(path.join("etc/passwd")));
        assert_eq!(resolve("../../x"), Some(path.join("x")));
        assert_eq!(resolve("/lib64/loop"), None);
    }
}
