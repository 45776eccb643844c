//! `r-layer inspect` and `r-layer diff`.

use std::path::PathBuf;

use clap::Args;

/// What is in these layers, and what takes the room?
#[derive(Debug, Args)]
#[command(
    after_help = "R and its version, packages with versions, licences and sizes, the largest files, sizes against \
                        Lambda's limits, and what the layer was made from, as the build record beside the zip has it."
)]
pub struct InspectArgs {
    /// Layer zips; several are also counted together, as one function has them
    #[arg(required = true, value_name = "ZIP")]
    pub zips: Vec<PathBuf>,
    /// The Lambda runtime, whose limits count [default: provided.al2023]
    #[arg(long, env = "R_LAYER_TARGET", value_name = "TARGET")]
    pub target: Option<String>,
}

/// What is different between two layers, as Markdown for a changelog?
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0, whether they differ or not.")]
pub struct DiffArgs {
    /// The layer as it was
    #[arg(value_name = "OLD.zip")]
    pub old: PathBuf,
    /// The layer as it is now
    #[arg(value_name = "NEW.zip")]
    pub new: PathBuf,
}
