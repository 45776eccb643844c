//! A bootstrap that runs: its log on its way to stderr, its memory watched.

use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::task::JoinHandle;

use crate::runtime_api::{FunctionSandbox, PeakMemory, RuntimeApi};
use crate::sandbox::ProcessGroup;

/// How long after its answer a runtime may still write to its log.
pub const AFTERWORD: Duration = Duration::from_millis(500);

/// A bootstrap that runs, with its log on its way to stderr and its memory watched.
pub struct Running {
    /// The process.
    pub process: ProcessGroup,
    pid: u32,
    logs: Vec<JoinHandle<()>>,
    peak: PeakMemory,
    watch: JoinHandle<()>,
}

impl Running {
    /// Starts it against a Runtime API.
    pub fn start(sandbox: &FunctionSandbox<'_>, api: &RuntimeApi) -> Result<Running> {
        let mut process = sandbox.start(api)?;
        let pid = process.child.id().unwrap_or(0);
        let mut logs = Vec::new();
        logs.extend(
            process
                .child
                .stdout
                .take()
                .map(|output| tokio::spawn(to_stderr(output))),
        );
        logs.extend(
            process
                .child
                .stderr
                .take()
                .map(|output| tokio::spawn(to_stderr(output))),
        );
        let peak = PeakMemory::default();
        let watch = {
            let peak = peak.clone();
            tokio::spawn(async move { peak.watch(pid).await })
        };
        Ok(Running {
            process,
            pid,
            logs,
            peak,
            watch,
        })
    }

    /// Looks at its memory now.
    pub fn sample(&self) {
        self.peak.sample(self.pid);
    }

    /// Ends the processes and waits for the rest of the log; returns the most memory they had, in bytes.
    pub async fn end(self) -> u64 {
        self.watch.abort();
        drop(self.process);
        for log in self.logs {
            let _ = tokio::time::timeout(AFTERWORD, log).await;
        }
        self.peak.bytes()
    }
}

/// Copies a log to stderr. Where that is closed, nobody reads it.
async fn to_stderr(mut output: impl AsyncRead + Unpin) {
    let mut stderr = tokio::io::stderr();
    let _ = tokio::io::copy(&mut output, &mut stderr).await;
    let _ = stderr.flush().await;
}
