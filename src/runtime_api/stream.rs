//! A response that a runtime sends while it makes it: chunks of bytes, over HTTP a prelude before them, and an error
//! that came in the middle in trailers behind them.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, HttpBody};
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::ErrorReport;

/// The largest streamed response that Lambda takes, in bytes.
const LARGEST_STREAM: usize = 209_715_200;

/// The type of a response over HTTP: the one that has a prelude.
pub const HTTP_RESPONSE: &str = "application/vnd.awslambda.http-integration-response";

/// What is between a prelude and the body.
const END_OF_PRELUDE: [u8; 8] = [0; 8];

/// A streamed response, as far as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streamed {
    /// Its Content-Type.
    pub content_type: String,
    /// All bytes, those of the prelude too.
    pub bytes: Vec<u8>,
    /// What ended it before its time.
    pub error: Option<ErrorReport>,
}

/// What a response over HTTP says before its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prelude {
    /// The status.
    #[serde(default = "ok")]
    pub status_code: u16,
    /// The headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The cookies, as the values of Set-Cookie.
    #[serde(default)]
    pub cookies: Vec<String>,
}

fn ok() -> u16 {
    200
}

impl Streamed {
    /// Does a request to the Runtime API bring a streamed response?
    pub fn is_announced(headers: &HeaderMap) -> bool {
        headers
            .get("Lambda-Runtime-Function-Response-Mode")
            .is_some_and(|mode| mode == "streaming")
    }

    /// Reads it to its end, its error, or the limit.
    pub async fn read(headers: &HeaderMap, body: Body) -> Streamed {
        let content_type = headers
            .get("Content-Type")
            .and_then(|value| value.to_str().ok());
        let mut streamed = Streamed {
            content_type: content_type
                .unwrap_or("application/octet-stream")
                .to_owned(),
            bytes: Vec::new(),
            error: None,
        };
        let mut body = std::pin::pin!(body);
        while let Some(frame) = poll_fn(|context| Pin::as_mut(&mut body).poll_frame(context)).await
        {
            let Ok(frame) = frame else {
                let message = "the response broke off before its end".to_owned();
                streamed.error = Some(ErrorReport::of_lambda("Runtime.TruncatedResponse", message));
                break;
            };
            match frame.into_data() {
                Ok(data) if streamed.bytes.len() + data.len() > LARGEST_STREAM => {
                    let message = format!(
                        "Response payload size exceeded maximum allowed payload size ({LARGEST_STREAM} bytes)."
                    );
                    let too_large = ErrorReport::of_lambda(TOO_LARGE, message);
                    streamed.error = Some(too_large);
                    break;
                }
                Ok(data) => streamed.bytes.extend_from_slice(&data),
                Err(frame) => {
                    if let Some(trailers) = frame.trailers_ref() {
                        streamed.error = error_in(trailers);
                    }
                }
            }
        }
        streamed
    }

    /// Was there more of it than Lambda takes?
    pub fn is_too_large(&self) -> bool {
        self.error
            .as_ref()
            .is_some_and(|error| error.error_type == TOO_LARGE)
    }

    /// The prelude, if it has one, and the body.
    pub fn parts(&self) -> (Option<Prelude>, &[u8]) {
        if self.content_type != HTTP_RESPONSE {
            return (None, &self.bytes);
        }
        let end = self
            .bytes
            .windows(END_OF_PRELUDE.len())
            .position(|window| window == END_OF_PRELUDE);
        let prelude = end.and_then(|end| {
            let prelude = serde_json::from_slice(&self.bytes[..end]).ok()?;
            Some((prelude, &self.bytes[end + END_OF_PRELUDE.len()..]))
        });
        match prelude {
            Some((prelude, body)) => (Some(prelude), body),
            None => (None, &self.bytes),
        }
    }
}

const TOO_LARGE: &str = "Function.ResponseSizeTooLarge";

/// The error in the trailers, if there is one: its JSON in base64, its kind beside it.
fn error_in(trailers: &HeaderMap) -> Option<ErrorReport> {
    let kind = trailers.get("Lambda-Runtime-Function-Error-Type")?;
    let body = trailers
        .get("Lambda-Runtime-Function-Error-Body")
        .and_then(|body| STANDARD.decode(body).ok());
    Some(match body {
        Some(body) => ErrorReport::parse(&body),
        None => ErrorReport::of_lambda(&String::from_utf8_lossy(kind.as_bytes()), String::new()),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn streamed(content_type: &str, bytes: &[u8]) -> Streamed {
        Streamed {
            content_type: content_type.to_owned(),
            bytes: bytes.to_vec(),
            error: None,
        }
    }

    #[test]
    fn a_prelude_ends_with_eight_zero_bytes() {
        let http = streamed(
            HTTP_RESPONSE,
            b"{\"statusCode\":201,\"cookies\":[\"a=b\"]}\0\0\0\0\0\0\0\0body\0",
        );
        let (prelude, body) = http.parts();
        let prelude = prelude.unwrap();
        assert_eq!((prelude.status_code, body), (201, &b"body\0"[..]));
        assert_eq!(prelude.cookies, ["a=b"]);
        assert_eq!(prelude.headers, BTreeMap::new());
    }

    #[test]
    fn what_has_no_prelude_is_all_body() {
        let prelude = b"{\"statusCode\":201}\0\0\0\0\0\0\0\0body";
        for (content_type, bytes) in [
            ("text/plain", &prelude[..]),
            (HTTP_RESPONSE, b"no JSON\0\0\0\0\0\0\0\0body"),
            (HTTP_RESPONSE, b"{\"statusCode\":201}\0\0\0"),
        ] {
            assert_eq!(streamed(content_type, bytes).parts(), (None, bytes));
        }
    }

    #[test]
    fn trailers_tell_of_an_error() {
        let trailers = |fields: &[(&'static str, &str)]| {
            fields
                .iter()
                .map(|(name, value)| {
                    let value = HeaderValue::from_str(value).unwrap();
                    (name.parse().unwrap(), value)
                })
                .collect::<HeaderMap>()
        };
        let kind = ("lambda-runtime-function-error-type", "Function.SimpleError");
        assert_eq!(error_in(&trailers(&[])), None);
        let bare = error_in(&trailers(&[kind])).unwrap();
        assert_eq!(bare.error_type, "Function.SimpleError");
        let json = STANDARD.encode(r#"{"errorMessage":"late","errorType":"simpleError"}"#);
        let told = trailers(&[kind, ("lambda-runtime-function-error-body", &json)]);
        let told = error_in(&told).unwrap();
        assert_eq!(
            (told.error_message.as_str(), told.error_type.as_str()),
            ("late", "simpleError")
        );
    }
}
