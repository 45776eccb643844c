//! What an invocation took, and how its answer is printed.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::commands::Outcome;
use crate::runtime_api::{Answer, ErrorReport, Prelude};
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
struct Invoked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    /// What a streamed response over HTTP says before its body.
    #[serde(skip_serializing_if = "Option::is_none")]
    prelude: Option<Prelude>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ErrorReport>,
    report: Report,
}

/// Prints the answer on stdout, or the error on stderr. A streamed response may have both.
pub fn print(printer: &Printer, answer: Answer, report: Report) -> Result<Outcome> {
    let error = answer.error();
    let outcome = match error {
        None => Outcome::Done,
        Some(_) => Outcome::Fault,
    };
    if printer.json {
        let (prelude, body) = match &answer {
            Answer::Response(body) => (None, Some(body.as_slice())),
            Answer::Streamed(streamed) => {
                let (prelude, body) = streamed.parts();
                (prelude, Some(body))
            }
            Answer::Error(_) => (None, None),
        };
        let invoked = Invoked {
            result: body.map(json_or_text),
            prelude,
            error,
            report,
        };
        printer.data((serde_json::to_string_pretty(&invoked)? + "\n").as_bytes())?;
        return Ok(outcome);
    }
    match &answer {
        Answer::Response(body) => {
            let end: &[u8] = if body.ends_with(b"\n") { b"" } else { b"\n" };
            printer.data(&[body, end].concat())?;
        }
        Answer::Streamed(streamed) => {
            let (prelude, body) = streamed.parts();
            for line in prelude.iter().flat_map(head) {
                printer.line(&line);
            }
            // Not a byte more: it need not be text.
            printer.data(body)?;
        }
        Answer::Error(_) => {}
    }
    if let Some(error) = error {
        let title = printer.paint("1;31", &error.error_type);
        printer.line(&format!("{title}: {}", error.error_message));
        for call in &error.stack_trace {
            printer.line(&format!("    {call}"));
        }
    }
    Ok(outcome)
}

/// Status, headers and cookies of a streamed response over HTTP, as HTTP writes them.
fn head(prelude: &Prelude) -> Vec<String> {
    let headers = prelude
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"));
    let cookies = prelude
        .cookies
        .iter()
        .map(|cookie| format!("Set-Cookie: {cookie}"));
    std::iter::once(format!("HTTP status {}", prelude.status_code))
        .chain(headers)
        .chain(cookies)
        .collect()
}

/// In milliseconds, to a hundredth.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body)
        .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into())
}
