//! A package's folder as a source tarball: the same content is the same bytes, whoever packs it, wherever and whenever.
//!
//! It is what `R CMD install` needs. What `R CMD build` does beyond that is not done: vignettes are not built,
//! DESCRIPTION is not completed, data are not compressed anew.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::ignored::Ignored;
use super::stored::StoredGzip;
use super::{PackageContents, PackageError, PackageKind};
use crate::os::is_executable;

/// Not compressed: so the hash is one of the content, and not of what compressed it.
type Archive = Builder<StoredGzip<BufWriter<File>>>;

/// Folders within folders, and links to such, may be no deeper.
const DEEPEST: usize = 64;

/// Packs a package's folder into a file, which must not be there yet.
///
/// # Errors
/// It is no source package, `.Rbuildignore` has a line that is no pattern, or a link leads out of the folder.
pub fn pack(folder: &Path, known_as: &Path, tarball: &Path) -> Result<(), PackageError> {
    let not_a_package = |reason: &str| PackageError::NotAPackage {
        file: known_as.to_owned(),
        reason: reason.to_owned(),
    };
    let text = fs_err::read(folder.join("DESCRIPTION"))
        .map_err(|_| not_a_package("there is no file DESCRIPTION in that folder"))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let contents = PackageContents::of_text(text, known_as)?;
    if contents.kind() == PackageKind::Binary {
        return Err(not_a_package(
            "it is installed (its DESCRIPTION has a field Built); name the folder of its source",
        ));
    }
    let name = contents.description.package;
    let ignore = fs_err::read(folder.join(".Rbuildignore")).unwrap_or_default();
    let ignored = Ignored::of(&name, &String::from_utf8_lossy(&ignore), known_as)?;
    let file = BufWriter::new(fs_err::File::create_new(tarball)?.into());
    let mut packing = Packing {
        top: fs_err::canonicalize(folder)?,
        name,
        known_as,
        ignored,
        archive: Builder::new(StoredGzip::new(file)?),
    };
    packing.folder("", 0)?;
    let file = packing.archive.into_inner()?.finish()?;
    file.into_inner().map_err(|error| error.into_error())?;
    Ok(())
}

struct Packing<'a> {
    top: PathBuf,
    name: String,
    known_as: &'a Path,
    ignored: Ignored,
    archive: Archive,
}

impl Packing<'_> {
    /// Everything in a folder, by name. The folder itself is no entry, so that an empty one makes no difference: `R CMD
    /// build` leaves such out, and git does not know them.
    fn folder(&mut self, path: &str, depth: usize) -> Result<(), PackageError> {
        if depth > DEEPEST {
            return Err(self.refused(
                path,
                "lies deeper than folders of packages do; is it a link in a circle?",
            ));
        }
        let mut names = Vec::new();
        for entry in fs_err::read_dir(self.top.join(path))? {
            match entry?.file_name().into_string() {
                Ok(name) => names.push(name),
                Err(name) => {
                    return Err(
                        self.refused(&name.to_string_lossy(), "has a name that is not UTF-8")
                    );
                }
            }
        }
        names.sort();
        for name in names {
            let path = match path {
                "" => name,
                folder => format!("{folder}/{name}"),
            };
            self.entry(&path, depth)?;
        }
        Ok(())
    }

    /// A file or folder; a link becomes what it leads to, as `R CMD build` has it.
    fn entry(&mut self, path: &str, depth: usize) -> Result<(), PackageError> {
        let place = self.top.join(path);
        let is_link = fs_err::symlink_metadata(&place)?.is_symlink();
        if self.ignored.has(path, place.is_dir()) {
            return Ok(());
        }
        let target = match is_link {
            false => place,
            true => match fs_err::canonicalize(&place) {
                Ok(target) if target.starts_with(&self.top) => target,
                Ok(_) => return Err(self.refused(path, "is a link out of the package's folder")),
                Err(_) => return Err(self.refused(path, "is a link that leads nowhere")),
            },
        };
        let metadata = fs_err::metadata(&target)?;
        if metadata.is_dir() {
            return self.folder(path, depth + 1);
        }
        if !metadata.is_file() {
            return Err(self.refused(path, "is neither a file nor a folder"));
        }
        let is_script = matches!(path, "configure" | "cleanup");
        let mode = if is_script || is_executable(&metadata) {
            0o755
        } else {
            0o644
        };
        let content = fs_err::read(&target)?;
        let mut header = header(content.len() as u64, mode);
        let place = format!("{}/{path}", self.name);
        self.archive
            .append_data(&mut header, place, content.as_slice())?;
        Ok(())
    }

    fn refused(&self, path: &str, reason: &str) -> PackageError {
        PackageError::NotAPackage {
            file: self.known_as.to_owned(),
            reason: format!("`{path}` {reason}"),
        }
    }
}

