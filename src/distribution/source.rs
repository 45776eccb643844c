//! R's source tarball: which one is meant, and whether a file is one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::archive::{self, ArchiveError, Links};
use crate::package::RVersion;
use crate::repository::Tarball;

/// Where R comes from, as a user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RSourceSpec {
    /// Posit's portable R, which is compiled already.
    Posit,
    /// Compiled from the source that CRAN has.
    Cran,
    /// Posit's if it can be had, else CRAN's.
    Auto,
    /// An R home that is there already.
    Folder(PathBuf),
}

impl fmt::Display for RSourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RSourceSpec::Posit => f.write_str("posit"),
            RSourceSpec::Cran => f.write_str("cran"),
            RSourceSpec::Auto => f.write_str("auto"),
            RSourceSpec::Folder(path) => write!(f, "dir:{}", path.display()),
        }
    }
}

impl FromStr for RSourceSpec {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text.split_once(':') {
            None if text == "posit" => Ok(RSourceSpec::Posit),
            None if text == "cran" => Ok(RSourceSpec::Cran),
            None if text == "auto" => Ok(RSourceSpec::Auto),
            Some(("dir", path)) if !path.is_empty() => Ok(RSourceSpec::Folder(path.into())),
            _ => Err(SourceError::Unknown(text.to_owned())),
        }
    }
}

/// Why a source of R is none.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No such kind.
    #[error(
        "`{0}` is no source of R; there are: posit (compiled already), cran (compiled from source), auto (posit, else \
         cran), dir:PATH (an R home that is there already)"
    )]
    Unknown(String),
    /// The tarball.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file in it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something else than R.
    #[error("{tarball} is not R's source: it has no {missing}")]
    NotR {
        /// The tarball.
        tarball: PathBuf,
        /// A file that R's source has.
        missing: &'static str,
    },
    /// Another R than asked for.
    #[error(
        "{tarball} is R {found}, not R {expected}; type --r-version {found} if that is the one you mean"
    )]
    OtherVersion {
        /// The tarball.
        tarball: PathBuf,
        /// Its version.
        found: String,
        /// The one asked for.
        expected: RVersion,
    },
}

/// The most that R's source may unpack to: ten times what 4.5.0 does.
const LARGEST_SOURCE: u64 = 2 << 30;

/// Unpacks R's source into an empty folder and makes sure that it is the R that it should be. Returns the folder
/// with `configure` in it.
pub fn check_r_source(
    tarball: &Tarball,
    version: &RVersion,
    folder: &Path,
) -> Result<PathBuf, SourceError> {
    let top = unpack_source(tarball, folder)?;
    for missing in ["configure", "VERSION", "src/main/main.c"] {
        if !top.join(missing).is_file() {
            return Err(SourceError::NotR {
                tarball: tarball.known_as(),
                missing,
            });
        }
    }
    // `4.5.0`, or `4.6.0 Under development (unstable)`.
    let text = fs_err::read_to_string(top.join("VERSION"))?;
    let found = text.split_whitespace().next().unwrap_or_default();
    if found.parse::<RVersion>().ok().as_ref() != Some(version) {
        return Err(SourceError::OtherVersion {
            tarball: tarball.known_as(),
            found: found.to_owned(),
            expected: version.clone(),
        });
    }
    Ok(top)
}

/// Unpacks a source tarball and returns its top folder.
pub fn unpack_source(tarball: &Tarball, folder: &Path) -> Result<PathBuf, SourceError> {
    archive::unpack(&tarball.path, folder, LARGEST_SOURCE, Links::Kept)
        .map_err(|error| error.of(tarball.known_as()))?;
    Ok(archive::top_folder(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_by_kind() {
        for name in ["posit", "cran", "auto", "dir:/opt/R"] {
            assert_eq!(name.parse::<RSourceSpec>().unwrap().to_string(), name);
        }
        assert_eq!(
            "dir:/opt/R".parse::<RSourceSpec>().unwrap(),
            RSourceSpec::Folder("/opt/R".into())
        );
        let error = "conda".parse::<RSourceSpec>().unwrap_err().to_string();
        assert!(error.contains("dir:PATH"), "{error}");
    }
}
