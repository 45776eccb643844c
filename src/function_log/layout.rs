//! Entries in columns: time, kind, the invocation's id, text.

use std::collections::HashMap;

use super::entry::{Entry, Label};
use super::time::utc;

/// So much of an id tells it from its neighbours.
const SHORT: usize = 8;

/// Lays out the entries of a log, one after another.
#[derive(Debug, Default)]
pub struct Layout {
    /// The invocation that is under way in each log stream: lines of text do not say theirs.
    under_way: HashMap<String, String>,
}

/// An entry in its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaidOut {
    /// In UTC.
    pub time: String,
    /// Its kind.
    pub label: Label,
    /// The beginning of the invocation's id.
    pub request: String,
    /// One line.
    pub text: String,
    /// Lines below it.
    pub details: Vec<String>,
}

impl Layout {
    /// An entry of a log stream, in its columns. Nothing for the end of an invocation: its report says the same.
    pub fn lay_out(&mut self, milliseconds: i64, stream: &str, message: &str) -> Option<LaidOut> {
        let entry = Entry::read(message);
        let request = self.request(stream, &entry);
        (entry.label != Label::End).then(|| LaidOut {
            time: utc(milliseconds),
            label: entry.label,
            request: request.unwrap_or_default().chars().take(SHORT).collect(),
            text: entry.text,
            details: entry.details,
        })
    }

    /// The invocation that an entry is of: the one that it names, else the one under way in its stream.
    pub fn request(&mut self, stream: &str, entry: &Entry) -> Option<String> {
        let known = entry
            .request_id
            .clone()
            .or_else(|| self.under_way.get(stream).cloned());
        match (entry.label, &entry.request_id) {
            (Label::Start, Some(id)) => {
                self.under_way.insert(stream.to_owned(), id.clone());
            }
            (Label::Report | Label::Init, _) => {
                self.under_way.remove(stream);
            }
            _ => {}
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_text_are_of_the_invocation_under_way_in_their_stream() {
        let mut layout = Layout::default();
        let mut request = |stream: &str, message: &str| {
            let laid_out = layout.lay_out(0, stream, message);
            laid_out.map(|line| line.request)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(request("a", "before"), some(""));
        let start = "START RequestId: 11111111-2222 Version: 1";
        assert_eq!(request("a", start), some("11111111"));
        assert_eq!(request("b", "of another sandbox"), some(""));
        assert_eq!(request("a", "within"), some("11111111"));
        assert_eq!(request("a", "END RequestId: 11111111-2222"), None);
        let report = "REPORT RequestId: 11111111-2222\tDuration: 1 ms\tBilled Duration: 1 ms\tMemory Size: 1 MB\t\
                      Max Memory Used: 1 MB";
        assert_eq!(request("a", report), some("11111111"));
        assert_eq!(request("a", "after"), some(""));
    }
}
