//! A function's session: one runtime answers event after event, with Lambda's time limits, and a new one is started
//! when an event comes and none is there.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;

use super::log::Log;
use super::running::{Ending, Running};
use crate::function_log::Report;
use crate::runtime_api::{Answer, ErrorReport, Event, FunctionSandbox, Init, Invocation};
use crate::sandbox::bubblewrap_runs;

/// How long Lambda lets a function start before it starts it again within the first invocation.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// What came of an event.
pub struct Invoked {
    /// The handler's answer, or Lambda's where there was none.
    pub answer: Answer,
    /// What it took.
    pub report: Report,
    /// The end of its log.
    pub log: Vec<u8>,
}

/// A function, and the runtime that answers for it.
pub struct Session<'a> {
    sandbox: FunctionSandbox<'a>,
    timeout: Duration,
    log: Arc<Log>,
    running: Option<Running>,
}

impl<'a> Session<'a> {
    /// A session whose runtime is started by the first event.
    pub fn new(sandbox: FunctionSandbox<'a>, timeout: Duration, log: Log) -> Session<'a> {
        Session {
            sandbox,
            timeout,
            log: Arc::new(log),
            running: None,
        }
    }

    /// Lets the function answer an event. It is an error only if there is no way to start it.
    pub async fn invoke(&mut self, event: Event) -> Result<Invoked> {
        self.log.begin().await;
        let (mut running, mut init) = self.runtime().await?;
        let request_id = event.request_id.clone();
        let mut invocation = Invocation::new(event, self.sandbox.identity, self.timeout);
        let begin = format!("START RequestId: {request_id} Version: $LATEST");
        self.log.line(&begin).await;
        let init_duration = match init {
            Some(Init::Ready(duration)) => Some(duration),
            _ => None,
        };
        let started = Instant::now();
        if matches!(init, Some(Init::TimedOut)) {
            // What the second start takes is the invocation's time.
            (running, init) = self.second_start(running).await?;
            invocation.deadline =
                SystemTime::now() + self.timeout.saturating_sub(started.elapsed());
        }
        let limit = self.timeout.saturating_sub(started.elapsed());
        let ending = match init {
            None | Some(Init::Ready(_)) => running.answer(invocation, limit).await?,
            Some(Init::Error(report)) => Ending::NotStarted(report),
            Some(Init::Exited(status)) => {
                bubblewrap_runs().await?;
                Ending::Exited(status)
            }
            Some(Init::TimedOut) => Ending::TimedOut,
        };
        let duration = started.elapsed();
        let peak = self.keep_or_end(running, &ending).await;
        let report = Report {
            request_id,
            duration_ms: milliseconds(duration),
            billed_duration_ms: milliseconds(duration + init_duration.unwrap_or_default()).ceil()
                as u64,
            memory_size_mb: self.sandbox.identity.memory,
            max_memory_used_mb: peak.div_ceil(1 << 20),
            init_duration_ms: init_duration.map(milliseconds),
            status: status(&ending).map(ToOwned::to_owned),
            error_type: error_type(&ending).map(ToOwned::to_owned),
        };
        for line in last_lines(&report) {
            self.log.line(&line).await;
        }
        Ok(Invoked {
            answer: self.answer(ending),
            report,
            log: self.log.tail().await,
        })
    }

    /// Starts the runtime, which loads the handler, and ends it again.
    pub async fn load(&mut self) -> Result<Init> {
        let mut running = Running::start(&self.sandbox, &self.log).await?;
        let init = running.initialize(INIT_LIMIT).await?;
        running.end().await;
        Ok(init)
    }

    /// Ends the runtime; the next event starts another.
    pub async fn end(&mut self) {
        if let Some(running) = self.running.take() {
            running.end().await;
        }
    }

    /// The runtime that is there, or one that was started now, and how that went.
    async fn runtime(&mut self) -> Result<(Running, Option<Init>)> {
        if let Some(mut running) = self.running.take() {
            if running.is_alive() {
                return Ok((running, None));
            }
            running.end().await;
        }
        let mut running = Running::start(&self.sandbox, &self.log).await?;
        let init = running.initialize(INIT_LIMIT).await?;
        Ok((running, Some(init)))
    }

    /// Starts a runtime again that took too long, as Lambda does within the invocation.
    async fn second_start(&self, first: Running) -> Result<(Running, Option<Init>)> {
        let limit = INIT_LIMIT.as_millis();
        let line =
            format!("INIT_REPORT Init Duration: {limit}.00 ms\tPhase: init\tStatus: timeout");
        self.log.line(&line).await;
        first.end().await;
        let mut running = Running::start(&self.sandbox, &self.log).await?;
        let init = running.initialize(self.timeout).await?;
        Ok((running, Some(init)))
    }

    /// Keeps a runtime that can take another event, and ends any other. Returns the most memory it had, in bytes.
    async fn keep_or_end(&mut self, mut running: Running, ending: &Ending) -> u64 {
        // One that is too slow is not waited for, one that fails has a moment to say why.
        let settled = !matches!(ending, Ending::TimedOut) && running.settle().await;
        let peak = running.peak();
        if settled && matches!(ending, Ending::Answered(_)) {
            self.running = Some(running);
        } else {
            running.end().await;
        }
        peak
    }

    fn answer(&self, ending: Ending) -> Answer {
        match ending {
            Ending::Answered(answer) => answer,
            Ending::NotStarted(report) => Answer::Error(report),
            Ending::Exited(status) => Answer::Error(exited(status)),
            Ending::TimedOut => {
                let seconds = self.timeout.as_secs_f64();
                let message =
                    format!("Task timed out after {seconds:.2} seconds (--timeout gives it more)");
                Answer::Error(ErrorReport::of_lambda("Sandbox.Timedout", message))
            }
        }
    }
}

const EXIT_ERROR: &str = "Runtime.ExitError";

fn exited(status: ExitStatus) -> ErrorReport {
    let message = format!("the runtime ended before it answered ({status})");
    ErrorReport::of_lambda(EXIT_ERROR, message)
}

/// What the REPORT line says of an invocation that the handler did not end.
fn status(ending: &Ending) -> Option<&'static str> {
    match ending {
        Ending::Answered(_) => None,
        Ending::NotStarted(_) | Ending::Exited(_) => Some("error"),
        Ending::TimedOut => Some("timeout"),
    }
}

fn error_type(ending: &Ending) -> Option<&str> {
    match ending {
        Ending::NotStarted(report) => Some(&report.error_type),
        Ending::Exited(_) => Some(EXIT_ERROR),
        Ending::Answered(_) | Ending::TimedOut => None,
    }
}

/// Lambda's last lines in an invocation's log, and a remark on the memory.
fn last_lines(report: &Report) -> Vec<String> {
    let (used, allowed) = (report.max_memory_used_mb, report.memory_size_mb);
    let mut lines = vec![format!("END RequestId: {}", report.request_id)];
    if used > allowed {
        lines.push(format!(
            "on Lambda {used} MB in a function of {allowed} MB would have ended it; --memory tells it that it has more"
        ));
    }
    lines.push(report.line());
    lines
}

/// In milliseconds, to a hundredth.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}
