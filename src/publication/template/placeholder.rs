//! What templates leave open, and what is put in its place.

use crate::package::RVersion;
use crate::publication::{AccountId, Region};
use crate::target::Architecture;

/// What a template leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The layer's logical name: `r-runtime`, `r-models`, `r-models-2`.
    Name,
    /// R's minor version: `4.5`.
    RMinor,
    /// R's version: `4.5.0`.
    RVersion,
    /// The processor as AWS names it: `x86_64`, `arm64`.
    Arch,
    /// The Lambda runtime: `provided.al2023`.
    Target,
    /// The region that is published in.
    Region,
    /// The account that publishes.
    Account,
}

impl Placeholder {
    /// All that there are.
    pub(super) const ALL: [Placeholder; 7] = [
        Placeholder::Name,
        Placeholder::RMinor,
        Placeholder::RVersion,
        Placeholder::Arch,
        Placeholder::Target,
        Placeholder::Region,
        Placeholder::Account,
    ];

    /// What stands between the braces.
    pub(super) fn word(self) -> &'static str {
        match self {
            Placeholder::Name => "name",
            Placeholder::RMinor => "r_minor",
            Placeholder::RVersion => "r_version",
            Placeholder::Arch => "arch",
            Placeholder::Target => "target",
            Placeholder::Region => "region",
            Placeholder::Account => "account",
        }
    }
}

/// What is put in the place of placeholders.
#[derive(Clone, Copy, Debug)]
pub struct TemplateValues<'a> {
    /// The layer's logical name.
    pub logical_name: &'a str,
    /// R's version.
    pub r_version: &'a RVersion,
    /// The processor.
    pub architecture: Architecture,
    /// The Lambda runtime's name.
    pub target: &'a str,
    /// The region, where there is one.
    pub region: Option<&'a Region>,
    /// The account, where it is known.
    pub account: Option<&'a AccountId>,
}

impl TemplateValues<'_> {
    /// What stands for a placeholder, where that is known.
    pub(super) fn value(&self, placeholder: Placeholder) -> Option<String> {
        Some(match placeholder {
            Placeholder::Name => self.logical_name.to_owned(),
            Placeholder::RMinor => self.r_version.minor_text(),
            Placeholder::RVersion => self.r_version.to_string(),
            Placeholder::Arch => self.architecture.aws_name().to_owned(),
            Placeholder::Target => self.target.to_owned(),
            Placeholder::Region => self.region?.to_string(),
            Placeholder::Account => self.account?.to_string(),
        })
    }
}
