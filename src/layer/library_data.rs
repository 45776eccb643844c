//! Data files that a library reads at run time, as PROJ its database: they come along, and bootstrap tells the library
//! where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher, GlobSet};
use serde::Deserialize;

use super::complete::AddedLibrary;
use super::elf_files::file_name;
use super::library_rules::Variables;
use super::prune::patterns;
use super::tree::Content;
use super::{Entry, LayerTree};
use crate::elf::{LibraryOrigin, is_elf};
use crate::embedded;
use crate::os::is_executable;
use crate::root_path::resolve_in_root;

/// Which data a library needs, or a layer has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRule {
    /// Patterns of the library's soname; none for what a layer has whatever its libraries are.
    #[serde(default)]
    pub library: Vec<String>,
    /// RPMs that have the data, if the library's own has not.
    #[serde(default)]
    pub packages: BTreeSet<String>,
    /// The folders.
    #[serde(default)]
    pub folders: Vec<DataFolder>,
    /// Files of this program's: where each goes, below /opt → where it is below `layers/`.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What tells the library where they are.
    #[serde(default)]
    pub environment: Variables,
    /// Their licence, by its SPDX name, where the package that they are from does not say it.
    #[serde(default)]
    pub license: Option<String>,
    /// What they are, for people.
    pub reason: String,
}

/// A folder of data.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFolder {
    /// Patterns of where it may be in a root; the first that is there is taken.
    pub from: Vec<String>,
    /// Where it goes, below /opt.
    pub to: String,
    /// Patterns of what is taken of it, in paths below it; everything, if there are none.
    #[serde(default)]
    pub only: Vec<String>,
    /// Does the library not work without?
    #[serde(default)]
    pub required: bool,
}

impl DataRule {
    /// Matches the sonames that the rule is about.
    pub fn matcher(&self) -> Result<GlobSet, globset::Error> {
        patterns(&self.library)
    }
}

/// Where data are looked for.
#[derive(Clone, Debug, Default)]
pub struct DataRoots {
    /// The roots that libraries were compiled in.
    pub build_roots: Vec<PathBuf>,
    /// The folders of fetched packages, each like a root.
    pub packages: Vec<PathBuf>,
}

impl DataRoots {
    fn of(&self, origin: &LibraryOrigin) -> Vec<&Path> {
        match origin {
            LibraryOrigin::File(_) => self.build_roots.iter().map(PathBuf::as_path).collect(),
            LibraryOrigin::Rpm(_) => self.packages.iter().map(PathBuf::as_path).collect(),
        }
    }
}

/// What came along.
#[derive(Clone, Debug, Default)]
pub struct AddedData {
    /// A line for each rule: what came along, for which library, from where.
    pub notes: Vec<String>,
    /// What is missing without which a library does not work.
    pub absent: Vec<String>,
    /// How many files.
    pub files: usize,
    /// Path of a file → path of the library that needs it.
    pub needed_by: BTreeMap<String, String>,
    /// What is to be set for the libraries.
    pub environment: Variables,
    /// Are there libraries among the data? They may need others.
    pub has_libraries: bool,
}

impl AddedData {
    /// Adds what came along later.
    pub fn add(&mut self, later: AddedData) {
        self.notes.extend(later.notes);
        self.absent.extend(later.absent);
        self.files += later.files;
        self.needed_by.extend(later.needed_by);
        self.environment.extend(later.environment);
        self.has_libraries |= later.has_libraries;
    }
}

/// Why data could not be brought along.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A rule whose pattern is none.
    #[error(transparent)]
    Pattern(#[from] globset::Error),
}

/// The RPMs that have data for libraries which came from RPMs.
pub fn data_packages<'a>(
    rules: &[DataRule],
    sonames: impl IntoIterator<Item = &'a str> + Clone,
) -> Result<BTreeSet<String>, globset::Error> {
    let mut packages = BTreeSet::new();
    for rule in rules {
        let matcher = rule.matcher()?;
        if sonames
            .clone()
            .into_iter()
            .any(|soname| matcher.is_match(soname))
        {
            packages.extend(rule.packages.iter().cloned());
        }
    }
    Ok(packages)
}

/// Adds the data of the libraries that were added to a tree.
pub fn insert_data(
    tree: &mut LayerTree,
    added: &[AddedLibrary],
    rules: &[DataRule],
    roots: &DataRoots,
) -> Result<AddedData, DataError> {
    let mut report = AddedData::default();
    for rule in rules {
        let matcher = rule.matcher()?;
        let library = added
            .iter()
            .find(|library| matcher.is_match(file_name(&library.path)));
        if let Some(library) = library {
            rule.insert(tree, library, roots, &mut report)?;
        }
    }
    Ok(report)
}

