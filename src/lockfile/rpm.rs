//! `[[rpm]]`: a package of the target's system that libraries were taken from, since R packages need them and Lambda
//! lacks them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::package::RpmPackage;

/// A package that libraries came from, pinned: the next build takes the same, and need not ask for the index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LockedRpm {
    /// The libraries that were taken from it, by soname; none if it was for its data.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub libraries: BTreeSet<String>,
    /// The package.
    #[serde(flatten)]
    pub package: RpmPackage,
}

impl LockedRpm {
    /// Is it the same package, in whatever version?
    pub(super) fn is_of(&self, other: &LockedRpm) -> bool {
        (&self.package.name, &self.package.architecture)
            == (&other.package.name, &other.package.architecture)
    }
}
