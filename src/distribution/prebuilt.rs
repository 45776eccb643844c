//! R and packages that are compiled already: Posit's portable R, and Posit Package Manager's binary packages.
//!
//! Nothing of them is executed, and nothing but a folder is needed to take them in: any system will do.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;

use super::R;
use super::installed::{InstalledError, version_of_home};
use crate::archive::{self, ArchiveError, Links};
use crate::cache::{Cache, CacheError};
use crate::elf::ElfFile;
use crate::layer::record::SourceRecord;
use crate::layer::tree::{Modes, SourceFolder};
use crate::lockfile::BuiltFor;
use crate::package::{DcfError, Description, RVersion};
use crate::progress::Reporter;
use crate::repository::{PackageFile, Tarball, check_binary};
use crate::target::Architecture;

/// Why something prebuilt is refused.
#[derive(Debug, thiserror::Error)]
pub enum PrebuiltError {
    /// The tarball.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A file in it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something else than a portable R.
    #[error(
        "{tarball} is not Posit's portable R: it has no {missing}. If it is R's source, type --r-source cran"
    )]
    NotPortable {
        /// The tarball.
        tarball: PathBuf,
        /// A file that a portable R has.
        missing: String,
    },
    /// Another R than asked for.
    #[error(
        "{tarball} is R {found}, not R {expected}; type --r-version {found} if that is the one you mean"
    )]
    OtherVersion {
        /// The tarball.
        tarball: PathBuf,
        /// Its version.
        found: RVersion,
        /// The one asked for.
        expected: RVersion,
    },
    /// For another processor.
    #[error("{tarball} is for {found}, not for {expected}; is it another file than its name says?")]
    OtherArchitecture {
        /// The tarball.
        tarball: PathBuf,
        /// What its files are for.
        found: String,
        /// What was asked for.
        expected: Architecture,
    },
    /// No package, or another one.
    #[error("{tarball} is not the R package {package} {version}: {reason}")]
    NotThePackage {
        /// The tarball.
        tarball: PathBuf,
        /// The package asked for.
        package: String,
        /// Its version.
        version: String,
        /// What it is.
        reason: String,
    },
    /// A source, or compiled for another R or processor.
    #[error(
        "{tarball} cannot be used as it is: {reason}. Needed is the binary package for R {r} on {architecture}; name a \
         repository that has it with --p3m, or compile R and its packages with --r-source cran"
    )]
    NotBuiltForThis {
        /// The tarball.
        tarball: PathBuf,
        /// What it is.
        reason: String,
        /// R's minor version.
        r: String,
        /// The processor.
        architecture: Architecture,
    },
}

/// The most that a portable R may unpack to: several times what 4.5.0 does.
const LARGEST_R: u64 = 3 << 30;

/// The most that a binary package may unpack to.
pub(super) const LARGEST_PACKAGE: u64 = 2 << 30;

/// An entry of the cache is a folder with these: what was unpacked, and a list of its executable files.
const FILES: &str = "files";
const EXECUTABLES: &str = "executables";

