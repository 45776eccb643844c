//! What a request asks for: its headers and its body, read and checked as Lambda does.

use axum::body::Body;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::refusal::Refusal;

/// What the caller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvocationType {
    /// The answer.
    RequestResponse,
    /// That the event is taken.
    Event,
    /// Whether it would be.
    DryRun,
}

impl InvocationType {
    /// By `X-Amz-Invocation-Type`.
    pub(super) fn of(headers: &HeaderMap) -> Result<InvocationType, Refusal> {
        match text(headers, "x-amz-invocation-type") {
            None | Some("RequestResponse") => Ok(InvocationType::RequestResponse),
            Some("Event") => Ok(InvocationType::Event),
            Some("DryRun") => Ok(InvocationType::DryRun),
            Some(other) => Err(Refusal::parameter(format!(
                "X-Amz-Invocation-Type is RequestResponse, Event or DryRun, and this is {other}"
            ))),
        }
    }

    /// The largest event, in bytes.
    pub fn largest_event(self) -> usize {
        match self {
            InvocationType::Event => 1_048_576,
            InvocationType::RequestResponse | InvocationType::DryRun => 6_291_456,
        }
    }
}

/// Does the caller want the end of the log? By `X-Amz-Log-Type`.
pub fn wants_log(headers: &HeaderMap) -> bool {
    text(headers, "x-amz-log-type") == Some("Tail")
}

/// The caller's own context, by `X-Amz-Client-Context`: JSON in base64. It is handed on without line ends, which a
/// header cannot have.
pub fn client_context(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(header) = headers.get("x-amz-client-context") else {
        return Ok(None);
    };
    let json = STANDARD
        .decode(header)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    match json {
        Some(json) => Ok(Some(json.to_string())),
        None => Err(Refusal::content(
            "X-Amz-Client-Context is no JSON in base64".to_owned(),
        )),
    }
}

/// The event. A body that is too large is read to its end all the same: a client that is still writing would not read
/// why it was refused. No event is an empty one.
pub async fn event(body: Body, kind: InvocationType) -> Result<Vec<u8>, Refusal> {
    let limit = kind.largest_event();
    let mut chunks = body.into_data_stream();
    let (mut event, mut size) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|error| Refusal::content(format!("the body broke off: {error}")))?;
        size += chunk.len();
        if size <= limit {
            event.extend_from_slice(&chunk);
        }
    }
    if size > limit {
        return Err(Refusal::too_large(limit));
    }
    if event.is_empty() {
        return Ok(b"{}".to_vec());
    }
    serde_json::from_slice::<IgnoredAny>(&event).map_err(|error| {
        Refusal::content(format!("Could not parse request body into json: {error}"))
    })?;
    Ok(event)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn context(text: &str) -> Result<Option<String>, Refusal> {
        let value = HeaderValue::from_str(text).unwrap();
        client_context(&HeaderMap::from_iter([(
            "x-amz-client-context".parse().unwrap(),
            value,
        )]))
    }

    #[test]
    fn a_client_context_is_json_in_base64() {
        assert_eq!(client_context(&HeaderMap::new()).unwrap(), None);
        let json = STANDARD.encode("{\n \"custom\": {\"a\": \"ü\"}\n}");
        assert_eq!(context(&json).unwrap().unwrap(), r#"{"custom":{"a":"ü"}}"#);
        assert!(context("%%%").is_err());
        assert!(context(&STANDARD.encode("no json")).is_err());
    }

    #[tokio::test]
    async fn an_event_is_json_of_limited_size() {
        let read = async |body: Vec<u8>, kind| event(Body::from(body), kind).await;
        let kind = InvocationType::RequestResponse;
        assert_eq!(read(b"[1]".to_vec(), kind).await.unwrap(), b"[1]");
        assert_eq!(read(Vec::new(), kind).await.unwrap(), b"{}");
        assert!(read(b"{x:1}".to_vec(), kind).await.is_err());
        let text = |size: usize| format!("\"{}\"", "x".repeat(size - 2)).into_bytes();
        assert!(read(text(6_291_456), kind).await.is_ok());
        assert!(read(text(6_291_457), kind).await.is_err());
        assert!(read(text(1_048_577), InvocationType::Event).await.is_err());
    }
}