impl DataRule {
    fn insert(
        &self,
        tree: &mut LayerTree,
        library: &AddedLibrary,
        roots: &DataRoots,
        report: &mut AddedData,
    ) -> Result<(), DataError> {
        let soname = file_name(&library.path);
        let roots = roots.of(&library.from);
        for folder in &self.folders {
            let before = report.files;
            let mut found = None;
            for root in &roots {
                found = folder.find(root)?;
                if let Some(place) = &found {
                    folder.insert(tree, root, place, &library.path, report)?;
                    if report.files > before {
                        break;
                    }
                }
            }
            let files = report.files - before;
            if let Some(place) = found.filter(|_| files > 0) {
                report.notes.push(format!(
                    "{files} files of {} from {} for {soname}: {}",
                    folder.to,
                    place.display(),
                    self.reason
                ));
            } else if folder.required {
                report.absent.push(format!(
                    "{soname} needs {} ({}), which is not where the library came from",
                    self.reason,
                    folder.from.join(" or ")
                ));
            }
        }
        for place in self.insert_files(tree) {
            report.files += 1;
            report.needed_by.insert(place, library.path.clone());
        }
        report.environment.extend(self.environment.clone());
        Ok(())
    }

    /// Adds the files that are this program's. Returns their paths.
    pub(super) fn insert_files(&self, tree: &mut LayerTree) -> Vec<String> {
        for (place, file) in &self.files {
            let content = embedded::text(file).as_bytes();
            tree.insert(place.clone(), Entry::bytes(content, false));
        }
        self.files.keys().cloned().collect()
    }
}

impl DataFolder {
    /// The first folder of a root that a pattern matches and that has files: its path within the root.
    pub(super) fn find(&self, root: &Path) -> Result<Option<PathBuf>, DataError> {
        for pattern in &self.from {
            let mut places = vec![PathBuf::new()];
            for part in pattern.split('/') {
                let matcher = Glob::new(part)?.compile_matcher();
                let literal = !part.contains(['*', '?', '[', '{']);
                places = places
                    .into_iter()
                    .flat_map(|place| match literal {
                        true => vec![place.join(part)],
                        false => folders_in(root, &place, &matcher),
                    })
                    .collect();
            }
            let there = |place: &PathBuf| {
                resolve_in_root(root, place).is_some_and(|path| {
                    fs_err::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
                })
            };
            if let Some(place) = places.into_iter().find(there) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// What is taken of a folder of a root: path below the folder, and on this machine.
    pub(super) fn files(
        &self,
        root: &Path,
        place: &Path,
    ) -> Result<Vec<(String, PathBuf)>, DataError> {
        let only = patterns(&self.only)?;
        let mut files = Vec::new();
        walk(root, place, "", 0, &mut files)?;
        files.retain(|(below, _)| self.only.is_empty() || only.is_match(below));
        files.sort();
        Ok(files)
    }

    fn insert(
        &self,
        tree: &mut LayerTree,
        root: &Path,
        place: &Path,
        library: &str,
        report: &mut AddedData,
    ) -> Result<(), DataError> {
        for (below, path) in self.files(root, place)? {
            let metadata = fs_err::metadata(&path)?;
            let is_library = file_name(&below).contains(".so") && is_elf(&fs_err::read(&path)?);
            report.has_libraries |= is_library;
            report.files += 1;
            let entry = Entry {
                size: metadata.len(),
                content: Content::File(path),
                executable: is_library || is_executable(&metadata),
            };
            let place = format!("{}/{below}", self.to);
            report.needed_by.insert(place.clone(), library.to_owned());
            tree.insert(place, entry);
        }
        Ok(())
    }
}

/// The folders in a folder of a root whose names match, sorted.
fn folders_in(root: &Path, place: &Path, matcher: &GlobMatcher) -> Vec<PathBuf> {
    let entries = resolve_in_root(root, place)
        .into_iter()
        .filter_map(|path| fs_err::read_dir(path).ok())
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| matcher.is_match(Path::new(&entry.file_name())))
        .map(|entry| place.join(entry.file_name()))
        .filter(|place| resolve_in_root(root, place).is_some_and(|path| path.is_dir()))
        .collect();
    found.sort();
    found
}

/// How deep data may nest: more than any has, less than a link in a circle.
const DEEPEST: usize = 16;

/// Every file below a folder of a root, links followed within the root: its path below the folder, and on this machine.
fn walk(
    root: &Path,
    place: &Path,
    below: &str,
    depth: usize,
    files: &mut Vec<(String, PathBuf)>,
) -> io::Result<()> {
    let Some(folder) = resolve_in_root(root, place).filter(|_| depth <= DEEPEST) else {
        return Ok(());
    };
    for entry in fs_err::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(text) = name.to_str() else { continue };
        let within = match below {
            "" => text.to_owned(),
            below => format!("{below}/{text}"),
        };
        let place = place.join(&name);
        match resolve_in_root(root, &place) {
            Some(path) if path.is_dir() => walk(root, &place, &within, depth + 1, files)?,
            Some(path) if path.is_file() => files.push((within, path)),
            _ => {}
        }
    }
    Ok(())
}

/// The folder of a layer in which bootstrap looks for files with settings, whatever layer they are from.
pub const ENVIRONMENT_FOLDER: &str = "r-layer/environment.d";

