//! What the resolver is given.

use std::collections::{BTreeMap, BTreeSet};

use crate::package::{
    Description, NameError, PackageIndex, RVersion, Requirement, VersionError, check_package_name,
};

/// A repository and what it has.
#[derive(Clone, Copy, Debug)]
pub struct Repository<'a> {
    /// Its name in the manifest, the lock and messages.
    pub name: &'a str,
    /// Its index; of a repository that could not be asked, an empty one.
    pub index: &'a PackageIndex,
}

/// Which role a candidate that is in no index plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraKind {
    /// It was asked for as itself (a folder, a tarball, a git checkout): no other candidate of its package counts.
    Pinned,
    /// An archived version: taken if it is locked, or if no other fits.
    Archived,
}

/// A DESCRIPTION that names no package or no version.
#[derive(Debug, thiserror::Error)]
pub enum UnusableDescription {
    /// Its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its version.
    #[error("package {package}: {source}")]
    Version {
        /// The package.
        package: String,
        /// What is wrong with its version.
        source: VersionError,
    },
}

/// A DESCRIPTION whose name and version are checked.
#[derive(Clone, Debug)]
struct Described {
    description: Description,
    version: RVersion,
}

impl Described {
    fn new(description: Description) -> Result<Described, UnusableDescription> {
        check_package_name(&description.package)?;
        match description.version.parse() {
            Ok(version) => Ok(Described {
                description,
                version,
            }),
            Err(source) => Err(UnusableDescription::Version {
                package: description.package,
                source,
            }),
        }
    }
}

/// A candidate that is in no index, with its DESCRIPTION.
#[derive(Clone, Debug)]
pub struct Extra {
    described: Described,
    /// Its role.
    pub kind: ExtraKind,
    /// Where it is from, for messages and the lock: a repository's name, `./folder`, `github::owner/repo@ref`.
    pub origin: String,
}

impl Extra {
    /// A candidate from where `origin` says.
    pub fn new(
        description: Description,
        kind: ExtraKind,
        origin: impl Into<String>,
    ) -> Result<Extra, UnusableDescription> {
        Ok(Extra {
            described: Described::new(description)?,
            kind,
            origin: origin.into(),
        })
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        &self.described.description
    }

    /// Its version.
    pub fn version(&self) -> &RVersion {
        &self.described.version
    }

    /// Is it that package, and asked for by its place?
    pub fn is_pinned(&self, package: &str) -> bool {
        self.kind == ExtraKind::Pinned && self.description().package == package
    }
}

/// Who has a package that is there already.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// R itself, whose version it has: a base package.
    Base,
    /// The library of the R that the runtime layer is made from (recommended packages). It is packed from there.
    RLibrary,
    /// A layer that is there beside the one that is made: it is not packed again.
    Layer(String),
}

/// A package that is there already, compiled. Base packages need not be given, and are ignored.
#[derive(Clone, Debug)]
pub struct Given {
    described: Described,
    /// Who has it.
    pub holder: Holder,
}

impl Given {
    /// A package that somebody has.
    pub fn new(description: Description, holder: Holder) -> Result<Given, UnusableDescription> {
        Ok(Given {
            described: Described::new(description)?,
            holder,
        })
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        &self.described.description
    }

    /// Its version.
    pub fn version(&self) -> &RVersion {
        &self.described.version
    }
}

/// A package as the lock has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Its version.
    pub version: RVersion,
    /// Where it was from ([`Repository::name`], [`Extra::origin`]), if that is known.
    pub origin: Option<String>,
}

/// What of the lock is let go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// Nothing.
    #[default]
    Nothing,
    /// These packages. What they require stays as it is, if it satisfies them.
    Named(BTreeSet<String>),
    /// All.
    All,
}

/// What is preferred among versions that fit.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    /// The lock, by package.
    pub locked: BTreeMap<String, Locked>,
    /// What of it is let go.
    pub upgrade: Upgrade,
}

impl Preferences {
    /// The version to keep.
    pub(super) fn kept(&self, package: &str) -> Option<&Locked> {
        let let_go = match &self.upgrade {
            Upgrade::Nothing => false,
            Upgrade::Named(names) => names.contains(package),
            Upgrade::All => true,
        };
        self.locked.get(package).filter(|_| !let_go)
    }
}

/// All that the resolver is given.
#[derive(Clone, Copy, Debug)]
pub struct ResolveInput<'a> {
    /// What was asked for. A [`ExtraKind::Pinned`] extra is asked for with [`Requirement::any`] of its name.
    pub requests: &'a [Requirement],
    /// The repositories, the first before the second.
    pub repositories: &'a [Repository<'a>],
    /// Candidates that are in no index.
    pub extras: &'a [Extra],
    /// What is there already.
    pub given: &'a [Given],
    /// The version of R.
    pub r: &'a RVersion,
    /// The lock.
    pub preferences: &'a Preferences,
}

/// A version that no index has: its DESCRIPTION is to be fetched, and given as an [`Extra`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedVersion {
    /// The package.
    pub package: String,
    /// The version, as it was asked for (`1.2-3` and `1.2.3` are the same to R, but not to a file name).
    pub version: RVersion,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_without_a_usable_name_or_version_is_no_candidate() {
        for (text, part) in [
            (
                "Package: ../ab\nVersion: 1\n",
                "`../ab` is not a package name",
            ),
            (
                "Package: ab\nVersion: 1.0-SNAPSHOT\n",
                "package ab: `1.0-SNAPSHOT` is not a version",
            ),
        ] {
            let description = Description::parse(text).unwrap();
            let error = Given::new(description.clone(), Holder::RLibrary).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert!(Extra::new(description, ExtraKind::Pinned, "./ab").is_err());
        }
    }
}
