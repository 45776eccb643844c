//! A response that is shown while it comes.
//!
//! AWS says of every such response that it is a stream of events. Whether it is one over HTTP, with a prelude, is seen in
//! how it begins.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{answer, failure, tail};
use crate::aws::{ResponsePart, ResponseStream};
use crate::commands::Outcome;
use crate::commands::function_at_aws::FunctionAtAws;
use crate::progress::Reporter;
use crate::runtime_api::{Answer, ErrorReport, HTTP_RESPONSE, Streamed};
use crate::terminal::Printer;

/// How a prelude begins.
const PRELUDE: &[u8] = b"{\"statusCode\"";

/// A prelude is no larger than this, in bytes: AWS's limit for headers is a sixth of it.
const LARGEST_PRELUDE: usize = 65_536;

/// Prints a response as it comes, and then the log, which comes at its end. With `--json` all is printed at the end.
pub async fn show(
    mut stream: ResponseStream,
    at: &FunctionAtAws,
    printer: &Printer,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    let mut shown = Shown {
        printer,
        response: Streamed {
            content_type: HTTP_RESPONSE.to_owned(),
            bytes: Vec::new(),
            error: None,
        },
        has_begun: false,
    };
    let (error, log) = loop {
        match stream.next().await {
            Ok(ResponsePart::Chunk(chunk)) => shown.take(&chunk)?,
            Ok(ResponsePart::End { error, log }) => break (error, log),
            Err(error) => {
                shown.end()?;
                return Err(failure::explained(error, at).await);
            }
        }
    };
    shown.end()?;
    let report = tail::print(&log, at.name(), printer, reporter);
    let error = error.map(|(code, details)| error_report(&code, &details));
    if printer.json {
        let response = Streamed {
            error,
            ..shown.response
        };
        return answer::print(printer, Answer::Streamed(response), report);
    }
    match error {
        None => Ok(Outcome::Done),
        Some(error) => {
            answer::print_error(printer, &error);
            Ok(Outcome::Fault)
        }
    }
}

/// A response as far as it came.
struct Shown<'a> {
    printer: &'a Printer,
    /// What is not printed yet.
    response: Streamed,
    /// Is the prelude printed, or is there none?
    has_begun: bool,
}

impl Shown<'_> {
    fn take(&mut self, chunk: &[u8]) -> Result<()> {
        self.response.bytes.extend_from_slice(chunk);
        if self.printer.json {
            return Ok(());
        }
        if !self.has_begun {
            let bytes = &self.response.bytes;
            let may_be_prelude = bytes.starts_with(PRELUDE) || PRELUDE.starts_with(bytes);
            let (prelude, body) = self.response.parts();
            if prelude.is_none() && may_be_prelude && bytes.len() < LARGEST_PRELUDE {
                return Ok(());
            }
            if let Some(prelude) = &prelude {
                answer::print_head(self.printer, prelude);
            }
            self.response.bytes = body.to_vec();
            self.has_begun = true;
        }
        self.printer.data(&self.response.bytes)?;
        self.response.bytes.clear();
        Ok(())
    }

    /// A prelude without an end is printed as it came.
    fn end(&self) -> Result<()> {
        if !self.printer.json {
            self.printer.data(&self.response.bytes)?;
        }
        Ok(())
    }
}

/// The details are the runtime's JSON, as it is or in base64, or words.
fn error_report(code: &str, details: &str) -> ErrorReport {
    let is_json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
    let decoded = STANDARD.decode(details).ok();
    let json = Some(details.as_bytes().to_vec())
        .filter(|bytes| is_json(bytes))
        .or_else(|| decoded.filter(|bytes| is_json(bytes)));
    let mut report = match json {
        Some(json) => ErrorReport::parse(&json),
        None => ErrorReport::of_lambda(code, details.to_owned()),
    };
    if report.error_type.is_empty() {
        report.error_type = code.to_owned();
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_details_of_an_error_are_json_base64_or_words() {
        let json = r#"{"errorMessage":"late","errorType":"simpleError","stackTrace":["f()"]}"#;
        for details in [json.to_owned(), STANDARD.encode(json)] {
            let report = error_report("Function.SimpleError", &details);
            assert_eq!(report.error_type, "simpleError");
            assert_eq!(
                (report.error_message.as_str(), report.stack_trace.len()),
                ("late", 1)
            );
        }
        let report = error_report("Unhandled", "Task timed out");
        assert_eq!(report.error_type, "Unhandled");
        assert_eq!(report.error_message, "Task timed out");
        assert_eq!(error_report("Unhandled", "{}").error_type, "Unhandled");
    }
}
