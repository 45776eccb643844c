//! Revisions of functions, which moto has not: each change of a function gives it another, and a change that names an older
//! one is refused. <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html>, `RevisionId`.

use std::io;

use axum::http::Method;
use axum::http::request::Parts;
use bytes::Bytes;
use serde_json::Value;

use super::Shared;
use super::contents::hash;
use super::faults::revision_differs;
use super::forwarding::Upstream;
use super::operation::Operation;
use super::serving::{Reply, reply};

/// Puts the revision into the answer to `GetFunction`.
pub fn add(answer: Reply) -> Reply {
    let Ok(mut value) = serde_json::from_slice::<Value>(answer.body()) else {
        return answer;
    };
    if let Some(configuration) = value.get_mut("Configuration") {
        configuration["RevisionId"] = of(configuration).into();
    }
    answer.map(|_| Bytes::from(value.to_string()))
}

/// `UpdateFunctionConfiguration` or `UpdateFunctionCode`, unless the function is of another revision by now.
pub async fn update(
    shared: &Shared,
    operation: &Operation,
    parts: &Parts,
    path: &str,
    body: Bytes,
) -> io::Result<Reply> {
    let _one_at_a_time = shared.changing.lock().await;
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(expected) = sent["RevisionId"].as_str().filter(|text| !text.is_empty()) {
        let function = path.rsplit_once('/').map_or(path, |(function, _)| function);
        if revision(&shared.upstream, &operation.region, function)
            .await?
            .as_deref()
            != Some(expected)
        {
            return Ok(reply(&revision_differs()));
        }
    }
    shared.upstream.forward(parts, path, body).await
}

async fn revision(moto: &Upstream, region: &str, function: &str) -> io::Result<Option<String>> {
    let nothing = Bytes::new();
    let answer = moto
        .ask("lambda", region, Method::GET, function, nothing)
        .await?;
    let value: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    Ok(value.get("Configuration").map(of))
}

/// All that it is tells it.
fn of(configuration: &Value) -> String {
    hash(configuration.to_string().as_bytes())
}
