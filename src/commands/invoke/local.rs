//! A handler answers events on this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::image::{ImageWanted, InvokedImage};
use super::layers::{Layers, Wanted};
use super::log::Log;
use super::session::Session;
use super::watch::CodeChanges;
use super::{answer, event, serve};
use crate::cache::Cache;
use crate::cli::InvokeArgs;
use crate::commands::function_root::function_root;
use crate::commands::{Outcome, settings};
use crate::invoke_api::InvocationType;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::runtime_api::{Event, FunctionFiles, FunctionIdentity, FunctionSandbox};
use crate::terminal::Printer;

/// Invokes a handler once, or as often as it is called.
pub async fn run(args: InvokeArgs, printer: Printer, reporter: &dyn Reporter) -> Result<Outcome> {
    let code = code_folder(&args.code)?;
    let identity = FunctionIdentity {
        name: function_name(&code),
        memory: args.memory,
        region: std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned()),
    };
    let environment = args
        .environment
        .iter()
        .map(|text| environment_variable(text))
        .collect::<Result<Vec<_>>>()?;
    let timeout = Duration::from_secs(args.timeout);
    let log = Log::new(printer.verbosity);
    match args.serve {
        None => {
            // In a thread of its own, so that an interruption is heard while it reads.
            let text = args.event.clone();
            let read = move || event::read(&text, InvocationType::RequestResponse);
            let event = tokio::task::spawn_blocking(read).await??;
            let sandbox = sandbox(args, code, &identity, &environment, reporter).await?;
            let mut session = Session::new(sandbox, timeout, log);
            let invoked = session.invoke(Event::new(event)).await?;
            session.end().await;
            answer::print(&printer, invoked.answer, Some(invoked.report))
        }
        Some(port) => {
            // What cannot work fails before anything is unpacked.
            let api = serve::listen(SocketAddr::new(args.host, port)).await?;
            let changes = match args.watch {
                true => CodeChanges::watch(&code)?,
                false => CodeChanges::unwatched(),
            };
            let sandbox = sandbox(args, code, &identity, &environment, reporter).await?;
            let session = Session::new(sandbox, timeout, log);
            serve::run(api, changes, session, &printer, reporter).await
        }
    }
}

/// Makes everything ready that a runtime is started with.
async fn sandbox<'a>(
    args: InvokeArgs,
    code: PathBuf,
    identity: &'a FunctionIdentity,
    environment: &'a [(String, String)],
    reporter: &dyn Reporter,
) -> Result<FunctionSandbox<'a>> {
    let project = std::env::current_dir().context("the current folder is gone")?;
    let section = Manifest::read(&project)?.runtime;
    let target = settings::target(args.target.as_deref().or(section.target.as_deref()))?;
    let cache = Cache::from_environment()?;
    let architecture = args.arch.as_deref().map(str::parse).transpose()?;
    if let Some(image) = &args.image {
        let handler = args.handler.as_deref();
        let wanted = ImageWanted {
            name: image,
            handler,
            architecture,
            aws: &args.aws,
        };
        let image = InvokedImage::of(&wanted, &cache, reporter).await?;
        return Ok(FunctionSandbox {
            root: image.root,
            files: image.files,
            handler: args.handler.unwrap_or_default(),
            identity,
            environment,
            target,
        });
    }
    // In a thread of its own, so that an interruption is heard while it reads.
    let wanted = Wanted {
        architecture,
        usual: section.arch.first().map(str::parse).transpose()?,
        r: section.r_version.first().map(str::parse).transpose()?,
    };
    let read = move || Layers::read(&args.layers, &wanted, target);
    let layers = tokio::task::spawn_blocking(read).await??;
    Ok(FunctionSandbox {
        files: FunctionFiles::Folders {
            layers: layers.unpacked(&cache, reporter).await?,
            code,
        },
        root: function_root(&layers.root(&args.root, target), &cache, reporter).await?,
        handler: args.handler.context("--handler names the handler")?,
        identity,
        environment,
        target,
    })
}

fn code_folder(path: &Path) -> Result<PathBuf> {
    let code =
        fs_err::canonicalize(path).context("--code names the folder with the function's code")?;
    if !code.is_dir() {
        bail!(
            "--code {} is no folder; name the folder with the function's code",
            code.display()
        );
    }
    Ok(code)
}

/// `NAME=VALUE` taken apart.
fn environment_variable(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        // The text is not shown: it may be a secret.
        _ => bail!("--env takes NAME=VALUE, and one of them is none"),
    }
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
