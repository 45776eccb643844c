//! An entry of a log, whoever wrote it and in whatever form.

use super::{json, text};

/// What kind of entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// A sandbox starts, or failed to.
    Init,
    /// An invocation begins.
    Start,
    /// It is answered; [`Label::Report`] says more.
    End,
    /// What it took.
    Report,
    /// Of a level below DEBUG.
    Trace,
    /// For those who look for a fault.
    Debug,
    /// What happens.
    Info,
    /// What is probably not wanted.
    Warn,
    /// What failed.
    Error,
    /// What ended the function.
    Fatal,
    /// Text that says nothing of its kind.
    Output,
}

impl Label {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Label::Init => "INIT",
            Label::Start => "START",
            Label::End => "END",
            Label::Report => "REPORT",
            Label::Trace => "TRACE",
            Label::Debug => "DEBUG",
            Label::Info => "INFO",
            Label::Warn => "WARN",
            Label::Error => "ERROR",
            Label::Fatal => "FATAL",
            Label::Output => "",
        }
    }

    /// By the name of a level, in any case.
    pub(super) fn of_level(name: &str) -> Option<Label> {
        Some(match name.to_uppercase().as_str() {
            "TRACE" => Label::Trace,
            "DEBUG" => Label::Debug,
            "INFO" => Label::Info,
            "WARN" | "WARNING" => Label::Warn,
            "ERROR" => Label::Error,
            "FATAL" => Label::Fatal,
            _ => return None,
        })
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its kind.
    pub label: Label,
    /// The invocation, where the entry says it.
    pub request_id: Option<String>,
    /// One line.
    pub text: String,
    /// What belongs to it, a line each: more lines of the text, a call, a stack trace.
    pub details: Vec<String>,
}

impl Entry {
    /// Reads an entry. What has no form that is known is text.
    pub fn read(message: &str) -> Entry {
        let message = message.trim_end_matches(['\n', '\r', '\t', ' ']);
        json::read(message).unwrap_or_else(|| text::read(message))
    }

    /// An entry of a text with any number of lines.
    pub(super) fn new(label: Label, request_id: Option<&str>, text: &str) -> Entry {
        let mut lines = text.lines();
        Entry {
            label,
            request_id: request_id.map(ToOwned::to_owned),
            text: lines.next().unwrap_or_default().to_owned(),
            // They are indented so where they are shown; what is indented beyond that (a table) stays so.
            details: lines
                .map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned())
                .collect(),
        }
    }
}
