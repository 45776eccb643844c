//! Is a handler one that loads? The runtime is started with it, and ended when it asks for its first event.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::layers::{Layers, Wanted};
use super::log::Log;
use super::session::Session;
use crate::cache::Cache;
use crate::commands::function_root::function_root;
use crate::commands::settings;
use crate::progress::Reporter;
use crate::runtime_api::{FunctionFiles, FunctionIdentity, FunctionSandbox, Init};
use crate::terminal::Verbosity;

/// Whether it loads.
pub enum Loaded {
    /// The runtime asks for events.
    Yes,
    /// It does not, for this reason.
    No(String),
}

/// Loads a handler with layers, in the order of the function.
///
/// # Errors
/// If this machine cannot run it at all.
pub async fn load(
    zips: Vec<PathBuf>,
    code: &Path,
    handler: &str,
    environment: &[(String, String)],
    reporter: &dyn Reporter,
) -> Result<Loaded> {
    let target = settings::target(None)?;
    let cache = Cache::from_environment()?;
    let wanted = Wanted {
        architecture: None,
        usual: None,
        r: None,
    };
    let read = move || Layers::read(&zips, &wanted, target);
    let layers = tokio::task::spawn_blocking(read).await??;
    let identity = FunctionIdentity {
        name: "function".to_owned(),
        memory: 512,
        region: std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned()),
    };
    let sandbox = FunctionSandbox {
        files: FunctionFiles::Folders {
            layers: layers.unpacked(&cache, reporter).await?,
            code: fs_err::canonicalize(code)?,
        },
        root: function_root(&layers.root("auto", target), &cache, reporter).await?,
        handler: handler.to_owned(),
        identity: &identity,
        environment,
        target,
    };
    let limit = Duration::from_secs(60);
    let mut session = Session::new(sandbox, limit, Log::new(Verbosity::Quiet));
    Ok(match session.load().await? {
        Init::Ready(_) => Loaded::Yes,
        Init::Error(report) => {
            Loaded::No(format!("{}: {}", report.error_type, report.error_message))
        }
        Init::Exited(status) => Loaded::No(format!("the runtime ended before it could ({status})")),
        Init::TimedOut => Loaded::No("it takes longer than Lambda lets it (10 s)".to_owned()),
    })
}