/// Posit's portable R of that version and processor, from its tarball.
pub async fn portable_r(
    tarball: &Tarball,
    version: &RVersion,
    architecture: Architecture,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<R, PrebuiltError> {
    let name = format!("R-{version}-{architecture}-{}", tarball.sha256.short());
    let kept = cache
        .get_or_make("prebuilt", &name, reporter, async |content: &Path| {
            let task = reporter.begin(&format!("unpacking R {version}"), None);
            let what = format!("unpacked R {version}");
            // In a thread of its own, so that an interruption is heard meanwhile.
            let (tarball, version) = (tarball.clone(), version.clone());
            let content = content.to_owned();
            let unpack = move || unpack_r(&tarball, &version, architecture, &content);
            tokio::task::spawn_blocking(unpack)
                .await
                .map_err(std::io::Error::other)??;
            task.finish(&what);
            Ok::<(), PrebuiltError>(())
        })
        .await?;
    let what = format!("portable R, sha256 {}", tarball.sha256);
    Ok(R {
        version: version.clone(),
        home: kept_folder(&kept)?,
        root: None,
        sources: vec![SourceRecord {
            name: "R".to_owned(),
            version: version.to_string(),
            origin: "Posit's portable build".to_owned(),
            sha256: Some(tarball.sha256),
        }],
        inputs: [("R".to_owned(), what)].into(),
    })
}

fn unpack_r(
    tarball: &Tarball,
    version: &RVersion,
    architecture: Architecture,
    content: &Path,
) -> Result<(), PrebuiltError> {
    let unpacked = content.join("unpacked");
    let executables = archive::unpack(&tarball.path, &unpacked, LARGEST_R, Links::Copied)
        .map_err(|error| error.of(tarball.known_as()))?;
    let home = archive::top_folder(&unpacked)?.join("lib/R");
    check_r(tarball, &home, version, architecture)?;
    keep(content, &home, &executables)
}

/// Is that the R that its name says?
fn check_r(
    tarball: &Tarball,
    home: &Path,
    version: &RVersion,
    architecture: Architecture,
) -> Result<(), PrebuiltError> {
    let not_portable = |missing: &str| PrebuiltError::NotPortable {
        tarball: tarball.known_as(),
        missing: format!("lib/R/{missing}"),
    };
    for missing in [
        "bin/exec/R",
        "bin/R",
        "lib/libR.so",
        "library/base/R/Rprofile",
    ] {
        if !home.join(missing).is_file() {
            return Err(not_portable(missing));
        }
    }
    let found = version_of_home(home).map_err(|error| match error {
        InstalledError::NotAHome { missing, .. } => not_portable(missing),
        InstalledError::Io(error) => error.into(),
        InstalledError::OtherVersion { .. } => not_portable("version"),
    })?;
    if found != *version {
        return Err(PrebuiltError::OtherVersion {
            tarball: tarball.known_as(),
            found,
            expected: version.clone(),
        });
    }
    let program = ElfFile::read(&fs_err::read(home.join("bin/exec/R"))?[..]);
    let of = |found: String| PrebuiltError::OtherArchitecture {
        tarball: tarball.known_as(),
        found,
        expected: architecture,
    };
    match program.map(|elf| elf.architecture) {
        Ok(Some(found)) if found == architecture => Ok(()),
        Ok(Some(found)) => Err(of(found.to_string())),
        Ok(None) => Err(of("a processor that Lambda does not have".to_owned())),
        Err(error) => Err(of(format!("no Linux (bin/exec/R {error})"))),
    }
}

/// Leaves nothing of what was unpacked but one folder, with the list of its executables beside it.
fn keep(
    content: &Path,
    folder: &Path,
    executables: &BTreeSet<PathBuf>,
) -> Result<(), PrebuiltError> {
    let unpacked = content.join("unpacked");
    let place = folder.strip_prefix(&unpacked).unwrap_or(Path::new(""));
    let mut list = Vec::new();
    for path in executables {
        if let Ok(inside) = path.strip_prefix(place) {
            // A name that is no UTF-8 cannot be in a layer, which its reader says.
            writeln!(list, "{}", inside.to_string_lossy().replace('\\', "/"))?;
        }
    }
    fs_err::write(content.join(EXECUTABLES), list)?;
    fs_err::rename(folder, content.join(FILES))?;
    if unpacked.exists() {
        fs_err::remove_dir_all(unpacked)?;
    }
    Ok(())
}

fn kept_folder(kept: &Path) -> Result<SourceFolder, PrebuiltError> {
    let list = fs_err::read_to_string(kept.join(EXECUTABLES))?;
    Ok(SourceFolder {
        path: kept.join(FILES),
        modes: Modes::Listed(list.lines().map(PathBuf::from).collect()),
    })
}

/// A binary package from its tarball.
pub async fn binary_package(
    tarball: &Tarball,
    package: &str,
    version: &str,
    built_for: &BuiltFor,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<SourceFolder, PrebuiltError> {
    let architecture = built_for.architecture;
    let r = built_for.r.as_deref().unwrap_or_default();
    // R's version is in the name: the same tarball is right for one and wrong for another.
    let hash = tarball.sha256.short();
    let name = format!("{package}-{version}-R{r}-{architecture}-{hash}");
    let kept = cache
        .get_or_make("prebuilt", &name, reporter, async |content: &Path| {
            let (tarball, built_for) = (tarball.clone(), built_for.clone());
            let (package, version) = (package.to_owned(), version.to_owned());
            let content = content.to_owned();
            let unpack = move || unpack_package(&tarball, &package, &version, &built_for, &content);
            tokio::task::spawn_blocking(unpack)
                .await
                .map_err(std::io::Error::other)?
        })
        .await?;
    kept_folder(&kept)
}

/// Binary packages from their tarballs, unpacked on all cores, for packages that are compiled against them; in the order of
/// the files.
pub async fn binary_packages(
    files: &[PackageFile],
    built_for: &BuiltFor,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Vec<Result<SourceFolder, PrebuiltError>> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let turns = tokio::sync::Semaphore::new(cores);
    let unpack = async |file: &PackageFile| {
        // It is never closed.
        let _turn = turns.acquire().await.ok();
        let (name, version) = (&file.name, &file.version);
        binary_package(&file.tarball(), name, version, built_for, cache, reporter).await
    };
    join_all(files.iter().map(unpack)).await
}

fn unpack_package(
    tarball: &Tarball,
    package: &str,
    version: &str,
    built_for: &BuiltFor,
    content: &Path,
) -> Result<(), PrebuiltError> {
    let unpacked = content.join("unpacked");
    let executables = archive::unpack(&tarball.path, &unpacked, LARGEST_PACKAGE, Links::Copied)
        .map_err(|error| error.of(tarball.known_as()))?;
    let folder = archive::top_folder(&unpacked)?;
    let text = fs_err::read_to_string(folder.join("DESCRIPTION")).ok();
    check_package(tarball, text.as_deref(), package, version, built_for)?;
    keep(content, &folder, &executables)
}

/// The newest binary of a package in a folder of this machine that was built for that: its version and its tarball.
/// Sources of the same name, and binaries for something else, are passed over.
pub fn binary_in_folder(
    folder: &Path,
    package: &str,
    built_for: &BuiltFor,
) -> Option<(RVersion, PathBuf)> {
    let fitting = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        let version = name
            .strip_prefix(&format!("{package}_"))?
            .strip_suffix(".tar.gz")?;
        let text = archive::text_in(&path, &format!("{package}/DESCRIPTION"))?;
        let found = Description::parse(&text).ok()?;
        let fits = found.package == package && found.version == version;
        (fits && check_binary(&found, built_for).is_ok()).then_some(())?;
        Some((version.parse::<RVersion>().ok()?, path))
    };
    let entries = fs_err::read_dir(folder).ok()?.flatten();
    entries
        .filter_map(|entry| fitting(entry.path()))
        .max_by(|(one, _), (other, _)| one.cmp(other))
}

/// Is it that package, built for that? `text`: its DESCRIPTION.
pub(super) fn check_package(
    tarball: &Tarball,
    text: Option<&str>,
    package: &str,
    version: &str,
    built_for: &BuiltFor,
) -> Result<(), PrebuiltError> {
    let other = |reason: String| PrebuiltError::NotThePackage {
        tarball: tarball.known_as(),
        package: package.to_owned(),
        version: version.to_owned(),
        reason,
    };
    let text = text.ok_or_else(|| other("it has no DESCRIPTION".to_owned()))?;
    let found = Description::parse(text).map_err(|error: DcfError| other(error.to_string()))?;
    if found.package != package || found.version != version {
        let Description {
            package, version, ..
        } = found;
        return Err(other(format!("it is {package} {version}")));
    }
    check_binary(&found, built_for).map_err(|reason| PrebuiltError::NotBuiltForThis {
        tarball: tarball.known_as(),
        reason,
        r: built_for.r.clone().unwrap_or_default(),
        architecture: built_for.architecture,
    })
}
