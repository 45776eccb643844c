//! A folder of a repository that holds packages of one kind and an index of them: `src/contrib`, or its like for
//! binaries.

use std::fmt;

use super::packages::PackageKind;
use super::{Location, Mirror};
use crate::lockfile::BuiltFor;

/// A folder with packages and their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContribFolder {
    /// The name of the repository.
    pub repository: String,
    /// What its packages are built for; nothing if they are sources.
    pub built_for: Option<BuiltFor>,
    base: Mirror,
}

impl ContribFolder {
    pub(super) fn of_sources(repository: &str, base: Mirror) -> ContribFolder {
        ContribFolder {
            repository: repository.to_owned(),
            built_for: None,
            base,
        }
    }

    pub(super) fn of_binaries(
        repository: &str,
        base: Mirror,
        built_for: BuiltFor,
    ) -> ContribFolder {
        ContribFolder {
            repository: repository.to_owned(),
            built_for: Some(built_for),
            base,
        }
    }

    /// What its packages should be. A server may have a source among binaries all the same.
    pub fn kind(&self) -> PackageKind {
        match self.built_for {
            Some(_) => PackageKind::Binary,
            None => PackageKind::Source,
        }
    }

    /// A file in it.
    pub fn at(&self, path: &str) -> Location {
        self.base.at(path)
    }

    /// The folder itself.
    pub fn base(&self) -> &Mirror {
        &self.base
    }
}

impl fmt::Display for ContribFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.fmt(f)
    }
}
