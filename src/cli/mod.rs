//! What can be typed: clap types, a file a command. What a flag means is decided in `commands`.

mod attach;
mod audit;
mod aws;
mod build;
mod cache;
mod deploy;
mod doctor;
mod image;
mod init;
mod inspect;
mod invoke;
mod list;
mod logs;
mod packages;
mod policy;
mod prune;
mod publish;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use attach::{AttachArgs, ChangeOptions, DetachArgs, FunctionRegionOptions};
pub use audit::{AuditArgs, PolicyArg};
pub use aws::{AwsOptions, GrantOptions, OneRegionOption, RegionOptions};
pub use build::{BlasArg, BuildArgs, BuildCommand, BuildRuntimeArgs, RuntimeOptions};
pub use cache::{CacheArgs, CacheCommand, CleanArgs};
pub use deploy::{DeployArgs, DestroyArgs, LogFormatArg};
pub use doctor::{CompletionsArgs, DoctorArgs};
pub use image::{ImageArgs, ImageBuildArgs, ImageCommand, ImagePushArgs, RegistryOptions};
pub use init::InitArgs;
pub use inspect::{DiffArgs, InspectArgs};
pub use invoke::InvokeArgs;
pub use list::{FormatArg, ListArgs};
pub use logs::LogsArgs;
pub use packages::{
    AddPackagesArgs, CompressionArg, LockArgs, PackageOptions, PackageTypeArg, RemovePackagesArgs,
    TreeArgs,
};
pub use policy::{
    AttachPolicyArgs, DeployPolicyArgs, FunctionPolicyArgs, IamPolicyArgs, IamPolicyCommand,
    InvokePolicyArgs, PublishPolicyArgs, ScopeArgs,
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

impl Cli {
    /// Reads what was typed, the program's name first.
    ///
    /// # Errors
    /// What clap finds wrong, and flags that do not go with another as clap cannot know it. Help is such an error, too.
    pub fn typed(
        words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Cli, clap::Error> {
        let mut command = Cli::command();
        let matches = command.try_get_matches_from_mut(words)?;
        if let Some(("invoke", matches)) = matches.subcommand()
            && let Some(why) = invoke::misplaced_flag(matches)
        {
            return Err(command.error(ErrorKind::ArgumentConflict, why));
        }
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
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
    /// Make a small project to start from
    Init(InitArgs),
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
    /// Let a handler answer an event on this machine, in a root file system like Lambda's, or a function at AWS
    Invoke(Box<InvokeArgs>),
    /// What a function wrote into its log
    Logs(Box<LogsArgs>),
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
    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_invoke_are_for_a_handler_here_or_for_a_function_at_aws() {
        let typed = |flags: &str| {
            let words = "r-layer invoke ".to_owned() + flags;
            Cli::typed(words.split_whitespace()).map(drop)
        };
        assert!(typed("--handler a.b --layer x.zip --env A=1").is_ok());
        assert!(typed("--function f --alias live --region eu-west-1 --profile p").is_ok());
        assert!(typed("--function f --qualifier 3 --stream --event -").is_ok());
        for (flags, why) in [
            ("--function f --code fn", "--code is for a handler"),
            ("--function f --layer x.zip", "--layer is for a handler"),
            ("--function f --env A=1", "--env is for a handler"),
            ("--function f --timeout 3", "--timeout is for a handler"),
            (
                "--handler a.b --region eu-west-1",
                "--region is for a function at AWS",
            ),
            (
                "--handler a.b --endpoint-url http://x",
                "--endpoint-url is for a function",
            ),
            ("--handler a.b --async", "--function"),
            ("--function f --async --stream", "cannot be used with"),
            ("--function a:b:c", "neither a version"),
            ("", "--handler"),
        ] {
            let error = typed(flags).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{flags}");
            assert!(error.to_string().contains(why), "{flags}: {error}");
        }
    }
}
