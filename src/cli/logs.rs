//! `r-layer logs`.

use clap::Args;

use super::{AwsOptions, OneRegionOption};
use crate::function::QualifiedFunction;
use crate::function_log::Moment;

/// What a function wrote into its log: a line an entry, times in UTC, entries of JSON laid out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    r-layer logs my-function\n  \
    r-layer logs my-function --follow\n  \
    r-layer logs my-function --since 2d --filter ERROR --limit 50\n  \
    r-layer logs my-function --since 2026-11-24T17:00:00Z --until 2026-11-24T18:00:00Z --json")]
pub struct LogsArgs {
    /// The function: its name or ARN, with :VERSION for the entries of one version
    #[arg(value_name = "FUNCTION")]
    pub function: QualifiedFunction,
    /// Go on with what comes, until Ctrl-C
    #[arg(long, conflicts_with = "until")]
    pub follow: bool,
    /// From when on: so long ago (30s, 10m, 1h30m, 2d), or a time (2026-11-24T17:51:00Z)
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub since: Moment,
    /// Until when, likewise [default: now]
    #[arg(long, value_name = "TIME")]
    pub until: Option<Moment>,
    /// Only entries that match a filter pattern of CloudWatch: ERROR, '"two words"', '{ $.level = "WARN" }'
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// The last so many of them
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Where.
    #[command(flatten)]
    pub region: OneRegionOption,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}
