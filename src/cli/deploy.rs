//! `r-layer deploy` and `r-layer destroy`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::attach::ChangeOptions;
use super::policy::FunctionUrlAuthArg;
use super::{AwsOptions, OneRegionOption};
use crate::function::{FunctionReference, LogFormat};
use crate::image::ImageReference;
use crate::package::RVersion;
use crate::publication::{BucketTemplate, LayerReference, RoleArn};
use crate::target::Architecture;

/// Make a function from R code, or bring it up to date.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "What the flags leave out comes from [functions.NAME] of r-layer.toml; what that leaves out stays as the \
                  function has it (a new one gets 512 MB and 30 s). Only what differs is sent.\n\n\
                  Examples:\n  \
                  r-layer deploy my-function --handler script.handler --create-role\n  \
                  r-layer deploy my-function --code fn --handler script.handler --role arn:aws:iam::123456789012:role/r\n  \
                  r-layer deploy my-function --function-url --schedule 'rate(1 day)' --alias live"
)]
pub struct DeployArgs {
    /// The function, by name or ARN
    #[arg(value_name = "FUNCTION")]
    pub function: FunctionReference,
    /// The folder with the function's code, or one R file [default: .]
    #[arg(long, value_name = "DIR|FILE")]
    pub code: Option<PathBuf>,
    /// A container image in ECR of the function's region, instead of code and layers
    #[arg(
        long,
        value_name = "REF",
        conflicts_with_all = ["code", "layers", "no_check"]
    )]
    pub image: Option<ImageReference>,
    /// The handler: file.function; for an image, in place of its own
    #[arg(long, env = "R_LAYER_HANDLER", value_name = "FILE.FUNCTION")]
    pub handler: Option<String>,
    /// The role that the function runs as
    #[arg(long, value_name = "ARN")]
    pub role: Option<RoleArn>,
    /// Make a role for it, r-layer-FUNCTION, that may write its log
    #[arg(long, conflicts_with = "role")]
    pub create_role: bool,
    /// A policy that the made role gets too; may be repeated
    #[arg(long = "policy-arn", value_name = "ARN")]
    pub policy_arns: Vec<String>,
    /// What the function is for
    #[arg(long, value_name = "TEXT", help_heading = "Settings")]
    pub description: Option<String>,
    /// Memory in MB, 128 to 10240
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(128..=10240), help_heading = "Settings")]
    pub memory: Option<u32>,
    /// Seconds that an invocation may take, 1 to 900
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=900), help_heading = "Settings")]
    pub timeout: Option<u32>,
    /// MB of /tmp, 512 to 10240
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(512..=10240), help_heading = "Settings")]
    pub tmp_size: Option<u32>,
    /// An environment variable; may be repeated. Those that are not named stay
    #[arg(long = "env", value_name = "NAME=VALUE", help_heading = "Settings")]
    pub environment: Vec<String>,
    /// A file with a NAME=VALUE a line
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub env_file: Option<PathBuf>,
    /// Take this environment variable away; may be repeated
    #[arg(long = "unset-env", value_name = "NAME", help_heading = "Settings")]
    pub unset: Vec<String>,
    /// The processor: x86_64 or arm64
    #[arg(
        long,
        env = "R_LAYER_ARCH",
        value_name = "ARCH",
        help_heading = "Settings"
    )]
    pub arch: Option<Architecture>,
    /// How the log is written
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Settings")]
    pub log_format: Option<LogFormatArg>,
    /// A tag; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = pair, help_heading = "Settings")]
    pub tags: Vec<(String, String)>,
    /// A layer: models, models:3, its name at AWS, its version's ARN, or its zip; may be repeated [default: the runtime and
    /// the layers of r-layer.toml]
    #[arg(long = "layer", value_name = "LAYER", help_heading = "Settings")]
    pub layers: Vec<LayerReference>,
    /// The version of R: 4.5 [default: that of r-layer.toml, else the function's, else the newest published]
    #[arg(
        long,
        env = "R_LAYER_R_VERSION",
        value_name = "VERSION",
        help_heading = "Settings"
    )]
    pub r_version: Option<RVersion>,
    /// Give it a URL
    #[arg(long, help_heading = "Who invokes it")]
    pub function_url: bool,
    /// Who may call the URL [default: AWS_IAM]
    #[arg(
        long,
        value_enum,
        value_name = "AUTH",
        requires = "function_url",
        help_heading = "Who invokes it"
    )]
    pub function_url_auth: Option<FunctionUrlAuthArg>,
    /// When it is invoked by itself: 'rate(1 day)', 'cron(0 6 * * ? *)'
    #[arg(long, value_name = "EXPRESSION", value_parser = schedule, help_heading = "Who invokes it")]
    pub schedule: Option<String>,
    /// The bucket that code goes through that is too large for a request; with {region} and {account}
    #[arg(
        long,
        env = "R_LAYER_S3_BUCKET",
        value_name = "BUCKET",
        help_heading = "How"
    )]
    pub s3_bucket: Option<BucketTemplate>,
    /// Neither load the handler here first, nor look whether the layers have the packages that the code uses
    #[arg(long, help_heading = "How")]
    pub no_check: bool,
    /// How.
    #[command(flatten)]
    pub change: ChangeOptions,
    /// Where.
    #[command(flatten)]
    pub region: OneRegionOption,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}

/// Remove what deploy made.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Without --yes it shows what it would remove, and stops. It removes the function with its versions and \
                  aliases, its URL, its schedule, and the role that was made for it; layers and the log stay.\n\n\
                  Examples:\n  \
                  r-layer destroy my-function\n  \
                  r-layer destroy my-function --yes"
)]
pub struct DestroyArgs {
    /// The function, by name or ARN
    #[arg(value_name = "FUNCTION")]
    pub function: FunctionReference,
    /// Remove it
    #[arg(long)]
    pub yes: bool,
    /// Where.
    #[command(flatten)]
    pub region: OneRegionOption,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormatArg {
    /// Lines
    Text,
    /// A JSON object a line
    Json,
}

impl From<LogFormatArg> for LogFormat {
    fn from(format: LogFormatArg) -> LogFormat {
        match format {
            LogFormatArg::Text => LogFormat::Text,
            LogFormatArg::Json => LogFormat::Json,
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is no NAME=VALUE")),
    }
}

/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>
fn schedule(text: &str) -> Result<String, String> {
    let is_one = ["rate(", "cron("]
        .iter()
        .any(|begin| text.starts_with(begin) && text.ends_with(')'));
    match is_one {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is no schedule; type it as 'rate(1 day)' or 'cron(0 6 * * ? *)' (minute, hour, day, month, weekday, \
             year, in UTC)"
        )),
    }
}
