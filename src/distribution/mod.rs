//! R itself, prebuilt, compiled or there already: how it becomes what a layer is made of.

mod build_order;
mod compile;
mod failed_package;
mod furnished;
mod installed;
mod job_slots;
mod package_tree;
mod packages;
mod prebuilt;
mod script;
mod source;
mod system_packages;
mod version;
mod workshop;

pub use build_order::DependencyCycle;
pub use compile::{Blas, BuildPlace, CompileError, Compiler, compiled_r};
pub use installed::{InstalledError, installed_r, version_of_home};
pub use package_tree::binary_package_trees;
pub use packages::{
    CompiledPackage, CompiledPackages, InstalledPackage, SourcePackage, compiled_packages,
};
pub use prebuilt::{PrebuiltError, binary_in_folder, binary_package, binary_packages, portable_r};
pub use source::{RSourceSpec, SourceError, check_r_source};
pub use version::{RVersionRequest, UnknownRequest};

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::layer::record::SourceRecord;
use crate::layer::tree::SourceFolder;
use crate::package::RVersion;

/// An R that is there.
#[derive(Clone, Debug)]
pub struct R {
    /// Its version.
    pub version: RVersion,
    /// Its R_HOME on this machine.
    pub home: SourceFolder,
    /// The root file system whose libraries it was linked to; nothing if it brings them along.
    pub root: Option<PathBuf>,
    /// What it was made from, and whose that is.
    pub sources: Vec<SourceRecord>,
    /// All that decided how it came out: name → hash or other mark.
    pub inputs: BTreeMap<String, String>,
}
