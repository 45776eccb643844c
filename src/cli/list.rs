//! `r-layer list`.

use clap::{Args, ValueEnum};

use super::AwsOptions;
use crate::publication::{ListingFormat, Region};

/// Which layers are published where, from r-layer.arns.json.
#[derive(Debug, Args)]
#[command(
    after_help = "The formats for infrastructure as code are whole files: a CloudFormation template with a mapping by \
                        region, Terraform locals and outputs, a TypeScript module for the CDK.\n\n\
                        Examples:\n  \
                        r-layer list --layer runtime --region eu-central-1\n  \
                        r-layer list --format terraform > r_layers.tf\n  \
                        r-layer list --remote --region eu-central-1\n  \
                        r-layer list --from https://example.org/r-layer.arns.json --format markdown"
)]
pub struct ListArgs {
    /// Only this region; may be repeated. With --remote [default: those that r-layer.toml publishes in, else AWS_REGION]
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',', value_parser = super::aws::region)]
    pub regions: Vec<Region>,
    /// Only this layer, by its name at AWS, by `r-models` or by `models`; may be repeated
    #[arg(long = "layer", value_name = "NAME")]
    pub layers: Vec<String>,
    /// Only layers for this processor (x86_64 or arm64); may be repeated
    #[arg(long = "arch", value_name = "ARCH")]
    pub architectures: Vec<String>,
    /// How it is written [default: table, or json with --json]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<FormatArg>,
    /// The record of somebody else, a URL or a file [default: r-layer.arns.json here]
    #[arg(long, value_name = "URL|FILE")]
    pub from: Option<String>,
    /// What AWS has in your account, whatever the record says
    #[arg(long, conflicts_with = "from")]
    pub remote: bool,
    /// With --remote: every region that has Lambda
    #[arg(long, requires = "remote", conflicts_with = "regions")]
    pub all_regions: bool,
    /// With --remote: as whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}

/// How a listing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For people
    Table,
    /// For programs
    Json,
    /// For a README
    Markdown,
    /// A template with a mapping by region
    #[value(name = "cloudformation")]
    CloudFormation,
    /// Locals and outputs
    Terraform,
    /// A TypeScript module
    Cdk,
}

impl From<FormatArg> for ListingFormat {
    fn from(format: FormatArg) -> ListingFormat {
        match format {
            FormatArg::Table => ListingFormat::Table,
            FormatArg::Json => ListingFormat::Json,
            FormatArg::Markdown => ListingFormat::Markdown,
            FormatArg::CloudFormation => ListingFormat::CloudFormation,
            FormatArg::Terraform => ListingFormat::Terraform,
            FormatArg::Cdk => ListingFormat::Cdk,
        }
    }
}
