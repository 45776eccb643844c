//! `r-layer build`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::distribution::Blas;

/// Build a layer's zip.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Which layer.
    #[command(subcommand)]
    pub layer: BuildCommand,
}

/// The layers there are.
#[derive(Debug, Subcommand)]
pub enum BuildCommand {
    /// R for Amazon Linux, with the Lambda runtime and jsonlite
    #[command(after_help = "Examples:\n  \
        r-layer build runtime\n  \
        r-layer build runtime --r-version 4.4.3 --out layers\n  \
        r-layer build runtime --sources ~/Downloads --build-root dir:/srv/al2023\n  \
        r-layer build runtime --build-root oci:public.ecr.aws/amazonlinux/amazonlinux:2023\n  \
        r-layer build runtime --engine docker --build-image public.ecr.aws/amazonlinux/amazonlinux:2023\n  \
        r-layer build runtime --r-source dir:/usr/lib64/R")]
    Runtime(BuildRuntimeArgs),
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
#[derive(Debug, Args)]
pub struct BuildRuntimeArgs {
    /// R's version [default: the one this r-layer is tested with]
    #[arg(long, env = "R_LAYER_R_VERSION", value_name = "VERSION")]
    pub r_version: Option<String>,
    /// Where R comes from: cran (compiled from source), dir:PATH (an R home that is there already), auto (now: cran)
    /// [default: auto]
    #[arg(long, env = "R_LAYER_R_SOURCE", value_name = "SOURCE")]
    pub r_source: Option<String>,
    /// R's source tarball, tried before the mirrors; may be repeated
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
    /// A folder with tarballs that were downloaded before (R-4.5.0.tar.gz, curl-8.14.1.tar.gz,
    /// jsonlite_2.0.0.tar.gz), looked into first; may be repeated
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
