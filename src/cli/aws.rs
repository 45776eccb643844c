//! Flags of every command that asks AWS.

use clap::Args;

use crate::publication::{AccountId, Grant, OrganizationId, Region, RegionError};

/// A region's name, with the nearest one where it can be none.
pub fn region(name: &str) -> Result<Region, RegionError> {
    Region::typed(name)
}

/// Who we are to AWS.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "AWS")]
pub struct AwsOptions {
    /// A profile of ~/.aws/config [default: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// A URL instead of AWS's own, for servers that speak as AWS does [default: AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Stop if the credentials are of another account
    #[arg(long, value_name = "ID")]
    pub expect_account: Option<AccountId>,
}

/// Where.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "AWS")]
pub struct RegionOptions {
    /// The region; may be repeated [default: those that r-layer.toml publishes in, else AWS_REGION or the profile's]
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',', value_parser = region)]
    pub regions: Vec<Region>,
    /// Every region that has Lambda; those that the account has not enabled are told, and left
    #[arg(long, conflicts_with = "regions")]
    pub all_regions: bool,
}

/// The one place where a function is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "AWS")]
pub struct OneRegionOption {
    /// The function's region [default: that of its ARN, else AWS_REGION or the profile's]
    #[arg(long, value_name = "REGION", value_parser = region)]
    pub region: Option<Region>,
}

/// For whom.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Who may use the layers")]
pub struct GrantOptions {
    /// Everybody may use them
    #[arg(long)]
    pub public: bool,
    /// The accounts of an organization may; may be repeated
    #[arg(long = "organization", value_name = "o-ID", value_delimiter = ',')]
    pub organizations: Vec<OrganizationId>,
    /// An account may; may be repeated
    #[arg(long = "account", value_name = "ID", value_delimiter = ',')]
    pub accounts: Vec<AccountId>,
    /// Nobody else may: what others were granted is taken back
    #[arg(long)]
    pub exact: bool,
}

impl GrantOptions {
    /// What the flags ask for; nothing if they say nothing.
    pub fn grants(&self) -> Option<std::collections::BTreeSet<Grant>> {
        let organizations = self.organizations.iter().cloned().map(Grant::Organization);
        let accounts = self.accounts.iter().cloned().map(Grant::Account);
        let public = self.public.then_some(Grant::Public);
        let grants: std::collections::BTreeSet<Grant> =
            organizations.chain(accounts).chain(public).collect();
        (!grants.is_empty()).then_some(grants)
    }
}
