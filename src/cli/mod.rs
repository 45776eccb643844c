//! What can be typed: clap types, a file a command. What a flag means is decided in `commands`.

mod attach;
mod audit;
mod aws;
mod build;
mod cache;
mod deploy;
mod doctor;
mod image;
mod inspect;
mod invoke;
mod list;
mod packages;
mod policy;
mod prune;
mod publish;

use clap::{Args, Parser, Subcommand};

pub use attach::{AttachArgs, ChangeOptions, DetachArgs, FunctionRegionOptions};
pub use audit::{AuditArgs, PolicyArg};
pub use aws::{AwsOptions, GrantOptions, RegionOptions};
pub use build::{BlasArg, BuildArgs, BuildCommand, BuildRuntimeArgs, RuntimeOptions};
pub use cache::{CacheArgs, CacheCommand, CleanArgs};
pub use deploy::{DeployArgs, DestroyArgs, LogFormatArg};
pub use doctor::{CompletionsArgs, DoctorArgs};
pub use image::{ImageArgs, ImageBuildArgs, ImageCommand, ImagePushArgs, RegistryOptions};
pub use inspect::{DiffArgs, InspectArgs};
pub use invoke::InvokeArgs;
pub use list::{FormatArg, ListArgs};
pub use packages::{
    AddPackagesArgs, CompressionArg, LockArgs, PackageOptions, PackageTypeArg, RemovePackagesArgs,
    TreeArgs,
};
pub use policy::{
    AttachPolicyArgs, DeployPolicyArgs, FunctionPolicyArgs, IamPolicyArgs, IamPolicyCommand,
    PublishPolicyArgs, ScopeArgs,
};
pub use prune::{PruneArgs, VerifyPublishedArgs};
pub use publish::{GrantArgs, PublishArgs};

use crate::terminal::{ColorChoice, Verbosity};

/// R on AWS Lambda: builds R and R packages as layers, checks them, and runs handlers locally.
#[derive(Debug, Parser)]
#[command(
    name = "r-layer",
    version,
    propagate_version = true,
    after_help = "Exit status: 0 done, 1 failed, 2 wrong use, 3 partly done, 130 interrupted.\n\
                  Settings: flags before environment (R_LAYER_*) before r-layer.toml before defaults."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalArgs {
    /// Print the result as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Say errors and warnings only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

impl GlobalArgs {
    /// How much is said.
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

/// What r-layer can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build a layer's zip
    Build(Box<BuildArgs>),
    /// Add R packages, with all that they need, to a layer, and build it
    AddPackages(Box<AddPackagesArgs>),
    /// Take packages out of a layer, and build it
    RemovePackages(Box<RemovePackagesArgs>),
    /// Resolve what r-layer.toml asks for, and write r-layer.lock
    Lock(Box<LockArgs>),
    /// Why is this package here?
    Tree(TreeArgs),
    /// Would these layers load on Lambda?
    Audit(AuditArgs),
    /// What is in these layers, and what takes the room?
    Inspect(InspectArgs),
    /// What is different between two layers, as Markdown for a changelog?
    Diff(DiffArgs),
    /// Publish layers as versions at AWS, in every region
    Publish(Box<PublishArgs>),
    /// Grant what was published to others
    Grant(Box<GrantArgs>),
    /// Delete old versions of layers, or show what would be deleted
    Prune(Box<PruneArgs>),
    /// Is what r-layer.arns.json says still so?
    VerifyPublished(Box<VerifyPublishedArgs>),
    /// Give functions their layers
    Attach(Box<AttachArgs>),
    /// Take layers away from functions
    Detach(Box<DetachArgs>),
    /// Make a function from R code, or bring it up to date
    Deploy(Box<DeployArgs>),
    /// Remove what deploy made
    Destroy(Box<DestroyArgs>),
    /// Let a handler answer an event on this machine, in a root file system like Lambda's
    Invoke(InvokeArgs),
    /// Build a container image from layers and code, without a container engine, and push it
    Image(ImageArgs),
    /// Which layers are published where, as a table or ready to paste
    List(ListArgs),
    /// The least IAM policy for a command, as JSON on stdout
    Policy(Box<IamPolicyArgs>),
    /// What can this machine do, what is missing, and what to type?
    Doctor(DoctorArgs),
    /// Look at the cache, or make it smaller
    Cache(CacheArgs),
    /// Completions for a shell, on stdout
    Completions(CompletionsArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }
}
