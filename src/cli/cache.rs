//! `r-layer cache`.

use clap::{ArgGroup, Args, Subcommand};

/// Look at the cache, or make it smaller.
#[derive(Debug, Args)]
pub struct CacheArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: CacheCommand,
}

/// What can be done with the cache.
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// What the cache holds, and when it was last used
    Show,
    /// Remove from the cache what nobody uses right now; it is fetched or made again when it is needed
    Clean(CleanArgs),
}

/// What is removed.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").args(["all", "kinds", "older_than"]).required(true).multiple(true),
    after_help = "Examples:\n  \
        r-layer cache clean --older-than 30\n  \
        r-layer cache clean downloads logs\n  \
        r-layer cache clean --all --dry-run"
)]
pub struct CleanArgs {
    /// Kinds of entries, as `cache show` names them
    #[arg(value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Every kind
    #[arg(long, conflicts_with = "kinds")]
    pub all: bool,
    /// Only what was not used for so many days
    #[arg(long, value_name = "DAYS")]
    pub older_than: Option<u64>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}
