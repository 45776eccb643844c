//! Why a package is wanted: the way from a request to it.

use std::fmt;

use crate::package::{RVersion, Requirement};

/// From a request over the packages that were chosen to what the last of them wants:
/// `a (requested) → b 1.0 → c (>= 2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The packages on the way, the requested one first; none if it was requested itself.
    pub through: Vec<(String, RVersion)>,
    /// What the last of them wants.
    pub wants: Requirement,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (package, version)) in self.through.iter().enumerate() {
            if index == 0 {
                write!(f, "{package} (requested) → ")?;
            } else {
                write!(f, "{package} {version} → ")?;
            }
        }
        write!(f, "{}", self.wants)?;
        f.write_str(if self.through.is_empty() {
            " (requested)"
        } else {
            ""
        })
    }
}
