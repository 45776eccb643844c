//! Entries that are lines of text: Lambda's own, the runtime's (`text_entry` in `log.R`), R's warnings, and anything else.

use std::sync::LazyLock;

use regex::Regex;

use super::entry::{Entry, Label};
use super::report::Report;

/// `2026-11-24 17:51:23 INFO:handler:order accepted`, as the runtime writes it.
#[expect(clippy::unwrap_used, reason = "a constant that the tests compile")]
static OF_THE_RUNTIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ([A-Z]+):([A-Za-z]+):((?s).*)$").unwrap()
});

/// `2026-11-24T17:51:23.470Z 53646646-… Task timed out after 3.00 seconds`, as Lambda writes it.
#[expect(clippy::unwrap_used, reason = "a constant that the tests compile")]
static OF_LAMBDA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ([0-9a-f-]{36}) ((?s).*)$").unwrap());

/// Reads one.
pub fn read(message: &str) -> Entry {
    let found = of_an_invocation(message)
        .or_else(|| of_a_sandbox(message))
        .or_else(|| of_the_runtime(message))
        .or_else(|| of_lambda(message))
        .or_else(|| warning(message));
    found.unwrap_or_else(|| Entry::new(Label::Output, None, message))
}

fn of_an_invocation(message: &str) -> Option<Entry> {
    if let Some(report) = Report::of_line(message) {
        let id = report.request_id.clone();
        return Some(Entry::new(Label::Report, Some(&id), &report.brief()));
    }
    if let Some(id) = message.strip_prefix("END RequestId: ") {
        return Some(Entry::new(Label::End, Some(id.trim()), ""));
    }
    let start = message.strip_prefix("START RequestId: ")?;
    let (id, version) = start.split_once(" Version: ").unwrap_or((start, ""));
    Some(start_of(id.trim(), version.trim()))
}

/// An invocation of a version begins.
pub fn start_of(id: &str, version: &str) -> Entry {
    let version = match version {
        "" => String::new(),
        version => format!("version {version}"),
    };
    Entry::new(Label::Start, Some(id), &version)
}

fn of_a_sandbox(message: &str) -> Option<Entry> {
    let rest = message
        .strip_prefix("INIT_START ")
        .or_else(|| message.strip_prefix("INIT_REPORT "))?;
    let parts: Vec<&str> = rest
        .split('\t')
        .map(str::trim)
        // Whoever reads the log can do nothing with it.
        .filter(|part| !part.is_empty() && !part.starts_with("Runtime Version ARN"))
        .collect();
    Some(Entry::new(Label::Init, None, &parts.join(", ")))
}

fn of_the_runtime(message: &str) -> Option<Entry> {
    let parts = OF_THE_RUNTIME.captures(message)?;
    Some(Entry::new(Label::of_level(&parts[1])?, None, &parts[3]))
}

fn of_lambda(message: &str) -> Option<Entry> {
    let parts = OF_LAMBDA.captures(message)?;
    Some(Entry::new(Label::Error, Some(&parts[1]), &parts[2]))
}

/// `Warning in sqrt(x) : NaNs produced`, as R writes it.
fn warning(message: &str) -> Option<Entry> {
    let (call, text) = match message.strip_prefix("Warning in ") {
        Some(rest) => rest
            .split_once(" : ")
            .map(|(call, text)| (Some(call), text))?,
        None => (None, message.strip_prefix("Warning: ")?),
    };
    let mut entry = Entry::new(Label::Warn, None, text.trim_start());
    entry.details.extend(call.map(|call| format!("in {call}")));
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> (Label, Option<String>, String, Vec<String>) {
        let entry = read(message);
        (entry.label, entry.request_id, entry.text, entry.details)
    }

    #[test]
    fn lambdas_own_lines_are_brief() {
        let id = || Some("a-b".to_owned());
        assert_eq!(
            told("START RequestId: a-b Version: $LATEST"),
            (Label::Start, id(), "version $LATEST".to_owned(), vec![])
        );
        assert_eq!(
            told("END RequestId: a-b"),
            (Label::End, id(), String::new(), vec![])
        );
        let report = "REPORT RequestId: a-b\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t\
                      Max Memory Used: 35 MB\t\nXRAY TraceId: 1";
        let brief = "1.50 ms, billed 2 ms, 35 of 128 MB".to_owned();
        assert_eq!(told(report), (Label::Report, id(), brief, vec![]));
        let (label, _, text, _) =
            told("INIT_START Runtime Version: provided:al2023.v95\tRuntime Version ARN: arn:aws:x");
        assert_eq!(
            (label, text.as_str()),
            (Label::Init, "Runtime Version: provided:al2023.v95")
        );
        let uuid = "53646646-0000-4000-8000-000000000000";
        let timed_out =
            format!("2026-11-24T17:51:23.470Z {uuid} Task timed out after 3.00 seconds");
        let (label, of, text, _) = told(&timed_out);
        assert_eq!((label, of.as_deref()), (Label::Error, Some(uuid)));
        assert_eq!(text, "Task timed out after 3.00 seconds");
    }

    #[test]
    fn the_runtimes_lines_and_rs_warnings_have_levels() {
        let (label, _, text, _) =
            told("2026-11-24 17:51:23 INFO:handler:order accepted id=17 note=\"a:b\"");
        assert_eq!(label, Label::Info);
        assert_eq!(text, "order accepted id=17 note=\"a:b\"");
        let (label, _, text, details) =
            told("2026-11-24 17:51:23 ERROR:runtime:simpleError: no\n    at f(x)\n    at g()");
        assert_eq!((label, text.as_str()), (Label::Error, "simpleError: no"));
        assert_eq!(details, ["at f(x)", "at g()"]);
        let (_, _, _, table) = told("2026-11-24 17:51:23 INFO:handler:table:\n  a  b\n1 2 30");
        assert_eq!(table, ["  a  b", "1 2 30"]);
        let (label, _, text, details) = told("Warning in sqrt(x) : NaNs produced");
        assert_eq!((label, text.as_str()), (Label::Warn, "NaNs produced"));
        assert_eq!(details, ["in sqrt(x)"]);
        assert_eq!(told("Warning: old").0, Label::Warn);
    }

    #[test]
    fn anything_else_is_text() {
        for message in [
            "[1] 2",
            "Warning signs",
            "2026-11-24 17:51:23 LOUD:me:x",
            "",
        ] {
            let expected = (Label::Output, None, message.to_owned(), vec![]);
            assert_eq!(told(message), expected);
        }
    }
}
