//! A function that is tried here before it is deployed: does its handler load, and what does it answer?

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use super::layers::{Layers, Wanted};
use super::log::Log;
use super::session::Session;
use crate::cache::Cache;
use crate::commands::function_root::function_root;
use crate::commands::settings;
use crate::progress::Reporter;
use crate::runtime_api::{Answer, Event, FunctionFiles, FunctionIdentity, FunctionSandbox, Init};
use crate::terminal::Verbosity;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A function in a root like Lambda's.
pub struct Function<'a> {
    /// Its layers, in its order.
    pub zips: Vec<PathBuf>,
    /// Its code.
    pub code: &'a Path,
    /// `file.function`.
    pub handler: &'a str,
    /// Its environment variables.
    pub environment: &'a [(String, String)],
}

/// Whether it loads.
pub enum Loaded {
    /// The runtime asks for events.
    Yes,
    /// It does not, for this reason.
    No(String),
}

impl Function<'_> {
    /// Loads the handler: the runtime is started, and ended when it asks for its first event.
    ///
    /// # Errors
    /// If this machine cannot run it at all.
    pub async fn load(self, reporter: &dyn Reporter) -> Result<Loaded> {
        let loaded = async |mut session: Session<'_>| session.load().await;
        Ok(match self.in_session(loaded, reporter).await? {
            Init::Ready(_) => Loaded::Yes,
            Init::Error(report) => {
                Loaded::No(format!("{}: {}", report.error_type, report.error_message))
            }
            Init::Exited(status) => {
                Loaded::No(format!("the runtime ended before it could ({status})"))
            }
            Init::TimedOut => Loaded::No("it takes longer than Lambda lets it (10 s)".to_owned()),
        })
    }

    /// What the handler answers to an event: JSON.
    ///
    /// # Errors
    /// If it answers with an error, or this machine cannot run it.
    pub async fn answer(self, event: Vec<u8>, reporter: &dyn Reporter) -> Result<Vec<u8>> {
        let invoked = async |mut session: Session<'_>| {
            let invoked = session.invoke(Event::new(event)).await;
            session.end().await;
            invoked
        };
        let answer = self.in_session(invoked, reporter).await?.answer;
        match answer {
            Answer::Response(body) => Ok(body),
            Answer::Streamed(streamed) => Ok(streamed.bytes),
            Answer::Error(report) => bail!("{}: {}", report.error_type, report.error_message),
        }
    }

    async fn in_session<T>(
        self,
        work: impl AsyncFnOnce(Session<'_>) -> Result<T>,
        reporter: &dyn Reporter,
    ) -> Result<T> {
        let target = settings::target(None)?;
        let cache = Cache::from_environment()?;
        let wanted = Wanted {
            architecture: None,
            usual: None,
            r: None,
        };
        let zips = self.zips;
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
                code: fs_err::canonicalize(self.code)?,
            },
            root: function_root(&layers.root("auto", target), &cache, reporter).await?,
            handler: self.handler.to_owned(),
            identity: &identity,
            environment: self.environment,
            target,
        };
        work(Session::new(sandbox, LIMIT, Log::new(Verbosity::Quiet))).await
    }
}
