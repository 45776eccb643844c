//! What moto lacks of Lambda: a layer version by its ARN, the account's limits, revisions of functions, statements of which
//! there is one of a name, and zips that can be fetched from where an answer says that they are.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use bytes::Bytes;
use serde_json::{Value, json};

use super::contents::hash;
use super::faults::{Answer, Fault, access_denied, conflict, invalid_parameter};
use super::invoking;
use super::operation::Operation;
use super::serving::{Reply, reply};
use super::{Shared, revisions};

/// Lets moto answer, or answers in its place, and edits the answer as rules say.
pub async fn carry_out(
    shared: &Arc<Shared>,
    operation: &Operation,
    parts: &Parts,
    body: Bytes,
    faults: &[Fault],
) -> io::Result<Reply> {
    let path = parts.uri.to_string();
    let answer = match operation.name.as_str() {
        "FetchContent" => return Ok(fetch(shared, parts)),
        "Invoke" | "InvokeWithResponseStream" => {
            invoking::carry_out(shared, operation, parts, &path, body).await?
        }
        "GetAccountSettings" => json_reply(&account_settings()),
        "GetLayerVersionByArn" => by_arn(shared, operation, &path).await?,
        "PublishLayerVersion" | "CreateFunction" | "UpdateFunctionCode" => {
            publish(shared, operation, parts, &path, body).await?
        }
        "GetFunction" => {
            let answer = shared.upstream.forward(parts, &path, body).await?;
            revisions::add(shared, operation, &path, answer).await
        }
        "UpdateFunctionConfiguration" => {
            revisions::update(shared, operation, parts, &path, body).await?
        }
        "AddLayerVersionPermission" => grant(shared, operation, parts, &path, body).await?,
        _ => shared.upstream.forward(parts, &path, body).await?,
    };
    Ok(edited(shared, operation, &path, answer, faults))
}

fn edited(
    shared: &Shared,
    operation: &Operation,
    path: &str,
    answer: Reply,
    faults: &[Fault],
) -> Reply {
    let Ok(mut value) = serde_json::from_slice::<Value>(answer.body()) else {
        return answer;
    };
    let before = value.clone();
    if let Some(content) = value.get_mut("Content") {
        shared.lock(&shared.contents).name_the_real(content);
    }
    set_location(shared, &mut value);
    let (mut lists, mut time) = (0, Duration::ZERO);
    for fault in faults {
        match fault {
            Fault::Edit(edit) => edit(&mut value),
            Fault::HideFromLists(hidden) => lists = *hidden,
            Fault::HideFor(hidden) => time = *hidden,
            Fault::Latency(_) | Fault::Answer(_) | Fault::Cut(_) => {}
        }
    }
    if let ("ListLayerVersions", Some(layer)) = (operation.name.as_str(), layer_in(path)) {
        let mut contents = shared.lock(&shared.contents);
        contents.make_late(&operation.region, &layer, &mut value, lists, time);
    }
    if value == before {
        return answer;
    }
    answer.map(|_| Bytes::from(value.to_string()))
}

/// `/2018-10-31/layers/NAME/versions…`, where the name may be an ARN.
fn layer_in(path: &str) -> Option<String> {
    let name = path
        .split(['/', '?'])
        .skip_while(|part| *part != "layers")
        .nth(1)?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    Some(name.rsplit(':').next()?.to_owned())
}

/// Lets moto have a zip, and learns what it is known by.
async fn publish(
    shared: &Shared,
    operation: &Operation,
    parts: &Parts,
    path: &str,
    body: Bytes,
) -> io::Result<Reply> {
    let (zip, body) = for_moto(shared, operation, body).await;
    let answer = match operation.name.as_str() {
        "UpdateFunctionCode" => revisions::update(shared, operation, parts, path, body).await?,
        _ => shared.upstream.forward(parts, path, body).await?,
    };
    learn(shared, operation, path, &answer, zip);
    Ok(answer)
}

