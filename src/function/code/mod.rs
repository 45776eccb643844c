//! The code of a function as a zip: the same bytes for the same files, without what does not belong into it.

mod handler;
mod left_out;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use ignore::{DirEntry, WalkBuilder};

use crate::checksum::Sha256;
use crate::layer::tree::Content;
use crate::layer::zip::{self, ZipError};
use crate::layer::{Entry, LayerTree};
pub use handler::check_handler;
pub use left_out::LeftOut;
use left_out::reason;

/// Rules of one's own for what is deployed, in the syntax of `.gitignore` and stronger than it.
pub const IGNORE_FILE: &str = ".lambdaignore";

/// Why a folder cannot be deployed.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// Not read.
    #[error("the code cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Not walked through, or ignore rules that are none.
    #[error("the code cannot be read: {0}")]
    Walk(#[from] ignore::Error),
    /// The zip was not written.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// A link to elsewhere.
    #[error(
        "{link} leads out of the folder, to {target}: the function would not have it. Copy what it leads to in its place, \
         or leave it out with a line in {IGNORE_FILE}"
    )]
    LeadsOut {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A name that a zip cannot have.
    #[error("{0} has a name that is not UTF-8; rename it")]
    NotUtf8(PathBuf),
    /// No files.
    #[error(
        "{0} has no files that would be deployed; name the folder with the function's code with --code"
    )]
    Empty(PathBuf),
    /// No such folder.
    #[error(
        "{0} is not there; name the folder with the function's code, or one R file, with --code"
    )]
    NotThere(PathBuf),
    /// No file for the handler.
    #[error("{0}")]
    NoHandler(String),
}

/// The code of a function.
#[derive(Clone, Debug)]
pub struct FunctionCode {
    /// The zip.
    pub zip: Bytes,
    /// Its hash.
    pub sha256: Sha256,
    /// Bytes of its files.
    pub unzipped: u64,
    /// The paths of its files, in the zip.
    pub files: Vec<String>,
    /// What is there and not in the zip, for people.
    pub left_out: Vec<LeftOut>,
    folder: PathBuf,
}

impl FunctionCode {
    /// Packs a folder, or one R file. `source_date_epoch` is the time of all entries, else 1980.
    pub fn pack(path: &Path, source_date_epoch: Option<&str>) -> Result<FunctionCode, CodeError> {
        let CodeTree {
            tree,
            left_out,
            folder,
        } = CodeTree::of(path)?;
        let mut zip = Vec::new();
        zip::write(&tree, zip::entry_time(source_date_epoch)?, &mut zip)?;
        Ok(FunctionCode {
            sha256: Sha256::of(&zip),
            zip: zip.into(),
            unzipped: tree.unzipped_size(),
            files: tree.iter().map(|(path, _)| path.to_owned()).collect(),
            left_out,
            folder,
        })
    }

    /// Writes its files into a folder.
    pub fn write_to(&self, folder: &Path) -> std::io::Result<()> {
        for path in &self.files {
            let place = folder.join(path);
            if let Some(parent) = place.parent() {
                fs_err::create_dir_all(parent)?;
            }
            fs_err::copy(self.folder.join(path), place)?;
        }
        Ok(())
    }

    /// The R code in it, as text: path, content. R Markdown counts as such.
    pub fn r_sources(&self) -> std::io::Result<Vec<(String, String)>> {
        let is_r = |path: &&String| {
            let extension = Path::new(path).extension().unwrap_or_default();
            let extension = extension.to_string_lossy().to_lowercase();
            ["r", "rmd", "qmd"].contains(&extension.as_str())
        };
        let sources = self.files.iter().filter(is_r).map(|path| {
            let content = fs_err::read(self.folder.join(path))?;
            Ok((path.clone(), String::from_utf8_lossy(&content).into_owned()))
        });
        sources.collect()
    }
}

