//! An event on its way to a handler, and what comes back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who the function is that a handler believes to be.
#[derive(Clone, Debug)]
pub struct FunctionIdentity {
    /// Its name.
    pub name: String,
    /// Its memory in MB.
    pub memory: u64,
    /// The region it pretends to be in.
    pub region: String,
}

impl FunctionIdentity {
    /// The account of AWS's documentation, which belongs to nobody.
    const ACCOUNT: &'static str = "123456789012";

    /// The function's ARN.
    pub fn arn(&self) -> String {
        format!(
            "arn:aws:lambda:{}:{}:function:{}",
            self.region,
            Self::ACCOUNT,
            self.name
        )
    }

    /// The name of its log group.
    pub fn log_group(&self) -> String {
        format!("/aws/lambda/{}", self.name)
    }
}

/// One event.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// By which the answer is known to belong to it.
    pub request_id: String,
    /// When the function is stopped.
    pub deadline: SystemTime,
    /// Its X-Ray trace.
    pub trace_id: String,
    /// The function's ARN.
    pub arn: String,
    /// The event itself.
    pub event: Vec<u8>,
}

impl Invocation {
    /// An invocation that begins now.
    pub fn new(event: Vec<u8>, identity: &FunctionIdentity, timeout: Duration) -> Invocation {
        let now = SystemTime::now();
        Invocation {
            request_id: Uuid::new_v4().to_string(),
            deadline: now + timeout,
            trace_id: trace_id(now),
            arn: identity.arn(),
            event,
        }
    }

    /// The deadline in milliseconds since 1970, as the header has it.
    pub fn deadline_ms(&self) -> u128 {
        self.deadline
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis()
    }
}

/// `Root=1-<seconds in hex>-<96 random bits>;Parent=<64 random bits>;Sampled=0`.
fn trace_id(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let random = Uuid::new_v4().simple().to_string();
    let parent = &Uuid::new_v4().simple().to_string()[..16];
    format!(
        "Root=1-{seconds:08x}-{};Parent={parent};Sampled=0",
        &random[..24]
    )
}

/// An error as a runtime reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ErrorReport {
    /// What happened.
    pub error_message: String,
    /// Its kind: in R, the condition's class.
    pub error_type: String,
    /// The calls that led there.
    pub stack_trace: Vec<String>,
}

impl ErrorReport {
    /// An error of Lambda itself.
    pub fn of_lambda(error_type: &str, message: String) -> ErrorReport {
        ErrorReport {
            error_message: message,
            error_type: error_type.to_owned(),
            stack_trace: Vec::new(),
        }
    }

    /// Reads what a runtime posted; what is no report becomes the message.
    pub fn parse(body: &[u8]) -> ErrorReport {
        serde_json::from_slice(body).unwrap_or_else(|_| {
            ErrorReport::of_lambda("Unknown", String::from_utf8_lossy(body).into_owned())
        })
    }
}

/// What a handler answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its result.
    Response(Vec<u8>),
    /// Its error.
    Error(ErrorReport),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_has_the_documented_form() {
        let trace = trace_id(UNIX_EPOCH + Duration::from_secs(0x6000_0000));
        assert!(trace.starts_with("Root=1-60000000-"), "{trace}");
        assert_eq!(
            trace.len(),
            "Root=1-60000000-;Parent=;Sampled=0".len() + 24 + 16
        );
    }

    #[test]
    fn any_body_is_an_error_report() {
        let report = ErrorReport::parse(br#"{"errorMessage":"no","errorType":"simpleError"}"#);
        assert_eq!(
            (report.error_message.as_str(), report.error_type.as_str()),
            ("no", "simpleError")
        );
        assert_eq!(ErrorReport::parse(b"plain").error_message, "plain");
    }
}