/// The zip of a request, and the request as moto gets it.
async fn for_moto(shared: &Shared, operation: &Operation, body: Bytes) -> (Option<Bytes>, Bytes) {
    let mut sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let zip = sent_zip(shared, operation, &sent).await;
    let spare = shared.spares_moto.load(Ordering::SeqCst);
    let body = match (&zip, sent.pointer_mut("/Content/ZipFile")) {
        (Some(zip), Some(place)) if spare => {
            let hash = hash(zip);
            let stand_in = shared.lock(&shared.contents).stand_in(&hash, zip.len());
            *place = BASE64_STANDARD.encode(stand_in).into();
            Bytes::from(sent.to_string())
        }
        _ => body,
    };
    (zip, body)
}

/// Lets moto add a statement, unless the policy has one of that name: that moto adds a second time.
async fn grant(
    shared: &Shared,
    operation: &Operation,
    parts: &Parts,
    path: &str,
    body: Bytes,
) -> io::Result<Reply> {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let policy = shared
        .upstream
        .ask("lambda", &operation.region, Method::GET, path, Bytes::new())
        .await?;
    let policy: Value = serde_json::from_slice(policy.body()).unwrap_or_default();
    let policy = policy["Policy"].as_str().unwrap_or_default();
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let mut statements = policy["Statement"].as_array().into_iter().flatten();
    let name = &asked["StatementId"];
    if statements.any(|statement| statement["Sid"] == *name) {
        let name = name.as_str().unwrap_or_default();
        return Ok(reply(&conflict(&format!(
            "The statement id ({name}) provided already exists. Please provide a new statement id, or remove the existing \
             statement."
        ))));
    }
    shared.upstream.forward(parts, path, body).await
}

/// Where the zip is that the answer's hash is of, if it came through here.
fn set_location(shared: &Shared, answer: &mut Value) {
    for (content, hash) in [
        ("/Content", "/Content/CodeSha256"),
        ("/Code", "/Configuration/CodeSha256"),
    ] {
        let Some(hash) = answer
            .pointer(hash)
            .and_then(Value::as_str)
            .map(str::to_owned)
        else {
            continue;
        };
        if shared.lock(&shared.contents).zip(&hash).is_none() {
            continue;
        }
        let Ok(bytes) = BASE64_STANDARD.decode(&hash) else {
            continue;
        };
        if let Some(content) = answer.pointer_mut(content).and_then(Value::as_object_mut) {
            let path = BASE64_URL_SAFE.encode(bytes);
            let location = format!("http://127.0.0.1:{}/content/{path}", shared.port);
            content.insert("Location".to_owned(), location.into());
        }
    }
}

/// The zip in a request, or in the bucket that it names.
async fn sent_zip(shared: &Shared, operation: &Operation, sent: &Value) -> Option<Bytes> {
    let zip = zip_in(sent);
    if let Some(text) = zip.get("ZipFile").and_then(Value::as_str) {
        return BASE64_STANDARD.decode(text).ok().map(Bytes::from);
    }
    let part = |name| zip.get(name).and_then(Value::as_str);
    let path = format!("/{}/{}", part("S3Bucket")?, part("S3Key")?);
    let object = shared
        .upstream
        .ask("s3", &operation.region, Method::GET, &path, Bytes::new())
        .await
        .ok()?;
    object.status().is_success().then(|| object.into_body())
}

/// Where requests to Lambda have a zip: of a layer, of a new function, of a function's new code.
fn zip_in(sent: &Value) -> &Value {
    sent.get("Content")
        .or_else(|| sent.get("Code"))
        .unwrap_or(sent)
}

