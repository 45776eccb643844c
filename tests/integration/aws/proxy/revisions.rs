//! Revisions of functions, which moto has not: each change of a function gives it another, and a change that names an older
//! one is refused. <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html>, `RevisionId`.

use std::collections::HashMap;
use std::io;

use axum::http::Method;
use axum::http::request::Parts;
use bytes::Bytes;
use serde_json::Value;

use super::Shared;
use super::contents::hash;
use super::faults::revision_differs;
use super::operation::Operation;
use super::serving::{Reply, reply};

/// How many changes of each function came through here; moto does not keep all that is changed.
#[derive(Default)]
pub struct Changes(HashMap<String, usize>);

impl Changes {
    /// What a function is tells its revision, and how often it was changed.
    fn revision(&self, region: &str, path: &str, configuration: &Value) -> String {
        let count = self.0.get(&key(region, path)).copied().unwrap_or_default();
        hash(format!("{count} {configuration}").as_bytes())
    }
}

fn key(region: &str, path: &str) -> String {
    let function = path.split('?').next().unwrap_or_default();
    format!("{region} {function}")
}

/// Puts the revision into the answer to `GetFunction`.
pub async fn add(shared: &Shared, operation: &Operation, path: &str, answer: Reply) -> Reply {
    let Ok(mut value) = serde_json::from_slice::<Value>(answer.body()) else {
        return answer;
    };
    if let Some(configuration) = value.get_mut("Configuration") {
        let changes = shared.changes.lock().await;
        let revision = changes.revision(&operation.region, path, configuration);
        configuration["RevisionId"] = revision.into();
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
    // One at a time.
    let mut changes = shared.changes.lock().await;
    let region = &operation.region;
    let function = path.rsplit_once('/').map_or(path, |(function, _)| function);
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let expected = sent["RevisionId"].as_str().filter(|text| !text.is_empty());
    if let Some(expected) = expected {
        let get = shared
            .upstream
            .ask("lambda", region, Method::GET, function, Bytes::new());
        let found: Value = serde_json::from_slice(get.await?.body()).unwrap_or_default();
        let is_it = |found: &Value| changes.revision(region, function, found) == expected;
        if found
            .get("Configuration")
            .is_some_and(|found| !is_it(found))
        {
            return Ok(reply(&revision_differs()));
        }
    }
    let answer = shared.upstream.forward(parts, path, body).await?;
    *changes.0.entry(key(region, function)).or_default() += 1;
    Ok(answer)
}
