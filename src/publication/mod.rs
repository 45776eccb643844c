//! What is published where, as values: ARNs, who may use a layer version, names from templates, descriptions by which
//! layers are known again, and the record `r-layer.arns.json` of it all.
//!
//! Nothing here asks AWS. What AWS answers comes in as text, what it is to be asked for goes out as values.

mod arn;
mod description;
mod grant;
mod listing;
mod name;
mod record;
mod reference;
mod region;
mod template;
mod text;
mod timestamp;

pub use arn::{
    AccountId, ArnError, LayerArn, LayerVersionArn, OrganizationId, Partition, PlaceError, Region,
    RoleArn,
};
pub use description::{
    Described, LONGEST_DESCRIPTION, LONGEST_LICENSE, TooLong, check_description, checked_license,
    describe, described_r, logical_name,
};
pub use grant::{
    Grant, GrantChanges, GrantError, NewStatement, PolicyError, Statement, StatementMeaning,
    grants_of, policy_statements,
};
pub use listing::{ListedLayer, Listing, ListingFilter, ListingFormat};
pub use name::{NameError, PublishedName, is_called, is_named};
pub use record::{Publication, PublicationKey, PublicationRecord, RecordError};
pub use reference::{LayerReference, ReferenceError};
pub use region::RegionError;
pub use template::{
    BucketTemplate, LayerNameTemplate, ParameterTemplate, Placeholder, Template, TemplateError,
    TemplateKind, TemplateValues,
};
pub use timestamp::{Timestamp, TimestampError};
