//! The commands: settings in, result out. What they know of the terminal is a reporter.

mod audit;
mod build_all;
mod build_runtime;
mod diff;
mod inspect;
mod invoke;
mod settings;

use anyhow::Result;

use crate::cli::{BuildCommand, Cli, Command};
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

/// Runs the command that was typed.
pub async fn run(cli: Cli, printer: Printer) -> Result<Outcome> {
    let reporter = TerminalReporter::new(printer);
    match cli.command {
        Command::Build(args) => match args.layer {
            Some(BuildCommand::Runtime(args)) => {
                printer.result(&build_runtime::run(*args, &reporter).await?)?;
                Ok(Outcome::Done)
            }
            None => {
                let all = build_all::run(args.options, &reporter).await?;
                printer.result(&all)?;
                Ok(all.outcome())
            }
        },
        Command::Audit(args) => {
            // In a thread of its own, so that an interruption is heard while it reads.
            let audited = tokio::task::spawn_blocking(move || audit::run(args)).await??;
            printer.result(&audited)?;
            Ok(if audited.report.passed {
                Outcome::Done
            } else {
                Outcome::Fault
            })
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
        Command::Invoke(args) => invoke::run(args, printer, &reporter).await,
    }
}
