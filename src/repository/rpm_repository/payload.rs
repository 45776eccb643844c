//! Unpacking an RPM: its files, in a folder that is like a root file system. Nothing of it is run.
//!
//! Links are not made: each becomes another name of what it leads to, so that every system can hold it, and nothing can be
//! written or read through one.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rpm::{FileEntry, FileType, PackageReader};

use crate::root_path::within_folder;

/// More bytes than any package has whose libraries R packages need.
const MOST_BYTES: u64 = 4 << 30;
const MOST_FILES: usize = 200_000;
/// How many links a path may go through, as the kernel has it.
const MOST_LINKS: usize = 40;

/// What no library needs at run time.
const LEFT_OUT: [&str; 6] = [
    "usr/lib/.build-id",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/licenses",
    "usr/share/locale",
    "usr/share/man",
];

/// Unpacks a package into an empty folder, which is made if need be.
pub fn unpack(path: &Path, folder: &Path) -> Result<(), String> {
    let mut package = PackageReader::open(path).map_err(|error| match error {
        rpm::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it is truncated".to_owned()
        }
        other => other.to_string(),
    })?;
    fs_err::create_dir_all(folder).map_err(|error| error.to_string())?;
    let mut unpacking = Unpacking {
        folder,
        room: MOST_BYTES,
        files: BTreeMap::new(),
        links: BTreeMap::new(),
        by_digest: HashMap::new(),
        without_content: Vec::new(),
    };
    while let Some(mut file) = package.next_file().map_err(|error| error.to_string())? {
        let entry = file.metadata.clone();
        let has_content = file.has_payload();
        unpacking
            .entry(&entry, has_content, &mut file)
            .map_err(|error| format!("{}: {error}", entry.path().display()))?;
        file.finish().map_err(|error| error.to_string())?;
    }
    unpacking.finish().map_err(|error| error.to_string())
}

struct Unpacking<'a> {
    folder: &'a Path,
    /// How many bytes may still come.
    room: u64,
    /// Regular files that are there: their path in the package → the size.
    files: BTreeMap<PathBuf, u64>,
    /// Symbolic links: where they are, and what they say.
    links: BTreeMap<PathBuf, PathBuf>,
    /// Files by the hash that the package tells of each.
    by_digest: HashMap<String, PathBuf>,
    /// Other names of a file (hard links), whose content comes with one of them only: its hash.
    without_content: Vec<(PathBuf, String)>,
}

impl Unpacking<'_> {
    fn entry(
        &mut self,
        entry: &FileEntry<'_>,
        has_content: bool,
        content: &mut impl Read,
    ) -> io::Result<()> {
        let place = place(&entry.path())?;
        if LEFT_OUT.iter().any(|folder| place.starts_with(folder)) {
            return Ok(());
        }
        if self.files.len() + self.links.len() + self.without_content.len() >= MOST_FILES {
            return Err(io::Error::other(
                "it has more files than any library's package",
            ));
        }
        let digest = entry.digest().map(|digest| digest.as_hex().to_owned());
        match entry.file_type() {
            FileType::Regular if has_content => {
                let written = self.write(&place, content)?;
                if written != entry.size() as u64 {
                    return Err(io::Error::other(
                        "it has another size than the package says",
                    ));
                }
                if let Some(digest) = digest {
                    self.by_digest.insert(digest, place.clone());
                }
                self.files.insert(place, written);
            }
            FileType::Regular => {
                self.without_content
                    .extend(digest.map(|digest| (place, digest)));
            }
            FileType::SymbolicLink => {
                let target = entry.linkto().unwrap_or_default();
                self.links.insert(place, target.into());
            }
            // Folders come with their files; devices and the like are nothing for a layer.
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, place: &Path, content: &mut impl Read) -> io::Result<u64> {
        let path = self.folder.join(place);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        // A path that comes twice is refused.
        let mut file = fs_err::File::create_new(path)?;
        let written = io::copy(&mut content.take(self.room.saturating_add(1)), &mut file)?;
        self.room = self
            .room
            .checked_sub(written)
            .ok_or_else(|| io::Error::other("it has more bytes than any library's package"))?;
        Ok(written)
    }

    fn finish(mut self) -> io::Result<()> {
        for (place, digest) in std::mem::take(&mut self.without_content) {
            if let Some(content) = self.by_digest.get(&digest).cloned() {
                self.name(&content, place)?;
            }
        }
        let links: Vec<PathBuf> = self.links.keys().cloned().collect();
        let found: Vec<(PathBuf, PathBuf)> = links
            .into_iter()
            .filter_map(|link| Some((self.resolve(&link)?, link)))
            .collect();
        for (file, link) in found {
            self.name(&file, link)?;
        }
        Ok(())
    }

    /// Gives a file another name: a copy, where the disk has no hard links.
    fn name(&mut self, file: &Path, place: PathBuf) -> io::Result<()> {
        let (from, to) = (self.folder.join(file), self.folder.join(&place));
        if let Some(parent) = to.parent() {
            fs_err::create_dir_all(parent)?;
        }
        if fs_err::hard_link(&from, &to).is_err() {
            fs_err::copy(&from, &to)?;
        }
        let size = self.files.get(file).copied().unwrap_or(0);
        self.files.insert(place, size);
        Ok(())
    }

    /// The file of this package that a link leads to, through whatever other links of it. A link to a folder, or to what
    /// another package has, leads to none.
    fn resolve(&self, link: &Path) -> Option<PathBuf> {
        let mut path = link.to_owned();
        for _ in 0..MOST_LINKS {
            if self.files.contains_key(&path) {
                return Some(path);
            }
            let (before, target) = path
                .ancestors()
                .find_map(|above| Some((above.to_owned(), self.links.get(above)?)))?;
            let below = path.strip_prefix(&before).ok()?.to_owned();
            let start = match target.strip_prefix("/") {
                Ok(absolute) => place(absolute).ok()?,
                Err(_) => within_folder(before.parent()?, target)?,
            };
            path = if below.as_os_str().is_empty() {
                start
            } else {
                start.join(below)
            };
        }
        None
    }
}

