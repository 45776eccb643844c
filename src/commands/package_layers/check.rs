//! The proof that packages load: each in a fresh R of the runtime, in a root like Lambda's with all layers in /opt.

mod failure;
#[cfg(unix)]
mod loading;

use anyhow::Result;

pub use failure::{CheckError, LoadFailure, Want};

use crate::cache::Cache;
use crate::layer::ExaminedLayer;
use crate::progress::Reporter;
use crate::target::{Architecture, Target};

/// Packages that are to load, and where.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// The packages.
    pub packages: &'a [String],
    /// Functions in `layers/proof` that are called too, each in a fresh R; one that fails is a failure.
    pub proofs: &'a [&'static str],
    /// All layers of the function in their order, one of them with the runtime.
    pub layers: &'a [ExaminedLayer],
    /// Where they are to run.
    pub target: &'a Target,
    /// On which processor.
    pub architecture: Architecture,
    /// The root: `auto`, `debian:SUITE`, `oci:IMAGE` or `dir:PATH`.
    pub root: &'a str,
}

/// What came of a check that could be done, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Every package loads.
    Passed,
    /// This machine cannot run them: the reason.
    NotHere(String),
}

impl Check<'_> {
    /// Loads each package.
    ///
    /// # Errors
    /// [`CheckError`] if packages do not load; others if there is no root to load them in.
    #[cfg(unix)]
    pub async fn run(&self, cache: &Cache, reporter: &dyn Reporter) -> Result<Checked> {
        use crate::sandbox::{bubblewrap_runs, check_runs};
        if let Err(error) = check_runs(self.architecture) {
            return Ok(Checked::NotHere(error.to_string()));
        }
        if let Err(error) = bubblewrap_runs().await {
            return Ok(Checked::NotHere(error.to_string()));
        }
        let failures = self.failures(cache, reporter).await?;
        if failures.is_empty() {
            return Ok(Checked::Passed);
        }
        Err(CheckError { failures }.into())
    }

    /// Loads each package.
    #[cfg(not(unix))]
    pub async fn run(&self, _cache: &Cache, _reporter: &dyn Reporter) -> Result<Checked> {
        let reason = "a root like Lambda's needs Linux".to_owned();
        Ok(Checked::NotHere(reason))
    }
}
