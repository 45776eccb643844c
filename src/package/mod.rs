//! R packages: what their DESCRIPTION says, how their versions compare, what their licences are called elsewhere; and
//! what they need of a distribution's packages.

mod description;
mod failed_compile;
mod lacking;
mod license;
mod rpm;
mod system_requirements;
mod version;

pub use description::{BuiltField, DcfError, Description, parse_records};
pub use failed_compile::explain;
pub use lacking::{LackingRule, lacking};
pub use license::{R_LICENSE, spdx_expression};
pub use rpm::RpmPackage;
pub use system_requirements::{PackageManager, Requirements, RuleError, SystemRequirement};
pub use version::{RVersion, VersionError};
