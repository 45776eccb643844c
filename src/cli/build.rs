//! `r-layer build`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::PackageOptions;
use crate::distribution::Blas;

/// Build layers' zips.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        r-layer build runtime\n  \
        r-layer build models\n  \
        r-layer build recommended\n  \
        r-layer build models database --merge everything\n  \
        r-layer build --all --locked\n\n\
        Ready layers: aws, database, graphics, modelling, recommended, spatial, tidyverse. A layer of that name in \
        r-layer.toml goes before.\n\
        Exit status of --all: 0 done, 1 failed, 3 some of it failed."
)]
pub struct BuildArgs {
    /// The layers of packages: those of r-layer.toml, and ready ones
    #[arg(
        value_name = "NAME",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub names: Vec<String>,
    /// Every R version and processor that r-layer.toml lists, of every layer
    #[arg(long)]
    pub all: bool,
    /// Take what r-layer.lock says of packages, and fail where it does not fit r-layer.toml
    #[arg(long)]
    pub locked: bool,
    /// Make one layer of this name of all the layers named, so that a function has room for others (Lambda takes five)
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub merge: Option<String>,
    /// Find out anew what release, oldrel or 4.5 mean, instead of what r-layer.lock says
    #[arg(long)]
    pub upgrade: bool,
    /// How.
    #[command(flatten)]
    pub options: PackageOptions,
    /// Which layer.
    #[command(subcommand)]
    pub layer: Option<BuildCommand>,
}

/// The layers there are.
#[derive(Debug, Subcommand)]
pub enum BuildCommand {
    /// R for Amazon Linux, with the Lambda runtime and jsonlite
    #[command(after_help = "Examples:\n  \
        r-layer build runtime\n  \
        r-layer build runtime --r-version release --arch arm64\n  \
        r-layer build runtime --posit https://r.example.org/posit --p3m https://r.example.org/p3m/cran/latest\n  \
        r-layer build runtime --r-source cran --sources ~/Downloads --build-root dir:/srv/al2023\n  \
        r-layer build runtime --r-source cran --build-root oci:public.ecr.aws/amazonlinux/amazonlinux:2023\n  \
        r-layer build runtime --r-source cran --engine docker \
        --build-image public.ecr.aws/amazonlinux/amazonlinux:2023\n  \
        r-layer build runtime --r-source dir:/usr/lib64/R")]
    Runtime(Box<BuildRuntimeArgs>),
}

/// The linear algebra that R is linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BlasArg {
    /// R's own: small
    Reference,
    /// OpenBLAS: fast for large matrices, and large itself
    Openblas,
}

impl From<BlasArg> for Blas {
    fn from(blas: BlasArg) -> Blas {
        match blas {
            BlasArg::Reference => Blas::Reference,
            BlasArg::Openblas => Blas::Openblas,
        }
    }
}

/// R for Amazon Linux, with the Lambda runtime and jsonlite.
#[derive(Clone, Debug, Args)]
pub struct BuildRuntimeArgs {
    /// Find out anew what release, oldrel or 4.5 mean, instead of what r-layer.lock says
    #[arg(long)]
    pub upgrade: bool,
    /// Which R, from where, and how.
    #[command(flatten)]
    pub options: RuntimeOptions,
}

/// Which R a layer is for, where it comes from, and how things are compiled.
#[derive(Clone, Debug, Args)]
pub struct RuntimeOptions {
    /// R's version: 4.5.0, the newest of a series as 4.5, or release, oldrel, oldrel/2 [default: the one this r-layer is
    /// tested with]
    #[arg(long, env = "R_LAYER_R_VERSION", value_name = "VERSION")]
    pub r_version: Option<String>,
    /// Where R comes from: posit (compiled already), cran (compiled here from source), auto (posit, else cran), dir:PATH
    /// (an R home that is there already) [default: posit]
    #[arg(long, env = "R_LAYER_R_SOURCE", value_name = "SOURCE")]
    pub r_source: Option<String>,
    /// Posit's portable builds of R: a mirror of cdn.posit.co/r, or a folder laid out like it
    #[arg(long, env = "R_LAYER_POSIT", value_name = "URL|DIR")]
    pub posit: Option<String>,
    /// Posit Package Manager's repository: a mirror of p3m.dev/cran/latest, or a folder laid out like it
    #[arg(long, env = "R_LAYER_P3M", value_name = "URL|DIR")]
    pub p3m: Option<String>,
    /// R's tarball, portable or source as --r-source says, tried before the servers; may be repeated
    #[arg(
        long,
        env = "R_LAYER_R_TARBALL",
        value_name = "URL|PATH",
        value_delimiter = ','
    )]
    pub r_tarball: Vec<String>,
    /// A CRAN mirror, or a folder laid out like one; tried in the order given
    #[arg(
        long,
        env = "R_LAYER_CRAN",
        value_name = "URL|DIR",
        value_delimiter = ','
    )]
    pub cran: Vec<String>,
    /// A folder with tarballs that were downloaded before (R-4.5.0-manylinux_2_34.tar.gz and a binary
    /// jsonlite_2.0.0.tar.gz; or .tar.gz, curl-8.14.1.tar.gz and jsonlite's source), looked into first; may be
    /// repeated
    #[arg(
        long,
        env = "R_LAYER_SOURCES",
        value_name = "DIR",
        value_delimiter = ','
    )]
    pub sources: Vec<PathBuf>,
    /// The root file system that R is compiled in: debian:SUITE, oci:IMAGE (pulled without an engine), dir:PATH
    /// [default: debian:bullseye]
    #[arg(long, env = "R_LAYER_BUILD_ROOT", value_name = "ROOT")]
    pub build_root: Option<String>,
    /// Compile in containers of this engine, made from --build-image; extra options of its `run` go into
    /// R_LAYER_ENGINE_OPTIONS
    #[arg(
        long,
        env = "R_LAYER_ENGINE",
        value_name = "docker|podman|finch",
        conflicts_with_all = ["build_root", "build_on_host"]
    )]
    pub engine: Option<String>,
    /// The image for --engine, with dnf or apt in it, for example public.ecr.aws/amazonlinux/amazonlinux:2023
    #[arg(long, env = "R_LAYER_BUILD_IMAGE", value_name = "IMAGE")]
    pub build_image: Option<String>,
    /// Compile on this machine itself: for those who are on Amazon Linux 2023 already
    #[arg(long, conflicts_with = "build_root")]
    pub build_on_host: bool,
    /// The linear algebra that R is linked to [default: reference]
    #[arg(long, env = "R_LAYER_BLAS", value_enum)]
    pub blas: Option<BlasArg>,
    /// The processor: x86_64 or arm64 [default: this machine's]
    #[arg(long, env = "R_LAYER_ARCH", value_name = "ARCH")]
    pub arch: Option<String>,
    /// The Lambda runtime that the layer is for [default: provided.al2023]
    #[arg(long, env = "R_LAYER_TARGET", value_name = "TARGET")]
    pub target: Option<String>,
    /// Where the zip and its build record go
    #[arg(long, env = "R_LAYER_OUT", value_name = "DIR", default_value = "dist")]
    pub out: PathBuf,
    /// The bucket that a zip goes through that is too large for a request
    #[arg(long, env = "R_LAYER_S3_BUCKET", value_name = "BUCKET")]
    pub s3_bucket: Option<String>,
    /// How many compilers run at once [default: one a core]
    #[arg(short, long, env = "R_LAYER_JOBS", value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
}
