//! The commands: settings in, result out. What they know of the terminal is a reporter.

mod asked_layers;
mod attach;
mod audit;
mod aws_session;
mod build_all;
mod build_runtime;
mod built_layers;
mod built_runtime;
mod cache;
mod deploy;
mod destroy;
mod diff;
mod doctor;
mod function_at_aws;
mod function_change;
mod function_layers;
#[cfg(unix)]
mod function_root;
mod function_version;
mod grant;
mod image;
mod init;
mod inspect;
mod invoke;
mod list;
mod logs;
mod our_layers;
pub mod package_layers;
mod packing;
mod policy;
mod prune;
mod publish;
mod recorded;
mod regions;
mod settings;
#[cfg(unix)]
mod unpacked;
mod verify_published;

use anyhow::Result;

use clap::CommandFactory;

use crate::cli::{BuildCommand, CacheCommand, Cli, Command, ImageCommand, PackageOptions};
use crate::terminal::{Printer, TerminalReporter};

/// How a command ended that did what it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// Some of it is done, and it has told what is not.
    PartlyDone,
    /// It found a fault, which it has told.
    Fault,
}

impl Outcome {
    fn of(is_well: bool) -> Outcome {
        if is_well {
            Outcome::Done
        } else {
            Outcome::Fault
        }
    }
}

fn with_locked(options: PackageOptions, locked: bool) -> PackageOptions {
    PackageOptions { locked, ..options }
}

/// Runs the command that was typed.
pub async fn run(cli: Cli, printer: Printer) -> Result<Outcome> {
    let reporter = TerminalReporter::new(printer);
    match cli.command {
        Command::Init(args) => {
            printer.result(&init::run(args, &reporter)?)?;
            Ok(Outcome::Done)
        }
        Command::Build(args) => match args.layer {
            Some(BuildCommand::Runtime(args)) => {
                printer.result(&build_runtime::run(*args, &reporter).await?)?;
                Ok(Outcome::Done)
            }
            None if args.all => {
                let options = with_locked(args.options, args.locked);
                let all = build_all::run(args.upgrade, options, &reporter).await?;
                printer.result(&all)?;
                Ok(all.outcome())
            }
            None => {
                let (names, options) = (&args.names, with_locked(args.options, args.locked));
                let built = match &args.merge {
                    Some(merged) => {
                        package_layers::merge(names, merged, options, &reporter).await?
                    }
                    None => package_layers::build(names, options, &reporter).await?,
                };
                printer.result(&built)?;
                Ok(Outcome::Done)
            }
        },
        Command::AddPackages(args) => {
            printer.result(&package_layers::add(*args, &reporter).await?)?;
            Ok(Outcome::Done)
        }
        Command::RemovePackages(args) => {
            printer.result(&package_layers::remove(*args, &reporter).await?)?;
            Ok(Outcome::Done)
        }
        Command::Lock(args) => {
            printer.result(&package_layers::lock(*args, &reporter).await?)?;
            Ok(Outcome::Done)
        }
        Command::Tree(args) => {
            printer.result(&package_layers::tree(&args)?)?;
            Ok(Outcome::Done)
        }
        Command::Publish(args) => {
            let published = publish::run(*args, &reporter).await?;
            printer.result(&published)?;
            Ok(published.outcome())
        }
        Command::Grant(args) => {
            let granted = grant::run(*args, &reporter).await?;
            printer.result(&granted)?;
            Ok(granted.outcome())
        }
        Command::Prune(args) => {
            let pruned = prune::run(*args, &reporter).await?;
            printer.result(&pruned)?;
            Ok(pruned.outcome())
        }
        Command::VerifyPublished(args) => {
            let verified = verify_published::run(*args, &reporter).await?;
            printer.result(&verified)?;
            Ok(Outcome::of(verified.is_well()))
        }
        Command::Attach(args) => {
            let attached = attach::attach(*args, &reporter).await?;
            printer.result(&attached)?;
            Ok(attached.outcome())
        }
        Command::Detach(args) => {
            let detached = attach::detach(*args, &reporter).await?;
            printer.result(&detached)?;
            Ok(detached.outcome())
        }
        Command::Deploy(args) => {
            printer.result(&deploy::run(*args, &reporter).await?)?;
            Ok(Outcome::Done)
        }
        Command::Destroy(args) => {
            printer.result(&destroy::run(*args, &reporter).await?)?;
            Ok(Outcome::Done)
        }
        Command::Audit(args) => {
            // In a thread of its own, so that an interruption is heard while it reads.
            let audited = tokio::task::spawn_blocking(move || audit::run(args)).await??;
            printer.result(&audited)?;
            Ok(Outcome::of(audited.report.passed))
        }
        Command::Inspect(args) => {
            let inspected = tokio::task::spawn_blocking(move || inspect::run(args)).await??;
            printer.result(&inspected)?;
            Ok(Outcome::Done)
        }
        Command::Diff(args) => {
            let differences = tokio::task::spawn_blocking(move || diff::run(&args)).await??;
            printer.result(&differences)?;
            Ok(Outcome::Done)
        }
        Command::Invoke(args) => invoke::run(*args, printer, &reporter).await,
        Command::Logs(args) => {
            logs::run(*args, &printer, &reporter).await?;
            Ok(Outcome::Done)
        }
        Command::Image(args) => match args.command {
            ImageCommand::Build(args) if args.dockerfile => {
                let dockerfile = image::dockerfile(&args, &reporter).await?;
                printer.data(dockerfile.as_bytes())?;
                Ok(Outcome::Done)
            }
            ImageCommand::Build(args) => {
                printer.result(&image::build(&args, &reporter).await?)?;
                Ok(Outcome::Done)
            }
            ImageCommand::Push(args) => {
                printer.result(&image::push(&args, &reporter).await?)?;
                Ok(Outcome::Done)
            }
        },
        Command::List(args) => {
            list::run(args, &printer, &reporter).await?;
            Ok(Outcome::Done)
        }
        Command::Policy(args) => {
            let policy = policy::run(args.command, &reporter)?;
            printer.data(policy.to_string().as_bytes())?;
            Ok(Outcome::Done)
        }
        Command::Doctor(args) => {
            let diagnosis = doctor::run(args).await;
            printer.result(&diagnosis)?;
            Ok(Outcome::of(diagnosis.is_well()))
        }
        Command::Cache(args) => match args.command {
            CacheCommand::Show => {
                printer.result(&tokio::task::spawn_blocking(cache::show).await??)?;
                Ok(Outcome::Done)
            }
            CacheCommand::Clean(args) => {
                let cleaned = tokio::task::spawn_blocking(move || cache::clean(&args)).await??;
                printer.result(&cleaned)?;
                Ok(Outcome::of(!cleaned.has_fault()))
            }
        },
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "r-layer", &mut script);
            printer.data(&script)?;
            Ok(Outcome::Done)
        }
    }
}
