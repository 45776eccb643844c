//! `dir:PATH`: an R home that is there already, on an Amazon Linux machine or in a CI container.

use std::path::{Path, PathBuf};

use super::R;
use crate::checksum::Sha256;
use crate::layer::record::SourceRecord;
use crate::layer::tree::SourceFolder;
use crate::package::{Description, RVersion};

/// Why a folder is no R home.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    /// Something that an R home has is not there.
    #[error(
        "{home} is not an R home: it has no {missing}. Name the folder that `R RHOME` prints; an R without \
         a shared libR cannot go into a layer (configure it with --enable-R-shlib)"
    )]
    NotAHome {
        /// The folder.
        home: PathBuf,
        /// What is missing.
        missing: &'static str,
    },
    /// Another version than asked for.
    #[error("{home} is R {found}, not R {expected}; leave --r-version out, or name another folder")]
    OtherVersion {
        /// The folder.
        home: PathBuf,
        /// Its version.
        found: RVersion,
        /// The one asked for.
        expected: RVersion,
    },
    /// A file of it could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The version of the R whose home that is, as its base package says.
pub fn version_of_home(home: &Path) -> Result<RVersion, InstalledError> {
    let not_a_home = |missing| InstalledError::NotAHome {
        home: home.to_owned(),
        missing,
    };
    let text = fs_err::read_to_string(home.join("library/base/DESCRIPTION"))
        .map_err(|_| not_a_home("library/base/DESCRIPTION"))?;
    Description::parse(&text)
        .ok()
        .and_then(|description| description.version.parse().ok())
        .ok_or_else(|| not_a_home("version in library/base/DESCRIPTION"))
}

/// Looks at an R home. `expected` is the version that was asked for, if one was.
pub fn installed_r(home: &Path, expected: Option<&RVersion>) -> Result<R, InstalledError> {
    let home = fs_err::canonicalize(home)?;
    let version = version_of_home(&home)?;
    for missing in ["bin/exec/R", "lib/libR.so"] {
        if !home.join(missing).is_file() {
            return Err(InstalledError::NotAHome { home, missing });
        }
    }
    if let Some(expected) = expected.filter(|expected| **expected != version) {
        return Err(InstalledError::OtherVersion {
            home,
            found: version,
            expected: expected.clone(),
        });
    }
    let inputs = [(
        "R".to_owned(),
        format!(
            "{version}, libR.so {}",
            Sha256::of_file(&home.join("lib/libR.so"))?
        ),
    )];
    Ok(R {
        sources: vec![SourceRecord {
            name: "R".to_owned(),
            version: version.to_string(),
            origin: "an R that was there already".to_owned(),
            sha256: None,
        }],
        version,
        home: SourceFolder::new(home),
        root: Some("/".into()),
        inputs: inputs.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_no_r_home_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let error = installed_r(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains("library/base/DESCRIPTION"), "{error}");
        fs_err::create_dir_all(folder.path().join("library/base")).unwrap();
        fs_err::write(
            folder.path().join("library/base/DESCRIPTION"),
            "Package: base\nVersion: 4.4.1\n",
        )
        .unwrap();
        let error = installed_r(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains("bin/exec/R"), "{error}");
    }
}
