//! What can happen to a request on its way: AWS's own error answers, and what networks do.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

/// What a rule does to a request.
#[derive(Clone)]
pub enum Fault {
    /// It is answered later.
    Latency(Duration),
    /// It is answered so, and moto does not hear of it.
    Answer(Answer),
    /// The connection is closed.
    Cut(Cut),
    /// moto's answer is changed, if it is JSON.
    Edit(Edit),
    /// A layer version stays out of so many lists after it was published.
    HideFromLists(usize),
    /// A layer version stays out of lists for so long after it was published.
    HideFor(Duration),
}

/// A change of an answer.
pub type Edit = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// Where a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// After the request's head.
    AtOnce,
    /// When at least so many bytes of the request's body were read.
    AfterBytes(usize),
    /// When moto has done it: the client cannot know.
    BeforeAnswer,
    /// When half of moto's answer is sent.
    WithinAnswer,
}

/// An answer in place of moto's.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    /// An error of a REST service: JSON, with the error's name in a header.
    pub fn error(status: u16, name: &str, message: &str) -> Answer {
        Answer {
            status,
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("x-amzn-errortype", name.to_owned()),
                (
                    "x-amzn-requestid",
                    "00000000-0000-4000-8000-000000000000".to_owned(),
                ),
            ],
            body: json!({"Type": "User", "message": message, "__type": name}).to_string(),
        }
    }

    /// An error of S3: XML.
    pub fn s3_error(status: u16, name: &str, message: &str) -> Answer {
        Answer {
            status,
            headers: vec![("content-type", "application/xml".to_owned())],
            body: format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{name}</Code><Message>{message}</Message></Error>"
            ),
        }
    }

    /// An error of a service with XML and forms (STS, IAM).
    pub fn query_error(status: u16, name: &str, message: &str) -> Answer {
        Answer {
            status,
            headers: vec![("content-type", "text/xml".to_owned())],
            body: format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                 <Code>{name}</Code><Message>{message}</Message></Error></ErrorResponse>"
            ),
        }
    }

    /// With one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }
}

/// 429, to be tried again after so many seconds.
pub fn throttled(seconds: u64) -> Answer {
    Answer::error(429, "TooManyRequestsException", "Rate exceeded")
        .header("retry-after", seconds.to_string())
}

/// 409: something else is at it.
pub fn conflict(message: &str) -> Answer {
    Answer::error(409, "ResourceConflictException", message)
}

/// 409, as for a function that is being updated.
pub fn update_in_progress(function_arn: &str) -> Answer {
    conflict(&format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {function_arn}"
    ))
}

/// 412: the function was changed since it was read.
pub fn revision_differs() -> Answer {
    Answer::error(
        412,
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the \
         latest Revision Id",
    )
}

/// 500.
pub fn internal_error() -> Answer {
    Answer::error(
        500,
        "ServiceException",
        "Service encountered an internal error",
    )
}

/// 403, as for a region that the account has not enabled.
pub fn region_not_enabled() -> Answer {
    Answer::error(
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
}

/// 403, in AWS's own words.
pub fn access_denied(who: &str, action: &str, resource: &str) -> Answer {
    Answer::error(
        403,
        "AccessDeniedException",
        &format!(
            "User: {who} is not authorized to perform: {action} on resource: {resource} because no identity-based policy \
             allows the {action} action"
        ),
    )
}

/// 403: temporary credentials past their end.
pub fn expired_token() -> Answer {
    Answer::error(
        403,
        "ExpiredTokenException",
        "The security token included in the request is expired",
    )
}

/// 403, from a service whose clock is in the year 2001.
pub fn clock_skew() -> Answer {
    Answer::error(
        403,
        "InvalidSignatureException",
        "Signature expired: 20261128T050000Z is now earlier than 20261128T055500Z (20261128T060000Z - 5 min.)",
    )
    .header("date", "Mon, 01 Jan 2001 00:00:00 GMT")
}

/// 403: a wrong secret key.
pub fn wrong_signature() -> Answer {
    Answer::error(
        403,
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details.",
    )
}

/// 400: the region's 300 GB are full.
pub fn code_storage_exceeded() -> Answer {
    Answer::error(
        400,
        "CodeStorageExceededException",
        "Code storage limit exceeded.",
    )
}

/// 400.
pub fn invalid_parameter(message: &str) -> Answer {
    Answer::error(400, "InvalidParameterValueException", message)
}

/// 413, as Lambda answers a request that is too long.
pub fn request_too_large(operation: &str) -> Answer {
    Answer::error(
        413,
        "RequestEntityTooLargeException",
        &format!(
            "Request must be smaller than {} bytes for the {operation} operation",
            super::limits::REQUEST
        ),
    )
}

/// What a captive portal or a company's proxy answers.
pub fn html(status: u16) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "text/html".to_owned())],
        body: "<html><body><h1>Please sign in to the network</h1></body></html>".to_owned(),
    }
}