/// Without owner and time.
fn header(size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{self, Links};
    use crate::checksum::Sha256;

    fn package(folder: &Path) {
        for (path, text) in [
            ("DESCRIPTION", "Package: my.pkg\nVersion: 0.1\n"),
            ("NAMESPACE", ""),
            ("R/code.R", "f <- function() 1\n"),
            ("src/code.c", "int x;\n"),
            ("src/code.o", "object"),
            (".git/config", "secret"),
            (".Rbuildignore", "^notes$\n"),
            ("notes/todo", "later"),
            ("configure", "#!/bin/sh\n"),
        ] {
            let path = folder.join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
    }

    fn packed(folder: &Path) -> Result<(tempfile::TempDir, PathBuf), PackageError> {
        let beside = tempfile::tempdir().unwrap();
        let tarball = beside.path().join("packed.tar.gz");
        pack(folder, Path::new("./my.pkg"), &tarball).map(|()| (beside, tarball))
    }

    #[test]
    fn a_folder_is_packed_without_what_is_no_part_of_the_package() {
        let folder = tempfile::tempdir().unwrap();
        package(folder.path());
        let (beside, tarball) = packed(folder.path()).unwrap();
        let into = beside.path().join("into");
        let executables = archive::unpack(&tarball, &into, 1 << 20, Links::Kept).unwrap();
        assert_eq!(executables, [PathBuf::from("my.pkg/configure")].into());
        for (path, is_there) in [
            ("DESCRIPTION", true),
            ("R/code.R", true),
            ("src/code.c", true),
            ("src/code.o", false),
            (".git", false),
            ("notes", false),
            (".Rbuildignore", false),
        ] {
            assert_eq!(into.join("my.pkg").join(path).exists(), is_there, "{path}");
        }
    }

    #[test]
    fn the_same_content_is_the_same_bytes_and_another_is_another() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        package(one.path());
        package(other.path());
        let hash = |folder: &Path| Sha256::of_file(&packed(folder).unwrap().1).unwrap();
        assert_eq!(hash(one.path()), hash(other.path()));
        assert_eq!(
            hash(one.path()).to_string(),
            "46f4fe7a7ed6b1a569020f892681590ed62ef0d79eca89224ca9fa2788bc3fe3",
            "locks have it"
        );
        fs_err::write(other.path().join("notes/todo"), "now").unwrap();
        fs_err::create_dir_all(other.path().join("inst/empty")).unwrap();
        assert_eq!(hash(one.path()), hash(other.path()));
        fs_err::write(other.path().join("R/code.R"), "f <- 2\n").unwrap();
        assert_ne!(hash(one.path()), hash(other.path()));
    }

    #[cfg(unix)]
    #[test]
    fn links_become_what_they_lead_to_and_never_lead_out() {
        let folder = tempfile::tempdir().unwrap();
        package(folder.path());
        crate::os::symlink("../R/code.R", folder.path().join("src/linked.R")).unwrap();
        let (_beside, tarball) = packed(folder.path()).unwrap();
        let found = archive::text_in(&tarball, "my.pkg/src/linked.R");
        assert_eq!(found.as_deref(), Some("f <- function() 1\n"));
        for (target, words) in [
            ("/etc/passwd", "link out of the package's folder"),
            ("nowhere", "leads nowhere"),
            ("..", "link in a circle"),
        ] {
            let link = folder.path().join("src/bad");
            crate::os::symlink(target, &link).unwrap();
            let error = packed(folder.path()).err().unwrap().to_string();
            assert!(
                error.contains(words) && error.contains("./my.pkg"),
                "{error}"
            );
            fs_err::remove_file(&link).unwrap();
        }
    }

    #[test]
    fn what_is_no_source_package_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = packed(folder.path()).err().unwrap().to_string();
        assert!(error.contains("no file DESCRIPTION"), "{error}");
        let text = "Package: my.pkg\nVersion: 1\nBuilt: R 4.5.0; ; 2025-01-01; unix\n";
        fs_err::write(folder.path().join("DESCRIPTION"), text).unwrap();
        let error = packed(folder.path()).err().unwrap().to_string();
        assert!(error.contains("it is installed"), "{error}");
    }
}
