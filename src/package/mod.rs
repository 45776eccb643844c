//! R packages: what their DESCRIPTION says, how their versions compare, what their licences are called elsewhere; and
//! the packages of a distribution.

mod description;
mod license;
mod rpm;
mod version;

pub use description::{BuiltField, DcfError, Description, parse_records};
pub use license::{R_LICENSE, spdx_expression};
pub use rpm::RpmPackage;
pub use version::{RVersion, VersionError};