/// Adds the file that makes bootstrap set variables, unless the function has set them; none, if there are none.
pub fn insert_environment(tree: &mut LayerTree, layer: &str, environment: &Variables) {
    if !environment.is_empty() {
        let path = format!("{ENVIRONMENT_FOLDER}/{layer}.sh");
        tree.insert(path, Entry::bytes(environment_file(environment), false));
    }
}

/// Lines of shell that set variables that are not set yet. What no shell could take literally is left out.
pub(super) fn environment_file(environment: &Variables) -> String {
    environment
        .iter()
        .filter(|(name, value)| is_settable(name, value))
        .map(|(name, value)| format!(": \"${{{name}:={value}}}\"\nexport {name}\n"))
        .collect()
}

/// Is it a variable's name, and a value of nothing but paths' letters?
pub(super) fn is_settable(name: &str, value: &str) -> bool {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_value = |c: char| c.is_ascii_alphanumeric() || "/._-:,+=@".contains(c);
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(is_name)
        && value.chars().all(is_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> DataRule {
        toml::from_str(
            r#"
            library = ["libproj.so.*"]
            packages = ["proj", "proj-data"]
            folders = [
                { from = ["usr/share/proj", "usr/lib/*/proj"], to = "share/proj", only = ["*.db", "*/*.json"], required = true },
            ]
            environment = { PROJ_DATA = "/opt/share/proj" }
            reason = "the database"
            "#,
        )
        .unwrap()
    }

    fn added(root: &Path) -> AddedLibrary {
        AddedLibrary {
            path: "lib/libproj.so.25".into(),
            from: LibraryOrigin::File(root.join("usr/lib/libproj.so.25")),
            size: 1,
        }
    }

    #[test]
    #[cfg(unix)]
    fn data_come_along_through_links_of_the_root_and_with_their_variable() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("usr/lib/x86_64-linux-gnu/proj");
        fs_err::create_dir_all(folder.join("more")).unwrap();
        fs_err::create_dir_all(root.path().join("srv")).unwrap();
        fs_err::write(root.path().join("srv/real.db"), "database").unwrap();
        // An absolute link is one of the root, not of this machine.
        std::os::unix::fs::symlink("/srv/real.db", folder.join("proj.db")).unwrap();
        fs_err::write(folder.join("more/a.json"), "{}").unwrap();
        fs_err::write(folder.join("README"), "no").unwrap();
        let roots = DataRoots {
            build_roots: vec![root.path().to_owned()],
            ..DataRoots::default()
        };
        let mut tree = LayerTree::default();
        let report = insert_data(&mut tree, &[added(root.path())], &[rule()], &roots).unwrap();
        let paths: Vec<&str> = tree.iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["share/proj/more/a.json", "share/proj/proj.db"]);
        let database = tree.get("share/proj/proj.db").unwrap();
        assert_eq!(
            (&database.read().unwrap()[..], database.size),
            (&b"database"[..], 8)
        );
        assert_eq!(report.environment["PROJ_DATA"], "/opt/share/proj");
        assert_eq!((report.files, report.has_libraries), (2, false));
        assert!(report.absent.is_empty());
    }

    #[test]
    fn data_that_are_nowhere_are_told() {
        let root = tempfile::tempdir().unwrap();
        let mut tree = LayerTree::default();
        let roots = DataRoots {
            packages: vec![root.path().to_owned()],
            ..DataRoots::default()
        };
        let report = insert_data(&mut tree, &[added(root.path())], &[rule()], &roots).unwrap();
        assert!(report.absent[0].contains("libproj.so.25 needs the database"));
        assert!(tree.is_empty());
    }

    #[test]
    fn only_rules_of_libraries_that_are_there_ask_for_packages() {
        let rules = [rule()];
        let packages = data_packages(&rules, ["libproj.so.25"]).unwrap();
        assert_eq!(packages.iter().collect::<Vec<_>>(), ["proj", "proj-data"]);
        assert!(data_packages(&rules, ["libprojx.so.1"]).unwrap().is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn the_settings_are_what_a_shell_sets_unless_they_are_set() {
        let variables: Variables = [
            ("PROJ_DATA", "/opt/share/proj"),
            ("GDAL_DATA", "/opt/share/gdal"),
            ("EVIL", "$(touch /evil)"),
            ("a;b", "x"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let mut tree = LayerTree::default();
        insert_environment(&mut tree, "spatial", &variables);
        let entry = tree.get("r-layer/environment.d/spatial.sh").unwrap();
        let text = String::from_utf8(entry.read().unwrap().to_vec()).unwrap();
        assert!(!text.contains("evil") && !text.contains("a;b"), "{text}");
        let script = format!("{text}exec env");
        let output = std::process::Command::new("sh")
            .args(["-euc", &script])
            .env("GDAL_DATA", "/mine")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("PROJ_DATA=/opt/share/proj\n"), "{said}");
        assert!(said.contains("GDAL_DATA=/mine\n"), "{said}");
    }
}
