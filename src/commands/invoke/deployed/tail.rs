//! The end of an invocation's log, which AWS sends along with the answer: shown as a handler's on this machine is.

use serde_json::Value;

use crate::function_log::{Entry, Label, Report};
use crate::progress::Reporter;
use crate::terminal::{Printer, Verbosity, printable};

/// Prints the log's lines on stderr, Lambda's own only if it is not to be quiet, and returns what the REPORT line says.
pub fn print(log: &[u8], name: &str, printer: &Printer, reporter: &dyn Reporter) -> Option<Report> {
    let log = String::from_utf8_lossy(log);
    let lines: Vec<(Label, String)> = log.lines().flat_map(shown).collect();
    let is_whole = lines.iter().any(|(label, _)| *label == Label::Start);
    if !is_whole && !lines.is_empty() {
        reporter.note(&format!(
            "AWS sends the last 4 KB of a log; `r-layer logs {name}` shows what was before"
        ));
    }
    for (label, line) in &lines {
        let is_lambdas = [Label::Init, Label::Start, Label::End, Label::Report].contains(label);
        if !is_lambdas || printer.verbosity != Verbosity::Quiet {
            printer.line(&printable(line));
        }
    }
    log.lines().rev().find_map(report)
}

/// A line of text as it is, one of JSON laid out as text.
fn shown(line: &str) -> Vec<(Label, String)> {
    let entry = Entry::read(line);
    let id = entry.request_id.as_deref().unwrap_or_default();
    if !line.starts_with('{') {
        return vec![(entry.label, line.trim_end().to_owned())];
    }
    let text = match entry.label {
        Label::Start => format!(
            "START RequestId: {id} Version: {}",
            entry.text.trim_start_matches("version ")
        ),
        Label::End if id.is_empty() => return Vec::new(),
        Label::End => format!("END RequestId: {id}"),
        Label::Report => report(line).map(|report| report.line()).unwrap_or_default(),
        label => format!("{} {}", label.name(), entry.text)
            .trim_start()
            .to_owned(),
    };
    let details = entry.details.iter().map(|detail| format!("    {detail}"));
    let lines = std::iter::once(text).chain(details);
    lines.map(|line| (entry.label, line)).collect()
}

fn report(line: &str) -> Option<Report> {
    if !line.starts_with('{') {
        return Report::of_line(line);
    }
    let event: Value = serde_json::from_str(line).ok()?;
    (event["type"] == "platform.report").then(|| Report::of_record(&event["record"]))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> Vec<String> {
        shown(line).into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn a_log_of_json_looks_like_one_of_text() {
        for (line, expected) in [
            ("[1] 2", vec!["[1] 2"]),
            ("END RequestId: a", vec!["END RequestId: a"]),
            (
                r#"{"time":"","type":"platform.start","record":{"requestId":"a","version":"$LATEST"}}"#,
                vec!["START RequestId: a Version: $LATEST"],
            ),
            (
                r#"{"time":"","type":"platform.runtimeDone","record":{"requestId":"a","status":"success"}}"#,
                vec!["END RequestId: a"],
            ),
            (
                r#"{"level":"WARN","message":"NaNs produced","call":"sqrt(x)"}"#,
                vec!["WARN NaNs produced", "    in sqrt(x)"],
            ),
        ] {
            assert_eq!(text(line), expected, "{line}");
        }
        let metrics =
            r#"{"durationMs":1.5,"billedDurationMs":2,"memorySizeMB":128,"maxMemoryUsedMB":35}"#;
        let line = format!(
            r#"{{"time":"","type":"platform.report","record":{{"requestId":"a","status":"success","metrics":{metrics}}}}}"#
        );
        assert_eq!(text(&line), [report(&line).unwrap().line()]);
        assert_eq!(report(&line).unwrap().max_memory_used_mb, 35);
    }
}