/// The code of a function, not packed yet: its files stay where they are.
#[derive(Clone, Debug)]
pub struct CodeTree {
    /// Its files.
    pub tree: LayerTree,
    /// What is there and not among them, for people.
    pub left_out: Vec<LeftOut>,
    /// Where they are.
    pub folder: PathBuf,
}

impl CodeTree {
    /// The files of a folder, or one R file.
    pub fn of(path: &Path) -> Result<CodeTree, CodeError> {
        let (folder, found) = match path.metadata() {
            Err(_) => return Err(CodeError::NotThere(path.to_owned())),
            Ok(found) if found.is_file() => {
                let folder = path.parent().unwrap_or(Path::new("")).to_owned();
                (folder, Files::one(path))
            }
            Ok(_) => (path.to_owned(), Files::of_folder(path)?),
        };
        let mut tree = LayerTree::default();
        for file in &found.kept {
            let (place, entry) = entry(&folder, file)?;
            tree.insert(place, entry);
        }
        if tree.is_empty() {
            return Err(CodeError::Empty(path.to_owned()));
        }
        Ok(CodeTree {
            tree,
            left_out: found.left_out,
            folder,
        })
    }
}

/// Files of a folder, by whether they are deployed.
struct Files {
    kept: Vec<PathBuf>,
    left_out: Vec<LeftOut>,
}

impl Files {
    fn one(path: &Path) -> Files {
        Files {
            kept: vec![path.to_owned()],
            left_out: Vec::new(),
        }
    }

    fn of_folder(folder: &Path) -> Result<Files, CodeError> {
        let by_rule: Arc<Mutex<BTreeSet<LeftOut>>> = Arc::default();
        let kept = files(folder, true, &by_rule)?;
        let all = files(folder, false, &Arc::default())?;
        let by_rule = by_rule.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left_out: BTreeSet<LeftOut> = by_rule.clone();
        let ignored = all.iter().filter(|path| !kept.contains(*path));
        left_out.extend(ignored.map(|path| LeftOut {
            path: shown(folder, path),
            reason: format!("by .gitignore or {IGNORE_FILE}"),
            is_expected: true,
        }));
        Ok(Files {
            kept: kept.into_iter().collect(),
            left_out: left_out.into_iter().collect(),
        })
    }
}

/// The files of a folder that rules leave, with or without those of ignore files. Neither a repository around the folder
/// nor the user's own settings of git count: the same folder gives the same zip everywhere.
fn files(
    folder: &Path,
    ignoring: bool,
    by_rule: &Arc<Mutex<BTreeSet<LeftOut>>>,
) -> Result<BTreeSet<PathBuf>, CodeError> {
    let mut walk = WalkBuilder::new(folder);
    walk.standard_filters(false)
        .follow_links(true)
        .git_ignore(ignoring)
        .require_git(false);
    if ignoring {
        walk.add_custom_ignore_filename(IGNORE_FILE);
    }
    let (root, by_rule) = (folder.to_owned(), by_rule.clone());
    walk.filter_entry(move |entry| match left_out(&root, entry) {
        None => true,
        Some(found) => {
            let mut all = by_rule.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(found);
            false
        }
    });
    let mut files = BTreeSet::new();
    for entry in walk.build() {
        let entry = entry?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.insert(entry.into_path());
        }
    }
    Ok(files)
}

fn left_out(root: &Path, entry: &DirEntry) -> Option<LeftOut> {
    let path = shown(root, entry.path());
    let (reason, is_expected) = reason(&path)?;
    Some(LeftOut {
        path,
        reason: reason.to_owned(),
        is_expected,
    })
}

