//! R packages: what their DESCRIPTION says, and how their versions compare.

mod description;
mod version;

pub use description::{BuiltField, DcfError, Description, parse_records};
pub use version::{RVersion, VersionError};
