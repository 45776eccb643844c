//! R itself: where it comes from, and how it becomes what a layer is made of.

mod compile;
mod installed;
mod script;
mod source;
mod workshop;

pub use compile::{Blas, BuildPlace, CompileError, Compiler, compiled_package, compiled_r};
pub use installed::{InstalledError, installed_r, version_of_home};
pub use source::{RSourceSpec, SourceError, check_r_source};

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::package::RVersion;

/// An R that is there: its home folder, and the root file system whose libraries it was linked to.
#[derive(Clone, Debug)]
pub struct R {
    /// Its version.
    pub version: RVersion,
    /// Its R_HOME on this machine.
    pub home: PathBuf,
    /// Where the libraries are that it was linked to.
    pub root: PathBuf,
    /// What it was made from: name → hash or other mark.
    pub inputs: BTreeMap<String, String>,
}
