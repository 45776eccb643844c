//! The folder of finished layers: `NAME.zip` with its build record `NAME.json` and its bill of materials
//! `NAME.cdx.json`.
//!
//! A zip is written under a hidden name and renamed when it is whole and audited; record and bill come first, so that
//! no zip is ever without its own. What a killed run left under a hidden name, a later run removes.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::BuildRecord;
use super::sbom::Sbom;
use crate::os::set_mode;

/// The beginning of the names of what is not finished.
const HIDDEN: &str = ".r-layer-";

/// A zip that is being written.
#[derive(Debug)]
pub struct UnfinishedZip {
    folder: PathBuf,
    file: NamedTempFile,
}

impl UnfinishedZip {
    /// An empty file in a folder, which is made if need be.
    pub fn create(folder: &Path) -> io::Result<UnfinishedZip> {
        fs_err::create_dir_all(folder)?;
        sweep(folder)?;
        let file = hidden(folder)?;
        // The lock is the system's: it is free as soon as this process is no more.
        file.as_file().lock()?;
        Ok(UnfinishedZip {
            folder: folder.to_owned(),
            file,
        })
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// What the zip is written to.
    pub fn output(&self) -> io::Result<File> {
        self.file.as_file().try_clone()
    }

    /// Gives the zip its name, after its record and its bill of materials.
    pub fn keep(self, record: &BuildRecord, sbom: &Sbom) -> io::Result<PathBuf> {
        let path = self.folder.join(&record.zip);
        let mut text = hidden(&self.folder)?;
        serde_json::to_writer_pretty(&mut text, record)?;
        text.write_all(b"\n")?;
        let bill = hidden(&self.folder)?;
        sbom.write(io::BufWriter::new(&bill))?;
        text.persist(path.with_extension("json"))?;
        bill.persist(path.with_extension("cdx.json"))?;
        self.file.as_file().sync_all()?;
        self.file.persist(&path)?;
        Ok(path)
    }
}

/// A temporary file that others may read, as they may what it becomes.
fn hidden(folder: &Path) -> io::Result<NamedTempFile> {
    let file = tempfile::Builder::new()
        .prefix(HIDDEN)
        .tempfile_in(folder)?;
    set_mode(file.path(), 0o644)?;
    Ok(file)
}

fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(HIDDEN));
        if is_hidden && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            // Another run may have removed it first.
            let _ = fs_err::remove_file(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_stays_and_what_was_left_goes() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(".r-layer-left");
        fs_err::write(&left, "half").unwrap();
        let zip = UnfinishedZip::create(folder.path()).unwrap();
        assert!(!left.exists());
        let other = UnfinishedZip::create(folder.path()).unwrap();
        assert!(zip.path().exists() && other.path().exists());
        drop(other);
        assert!(zip.path().exists());
    }
}
