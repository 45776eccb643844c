//! Loading packages one by one, each by a runtime of its own.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use super::Check;
use super::failure::LoadFailure;
use crate::cache::Cache;
use crate::commands::function_root::{Wanted, function_root};
use crate::commands::unpacked::unpacked;
use crate::embedded;
use crate::layer::examine::glibc_floor_of;
use crate::progress::Reporter;
use crate::runtime_api::{
    Answer, Event, FunctionFiles, FunctionIdentity, FunctionSandbox, Init, Invocation, RuntimeApi,
    initialize,
};

/// How many R processes run at once.
const AT_ONCE: usize = 2;

/// How long a package may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How long the pipe of a process that has ended may still be open.
const AFTERWORD: Duration = Duration::from_secs(1);

/// How many lines of a log are shown.
const LINES: usize = 8;

/// What is called with the name of each package: a function in `layers/proof`, in the file of its name.
const LOAD_PACKAGE: &str = "load_package";

/// As much as Lambda gives a function at most, in MB.
const MEMORY: u64 = 10_240;

impl Check<'_> {
    /// The packages that do not load, by name.
    pub(super) async fn failures(
        &self,
        cache: &Cache,
        reporter: &dyn Reporter,
    ) -> Result<Vec<LoadFailure>> {
        let floor = glibc_floor_of(self.layers);
        let wanted = Wanted {
            name: self.root,
            glibc: floor.as_deref(),
            architecture: self.architecture,
            target: self.target,
        };
        let root = function_root(&wanted, cache, reporter).await?;
        let opt = unpacked(self.layers, cache, reporter).await?;
        let code = cache.unfinished()?;
        for (name, script) in embedded::files("proof") {
            fs_err::write(code.path().join(name), script)?;
        }
        let identity = FunctionIdentity {
            name: "proof".to_owned(),
            memory: MEMORY,
            region: "us-east-1".to_owned(),
        };
        let loader = Loader {
            sandbox: FunctionSandbox {
                root,
                files: FunctionFiles::Folders {
                    layers: opt,
                    code: code.path().to_owned(),
                },
                handler: handler(LOAD_PACKAGE),
                identity: &identity,
                environment: &[],
                target: self.target,
            },
            reporter,
        };
        let packages = self.packages.iter();
        let loads = packages.map(|package| (LOAD_PACKAGE, package.as_str()));
        let calls = loads.chain(self.proofs.iter().map(|&proof| (proof, proof)));
        let called = stream::iter(calls).map(|(function, of)| loader.call(function, of));
        let called: Vec<Option<LoadFailure>> = called.buffered(AT_ONCE).try_collect().await?;
        let mut failures: Vec<LoadFailure> = called.into_iter().flatten().collect();
        failures.sort_by(|one, other| one.package.cmp(&other.package));
        Ok(failures)
    }
}

struct Loader<'a> {
    sandbox: FunctionSandbox<'a>,
    reporter: &'a dyn Reporter,
}

impl Loader<'_> {
    /// Calls a function of the proof in a fresh R, with the name of a package or its own; why it fails, if it fails.
    async fn call(&self, function: &str, package: &str) -> Result<Option<LoadFailure>> {
        let api = RuntimeApi::start().await;
        let api = api.context("the local Runtime API cannot be started")?;
        let (sender, mut receiver) = pipe::pipe().context("the log has no pipe")?;
        let sandbox = FunctionSandbox {
            handler: handler(function),
            ..self.sandbox.clone()
        };
        let mut process = sandbox.start(&api, sender.into_blocking_fd()?)?;
        let log = tokio::spawn(async move {
            let mut log = Vec::new();
            // What was read before an error is the log.
            let _ = receiver.read_to_end(&mut log).await;
            log
        });
        let started = initialize(&mut process, &api, LIMIT).await?;
        let problem = match started {
            Init::Ready(_) => {
                let event = Event::new(serde_json::to_vec(package)?);
                let invocation = Invocation::new(event, self.sandbox.identity, LIMIT);
                tokio::select! {
                    biased;
                    answer = api.invoke(invocation) => problem_of(answer),
                    status = process.wait() => Some(format!("R ended while it loaded the package ({})", status?)),
                    () = tokio::time::sleep(LIMIT) => Some(timed_out()),
                }
            }
            Init::Error(report) => Some(report.error_message),
            Init::Exited(status) => Some(format!("the runtime did not start ({status})")),
            Init::TimedOut => Some(timed_out()),
        };
        drop(process);
        let log = tokio::time::timeout(AFTERWORD, log).await;
        let log = log.ok().and_then(Result::ok).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        for line in log.lines() {
            self.reporter.detail(&format!("{package}: {line}"));
        }
        Ok(problem.map(|message| LoadFailure::new(package, &message, last_lines(&log))))
    }
}

fn handler(function: &str) -> String {
    format!("{function}.{function}")
}

fn problem_of(answer: Option<Answer>) -> Option<String> {
    match answer {
        Some(answer) => answer.error().map(|report| report.error_message.clone()),
        None => Some("the local Runtime API ended".to_owned()),
    }
}

fn timed_out() -> String {
    format!("it was not loaded within {} seconds", LIMIT.as_secs())
}

fn last_lines(log: &str) -> Vec<String> {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let first = lines.len().saturating_sub(LINES);
    lines[first..].iter().map(|&line| line.to_owned()).collect()
}
