//! R packages: what their DESCRIPTION says, what they require, how their versions compare, what people call them, what a
//! repository's index tells, what their licences are called elsewhere; and what they need of a distribution's packages.

mod description;
mod failed_compile;
mod index;
mod lacking;
mod license;
mod name;
mod request;
mod requirement;
mod rpm;
mod system_requirements;
mod version;

pub use description::{
    BuiltField, DcfError, Dependencies, Description, RemoteOrigin, parse_records,
};
pub use failed_compile::explain;
pub use index::{IndexError, IndexProblem, PackageIndex, PackageRecord};
pub use lacking::{LackingRule, lacking};
pub use license::{R_LICENSE, spdx_expression};
pub use name::{
    BASE_PACKAGES, NameError, RECOMMENDED_PACKAGES, check_package_name, is_base_package,
    is_package_name,
};
pub use request::{PackageRequest, RequestError};
pub use requirement::{
    Comparison, ComparisonError, Operator, Requirement, RequirementError, RequirementFault,
};
pub use rpm::RpmPackage;
pub use system_requirements::{PackageManager, Requirements, RuleError, SystemRequirement};
pub use version::{RVersion, VersionError};
