//! An event on its way to a handler, and what comes back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::stream::Streamed;

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

/// An event as it comes in, before anything runs.
#[derive(Clone, Debug)]
pub struct Event {
    /// By which the answer is known to belong to it.
    pub request_id: String,
    /// The event itself: JSON, or nothing.
    pub body: Vec<u8>,
    /// What the caller says about itself: JSON.
    pub client_context: Option<String>,
}

impl Event {
    /// An event with a new id.
    pub fn new(body: Vec<u8>) -> Event {
        Event {
            request_id: Uuid::new_v4().to_string(),
            body,
            client_context: None,
        }
    }
}

/// An event on its way to the handler.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// What came in.
    pub event: Event,
    /// When the function is stopped.
    pub deadline: SystemTime,
    /// Its X-Ray trace.
    pub trace_id: String,
    /// The function's ARN.
    pub arn: String,
}

impl Invocation {
    /// An invocation that begins now.
    pub fn new(event: Event, identity: &FunctionIdentity, timeout: Duration) -> Invocation {
        let now = SystemTime::now();
        Invocation {
            event,
            deadline: now + timeout,
            trace_id: trace_id(now),
            arn: identity.arn(),
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
    /// The JSON that it was read from, which may say more.
    #[serde(skip)]
    posted: Option<Vec<u8>>,
}

impl ErrorReport {
    /// An error of Lambda itself.
    pub fn of_lambda(error_type: &str, message: String) -> ErrorReport {
        ErrorReport {
            error_message: message,
            error_type: error_type.to_owned(),
            stack_trace: Vec::new(),
            posted: None,
        }
    }

    /// Reads what a runtime posted; what is no report becomes the message.
    pub fn parse(body: &[u8]) -> ErrorReport {
        match serde_json::from_slice(body) {
            Ok(report) => ErrorReport {
                posted: Some(body.to_vec()),
                ..report
            },
            Err(_) => ErrorReport::of_lambda("Unknown", String::from_utf8_lossy(body).into_owned()),
        }
    }

    /// As JSON: what the runtime posted, to the byte, or what Lambda says itself.
    pub fn json(&self) -> Vec<u8> {
        self.posted.clone().unwrap_or_else(|| {
            json!({ "errorType": self.error_type, "errorMessage": self.error_message })
                .to_string()
                .into_bytes()
        })
    }
}

/// What a handler answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its result.
    Response(Vec<u8>),
    /// Its result, sent while it was made; an error may have ended it.
    Streamed(Streamed),
    /// Its error.
    Error(ErrorReport),
}

impl Answer {
    /// The error that it is, or that ended it.
    pub fn error(&self) -> Option<&ErrorReport> {
        match self {
            Answer::Response(_) => None,
            Answer::Streamed(streamed) => streamed.error.as_ref(),
            Answer::Error(report) => Some(report),
        }
    }
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

    #[test]
    fn a_runtimes_own_json_is_kept_to_the_byte() {
        let posted = br#"{ "errorType":"a", "more": 1 }"#;
        assert_eq!(ErrorReport::parse(posted).json(), posted);
        assert_eq!(
            ErrorReport::parse(b"plain").json(),
            br#"{"errorMessage":"plain","errorType":"Unknown"}"#
        );
    }
}
