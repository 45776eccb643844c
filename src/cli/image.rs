//! `r-layer image`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::AwsOptions;

/// Container images for Lambda, without a container engine.
#[derive(Debug, Args)]
pub struct ImageArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ImageCommand,
}

/// What can be done with images.
#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// Build an image from layers' zips and a function's code
    Build(Box<ImageBuildArgs>),
    /// Push an image that was built to a registry
    Push(Box<ImagePushArgs>),
}

/// Build an image from layers' zips and a function's code.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    r-layer image build --code fn --handler script.parity\n  \
    r-layer image build --code fn --handler script.parity --layer runtime --layer models -o function.tar\n  \
    r-layer image build --code fn --handler script.parity --arch x86_64 --arch arm64\n  \
    r-layer image build --code fn --handler script.parity --push 123456789012.dkr.ecr.eu-central-1.amazonaws.com/fn:1\n  \
    r-layer image build --code fn --handler script.parity --dockerfile > Dockerfile\n\n\
    The layers, if none is named: the runtime layer and those of r-layer.toml, as they are in dist; where the code has a \
    renv.lock or a DESCRIPTION, the packages that it asks for.")]
pub struct ImageBuildArgs {
    /// The folder with the function's code: /var/task
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub code: PathBuf,
    /// The handler, as Lambda has it: file.function
    #[arg(long, env = "R_LAYER_HANDLER", value_name = "FILE.FUNCTION")]
    pub handler: String,
    /// A layer's zip, or the name of a layer in dist (runtime, models …); repeated, later ones over earlier ones
    #[arg(long = "layer", value_name = "ZIP|NAME")]
    pub layers: Vec<String>,
    /// The folder with the layers' zips
    #[arg(long, env = "R_LAYER_OUT", value_name = "DIR", default_value = "dist")]
    pub dist: PathBuf,
    /// The image that it is made from [default: public.ecr.aws/lambda/provided:al2023]
    #[arg(long, env = "R_LAYER_IMAGE_BASE", value_name = "REF")]
    pub base: Option<String>,
    /// Take what the base's tag leads to now, instead of what r-layer.lock says
    #[arg(long)]
    pub upgrade: bool,
    /// The processor; repeated for an image of several [default: this machine's]
    #[arg(
        long = "arch",
        env = "R_LAYER_ARCH",
        value_name = "ARCH",
        value_delimiter = ','
    )]
    pub architectures: Vec<String>,
    /// The Lambda runtime [default: provided.al2023]
    #[arg(long, env = "R_LAYER_TARGET", value_name = "TARGET")]
    pub target: Option<String>,
    /// Where the OCI layout goes: a folder, or a file if it ends in .tar [default: dist/image]
    #[arg(short, long, value_name = "DIR|FILE.tar")]
    pub output: Option<PathBuf>,
    /// The image's name in the layout
    #[arg(long, value_name = "NAME", default_value = "latest")]
    pub tag: String,
    /// An environment variable of the function; may be repeated
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub environment: Vec<String>,
    /// A label; may be repeated (title, version and revision mean those of OCI)
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<String>,
    /// Push it, too; no layout is written then unless -o names one
    #[arg(long, value_name = "REF")]
    pub push: Option<String>,
    /// Print the Dockerfile that makes the same of the same zips, and do nothing else
    #[arg(long, conflicts_with_all = ["push", "output", "upgrade", "create_repository"])]
    pub dockerfile: bool,
    /// How it is pushed.
    #[command(flatten)]
    pub registry: RegistryOptions,
}

/// Push an image that was built to a registry.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    r-layer image push 123456789012.dkr.ecr.eu-central-1.amazonaws.com/fn:1 --create-repository\n  \
    r-layer image push ghcr.io/owner/fn:1 --from function.tar\n\n\
    For ECR, AWS credentials are enough; without them, and for other registries, what `docker login` left is used.")]
pub struct ImagePushArgs {
    /// The registry, the repository and the tag
    #[arg(value_name = "REF")]
    pub reference: String,
    /// The OCI layout: the folder or the .tar that `image build` wrote
    #[arg(long, value_name = "DIR|FILE.tar", default_value = "dist/image")]
    pub from: PathBuf,
    /// The image's name in the layout, if it holds several
    #[arg(long, value_name = "NAME")]
    pub tag: Option<String>,
    /// How.
    #[command(flatten)]
    pub registry: RegistryOptions,
}

/// How images are pushed.
#[derive(Clone, Debug, Default, Args)]
pub struct RegistryOptions {
    /// In ECR: make the repository if it is not there, with a scan of what is pushed
    #[arg(long)]
    pub create_repository: bool,
    /// Who we are to ECR.
    #[command(flatten)]
    pub aws: AwsOptions,
}
