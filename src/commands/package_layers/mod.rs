//! Layers of packages: what is asked for → resolved and locked → fetched or compiled → zips, which are proven to load.

mod add;
mod assembling;
mod build;
pub mod check;
mod from_file;
mod lock;
mod locking;
mod merging;
mod obtaining;
pub mod pack;
mod project;
mod remove;
mod requests;
mod resolving;
mod tree;

pub use add::add;
pub use build::{build, build_all};
pub use lock::lock;
pub use merging::merge;
pub use remove::remove;
pub use tree::tree;

use std::fmt;

use serde::Serialize;

use super::packing::Built;
use crate::lockfile::LockDifference;
use crate::manifest::ManifestChange;

/// What a command changed and made, as it is printed.
#[derive(Debug, Default, Serialize)]
pub struct Changed {
    /// Is it what would be done, and nothing was?
    pub dry_run: bool,
    /// What is different in the manifest.
    pub manifest: Vec<ManifestChange>,
    /// What is different in the lock.
    pub lock: LockDifference,
    /// The zips.
    pub layers: Vec<Built>,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.manifest {
            writeln!(f, "r-layer.toml: {change}")?;
        }
        let lock = self.lock.to_string();
        for line in lock.lines() {
            writeln!(f, "r-layer.lock: {line}")?;
        }
        for built in &self.layers {
            built.fmt(f)?;
        }
        match (
            self.dry_run,
            self.manifest.is_empty() && self.lock.is_empty(),
        ) {
            (true, false) => writeln!(f, "a dry run: nothing was written or built"),
            (_, true) if self.layers.is_empty() => writeln!(f, "nothing is different"),
            _ => Ok(()),
        }
    }
}
