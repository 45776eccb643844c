//! `r-layer attach` and `r-layer detach`.

use std::time::Duration;

use clap::Args;

use super::AwsOptions;
use crate::function::FunctionReference;
use crate::package::RVersion;
use crate::publication::{LayerReference, Region};

/// Where functions are.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "AWS")]
pub struct FunctionRegionOptions {
    /// The region; may be repeated [default: that of an ARN, else AWS_REGION or the profile's]
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',', value_parser = super::aws::region)]
    pub regions: Vec<Region>,
}

/// How a change to a function is made.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "How")]
pub struct ChangeOptions {
    /// Make a version of the function as it is then
    #[arg(long)]
    pub publish_version: bool,
    /// Point this alias at that version; it is made if there is none
    #[arg(long, value_name = "NAME", value_parser = alias)]
    pub alias: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How long AWS may take over a change: 90s, 5m
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time)]
    pub wait: Duration,
}

/// Give functions their layers.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Layers of ours that a function has are replaced in place, others keep their place; the runtime stands \
                  before the packages. What would not work is an error, and nothing is changed then.\n\n\
                  Examples:\n  \
                  r-layer attach my-function\n  \
                  r-layer attach my-function --layer runtime --layer models:3 --alias live\n  \
                  r-layer attach one two --region eu-central-1 --dry-run\n\n\
                  Exit status: 0 done, 1 nothing was done, 3 some functions failed."
)]
pub struct AttachArgs {
    /// The functions, by name or ARN
    #[arg(required = true, value_name = "FUNCTION")]
    pub functions: Vec<FunctionReference>,
    /// A layer: models, models:3, its name at AWS, its version's ARN, or its zip; may be repeated [default: the runtime and
    /// the layers of r-layer.toml]
    #[arg(long = "layer", value_name = "LAYER")]
    pub layers: Vec<LayerReference>,
    /// The version of R: 4.5 [default: that of r-layer.toml, else the function's, else the newest published]
    #[arg(long, env = "R_LAYER_R_VERSION", value_name = "VERSION")]
    pub r_version: Option<RVersion>,
    /// Change the function's runtime to provided.al2023, if it has another
    #[arg(long)]
    pub set_runtime: bool,
    /// Where.
    #[command(flatten)]
    pub regions: FunctionRegionOptions,
    /// How.
    #[command(flatten)]
    pub change: ChangeOptions,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}

/// Take layers away from functions.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
                        r-layer detach my-function\n  \
                        r-layer detach my-function --layer models\n\n\
                        Exit status: 0 done, 1 nothing was done, 3 some functions failed.")]
pub struct DetachArgs {
    /// The functions, by name or ARN
    #[arg(required = true, value_name = "FUNCTION")]
    pub functions: Vec<FunctionReference>,
    /// A layer: models, models:3, its name at AWS, or its version's ARN; may be repeated [default: all that r-layer
    /// published]
    #[arg(long = "layer", value_name = "LAYER")]
    pub layers: Vec<LayerReference>,
    /// Where.
    #[command(flatten)]
    pub regions: FunctionRegionOptions,
    /// How.
    #[command(flatten)]
    pub change: ChangeOptions,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}

/// An alias's name. <https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html>, `Name`.
pub(super) fn alias(text: &str) -> Result<String, String> {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match (1..=128).contains(&text.len()) && text.chars().all(is_taken) && !is_number {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is no name of an alias: AWS takes letters, digits, `-` and `_`, at most 128, and not digits alone"
        )),
    }
}

/// `90s` or `5m`.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; type it as 90s (seconds) or 5m (minutes)");
    let (number, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}
