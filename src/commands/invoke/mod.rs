//! `r-layer invoke`: a handler answers one event on this machine.

mod event;
mod layers;
mod report;
mod root;
mod running;
mod session;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Outcome, settings};
use crate::cache::Cache;
use crate::cli::InvokeArgs;
use crate::progress::Reporter;
use crate::runtime_api::{FunctionIdentity, FunctionSandbox};
use crate::terminal::Printer;
use layers::Layers;
use session::Session;

/// Invokes a handler once.
pub async fn run(args: InvokeArgs, printer: Printer, reporter: &dyn Reporter) -> Result<Outcome> {
    let target = settings::target(args.target.as_deref())?;
    // In threads of their own, so that an interruption is heard while they read.
    let text = args.event.clone();
    let event = tokio::task::spawn_blocking(move || event::read(&text)).await??;
    let environment = args
        .environment
        .iter()
        .map(|text| settings::environment_variable(text))
        .collect::<Result<Vec<_>>>()?;
    let code = fs_err::canonicalize(&args.code)
        .context("--code names the folder with the function's code")?;
    if !code.is_dir() {
        bail!(
            "--code {} is no folder; name the folder with the function's code",
            code.display()
        );
    }
    let cache = Cache::from_environment()?;
    let zips = args.layers.clone();
    let layers = tokio::task::spawn_blocking(move || Layers::read(&zips, target)).await??;
    let opt = layers.unpacked(&cache, reporter).await?;
    let root = layers.root(&args.root, target, &cache, reporter).await?;
    let identity = FunctionIdentity {
        name: function_name(&code),
        memory: args.memory,
        region: std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned()),
    };
    let sandbox = FunctionSandbox {
        root,
        layers: opt,
        code,
        handler: args.handler,
        identity: &identity,
        environment: &environment,
        target,
    };
    let session = Session {
        sandbox,
        printer,
        timeout: Duration::from_secs(args.timeout),
    };
    let (answer, report) = session.invoke(event).await?;
    report::print(&printer, answer, report)
}

/// Lambda's names have letters, digits, `-` and `_` only.
fn function_name(code: &Path) -> String {
    let name: String = code
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .take(64)
        .collect();
    if name.is_empty() {
        "function".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_a_function_a_name_that_lambda_takes() {
        assert_eq!(
            function_name(Path::new("/srv/my function.v2")),
            "my-function-v2"
        );
        assert_eq!(function_name(Path::new("/")), "function");
    }
}
