//! CRAN, what is laid out like it, and Posit's servers: finding and fetching R and packages. RPM repositories: finding and
//! fetching system libraries.
//!
//! [`RepositorySet`] says where packages are looked for, [`PackageSources::indexes`] what is there,
//! [`PackageSources::fetch_all`] has it; what is in no repository comes by [`PackageSources::local_file`],
//! `local_folder`, `git` and `github`. [`PackageSources::system_requirements`] says what packages need of a system.

mod contrib;
mod cran;
mod credentials_hint;
mod index;
mod location;
mod packages;
mod posit;
pub mod rpm_repository;
mod set;
mod system_requirements;
mod tarball;
mod unknown;

pub use contrib::ContribFolder;
pub use cran::{available_r_versions, newest_package, package_locations, r_locations};
pub use index::{IndexError, IndexProblem, IndexState, IndexText, Indexes};
pub use location::{Location, Mirror};
pub(crate) use packages::check_binary;
pub use packages::{
    CommitOrigin, GitHubRequest, GitRequest, IndexEntry, PackageContents, PackageError,
    PackageFile, PackageKind, PackageOrigin, PackageRequest, PackageSources, unpack_source,
};
pub use posit::{PackageManager, PortableBuilds};
pub use set::{Binaries, Repository, RepositoryError, RepositorySet, RepositorySettings};
pub use system_requirements::{System, SystemRequirements};
pub use tarball::{Tarball, TarballError, TarballRequest, Tarballs};
pub use unknown::UnknownPackage;
