//! What the resolver is given.

use std::collections::{BTreeMap, BTreeSet};

use crate::package::{Description, PackageIndex, RVersion, Requirement};

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

/// A candidate that is in no index, with its DESCRIPTION.
#[derive(Clone, Debug)]
pub struct Extra {
    /// What it says of itself.
    pub description: Description,
    /// Its role.
    pub kind: ExtraKind,
    /// Where it is from, for messages and the lock: a repository's name, `./folder`, `github::owner/repo@ref`.
    pub origin: String,
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
    /// What it says of itself.
    pub description: Description,
    /// Who has it.
    pub holder: Holder,
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
