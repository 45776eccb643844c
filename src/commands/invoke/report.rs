//! What an invocation took, and how its answer is printed.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::commands::Outcome;
use crate::runtime_api::{Answer, ErrorReport};
use crate::terminal::Printer;

/// What an invocation took, as Lambda's REPORT line has it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its id.
    pub request_id: String,
    /// From the event to the answer.
    pub duration_ms: f64,
    /// What Lambda would bill: the start too.
    pub billed_duration_ms: u64,
    /// The function's memory.
    pub memory_size_mb: u64,
    /// The most memory its processes had.
    pub max_memory_used_mb: u64,
    /// From the start of the process to its first question for an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_duration_ms: Option<f64>,
    /// How it ended, if the handler did not end it.
    #[serde(skip)]
    pub status: Option<String>,
}

impl Report {
    /// Lambda's last lines in an invocation's log, and a remark on the memory.
    pub fn lines(&self) -> Vec<String> {
        let (used, allowed) = (self.max_memory_used_mb, self.memory_size_mb);
        let mut lines = vec![format!("END RequestId: {}", self.request_id)];
        if used > allowed {
            lines.push(format!(
                "on Lambda {used} MB in a function of {allowed} MB would have ended it; --memory tells it that it has more"
            ));
        }
        lines.push(self.line());
        lines
    }

    fn line(&self) -> String {
        let mut line = format!(
            "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
            self.request_id,
            self.duration_ms,
            self.billed_duration_ms,
            self.memory_size_mb,
            self.max_memory_used_mb
        );
        if let Some(init) = self.init_duration_ms {
            let _ = write!(line, "\tInit Duration: {init:.2} ms");
        }
        if let Some(status) = &self.status {
            let _ = write!(line, "\tStatus: {status}");
        }
        line
    }
}

/// What came of an invocation, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Invoked {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorReport>,
    report: Report,
}

/// Prints the answer on stdout, or the error on stderr.
pub fn print(printer: &Printer, answer: Answer, report: Report) -> Result<Outcome> {
    let outcome = match answer {
        Answer::Response(_) => Outcome::Done,
        Answer::Error(_) => Outcome::Fault,
    };
    if printer.json {
        let (result, error) = match answer {
            Answer::Response(body) => (Some(json_or_text(&body)), None),
            Answer::Error(error) => (None, Some(error)),
        };
        let invoked = Invoked {
            result,
            error,
            report,
        };
        printer.data((serde_json::to_string_pretty(&invoked)? + "\n").as_bytes())?;
        return Ok(outcome);
    }
    match answer {
        Answer::Response(mut body) => {
            if !body.ends_with(b"\n") {
                body.push(b'\n');
            }
            printer.data(&body)?;
        }
        Answer::Error(error) => {
            let title = printer.paint("1;31", &error.error_type);
            printer.line(&format!("{title}: {}", error.error_message));
            for call in &error.stack_trace {
                printer.line(&format!("    {call}"));
            }
        }
    }
    Ok(outcome)
}

/// In milliseconds, to a hundredth.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body)
        .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into())
}
