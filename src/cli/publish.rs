//! `r-layer publish` and `r-layer grant`.

use std::path::PathBuf;

use clap::Args;

use super::{AwsOptions, GrantOptions, RegionOptions};
use crate::publication::{BucketTemplate, LayerNameTemplate, ParameterTemplate, checked_license};

/// Publish layers as versions at AWS.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
        r-layer publish --region eu-central-1\n  \
        r-layer publish --all-regions --public\n  \
        r-layer publish dist/r-runtime-4.5.0-al2023-arm64.zip --region eu-west-1 --account 123456789012\n  \
        r-layer publish --to prod\n  \
        r-layer publish --region us-east-1 --s3-bucket 'layers-{region}-{account}'\n\n\
        What is published already is not published again: only its grants are brought to what is asked.\n\
        Exit status: 0 done, 1 nothing was done, 3 some regions failed.")]
pub struct PublishArgs {
    /// The zips, or folders with zips [default: dist]
    #[arg(value_name = "ZIP|DIR")]
    pub zips: Vec<PathBuf>,
    /// A target of r-layer.toml ([[publish.to]])
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where.
    #[command(flatten)]
    pub regions: RegionOptions,
    /// For whom.
    #[command(flatten)]
    pub grants: GrantOptions,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
    /// How layers are named; with {name}, {r_minor}, {r_version}, {arch}, {target} [default: {name}-{r_minor}-{arch}]
    #[arg(long, value_name = "TEMPLATE", help_heading = "How")]
    pub name: Option<LayerNameTemplate>,
    /// The licence that AWS shows [default: what the build record says]
    #[arg(long, value_name = "TEXT", value_parser = checked_license, help_heading = "How")]
    pub license: Option<String>,
    /// What AWS shows as description, before the mark by which r-layer knows its layers [default: what is in the layer]
    #[arg(long, value_name = "TEXT", help_heading = "How")]
    pub description: Option<String>,
    /// The bucket that zips go through that are too large for a request; with {region} and {account}
    #[arg(
        long,
        env = "R_LAYER_S3_BUCKET",
        value_name = "BUCKET",
        help_heading = "How"
    )]
    pub s3_bucket: Option<BucketTemplate>,
    /// Leave the zips in the bucket
    #[arg(long, help_heading = "How")]
    pub keep: bool,
    /// Write the ARN to this parameter of the Parameter Store; with {name}, {arch}, {r_minor}, {r_version}, {target},
    /// {region}, {account}
    #[arg(long, value_name = "TEMPLATE", help_heading = "How")]
    pub ssm_parameter: Option<ParameterTemplate>,
    /// Publish until the version has the same number in every region
    #[arg(long, help_heading = "How")]
    pub align: bool,
}

/// Grant what was published to others.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "It grants the versions that r-layer.arns.json has, of all layers and regions, or of those named; of \
                  one account at a time, whose credentials these are.\n\n\
                  Examples:\n  \
                  r-layer grant --public\n  \
                  r-layer grant --layer r-runtime --account 123456789012 --account 210987654321\n  \
                  r-layer grant --to prod --public\n  \
                  r-layer grant --exact --organization o-a1b2c3d4e5"
)]
pub struct GrantArgs {
    /// A target of r-layer.toml ([[publish.to]]): its profile or role, its account, its regions, whom it is for
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,
    /// Only this layer, by its name at AWS, by `r-models` or by `models`; may be repeated
    #[arg(long = "layer", value_name = "NAME")]
    pub layers: Vec<String>,
    /// Only this region; may be repeated
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',', value_parser = super::aws::region)]
    pub regions: Vec<crate::publication::Region>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// For whom.
    #[command(flatten)]
    pub grants: GrantOptions,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}
