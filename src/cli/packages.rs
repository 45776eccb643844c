//! Layers of packages: `r-layer add-packages`, `remove-packages`, `lock`, `tree`, and how `build` makes them.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, ValueEnum};

use super::RuntimeOptions;
use crate::layer::package_recipe::PackagePruning;
use crate::manifest::{Compression, PackageType};

/// The layer that packages are added to when none is named.
const DEFAULT_LAYER: &str = "packages";

/// Add packages to a layer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    r-layer add-packages Matrix mgcv\n  \
    r-layer add-packages data.table 'dplyr>=1.1' --layer models\n  \
    r-layer add-packages MASS==7.3-60 github::r-lib/cli@v3.6.0 ./mypackage\n  \
    r-layer add-packages --from renv.lock\n  \
    r-layer add-packages mypackage --repo company=https://r.example.org/cran --repo https://p3m.dev/cran/2025-04-01\n\n\
    A package is a name with or without bounds, a folder (./x), a tarball, git+https://host/x.git@ref or \
    github::owner/repo@ref.")]
pub struct AddPackagesArgs {
    /// The packages; what they need comes with them
    #[arg(value_name = "PACKAGE", required_unless_present = "from")]
    pub packages: Vec<String>,
    /// The layer of r-layer.toml that they are added to; made if there is none
    #[arg(long, value_name = "NAME", default_value = DEFAULT_LAYER)]
    pub layer: String,
    /// Add what a renv.lock or a DESCRIPTION asks for
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Print what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How.
    #[command(flatten)]
    pub options: PackageOptions,
}

/// Take packages out of a layer.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  r-layer remove-packages mgcv --layer models")]
pub struct RemovePackagesArgs {
    /// The packages
    #[arg(value_name = "PACKAGE", required = true)]
    pub packages: Vec<String>,
    /// The layer that they are in
    #[arg(long, value_name = "NAME", default_value = DEFAULT_LAYER)]
    pub layer: String,
    /// Print what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How.
    #[command(flatten)]
    pub options: PackageOptions,
}

/// Resolve the layers of r-layer.toml, and build nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    r-layer lock\n  \
    r-layer lock --upgrade\n  \
    r-layer lock --upgrade dplyr --upgrade rlang")]
pub struct LockArgs {
    /// Take the newest versions, of all packages or of this one; may be repeated
    #[arg(long, value_name = "PACKAGE", num_args = 0..=1, default_missing_value = "")]
    pub upgrade: Vec<String>,
    /// Print what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How.
    #[command(flatten)]
    pub options: PackageOptions,
}

/// Why is a package here?
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  r-layer tree\n  r-layer tree rlang")]
pub struct TreeArgs {
    /// Show what brings this package in, instead of everything
    #[arg(value_name = "PACKAGE")]
    pub package: Option<String>,
    /// This layer of r-layer.toml alone
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// The processor [default: this machine's]
    #[arg(long, env = "R_LAYER_ARCH", value_name = "ARCH")]
    pub arch: Option<String>,
}

/// In which form packages are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PackageTypeArg {
    /// Compiled already where there is such for the target, else compiled here
    Auto,
    /// Compiled already, or not at all
    Binary,
    /// Compiled here
    Source,
}

impl From<PackageTypeArg> for PackageType {
    fn from(kind: PackageTypeArg) -> PackageType {
        match kind {
            PackageTypeArg::Auto => PackageType::Auto,
            PackageTypeArg::Binary => PackageType::Binary,
            PackageTypeArg::Source => PackageType::Source,
        }
    }
}

/// How hard is tried to make zips small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompressionArg {
    /// As a zip is compressed mostly
    Fast,
    /// What R has compressed in packages is compressed again: a twentieth smaller, several times as long
    Best,
}

impl From<CompressionArg> for Compression {
    fn from(compression: CompressionArg) -> Compression {
        match compression {
            CompressionArg::Fast => Compression::Fast,
            CompressionArg::Best => Compression::Best,
        }
    }
}

impl PackageOptions {
    /// What nobody typed: the environment's word, and defaults.
    pub fn by_default() -> PackageOptions {
        #[derive(Parser)]
        struct Untyped {
            #[command(flatten)]
            options: PackageOptions,
        }
        Untyped::parse_from(["r-layer"]).options
    }
}

/// How layers of packages are made.
#[derive(Clone, Debug, Args)]
pub struct PackageOptions {
    /// A repository, tried in the order given, before those of r-layer.toml: a URL or folder laid out as CRAN is, with a
    /// name before it if you like, parted by `=`; may be repeated
    #[arg(long, value_name = "[NAME=]URL|DIR")]
    pub repo: Vec<String>,
    /// Packages that are compiled already, or sources [default: auto]
    #[arg(long, value_enum)]
    pub package_type: Option<PackageTypeArg>,
    /// A package of the build root's distribution that is installed before packages are compiled; may be repeated
    #[arg(long, value_name = "NAME")]
    pub system_package: Vec<String>,
    /// Keep what layers leave out; may be repeated
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(PackagePruning::embedded().names()))]
    pub keep: Vec<String>,
    /// How hard is tried to make zips small [default: fast; ready layers have a choice of their own]
    #[arg(long, value_enum)]
    pub compression: Option<CompressionArg>,
    /// Amazon Linux's RPM repository: a mirror list, a base URL or a folder [default: Amazon's]
    #[arg(long, env = "R_LAYER_RPM_REPOSITORY", value_name = "URL|DIR")]
    pub rpm_repository: Option<String>,
    /// The API of GitHub, or of a company's own [default: api.github.com]
    #[arg(long, env = "R_LAYER_GITHUB_API", value_name = "URL")]
    pub github_api: Option<String>,
    /// Use what the cache has, and no network
    #[arg(long, env = "R_LAYER_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    pub offline: bool,
    /// Do not load the packages in a root like Lambda's when they are built
    #[arg(long)]
    pub no_check: bool,
    /// Is what r-layer.lock says taken, or nothing? `build` has a flag for it.
    #[arg(skip)]
    pub locked: bool,
    /// R and the rest.
    #[command(flatten)]
    pub runtime: RuntimeOptions,
}
