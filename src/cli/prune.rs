//! `r-layer prune` and `r-layer verify-published`.

use clap::Args;

use super::{AwsOptions, RegionOptions};
use crate::publication::Region;

/// Delete old versions of layers.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Without --yes it shows what it would delete, and stops. Only versions that r-layer has published are \
                  looked at. Those that r-layer.arns.json announces, that a function of the account uses, or that others \
                  were granted, are kept and named; the newest never goes. A version that is deleted goes on working where it is attached, and cannot be \
                  attached any more.\n\n\
                  Examples:\n  \
                  r-layer prune --keep 3 --region eu-central-1\n  \
                  r-layer prune --keep 3 --to prod\n  \
                  r-layer prune --keep 2 --older-than 90d --all-regions --yes"
)]
pub struct PruneArgs {
    /// How many of the newest versions of each layer stay, for each processor and minor version of R
    #[arg(long, value_name = "N")]
    pub keep: usize,
    /// A target of r-layer.toml ([[publish.to]]): its profile or role, its account, its regions
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,
    /// Only versions that are older: 90d, 12w
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Option<std::time::Duration>,
    /// Only this layer, by its name at AWS, by `r-models` or by `models`; may be repeated
    #[arg(long = "layer", value_name = "NAME")]
    pub layers: Vec<String>,
    /// Delete them
    #[arg(long)]
    pub yes: bool,
    /// Those too that others were granted
    #[arg(long)]
    pub even_granted: bool,
    /// Where.
    #[command(flatten)]
    pub regions: RegionOptions,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}

fn age(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("`{text}` is no age; type it as 90d (days) or 12w (weeks)");
    let (number, days) = match text.strip_suffix('w') {
        Some(weeks) => (weeks, 7),
        None => (text.strip_suffix('d').ok_or_else(wrong)?, 1),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(std::time::Duration::from_secs(
        u64::from(number) * days * 24 * 60 * 60,
    ))
}

/// Is what r-layer.arns.json says still so?
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "For every layer and region of r-layer.arns.json: the version is there, its content is the one that was \
                  published, and it is granted to whom the record says. Of several accounts in one record, that of the \
                  credentials is looked at.\n\n\
                  Exit status: 0 all is so, 1 something differs."
)]
pub struct VerifyPublishedArgs {
    /// A target of r-layer.toml ([[publish.to]]): its profile or role, its account, its regions
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,
    /// Only this region; may be repeated
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',', value_parser = super::aws::region)]
    pub regions: Vec<Region>,
    /// Only this layer, by its name at AWS, by `r-models` or by `models`; may be repeated
    #[arg(long = "layer", value_name = "NAME")]
    pub layers: Vec<String>,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}
