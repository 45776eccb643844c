//! Invocations, for which moto wants Docker: a function that is served on this machine (`invoke --serve`) answers for every
//! function that moto knows.

use std::io;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use axum::http::request::Parts;
use axum::http::{Method, Response};
use bytes::Bytes;
use serde_json::json;

use super::Shared;
use super::faults::internal_error;
use super::operation::Operation;
use super::serving::{Reply, reply};

/// Where functions are served.
const SERVED: &str = "/2015-03-31/functions/function/invocations";

/// Lets the served function answer for one that there is, whole or as the events of a stream.
pub async fn carry_out(
    shared: &Shared,
    operation: &Operation,
    parts: &Parts,
    path: &str,
    body: Bytes,
) -> io::Result<Reply> {
    let name = path.split('/').nth(3).unwrap_or_default();
    let found = format!("/2015-03-31/functions/{name}");
    let ask = shared.upstream.ask(
        "lambda",
        &operation.region,
        Method::GET,
        &found,
        Bytes::new(),
    );
    let found = ask.await?;
    if !found.status().is_success() {
        return Ok(found);
    }
    let Some(port) = *shared.lock(&shared.functions) else {
        return Ok(reply(&internal_error()));
    };
    let answer = shared
        .upstream
        .at(port)
        .forward(parts, SERVED, body)
        .await?;
    Ok(match operation.name.as_str() {
        "InvokeWithResponseStream" => in_events(&answer),
        _ => answer,
    })
}

/// A whole answer as AWS sends it in a stream: its bytes in two pieces, or its error.
fn in_events(answer: &Reply) -> Reply {
    let header = |name: &str| answer.headers().get(name).and_then(|it| it.to_str().ok());
    let body = answer.body();
    let mut stream = Vec::new();
    let mut end = json!({"LogResult": header("x-amz-log-result")});
    if let Some(kind) = header("x-amz-function-error") {
        end["ErrorCode"] = kind.into();
        end["ErrorDetails"] = String::from_utf8_lossy(body).into();
    } else {
        let (first, second) = body.split_at(body.len() / 2);
        stream.extend(event("PayloadChunk", first));
        stream.extend(event("PayloadChunk", second));
    }
    stream.extend(event("InvokeComplete", end.to_string().as_bytes()));
    Response::new(Bytes::from(stream))
}

/// An event as it is sent.
pub fn event(kind: &'static str, payload: &[u8]) -> Vec<u8> {
    let header = |name: &'static str, value: &'static str| {
        Header::new(name, HeaderValue::String(value.into()))
    };
    let content_type = match kind {
        "PayloadChunk" => "application/octet-stream",
        _ => "application/json",
    };
    let message = Message::new(Bytes::copy_from_slice(payload))
        .add_header(header(":message-type", "event"))
        .add_header(header(":event-type", kind))
        .add_header(header(":content-type", content_type));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).expect("an event");
    bytes
}
