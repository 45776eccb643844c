//! What an invocation took: Lambda's REPORT line, read and written.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// What an invocation took, as Lambda's REPORT line has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its id.
    pub request_id: String,
    /// From the event to the answer.
    pub duration_ms: f64,
    /// What Lambda bills: the start too.
    pub billed_duration_ms: u64,
    /// The function's memory.
    pub memory_size_mb: u64,
    /// The most memory its processes had.
    pub max_memory_used_mb: u64,
    /// From the start of the process to its first question for an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_duration_ms: Option<f64>,
    /// How it ended, if the handler did not end it: `timeout`, `error`.
    #[serde(skip)]
    pub status: Option<String>,
    /// With the status `error`: of what kind.
    #[serde(skip)]
    pub error_type: Option<String>,
}

impl Report {
    /// Reads `REPORT RequestId: …\tDuration: 1.50 ms\t…`, the first of its lines.
    pub fn of_line(line: &str) -> Option<Report> {
        let line = line.lines().next()?.strip_prefix("REPORT ")?;
        let field = |name: &str| {
            let mut fields = line.split('\t');
            fields.find_map(|field| field.trim().strip_prefix(name)?.strip_prefix(": "))
        };
        let number = |name: &str| field(name)?.split(' ').next();
        Some(Report {
            request_id: field("RequestId")?.to_owned(),
            duration_ms: number("Duration")?.parse().ok()?,
            billed_duration_ms: number("Billed Duration")?.parse().ok()?,
            memory_size_mb: number("Memory Size")?.parse().ok()?,
            max_memory_used_mb: number("Max Memory Used")?.parse().ok()?,
            init_duration_ms: number("Init Duration").and_then(|text| text.parse().ok()),
            status: field("Status").map(ToOwned::to_owned),
            error_type: field("Error Type").map(ToOwned::to_owned),
        })
    }

    /// Reads the record of a `platform.report`.
    pub fn of_record(record: &Value) -> Option<Report> {
        let metrics = &record["metrics"];
        // Some of AWS's own examples have whole numbers with a point.
        let whole = |value: &Value| value.as_f64().map(|number| number.round() as u64);
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        Some(Report {
            request_id: text(&record["requestId"])?,
            duration_ms: metrics["durationMs"].as_f64()?,
            billed_duration_ms: whole(&metrics["billedDurationMs"])?,
            memory_size_mb: whole(&metrics["memorySizeMB"])?,
            max_memory_used_mb: whole(&metrics["maxMemoryUsedMB"])?,
            init_duration_ms: metrics["initDurationMs"].as_f64(),
            status: text(&record["status"]).filter(|status| status != "success"),
            error_type: text(&record["errorType"]),
        })
    }

    /// As Lambda writes it.
    pub fn line(&self) -> String {
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
        if let Some(error_type) = &self.error_type {
            let _ = write!(line, "\tError Type: {error_type}");
        }
        line
    }

    /// The same for people, without the id.
    pub fn brief(&self) -> String {
        let mut brief = format!(
            "{:.2} ms, billed {} ms, {} of {} MB",
            self.duration_ms, self.billed_duration_ms, self.max_memory_used_mb, self.memory_size_mb
        );
        if let Some(init) = self.init_duration_ms {
            let _ = write!(brief, ", init {init:.2} ms");
        }
        for end in [&self.status, &self.error_type].into_iter().flatten() {
            let _ = write!(brief, ", {end}");
        }
        brief
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_that_is_read_is_written_again() {
        for line in [
            "REPORT RequestId: a-b\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB",
            "REPORT RequestId: a-b\tDuration: 1.50 ms\tBilled Duration: 35 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB\t\
             Init Duration: 33.20 ms\tStatus: error\tError Type: Runtime.ExitError",
        ] {
            let as_lambda_ends_it = format!("{line}\t\nXRAY TraceId: 1-2-3\tSegmentId: 4");
            assert_eq!(Report::of_line(&as_lambda_ends_it).unwrap().line(), line);
        }
        assert_eq!(Report::of_line("REPORT of the year"), None);
        assert_eq!(Report::of_line("END RequestId: a"), None);
    }

    #[test]
    fn a_record_says_the_same() {
        let record = json!({
            "requestId": "a-b", "status": "timeout",
            "metrics": {"durationMs": 3000.0, "billedDurationMs": 3000, "memorySizeMB": 128, "maxMemoryUsedMB": 90.0}
        });
        let report = Report::of_record(&record).unwrap();
        assert_eq!(
            report.brief(),
            "3000.00 ms, billed 3000 ms, 90 of 128 MB, timeout"
        );
        assert!(report.line().ends_with("\tStatus: timeout"));
        assert_eq!(Report::of_record(&json!({})), None);
    }
}