/// A path as it is in the zip: `/` between folders.
fn shown(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts = inside.components();
    let parts: Vec<_> = parts
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

fn entry(folder: &Path, file: &Path) -> Result<(String, Entry), CodeError> {
    if file.to_str().is_none() {
        return Err(CodeError::NotUtf8(file.to_owned()));
    }
    let target = fs_err::canonicalize(file)?;
    let root = match folder.as_os_str().is_empty() {
        true => fs_err::canonicalize(".")?,
        false => fs_err::canonicalize(folder)?,
    };
    if !target.starts_with(root) {
        return Err(CodeError::LeadsOut {
            link: file.to_owned(),
            target,
        });
    }
    let found = fs_err::metadata(file)?;
    let entry = Entry {
        size: found.len(),
        executable: crate::os::is_executable(&found),
        content: Content::File(file.to_owned()),
    };
    Ok((shown(folder, file), entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        }
        folder
    }

    fn pack(folder: &tempfile::TempDir) -> FunctionCode {
        FunctionCode::pack(folder.path(), None).unwrap()
    }

    #[test]
    fn the_same_files_give_the_same_zip_wherever_they_are() {
        let files = [("script.R", "f <- 1"), ("data/x.csv", "1,2")];
        let (one, other) = (folder(&files), folder(&files));
        assert_eq!(pack(&one).sha256, pack(&other).sha256);
        assert_eq!(pack(&one).files, ["data/x.csv", "script.R"]);
        assert_eq!(pack(&one).unzipped, 9);
        let sources = pack(&one).r_sources().unwrap();
        assert_eq!(sources, [("script.R".to_owned(), "f <- 1".to_owned())]);
    }

    #[test]
    fn what_does_not_belong_there_is_left_out_and_named() {
        let project = folder(&[
            ("script.R", "x"),
            (".Renviron", "KEY=secret"),
            (".Rhistory", "x"),
            (".git/config", "x"),
            ("renv/library/R-4.5/x", "x"),
            ("renv/activate.R", "x"),
            ("keys/server.pem", "x"),
            (".env", "KEY=secret"),
            ("dist/r.zip", "x"),
            ("r-layer.toml", "x"),
            ("notes.txt", "x"),
            ("model.rds", "x"),
            ("sub/big.csv", "x"),
            (".gitignore", "notes.txt\n*.rds\n"),
            ("sub/.gitignore", "big.csv\n"),
            (".lambdaignore", "!model.rds\n"),
        ]);
        let code = pack(&project);
        assert_eq!(code.files, ["model.rds", "renv/activate.R", "script.R"]);
        let out = |path: &str| code.left_out.iter().find(|out| out.path == path);
        for secret in [".Renviron", ".env", "keys/server.pem"] {
            assert!(!out(secret).unwrap().is_expected, "{secret}");
        }
        for usual in [".git", "renv/library", "notes.txt", "sub/big.csv", "dist"] {
            assert!(out(usual).unwrap().is_expected, "{usual}");
        }
    }

    #[test]
    fn one_file_is_a_function_too_and_nothing_is_an_error() {
        let project = folder(&[("script.R", "x"), ("other.R", "y")]);
        let code = FunctionCode::pack(&project.path().join("script.R"), None).unwrap();
        assert_eq!(code.files, ["script.R"]);
        let empty = folder(&[(".Rhistory", "x")]);
        let error = FunctionCode::pack(empty.path(), None).unwrap_err();
        assert!(matches!(error, CodeError::Empty(_)), "{error}");
        let error = FunctionCode::pack(&project.path().join("none"), None).unwrap_err();
        assert!(error.to_string().contains("--code"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_within_the_folder_and_refused_out_of_it() {
        use std::os::unix::fs::symlink;
        let project = folder(&[("a/script.R", "x")]);
        symlink("a/script.R", project.path().join("script.R")).unwrap();
        assert_eq!(pack(&project).files, ["a/script.R", "script.R"]);
        symlink("/etc/hostname", project.path().join("host")).unwrap();
        let error = FunctionCode::pack(project.path(), None).unwrap_err();
        assert!(matches!(error, CodeError::LeadsOut { .. }), "{error}");
    }
}
