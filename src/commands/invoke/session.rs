//! One invocation from the start of the runtime to its answer, with Lambda's time limits.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::report::Report;
use super::running::{AFTERWORD, Running};
use crate::runtime_api::{
    Answer, ErrorReport, FunctionSandbox, Init, Invocation, RuntimeApi, initialize,
};
use crate::sandbox::bubblewrap_runs;
use crate::terminal::{Printer, Verbosity};

/// How long Lambda lets a function start before it starts it again within the first invocation.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// A function, and how long it may take.
pub struct Session<'a> {
    /// Where it runs.
    pub sandbox: FunctionSandbox<'a>,
    /// Where its log goes.
    pub printer: Printer,
    /// How long an invocation may take.
    pub timeout: Duration,
}

impl Session<'_> {
    /// Starts the runtime, hands it the event, and ends it.
    pub async fn invoke(&self, event: Vec<u8>) -> Result<(Answer, Report)> {
        let api = RuntimeApi::start()
            .await
            .context("the local Runtime API cannot be started")?;
        let mut running = Running::start(&self.sandbox, &api)?;
        let mut init = initialize(&mut running.process, &api, INIT_LIMIT).await?;
        let mut invocation = Invocation::new(event, self.sandbox.identity, self.timeout);
        let request_id = invocation.request_id.clone();
        self.line(&format!("START RequestId: {request_id} Version: $LATEST"));
        let started = Instant::now();
        if matches!(init, Init::TimedOut) {
            let limit = INIT_LIMIT.as_millis();
            self.line(&format!(
                "INIT_REPORT Init Duration: {limit}.00 ms\tPhase: init\tStatus: timeout"
            ));
            running.end().await;
            running = Running::start(&self.sandbox, &api)?;
            // What the second start takes is the invocation's time.
            init = initialize(&mut running.process, &api, self.timeout).await?;
            invocation.deadline =
                std::time::SystemTime::now() + self.timeout.saturating_sub(started.elapsed());
        }
        let limit = self.timeout.saturating_sub(started.elapsed());
        let (answer, init_duration) = match init {
            Init::Ready(duration) => (
                self.answer(&api, &mut running, invocation, limit).await?,
                Some(duration),
            ),
            Init::Error(report) => (Answer::Error(report), None),
            Init::Exited(status) => {
                bubblewrap_runs().await?;
                (Answer::Error(exited(status)), None)
            }
            Init::TimedOut => (Answer::Error(self.timed_out()), None),
        };
        let duration = started.elapsed();
        running.sample();
        let _ = tokio::time::timeout(AFTERWORD, api.asked(2)).await;
        let peak = running.end().await;
        self.line(&format!("END RequestId: {request_id}"));
        let (used, allowed) = (peak.div_ceil(1 << 20), self.sandbox.identity.memory);
        if used > allowed {
            self.line(&format!(
                "on Lambda {used} MB in a function of {allowed} MB would have ended it; --memory tells it that it has more"
            ));
        }
        let billed = duration + init_duration.unwrap_or_default();
        let report = Report {
            request_id,
            duration_ms: milliseconds(duration),
            billed_duration_ms: milliseconds(billed).ceil() as u64,
            memory_size_mb: self.sandbox.identity.memory,
            max_memory_used_mb: used,
            init_duration_ms: init_duration.map(milliseconds),
        };
        Ok((answer, report))
    }

    async fn answer(
        &self,
        api: &RuntimeApi,
        running: &mut Running,
        invocation: Invocation,
        limit: Duration,
    ) -> Result<Answer> {
        tokio::select! {
            biased;
            answer = api.invoke(invocation) => answer.context("the local Runtime API ended"),
            status = running.process.wait() => Ok(Answer::Error(exited(status?))),
            () = tokio::time::sleep(limit) => Ok(Answer::Error(self.timed_out())),
        }
    }

    fn timed_out(&self) -> ErrorReport {
        let seconds = self.timeout.as_secs_f64();
        let message =
            format!("Task timed out after {seconds:.2} seconds (--timeout gives it more)");
        ErrorReport::of_lambda("Sandbox.Timedout", message)
    }

    fn line(&self, line: &str) {
        if self.printer.verbosity > Verbosity::Quiet {
            self.printer.line(line);
        }
    }
}

fn exited(status: std::process::ExitStatus) -> ErrorReport {
    let message = format!("the runtime ended before it answered ({status})");
    ErrorReport::of_lambda("Runtime.ExitError", message)
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}
