//! What a package's tarball says of itself: its DESCRIPTION, read without unpacking the rest, and whether that is
//! what was asked for.

use std::path::{Path, PathBuf};

use super::{PackageError, PackageKind};
use crate::archive;
use crate::lockfile::BuiltFor;
use crate::package::{BuiltField, Description, RVersion, is_package_name};

/// A package's own word of itself.
#[derive(Clone, Debug)]
pub struct PackageContents {
    /// Name, version and `Built`.
    pub description: Description,
    /// The whole text.
    pub text: String,
}

impl PackageContents {
    /// Of a tarball, whose user knows it by another name than the cache does.
    pub fn of_tarball(path: &Path, known_as: &Path) -> Result<PackageContents, PackageError> {
        let not_a_package = |reason: &str| PackageError::NotAPackage {
            file: known_as.to_owned(),
            reason: reason.to_owned(),
        };
        if !archive::is_tarball(path)? {
            return Err(not_a_package("it is not a .tar.gz or .tar.xz file"));
        }
        let found = archive::find_text(path, is_description)
            .map_err(|error| error.of(known_as.to_owned()))?;
        let (_, text) =
            found.ok_or_else(|| not_a_package("it has no DESCRIPTION in its folder"))?;
        PackageContents::of_text(text, known_as)
    }

    /// Of a DESCRIPTION's text.
    pub fn of_text(text: String, known_as: &Path) -> Result<PackageContents, PackageError> {
        let not_a_package = |reason: String| PackageError::NotAPackage {
            file: known_as.to_owned(),
            reason: format!("its DESCRIPTION: {reason}"),
        };
        let description =
            Description::parse(&text).map_err(|error| not_a_package(error.to_string()))?;
        if !is_package_name(&description.package) {
            let reason = format!("`{}` is no name of a package", description.package);
            return Err(not_a_package(reason));
        }
        description
            .version
            .parse::<RVersion>()
            .map_err(|error| not_a_package(error.to_string()))?;
        Ok(PackageContents { description, text })
    }

    /// Source or binary.
    pub fn kind(&self) -> PackageKind {
        match self.description.built {
            Some(_) => PackageKind::Binary,
            None => PackageKind::Source,
        }
    }

    /// Is it that package and version?
    pub fn check_is(&self, name: &str, version: &str, known_as: &Path) -> Result<(), PackageError> {
        let found = &self.description;
        let same_version = found.version == version
            || match (found.version.parse::<RVersion>(), version.parse()) {
                (Ok(one), Ok(other)) => one == other,
                _ => false,
            };
        if found.package == name && same_version {
            return Ok(());
        }
        Err(PackageError::OtherPackage {
            file: known_as.to_owned(),
            found: format!("{} {}", found.package, found.version),
            expected: format!("{name} {version}"),
        })
    }

    /// If it is a binary, was it built for that? If a source is needed, is it one? A source in the place of a binary is
    /// no error: [`PackageContents::kind`] says what it is.
    pub fn check_built_for(
        &self,
        built_for: Option<&BuiltFor>,
        known_as: &Path,
    ) -> Result<(), PackageError> {
        match (self.kind(), built_for) {
            (PackageKind::Source, _) => Ok(()),
            (found, None) => Err(PackageError::OtherKind {
                file: known_as.to_owned(),
                found,
            }),
            (PackageKind::Binary, Some(built_for)) => check_binary(&self.description, built_for)
                .map_err(|reason| PackageError::NotBuiltForThis {
                    file: known_as.to_owned(),
                    reason,
                    needed: needed(built_for),
                }),
        }
    }
}

fn needed(built_for: &BuiltFor) -> String {
    let architecture = built_for.architecture;
    match &built_for.r {
        Some(r) => format!("the binary for R {r} on {architecture}"),
        None => format!("the binary for {architecture}"),
    }
}

/// Was a package built for that? Else what it is.
pub(crate) fn check_binary(found: &Description, built_for: &BuiltFor) -> Result<(), String> {
    let built = found.built.as_deref().ok_or("it is the package's source")?;
    let built: BuiltField = built
        .parse()
        .map_err(|error| format!("its field Built: {error}"))?;
    if built_for.r.is_some() && Some(built.r.minor_text()) != built_for.r {
        return Err(format!("it was built for R {}", built.r));
    }
    match built.architecture() {
        Some(found) if found == built_for.architecture => Ok(()),
        None if built.platform.is_empty() => Ok(()),
        _ => Err(format!("it was built on {}", built.platform)),
    }
}

