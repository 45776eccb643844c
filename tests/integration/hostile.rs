//! Bad input of `build runtime`: refused with a word on what and where, and nothing left behind.

mod settings;
mod tarballs;

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use r_layer::cache::Cache;

use crate::parts::{fail, r_layer, runtime_layer};

/// Settings that a developer may have.
const SETTINGS: [&str; 9] = [
    "R_LAYER_R_VERSION",
    "R_LAYER_R_SOURCE",
    "R_LAYER_R_TARBALL",
    "R_LAYER_CRAN",
    "R_LAYER_SOURCES",
    "R_LAYER_BUILD_ROOT",
    "R_LAYER_ARCH",
    "R_LAYER_TARGET",
    "R_LAYER_OUT",
];

/// A folder with a project, a CRAN without anything, and a cache that has what takes long to make, and nothing else.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place {
            folder: tempfile::tempdir().unwrap(),
        };
        for folder in ["project", "cran", "cache/downloads"] {
            std::fs::create_dir_all(place.path(folder)).unwrap();
        }
        // Building the layer brings the roots, R and the tarballs.
        runtime_layer();
        let shared = Cache::from_environment().unwrap().folder().to_owned();
        for kind in ["roots", "compiled"] {
            symlink(shared.join(kind), place.path("cache").join(kind)).unwrap();
        }
        for tarball in std::fs::read_dir(shared.join("downloads")).unwrap() {
            let tarball = tarball.unwrap();
            symlink(
                tarball.path(),
                place.path("cache/downloads").join(tarball.file_name()),
            )
            .unwrap();
        }
        place
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file of the project.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("project").join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// `build runtime` in the project.
    fn build(&self) -> Command {
        let mut command = r_layer(&self.path("project"));
        for setting in SETTINGS {
            command.env_remove(setting);
        }
        command
            .env("R_LAYER_CACHE", self.path("cache"))
            .args(["build", "runtime"]);
        command
    }

    /// The same with a CRAN that has nothing, so that no network is asked.
    fn build_offline(&self) -> Command {
        let mut command = self.build();
        command.env("R_LAYER_R_SOURCE", "cran");
        command.arg("--cran").arg(self.path("cran"));
        command
    }

    /// Makes sure that a build fails with all of these words, and leaves nothing but what the cache may keep.
    fn assert_refused(&self, command: &mut Command, words: &[&str]) {
        let before = self.files();
        let error = fail(command, 1);
        for word in words {
            assert!(error.contains(word), "`{word}` is not in: {error}");
        }
        let may_be = |path: &Path| {
            ["cache/downloads", "cache/locks", "cache/logs"]
                .iter()
                .any(|kept| path.starts_with(kept))
        };
        let new: Vec<PathBuf> = self
            .files()
            .difference(&before)
            .filter(|path| !may_be(path))
            .cloned()
            .collect();
        assert_eq!(new, [] as [PathBuf; 0], "{error}");
    }

    /// All files, links and devices, and folders in which there is none.
    fn files(&self) -> BTreeSet<PathBuf> {
        let mut files = BTreeSet::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    files.insert(
                        entry
                            .path()
                            .strip_prefix(self.folder.path())
                            .unwrap()
                            .to_owned(),
                    );
                }
            }
        }
        files
    }
}
