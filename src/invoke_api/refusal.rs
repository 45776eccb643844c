//! Requests that no function gets to see, and how Lambda says so.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

/// An error of the API, in the shape that the AWS SDKs make an exception of.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    error: &'static str,
    message: String,
}

impl Refusal {
    /// A larger event than Lambda takes.
    pub fn too_large(limit: usize) -> Refusal {
        Refusal {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            error: "RequestTooLargeException",
            message: format!(
                "Request must be smaller than {limit} bytes for the InvokeFunction operation"
            ),
        }
    }

    /// An event or context that cannot be read.
    pub fn content(message: String) -> Refusal {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            error: "InvalidRequestContentException",
            message,
        }
    }

    /// A header with a value that there is not.
    pub fn parameter(message: String) -> Refusal {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            error: "InvalidParameterValueException",
            message,
        }
    }

    /// Another operation than Invoke.
    pub fn operation(message: String) -> Refusal {
        Refusal {
            status: StatusCode::NOT_FOUND,
            error: "UnknownOperationException",
            message,
        }
    }

    /// The function could not be asked.
    pub fn service(message: String) -> Refusal {
        Refusal {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error: "ServiceException",
            message,
        }
    }

    /// Nobody works off calls any more.
    pub fn ended() -> Refusal {
        Refusal::service("the function is being ended".to_owned())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let whose = if self.status.is_server_error() {
            "Service"
        } else {
            "User"
        };
        let headers = [
            ("Content-Type", "application/json".to_owned()),
            ("x-amzn-ErrorType", self.error.to_owned()),
            ("x-amzn-RequestId", Uuid::new_v4().to_string()),
        ];
        let body = json!({ "Type": whose, "message": self.message }).to_string();
        (self.status, headers, body).into_response()
    }
}