/// `PKG/DESCRIPTION`, whatever the folder is called.
fn is_description(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "DESCRIPTION") && path.iter().count() == 2
}

/// Unpacks a source package into an empty folder and returns the folder of the package in it.
///
/// # Errors
/// Paths or links that leave the folder, several folders at its top, another package than the file should hold.
pub fn unpack_source(file: &super::PackageFile, folder: &Path) -> Result<PathBuf, PackageError> {
    let known_as = file.known_as();
    archive::unpack(&file.path, folder, LARGEST_SOURCE, archive::Links::Kept)
        .map_err(|error| error.of(known_as.clone()))?;
    let top = archive::top_folder(folder)?;
    let text = fs_err::read(top.join("DESCRIPTION")).map_err(|_| PackageError::NotAPackage {
        file: known_as.clone(),
        reason: "it is not one folder with a DESCRIPTION in it".to_owned(),
    })?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let contents = PackageContents::of_text(text, &known_as)?;
    contents.check_is(&file.name, &file.version, &known_as)?;
    contents.check_built_for(None, &known_as)?;
    Ok(top)
}

/// The most that a source package may unpack to; CRAN's largest have some hundred MB.
const LARGEST_SOURCE: u64 = 4 << 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Architecture;

    const BINARY: &str =
        "Package: a.b\nVersion: 1.2-3\nBuilt: R 4.5.1; x86_64-pc-linux-gnu; 2025-04-12; unix\n";

    fn contents(text: &str) -> PackageContents {
        PackageContents::of_text(text.to_owned(), Path::new("x")).unwrap()
    }

    fn built_for(r: &str, architecture: Architecture) -> BuiltFor {
        BuiltFor {
            architecture,
            r: Some(r.to_owned()),
        }
    }

    #[test]
    fn names_that_could_lead_elsewhere_are_no_names() {
        for name in ["data.table", "R6", "A3"] {
            assert!(is_package_name(name), "{name}");
        }
        for name in [
            "", "a", "-o", "../x", "a/b", "1a", "a.", "a b", "é1", "a\nb",
        ] {
            assert!(!is_package_name(name), "{name}");
        }
    }

    #[test]
    fn a_package_is_known_by_its_name_and_by_its_version_as_r_compares_it() {
        let found = contents(BINARY);
        let is = |name, version| found.check_is(name, version, Path::new("x"));
        assert!(is("a.b", "1.2-3").is_ok());
        assert!(is("a.b", "1.2.3").is_ok());
        let error = is("a.b", "1.2-4").unwrap_err().to_string();
        assert_eq!(error, "x holds a.b 1.2-3, and a.b 1.2-4 was asked for");
        assert!(is("a.c", "1.2-3").is_err());
    }

    #[test]
    fn a_binary_is_believed_on_what_it_was_built_for() {
        let found = contents(BINARY);
        let check =
            |wanted: Option<BuiltFor>| found.check_built_for(wanted.as_ref(), Path::new("x"));
        assert!(check(Some(built_for("4.5", Architecture::X86_64))).is_ok());
        let error = check(Some(built_for("4.4", Architecture::X86_64)));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("built for R 4.5.1"), "{error}");
        let error = check(Some(built_for("4.5", Architecture::Arm64)));
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("x86_64-pc-linux-gnu") && error.contains("arm64"),
            "{error}"
        );
        let error = check(None).unwrap_err().to_string();
        assert!(error.contains("is a binary package"), "{error}");
        let source = contents("Package: ab\nVersion: 1\n");
        assert_eq!(source.kind(), PackageKind::Source);
        let wanted = built_for("4.5", Architecture::X86_64);
        assert!(
            source
                .check_built_for(Some(&wanted), Path::new("x"))
                .is_ok()
        );
    }

    #[test]
    fn a_description_without_a_name_or_version_is_refused() {
        for text in [
            "",
            "<html>",
            "Package: ab\n",
            "Package: -ab\nVersion: 1\n",
            "Package: ab\nVersion: new\n",
        ] {
            let error = PackageContents::of_text(text.to_owned(), Path::new("x.tar.gz"));
            let error = error.unwrap_err().to_string();
            assert!(error.contains("x.tar.gz is not an R package"), "{error}");
        }
    }
}
