//! Events on stdout: laid out, or an object of JSON each.

use anyhow::Result;
use serde_json::{Value, json};

use crate::aws::LogEvent;
use crate::function_log::{Entry, Label, LaidOut, Layout, utc};
use crate::terminal::{Printer, printable};

/// Shows one event after another.
pub struct Shown<'a> {
    printer: &'a Printer,
    layout: Layout,
    is_read: bool,
}

impl Shown<'_> {
    /// Nothing is shown yet.
    pub fn new(printer: &Printer) -> Shown<'_> {
        Shown {
            printer,
            layout: Layout::default(),
            is_read: true,
        }
    }

    /// Does anybody read it?
    pub fn is_read(&self) -> bool {
        self.is_read
    }

    /// Shows events. False when nobody reads them any more.
    pub fn show(&mut self, events: &[LogEvent]) -> Result<bool> {
        let mut text = String::new();
        for event in events {
            text.push_str(&match self.printer.json {
                true => self.json(event).to_string() + "\n",
                false => self.lines(event),
            });
        }
        if !text.is_empty() {
            self.is_read = self.printer.more_data(text.as_bytes())?;
        }
        Ok(self.is_read)
    }

    /// What CloudWatch has, with the invocation's id, and the object where the message is one.
    fn json(&mut self, event: &LogEvent) -> Value {
        let message = event.message.trim_end_matches('\n');
        let entry = Entry::read(message);
        let mut object = json!({
            "timestamp": utc(event.timestamp),
            "logStream": event.log_stream_name,
            "eventId": event.event_id,
            "message": message,
        });
        if let Some(id) = self.layout.request(&event.log_stream_name, &entry) {
            object["requestId"] = id.into();
        }
        if let Ok(record @ Value::Object(_)) = serde_json::from_str(message) {
            object["record"] = record;
        }
        object
    }

    fn lines(&mut self, event: &LogEvent) -> String {
        let stream = &event.log_stream_name;
        let laid_out = self.layout.lay_out(event.timestamp, stream, &event.message);
        laid_out.map_or_else(String::new, |entry| self.painted(&entry))
    }

    fn painted(&self, entry: &LaidOut) -> String {
        let label = format!("{:<6}", entry.label.name());
        let label = match color(entry.label) {
            Some(sgr) => self.printer.paint_data(sgr, &label),
            None => label,
        };
        let time = self.printer.paint_data(DIM, &entry.time);
        let request = self
            .printer
            .paint_data(DIM, &format!("{:<8}", entry.request));
        let text = printable(&entry.text);
        let line = format!("{time} {label} {request} {text}");
        let mut lines = line.trim_end().to_owned() + "\n";
        for detail in &entry.details {
            lines.push_str(&format!("    {}\n", printable(detail)));
        }
        lines
    }
}

const DIM: &str = "2";

fn color(label: Label) -> Option<&'static str> {
    match label {
        Label::Error | Label::Fatal => Some("1;31"),
        Label::Warn => Some("33"),
        Label::Init | Label::Start | Label::End | Label::Report => Some("36"),
        Label::Trace | Label::Debug => Some(DIM),
        Label::Info | Label::Output => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{ColorChoice, Verbosity};

    fn event(message: &str) -> LogEvent {
        LogEvent {
            event_id: "e1".to_owned(),
            timestamp: 1_764_006_683_321,
            log_stream_name: "s".to_owned(),
            message: message.to_owned(),
        }
    }

    fn printer(color: ColorChoice) -> Printer {
        Printer::new(false, Verbosity::Normal, color)
    }

    #[test]
    fn an_entry_is_a_line_in_columns_with_its_details_below() {
        let printer = printer(ColorChoice::Never);
        let mut shown = Shown::new(&printer);
        let error = r#"{"level":"ERROR","message":"simpleError: no","requestId":"11111111-2222","stackTrace":["f(x)"]}"#;
        assert_eq!(
            shown.lines(&event(error)),
            "2025-11-24T17:51:23.321Z ERROR  11111111 simpleError: no\n    f(x)\n"
        );
        assert_eq!(
            shown.lines(&event("[1] 2\u{1b}[2J")),
            "2025-11-24T17:51:23.321Z                 [1] 2\\u{1b}[2J\n"
        );
        assert_eq!(shown.lines(&event("END RequestId: 11111111-2222")), "");
    }

    #[test]
    fn colours_are_for_labels() {
        let printer = printer(ColorChoice::Always);
        let mut shown = Shown::new(&printer);
        let line = shown.lines(&event("2026-11-24 17:51:23 WARNING:handler:careful"));
        assert!(line.contains("\u{1b}[33mWARN  \u{1b}[0m"), "{line:?}");
    }

    #[test]
    fn an_event_as_json_has_its_message_and_its_record() {
        let printer = printer(ColorChoice::Never);
        let mut shown = Shown::new(&printer);
        let object = shown.json(&event("{\"requestId\":\"a\",\"message\":\"m\"}\n"));
        assert_eq!(object["record"]["message"], "m");
        assert_eq!(object["requestId"], "a");
        assert_eq!(object["timestamp"], "2025-11-24T17:51:23.321Z");
        let plain = shown.json(&event("[1] 2"));
        assert_eq!(plain["message"], "[1] 2");
        assert!(plain.get("record").is_none() && plain.get("requestId").is_none());
    }
}
