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
use crate::checksum::Sha256;
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

/// Removes the zips of a layer of packages that an earlier build left, with their records and bills: parts that there are
/// no more, for the same R, target and processor. Returns the zips.
pub fn remove_stale_parts(folder: &Path, kept: &[&BuildRecord]) -> io::Result<Vec<PathBuf>> {
    let Some(new) = kept.first() else {
        return Ok(Vec::new());
    };
    remove_zips(folder, |old| {
        !kept.iter().any(|record| record.zip == old.zip) && is_same_layer(old, new)
    })
}

/// Removes the zips that are meant, with their records and bills: those that are still what their record says. Returns the
/// zips.
pub fn remove_zips(
    folder: &Path,
    is_meant: impl Fn(&BuildRecord) -> bool,
) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for (path, record) in records(folder)? {
        let zip = folder.join(&record.zip);
        if !is_meant(&record) || !is_as_recorded(&zip, &record) {
            continue;
        }
        for file in [zip.clone(), zip.with_extension("cdx.json"), path] {
            match fs_err::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        removed.push(zip);
    }
    removed.sort();
    Ok(removed)
}

/// Another file of that name is somebody's own.
fn is_as_recorded(zip: &Path, record: &BuildRecord) -> bool {
    match Sha256::of_file(zip) {
        Ok(hash) => hash == record.sha256,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// The build records in a folder that name a zip of this folder.
pub fn records(folder: &Path) -> io::Result<Vec<(PathBuf, BuildRecord)>> {
    let mut records = Vec::new();
    if !folder.is_dir() {
        return Ok(records);
    }
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let is_record = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let record = is_record.then(|| fs_err::read(&path)).and_then(Result::ok);
        let record = record.and_then(|text| serde_json::from_slice::<BuildRecord>(&text).ok());
        // A record that names another file is not one of this folder's making.
        let record = record.filter(|record| path.file_stem() == Path::new(&record.zip).file_stem());
        records.extend(record.map(|record| (path, record)));
    }
    Ok(records)
}

fn is_same_layer(old: &BuildRecord, new: &BuildRecord) -> bool {
    new.layer_of_packages().is_some()
        && old.layer_of_packages() == new.layer_of_packages()
        && old.r_minor() == new.r_minor()
        && (&old.target, old.architecture) == (&new.target, new.architecture)
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
    use crate::package::RVersion;

    fn record(layer: &str, number: usize, of: usize, r: &str) -> BuildRecord {
        let name = match of {
            1 => layer.to_owned(),
            _ => format!("{layer}-{number}"),
        };
        let minor = r.parse::<RVersion>().unwrap().minor_text();
        serde_json::from_value(serde_json::json!({
            "record_version": 1, "name": name, "description": "", "zip": format!("r-{name}-{minor}.zip"),
            "sha256": crate::checksum::Sha256::of(b""), "zipped_size": 1, "unzipped_size": 1, "needs_s3": false,
            "target": "provided.al2023", "architecture": "x86_64", "r_version": r, "glibc": null,
            "r_layer_version": "", "packages": {}, "added_libraries": {}, "savings": [], "inputs": {},
            "part": { "layer": layer, "number": number, "of": of }
        }))
        .unwrap()
    }

    #[test]
    fn parts_that_there_are_no_more_go_and_other_layers_stay() {
        let folder = tempfile::tempdir().unwrap();
        let written = [
            record("models", 1, 3, "4.5.0"),
            record("models", 2, 3, "4.5.0"),
            record("models", 3, 3, "4.5.0"),
            record("models", 3, 3, "4.4.1"),
            record("models-3", 1, 1, "4.3.0"),
            record("other", 3, 3, "4.5.0"),
        ];
        for record in &written {
            let zip = folder.path().join(&record.zip);
            fs_err::write(
                zip.with_extension("json"),
                serde_json::to_vec(record).unwrap(),
            )
            .unwrap();
            fs_err::write(zip.with_extension("cdx.json"), "{}").unwrap();
            fs_err::write(zip, "").unwrap();
        }
        // A patch of R makes no other layer.
        let kept = [
            record("models", 1, 2, "4.5.2"),
            record("models", 2, 2, "4.5.2"),
        ];
        let removed = remove_stale_parts(folder.path(), &kept.each_ref()).unwrap();
        assert_eq!(removed, [folder.path().join("r-models-3-4.5.zip")]);
        let left = fs_err::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 3 * (written.len() - 1));
        let alone = record("models", 1, 1, "4.5.2");
        assert_eq!(
            remove_stale_parts(folder.path(), &[&alone]).unwrap().len(),
            2
        );
    }

    #[test]
    fn a_zip_that_is_not_what_its_record_says_is_somebodys_own() {
        let folder = tempfile::tempdir().unwrap();
        let record = record("models", 1, 1, "4.5.0");
        let zip = folder.path().join(&record.zip);
        let text = serde_json::to_vec(&record).unwrap();
        fs_err::write(zip.with_extension("json"), &text).unwrap();
        fs_err::write(&zip, "other").unwrap();
        let remove = || remove_zips(folder.path(), |record| record.r_minor().is_some()).unwrap();
        assert!(remove().is_empty() && zip.exists());
        fs_err::write(&zip, "").unwrap();
        assert_eq!(remove(), [zip]);
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
        assert!(
            remove_zips(&folder.path().join("none"), |_| true)
                .unwrap()
                .is_empty()
        );
    }

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
