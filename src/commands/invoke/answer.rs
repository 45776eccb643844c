//! How an answer is printed, wherever it came from.

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::commands::Outcome;
use crate::function_log::Report;
use crate::runtime_api::{Answer, ErrorReport, Prelude};
use crate::terminal::Printer;

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
    /// Missing where AWS's part of the log has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
}

/// Prints the answer on stdout, or the error on stderr. A streamed response may have both.
pub fn print(printer: &Printer, answer: Answer, report: Option<Report>) -> Result<Outcome> {
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
            if let Some(prelude) = &prelude {
                print_head(printer, prelude);
            }
            // Not a byte more: it need not be text.
            printer.data(body)?;
        }
        Answer::Error(_) => {}
    }
    if let Some(error) = error {
        print_error(printer, error);
    }
    Ok(outcome)
}

/// A function's error: type, message and trace.
pub fn print_error(printer: &Printer, error: &ErrorReport) {
    let title = printer.paint("1;31", &error.error_type);
    printer.line(&format!("{title}: {}", error.error_message));
    for call in &error.stack_trace {
        printer.line(&format!("    {call}"));
    }
}

/// Status, headers and cookies of a streamed response over HTTP, as HTTP writes them.
pub fn print_head(printer: &Printer, prelude: &Prelude) {
    let headers = prelude
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"));
    let cookies = prelude
        .cookies
        .iter()
        .map(|cookie| format!("Set-Cookie: {cookie}"));
    printer.line(&format!("HTTP status {}", prelude.status_code));
    for line in headers.chain(cookies) {
        printer.line(&line);
    }
}

fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body)
        .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into())
}
