//! A bootstrap that runs: one process that answers event after event, its log read, its memory watched.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::unix::pipe;
use tokio::task::JoinHandle;

use super::log::Log;
use crate::runtime_api::{
    Answer, ErrorReport, FunctionSandbox, Init, Invocation, PeakMemory, RuntimeApi, announce_end,
    initialize,
};
use crate::sandbox::ProcessGroup;

/// How long after its answer a runtime may still write to its log.
const AFTERWORD: Duration = Duration::from_millis(500);

/// How long Lambda gives a function with an extension for its end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How an event ended for the bootstrap that was to answer it.
#[derive(Debug)]
pub enum Ending {
    /// It was answered.
    Answered(Answer),
    /// The runtime could not start, and said why.
    NotStarted(ErrorReport),
    /// The process ended without an answer.
    Exited(ExitStatus),
    /// The time was over.
    TimedOut,
}

/// A bootstrap that runs against a Runtime API of its own. Its processes end with this value.
pub struct Running {
    process: ProcessGroup,
    api: RuntimeApi,
    peak: PeakMemory,
    log: Arc<Log>,
    output: Arc<pipe::Receiver>,
    copying: JoinHandle<()>,
}

impl Running {
    /// Starts it.
    pub async fn start(sandbox: &FunctionSandbox<'_>, log: &Arc<Log>) -> Result<Running> {
        let api = RuntimeApi::start()
            .await
            .context("the local Runtime API cannot be started")?;
        // One pipe for stdout and stderr, which keeps their order.
        let (sender, receiver) = pipe::pipe().context("the log has no pipe")?;
        let process = sandbox.start(&api, sender.into_blocking_fd()?)?;
        let output = Arc::new(receiver);
        Ok(Running {
            peak: PeakMemory::of(process.child.id().unwrap_or(0)),
            process,
            api,
            log: log.clone(),
            copying: tokio::spawn(copy(output.clone(), log.clone())),
            output,
        })
    }

    /// Waits until it asks for its first event, or fails to.
    pub async fn initialize(&mut self, limit: Duration) -> Result<Init> {
        let init = initialize(&mut self.process, &self.api, limit);
        let init = self.peak.during(init).await?;
        self.log.take(&self.output).await;
        Ok(init)
    }

    /// Does the process still run?
    pub fn is_alive(&mut self) -> bool {
        matches!(self.process.child.try_wait(), Ok(None))
    }

    /// Hands it an event and waits for the answer.
    pub async fn answer(&mut self, invocation: Invocation, limit: Duration) -> Result<Ending> {
        let answered = async {
            tokio::select! {
                biased;
                answer = self.api.invoke(invocation) => {
                    answer.map(Ending::Answered).context("the local Runtime API ended")
                }
                status = self.process.wait() => Ok(Ending::Exited(status?)),
                () = tokio::time::sleep(limit) => Ok(Ending::TimedOut),
            }
        };
        let ending = self.peak.during(answered).await?;
        self.peak.sample();
        Ok(ending)
    }

    /// Waits until it is done with the event that it answered, and takes the rest of the event's log. False if the
    /// process ended instead.
    pub async fn settle(&mut self) -> bool {
        let alive = tokio::select! {
            biased;
            () = self.api.asks() => true,
            _ = self.process.wait() => false,
            () = tokio::time::sleep(AFTERWORD) => true,
        };
        self.log.take(&self.output).await;
        alive
    }

    /// The most memory that its processes had, in bytes.
    pub fn peak(&self) -> u64 {
        self.peak.bytes()
    }

    /// Ends the processes and waits for the rest of the log. Where an extension is registered, the runtime is told
    /// before.
    pub async fn end(mut self) {
        if self.api.has_extension()
            && self.is_alive()
            && let Some(pid) = self.process.child.id()
        {
            announce_end(pid);
            let _ = tokio::time::timeout(LAST_WORDS, self.process.wait()).await;
        }
        drop(self.process);
        let _ = tokio::time::timeout(AFTERWORD, self.copying).await;
    }
}

async fn copy(output: Arc<pipe::Receiver>, log: Arc<Log>) {
    while output.readable().await.is_ok() && log.take(&output).await {}
}