fn learn(shared: &Shared, operation: &Operation, path: &str, answer: &Reply, zip: Option<Bytes>) {
    let Ok(mut value) = serde_json::from_slice::<Value>(answer.body()) else {
        return;
    };
    let mut contents = shared.lock(&shared.contents);
    if let Some(content) = value.get_mut("Content") {
        contents.name_the_real(content);
    }
    let hash = value
        .pointer("/Content/CodeSha256")
        .or_else(|| value.get("CodeSha256"));
    if let (Some(hash), Some(zip)) = (hash.and_then(Value::as_str), zip) {
        contents.keep(hash, zip);
    }
    if let (Some(layer), Some(version)) =
        (layer_in(path), value.get("Version").and_then(Value::as_u64))
    {
        contents.note(&operation.region, &layer, version);
    }
}

/// A zip that was published, or the range of it that is asked for.
fn fetch(shared: &Shared, parts: &Parts) -> Reply {
    let hash = parts.uri.path().rsplit('/').next().unwrap_or_default();
    let hash = BASE64_URL_SAFE
        .decode(hash)
        .map(|hash| BASE64_STANDARD.encode(hash));
    let Some(zip) = hash
        .ok()
        .and_then(|hash| shared.lock(&shared.contents).zip(&hash))
    else {
        return reply(&Answer::s3_error(
            404,
            "NoSuchKey",
            "The specified key does not exist.",
        ));
    };
    let Some(range) = parts
        .headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok())
    else {
        return Response::new(zip);
    };
    let Some((start, end)) = range_of(range, zip.len()) else {
        return reply(&Answer::s3_error(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
        ));
    };
    let mut answer = Response::new(zip.slice(start..end));
    *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    let told = format!("bytes {start}-{}/{}", end - 1, zip.len());
    answer.headers_mut().insert(
        header::CONTENT_RANGE,
        HeaderValue::from_str(&told).expect("a header"),
    );
    answer
}

/// Start and end of `bytes=0-99`, `bytes=100-` or `bytes=-100` of so many bytes.
fn range_of(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", last) => (length.saturating_sub(last.parse().ok()?), length),
        (first, "") => (first.parse().ok()?, length),
        (first, last) => (
            first.parse().ok()?,
            (last.parse::<usize>().ok()? + 1).min(length),
        ),
    };
    (start < end).then_some((start, end))
}

/// `GET /2018-10-31/layers?find=LayerVersion&Arn=…`, from moto's own layer version. Another account's must be granted.
async fn by_arn(shared: &Shared, operation: &Operation, path: &str) -> io::Result<Reply> {
    let url = reqwest::Url::parse(&format!("http://aws{path}")).map_err(io::Error::other)?;
    let arn = url
        .query_pairs()
        .find_map(|(name, value)| (name == "Arn").then(|| value.into_owned()))
        .unwrap_or_default();
    let parts: Vec<&str> = arn.split(':').collect();
    let [_, _, "lambda", region, account, "layer", name, version] = parts[..] else {
        return Ok(reply(&invalid_parameter(&format!(
            "Invalid layer version ARN: {arn}"
        ))));
    };
    if region != operation.region {
        return Ok(reply(&invalid_parameter(&format!(
            "Layers are not in the same region as the request. Layers are expected to be in region {}.",
            operation.region
        ))));
    }
    let owner = shared.upstream.as_account(account);
    let path = format!("/2018-10-31/layers/{name}/versions/{version}");
    if account != shared.upstream.account() {
        let policy = format!("{path}/policy");
        let policy = owner
            .ask("lambda", region, Method::GET, &policy, Bytes::new())
            .await?;
        if !policy.status().is_success() {
            let who = format!("arn:aws:sts::{}:user/moto", shared.upstream.account());
            return Ok(reply(&access_denied(&who, "lambda:GetLayerVersion", &arn)));
        }
    }
    owner
        .ask("lambda", region, Method::GET, &path, Bytes::new())
        .await
}

/// An account at its beginning, with AWS's default limits.
fn account_settings() -> Value {
    json!({
        "AccountLimit": {
            "TotalCodeSize": 322_122_547_200_u64,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": 1000,
            "UnreservedConcurrentExecutions": 1000
        },
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": 0}
    })
}

fn json_reply(value: &Value) -> Reply {
    reply(&Answer {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: value.to_string(),
    })
}
