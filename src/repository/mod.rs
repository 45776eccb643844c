//! CRAN, what is laid out like it, and Posit's servers: finding and fetching R and packages.

mod cran;
mod location;
mod posit;
mod tarball;

pub use cran::{available_r_versions, newest_package, package_locations, r_locations};
pub use location::{Location, Mirror};
pub use posit::{PackageManager, PortableBuilds};
pub use tarball::{Tarball, TarballError, TarballRequest, Tarballs};
