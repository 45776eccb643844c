//! Unpacking layers into a folder, as Lambda unpacks them into /opt: in order, later files over earlier ones.

use std::io;
use std::path::{Path, PathBuf};

use super::LayerArchive;
use super::archive::{ArchiveEntry, ReadZipError};
use crate::os::{set_mode, symlink};
use crate::root_path::within_folder;

/// Why a layer was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// An entry that leaves the folder.
    #[error("{layer}: the entry `{entry}` leaves the folder that the layer is unpacked into")]
    Unsafe {
        /// The zip.
        layer: String,
        /// The entry.
        entry: String,
    },
    /// An entry that cannot be unpacked.
    #[error(transparent)]
    Zip(#[from] ReadZipError),
    /// The folder.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Unpacks layers into an empty folder.
pub fn unpack<'a>(
    layers: impl IntoIterator<Item = &'a LayerArchive>,
    folder: &Path,
) -> Result<(), UnpackError> {
    fs_err::create_dir_all(folder)?;
    for layer in layers {
        for entry in &layer.entries {
            let leaves = || UnpackError::Unsafe {
                layer: layer.name.clone(),
                entry: entry.path.clone(),
            };
            let place = within_folder(Path::new(""), Path::new(&entry.path)).ok_or_else(leaves)?;
            if passes_a_link(folder, &place) {
                return Err(leaves());
            }
            unpack_entry(entry, &place, folder, leaves)?;
        }
    }
    Ok(())
}

/// Is one of the folders above a path a link? What is written there would land elsewhere.
fn passes_a_link(folder: &Path, place: &Path) -> bool {
    place
        .ancestors()
        .skip(1)
        .any(|above| folder.join(above).is_symlink())
}

fn unpack_entry(
    entry: &ArchiveEntry,
    place: &Path,
    folder: &Path,
    leaves: impl Fn() -> UnpackError,
) -> Result<(), UnpackError> {
    let path = folder.join(place);
    if entry.is_folder() {
        fs_err::create_dir_all(path)?;
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    if path.is_symlink() || path.is_file() {
        fs_err::remove_file(&path)?;
    }
    if entry.is_symlink() {
        let target = PathBuf::from(String::from_utf8_lossy(&entry.content()?).into_owned());
        let parent = place.parent().unwrap_or(Path::new(""));
        within_folder(parent, &target).ok_or_else(leaves)?;
        symlink(target, path)?;
    } else {
        fs_err::write(&path, entry.content()?)?;
        let executable = entry.mode & 0o111 != 0;
        let mode = if executable { 0o755 } else { 0o644 };
        set_mode(&path, mode)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use rawzip::path::EntryPath;
    use rawzip::{Crc32Option, DataDescriptorOutput, ZipArchiveWriter};

    use super::*;

    fn layer(entries: &[(&str, u32, &str)]) -> LayerArchive {
        let mut zip = ZipArchiveWriter::new(Vec::new());
        for (path, mode, content) in entries {
            let (mut file, _) = zip
                .new_file(EntryPath::verbatim(path.as_bytes()))
                .unix_permissions(*mode)
                .crc32(Crc32Option::Skip)
                .start()
                .unwrap();
            file.write_all(content.as_bytes()).unwrap();
            let crc = rawzip::crc32(content.as_bytes());
            file.finish(DataDescriptorOutput::new(crc, content.len() as u64))
                .unwrap();
        }
        LayerArchive::read("some.zip", zip.finish().unwrap().into()).unwrap()
    }

    #[test]
    fn later_layers_win() {
        let folder = tempfile::tempdir().unwrap();
        let opt = folder.path().join("opt");
        let layers = [
            layer(&[
                ("bootstrap", 0o100_755, "one"),
                ("lib/", 0o040_755, ""),
                ("lib/a", 0, "a"),
            ]),
            layer(&[("bootstrap", 0o100_755, "two"), ("lib/b", 0o120_777, "a")]),
        ];
        unpack(&layers, &opt).unwrap();
        assert_eq!(
            fs_err::read_to_string(opt.join("bootstrap")).unwrap(),
            "two"
        );
        assert_eq!(fs_err::read_to_string(opt.join("lib/b")).unwrap(), "a");
        let mode = |path: &str| {
            fs_err::metadata(opt.join(path))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!((mode("bootstrap"), mode("lib/a")), (0o755, 0o644));
    }

    #[test]
    fn nothing_is_written_outside() {
        let folder = tempfile::tempdir().unwrap();
        for entries in [
            vec![("../out", 0, "x")],
            vec![("/out", 0, "x")],
            vec![("link", 0o120_777, "../..")],
            vec![("link", 0o120_777, "/etc")],
            vec![("d", 0o120_777, "lib"), ("d/out", 0, "x")],
        ] {
            let opt = folder.path().join("a/opt");
            let refused = unpack(&[layer(&entries)], &opt);
            assert!(
                matches!(refused, Err(UnpackError::Unsafe { .. })),
                "{entries:?}"
            );
            let _ = fs_err::remove_dir_all(&opt);
        }
    }
}
