//! `r-layer invoke`: a handler answers events on this machine, one or what is posted to it; or a function at AWS does.

mod answer;
mod deployed;
mod event;
#[cfg(unix)]
mod image;
#[cfg(unix)]
mod layers;
#[cfg(unix)]
pub mod loading;
#[cfg(unix)]
mod local;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod running;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod session;
#[cfg(unix)]
mod watch;

use anyhow::Result;

use super::Outcome;
use crate::cli::InvokeArgs;
use crate::progress::Reporter;
use crate::terminal::Printer;

/// Invokes what was named.
pub async fn run(
    mut args: InvokeArgs,
    printer: Printer,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    if let Some(function) = args.function.take() {
        return deployed::run(function, args, &printer, reporter).await;
    }
    #[cfg(unix)]
    return local::run(args, printer, reporter).await;
    #[cfg(not(unix))]
    anyhow::bail!(
        "a handler is invoked in a root file system like Lambda's, which needs Linux; type this in WSL, or name a function \
         at AWS with --function"
    )
}
