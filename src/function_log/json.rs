//! Entries that are objects of JSON: Lambda's events (`platform.…`), and the records of the runtime and of others.

use serde_json::{Map, Value};

use super::entry::{Entry, Label};
use super::report::Report;
use super::text::start_of;

/// What is said elsewhere in the entry.
const KNOWN: [&str; 8] = [
    "timestamp",
    "level",
    "message",
    "requestId",
    "logger",
    "call",
    "stackTrace",
    "errorMessage",
];

/// Reads one; nothing if it is no object.
pub fn read(message: &str) -> Option<Entry> {
    if !message.starts_with('{') {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_str(message).ok()?;
    let kind = object.get("type").and_then(Value::as_str);
    match (kind, object.get("record")) {
        (Some(kind), Some(record)) if kind.starts_with("platform.") => {
            Some(of_lambda(kind, record).unwrap_or_else(|| unknown(message, &object)))
        }
        _ => Some(record(&object).unwrap_or_else(|| unknown(message, &object))),
    }
}

fn of_lambda(kind: &str, record: &Value) -> Option<Entry> {
    let text = |name: &str| record[name].as_str();
    let id = text("requestId");
    let failed = text("status").filter(|status| *status != "success");
    match kind {
        "platform.start" => Some(start_of(id?, text("version").unwrap_or_default())),
        // What it says is in the report, too.
        "platform.runtimeDone" => Some(Entry::new(Label::End, id, "")),
        "platform.report" => {
            let report = Report::of_record(record)?;
            Some(Entry::new(Label::Report, id, &report.brief()))
        }
        "platform.initStart" => {
            let version = text("runtimeVersion").unwrap_or("runtime");
            Some(Entry::new(Label::Init, None, version))
        }
        "platform.initRuntimeDone" | "platform.initReport" if failed.is_none() => {
            Some(Entry::new(Label::End, None, ""))
        }
        "platform.initRuntimeDone" | "platform.initReport" => {
            let kind = text("errorType").map(|kind| format!(", {kind}"));
            let text = format!("{}{}", failed?, kind.unwrap_or_default());
            Some(Entry::new(Label::Init, None, &text))
        }
        _ => None,
    }
}

/// A record with a message, as the runtime writes it.
fn record(object: &Map<String, Value>) -> Option<Entry> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let message = text("message").or(text("errorMessage"))?;
    let label = text("level").and_then(Label::of_level);
    let mut entry = Entry::new(label.unwrap_or(Label::Output), text("requestId"), message);
    for (name, value) in object {
        // The message of a failure begins with its type.
        let is_said =
            name == "errorType" && value.as_str().is_some_and(|kind| message.starts_with(kind));
        if !KNOWN.contains(&name.as_str()) && !is_said {
            entry.text.push_str(&format!(" {name}={}", shown(value)));
        }
    }
    entry
        .details
        .extend(text("call").map(|call| format!("in {call}")));
    let trace = object.get("stackTrace").and_then(Value::as_array);
    for call in trace.into_iter().flatten() {
        let call = call
            .as_str()
            .map_or_else(|| call.to_string(), ToOwned::to_owned);
        entry.details.push(call);
    }
    Some(entry)
}

fn unknown(message: &str, object: &Map<String, Value>) -> Entry {
    let id = object.get("requestId").and_then(Value::as_str);
    Entry::new(Label::Output, id, message)
}

/// A word as it is, anything else as JSON.
fn shown(value: &Value) -> String {
    let is_word = |text: &str| !text.is_empty() && !text.contains([' ', '"', '=', '\n', '\t']);
    match value {
        Value::String(text) if is_word(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_of_the_runtime_has_level_message_and_fields() {
        let entry = read(
            r#"{"timestamp":"2026-11-24T17:51:23.321Z","level":"INFO","message":"order accepted","logger":"handler","requestId":"8f5","id":17,"note":"a b"}"#,
        )
        .unwrap();
        assert_eq!(
            (entry.label, entry.request_id.as_deref()),
            (Label::Info, Some("8f5"))
        );
        assert_eq!(entry.text, r#"order accepted id=17 note="a b""#);
        assert!(entry.details.is_empty());
    }

    #[test]
    fn warnings_have_their_call_and_errors_their_trace() {
        let warning = json!({"level": "WARN", "message": "NaNs produced", "logger": "warning", "call": "sqrt(x)"});
        let entry = read(&warning.to_string()).unwrap();
        assert_eq!(
            (entry.label, entry.details),
            (Label::Warn, vec!["in sqrt(x)".to_owned()])
        );

        let error = json!({
            "level": "ERROR", "message": "simpleError: no (in f(x))\ntwice", "logger": "runtime",
            "errorType": "simpleError", "errorMessage": "no (in f(x))\ntwice",
            "stackTrace": ["f(x = 1L)", "stop(\"no\") at script.R:2"]
        });
        let entry = read(&error.to_string()).unwrap();
        assert_eq!(entry.text, "simpleError: no (in f(x))");
        assert_eq!(
            entry.details,
            ["twice", "f(x = 1L)", "stop(\"no\") at script.R:2"]
        );
        // A handler's own log_error(condition) says the class in a field alone.
        let logged = json!({"level": "ERROR", "message": "no", "errorType": "http_error"});
        assert_eq!(
            read(&logged.to_string()).unwrap().text,
            "no errorType=http_error"
        );
    }

    #[test]
    fn lambdas_events_are_brief() {
        let event = |kind: &str, record: Value| {
            let event = json!({"time": "2026-11-24T17:51:23.321Z", "type": kind, "record": record});
            let entry = read(&event.to_string()).unwrap();
            (entry.label, entry.text)
        };
        assert_eq!(
            event("platform.start", json!({"requestId": "a", "version": "3"})),
            (Label::Start, "version 3".to_owned())
        );
        let metrics = json!({"durationMs": 1.5, "billedDurationMs": 2, "memorySizeMB": 128, "maxMemoryUsedMB": 35});
        assert_eq!(
            event(
                "platform.report",
                json!({"requestId": "a", "status": "success", "metrics": metrics})
            ),
            (
                Label::Report,
                "1.50 ms, billed 2 ms, 35 of 128 MB".to_owned()
            )
        );
        assert_eq!(
            event("platform.initReport", json!({"status": "timeout"})),
            (Label::Init, "timeout".to_owned())
        );
        assert_eq!(
            event("platform.initReport", json!({"status": "success"})).0,
            Label::End
        );
        let (label, text) = event("platform.extension", json!({"name": "x"}));
        assert_eq!(label, Label::Output);
        assert!(text.starts_with('{'), "{text}");
    }

    #[test]
    fn what_is_no_record_is_no_json() {
        assert_eq!(read("[1] 2"), None);
        assert_eq!(read("{ not JSON"), None);
        assert_eq!(read(r#"{"a":1}"#).unwrap().text, r#"{"a":1}"#);
    }
}
