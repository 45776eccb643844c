//! `r-layer audit`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::layer::audit::Policy;

/// What counts as there on Lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyArg {
    /// glibc, libgcc_s, libstdc++ and libz, which every sandbox has
    Strict,
    /// Everything in the container image's /lib64
    Image,
}

impl From<PolicyArg> for Policy {
    fn from(policy: PolicyArg) -> Policy {
        match policy {
            PolicyArg::Strict => Policy::Strict,
            PolicyArg::Image => Policy::Image,
        }
    }
}

/// Would these layers load on Lambda?
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is executed. Several zips are checked each alone and together, in the order in \
                        which the function has them.\nExit status: 0 they would load, 1 they would not."
)]
pub struct AuditArgs {
    /// Layer zips, in the order in which the function has them
    #[arg(required = true, value_name = "ZIP")]
    pub zips: Vec<PathBuf>,
    /// The Lambda runtime [default: provided.al2023]
    #[arg(long, env = "R_LAYER_TARGET", value_name = "TARGET")]
    pub target: Option<String>,
    /// The processor [default: the one that most files are for]
    #[arg(long, value_name = "ARCH")]
    pub arch: Option<String>,
    /// What counts as there on Lambda
    #[arg(long, value_enum, default_value = "strict")]
    pub policy: PolicyArg,
    /// One of the zips must be a runtime layer
    #[arg(long)]
    pub runtime: bool,
}
