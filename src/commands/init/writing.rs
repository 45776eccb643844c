//! Writing a project's files beside those that are there.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::template::ProjectFile;
use crate::os::set_mode;

/// Is something at this path, be it a link that leads nowhere?
pub fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Can the files be written into this folder?
pub fn check_folder(folder: &Path, files: &[ProjectFile]) -> Result<()> {
    let is_other = |path: &Path| is_there(path) && !path.is_dir();
    if let Some(found) = folder.ancestors().find(|path| is_other(path)) {
        bail!(
            "{} is no folder; name one that is there, or that is to be made",
            found.display()
        );
    }
    for file in files {
        let inner = Path::new(file.path).ancestors().skip(1);
        let mut inner = inner.map(|path| folder.join(path));
        if let Some(found) = inner.find(|path| is_other(path)) {
            bail!(
                "{} is no folder, and {} is to be in it; rename it, or name another folder",
                found.display(),
                file.path
            );
        }
    }
    Ok(())
}

/// Writes files, all or none of them: what was written before one that cannot be is removed again.
pub fn write_all(folder: &Path, files: &[&ProjectFile]) -> Result<()> {
    let mut made = Made::default();
    for file in files {
        if let Err(error) = made.write(&folder.join(file.path), &file.text) {
            made.remove();
            return Err(error).with_context(|| {
                format!("{} cannot be written", folder.join(file.path).display())
            });
        }
    }
    Ok(())
}

/// What was made up to now.
#[derive(Default)]
struct Made {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    /// Writes a file that is not there, beside its place first.
    fn write(&mut self, path: &Path, text: &str) -> std::io::Result<()> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        self.make_folder(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        set_mode(file.path(), 0o644)?;
        file.write_all(text.as_bytes())?;
        file.persist_noclobber(path)?;
        self.files.push(path.to_owned());
        Ok(())
    }

    fn make_folder(&mut self, folder: &Path) -> std::io::Result<()> {
        let missing = folder
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        for folder in missing.into_iter().rev() {
            fs_err::create_dir(&folder)?;
            self.folders.push(folder);
        }
        Ok(())
    }

    /// Removes it all. What cannot be removed stays: the error that is told already is the one that counts.
    fn remove(&self) {
        for file in &self.files {
            let _ = fs_err::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs_err::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &'static str) -> ProjectFile {
        ProjectFile {
            path,
            what: "",
            text: path.to_owned(),
        }
    }

    #[test]
    fn one_that_cannot_be_written_leaves_nothing_of_the_others() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let [one, inner] = [file("one"), file("inner/two")];
        // A file where a folder has to be.
        let in_its_way = file("one/three");
        let error = write_all(&folder, &[&one, &inner, &in_its_way]).unwrap_err();
        assert!(format!("{error:#}").contains("one/three"), "{error:#}");
        assert!(!parent.path().join("a").exists());

        write_all(&folder, &[&one, &inner]).unwrap();
        assert_eq!(
            fs_err::read_to_string(folder.join("inner/two")).unwrap(),
            "inner/two"
        );
        // What is there is not overwritten, nor removed.
        let other = file("other");
        assert!(write_all(&folder, &[&other, &one]).is_err());
        assert!(folder.join("one").exists() && !folder.join("other").exists());
    }

    #[test]
    fn what_is_no_folder_is_named() {
        let parent = tempfile::tempdir().unwrap();
        fs_err::write(parent.path().join("tests"), "").unwrap();
        let files = [file("tests/test-script.R")];
        let message = |folder: &Path| check_folder(folder, &files).unwrap_err().to_string();
        assert!(message(parent.path()).contains("tests is no folder, and tests/test-script.R"));
        assert!(
            message(&parent.path().join("tests/deeper")).contains("tests is no folder; name one")
        );
        assert!(check_folder(&parent.path().join("new"), &files).is_ok());
    }
}
