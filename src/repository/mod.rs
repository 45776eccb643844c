//! CRAN, what is laid out like it, and Posit's servers: finding and fetching R and packages. RPM repositories: finding and
//! fetching system libraries.

mod cran;
mod location;
mod posit;
pub mod rpm_repository;
mod tarball;

pub use cran::{available_r_versions, newest_package, package_locations, r_locations};
pub use location::{Location, Mirror};
pub use posit::{PackageManager, PortableBuilds};
pub use tarball::{Tarball, TarballError, TarballRequest, Tarballs};
