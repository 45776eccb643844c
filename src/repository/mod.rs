//! CRAN and what is laid out like it: finding and fetching R's and packages' source tarballs.

mod cran;
mod location;
mod tarball;

pub use cran::{available_r_versions, newest_source, package_locations, r_locations};
pub use location::{Location, Mirror};
pub use tarball::{Tarball, TarballError, TarballRequest, Tarballs};