/// Where a path of the package belongs in its folder. `/lib64` is `/usr/lib64`, as in every root that has such packages.
fn place(path: &Path) -> io::Result<PathBuf> {
    let path = path.strip_prefix("/").unwrap_or(path);
    let place = within_folder(Path::new(""), path)
        .filter(|place| !place.as_os_str().is_empty() && !path.components().any(is_upwards))
        .ok_or_else(|| io::Error::other("it leaves the folder that it is unpacked into"))?;
    let merged = ["lib64", "lib", "bin", "sbin"];
    Ok(match merged.iter().any(|name| place.starts_with(name)) {
        true => Path::new("usr").join(place),
        false => place,
    })
}

fn is_upwards(part: std::path::Component<'_>) -> bool {
    part == std::path::Component::ParentDir
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(
        files: &[(&str, &str)],
        links: &[(&str, &str)],
        compression: rpm::CompressionType,
    ) -> Vec<u8> {
        let mut builder = rpm::PackageBuilder::new("liba", "1.0", "MIT", "x86_64", "A library");
        builder.using_config(rpm::BuildConfig::default().compression(compression));
        for (path, content) in files {
            builder
                .with_file_contents(*content, rpm::FileOptions::new(*path))
                .unwrap();
        }
        for (path, target) in links {
            builder
                .with_symlink(rpm::FileOptions::symlink(*path, *target))
                .unwrap();
        }
        let mut bytes = Vec::new();
        builder.build().unwrap().write(&mut bytes).unwrap();
        bytes
    }

    fn unpacked(bytes: &[u8]) -> (tempfile::TempDir, Result<(), String>) {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("package.rpm"), bytes).unwrap();
        let outcome = unpack(
            &folder.path().join("package.rpm"),
            &folder.path().join("root"),
        );
        (folder, outcome)
    }

    #[test]
    fn links_become_files_within_the_package_and_nothing_else() {
        let links = [
            ("/usr/lib64/liba.so.1", "liba.so.1.0"),
            ("/usr/lib64/liba.so", "liba.so.1"),
            ("/opt/liba.so", "/lib64/liba.so.1.0"),
            ("/usr/lib64/out.so", "../../../../../etc/passwd"),
            ("/usr/lib64/round.so", "round.so"),
            ("/usr/lib64/other.so", "libother.so.1"),
        ];
        for compression in [
            rpm::CompressionType::Zstd,
            rpm::CompressionType::Gzip,
            rpm::CompressionType::Xz,
        ] {
            let bytes = build(
                &[
                    ("/lib64/liba.so.1.0", "library"),
                    ("/usr/share/doc/a", "text"),
                ],
                &links,
                compression,
            );
            let (folder, outcome) = unpacked(&bytes);
            outcome.unwrap();
            let root = folder.path().join("root");
            for name in [
                "usr/lib64/liba.so.1.0",
                "usr/lib64/liba.so.1",
                "usr/lib64/liba.so",
                "opt/liba.so",
            ] {
                assert_eq!(
                    fs_err::read_to_string(root.join(name)).unwrap(),
                    "library",
                    "{name}"
                );
                assert!(!root.join(name).is_symlink());
            }
            for name in ["out.so", "round.so", "other.so"] {
                assert!(!root.join("usr/lib64").join(name).exists(), "{name}");
            }
            assert!(!root.join("usr/share/doc").exists());
        }
    }

    #[test]
    fn what_leaves_its_folder_is_refused() {
        let bytes = build(
            &[("/usr/../../escape", "x")],
            &[],
            rpm::CompressionType::Gzip,
        );
        let (folder, outcome) = unpacked(&bytes);
        let error = outcome.unwrap_err();
        assert!(error.contains("leaves the folder"), "{error}");
        assert!(!folder.path().join("escape").exists());
    }

    #[test]
    fn what_is_cut_or_none_is_refused() {
        let content = "0123456789".repeat(1000);
        let bytes = build(
            &[("/usr/lib64/liba.so", &content)],
            &[],
            rpm::CompressionType::Gzip,
        );
        for end in [0, 50, 200, bytes.len() - 30] {
            assert!(unpacked(&bytes[..end]).1.is_err(), "{end} bytes");
        }
        assert!(unpacked(b"<!DOCTYPE html><html></html>").1.is_err());
    }
}
