//! What a request asks AWS for: the service and region that it is signed for, and the operation's name in AWS's own
//! reference of the API.

use axum::http::HeaderMap;
use axum::http::Uri;
use axum::http::request::Parts;

/// An operation of a service in a region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// As in the signature: `lambda`, `s3`, `ssm`; empty in a request that is not signed.
    pub service: String,
    /// As in the signature; empty in a request that is not signed.
    pub region: String,
    /// `PublishLayerVersion`; method and path where this file does not know it.
    pub name: String,
}

impl Operation {
    /// Reads a request's head and, for the services that name the operation there (STS, IAM), its body.
    pub fn of(parts: &Parts, body: &[u8]) -> Operation {
        let (region, service) = scope(&parts.headers).unwrap_or_default();
        let method = parts.method.as_str();
        let name = match service.as_str() {
            "s3" => in_s3(method, &parts.uri, &parts.headers).map(str::to_owned),
            _ => in_target(&parts.headers)
                .or_else(|| in_form(body))
                .or_else(|| in_path(method, &parts.uri)),
        };
        Operation {
            service,
            region,
            name: name.unwrap_or_else(|| format!("{method} {}", parts.uri.path())),
        }
    }

    /// Whether it may change anything at AWS.
    pub fn changes(&self) -> bool {
        let reads = [
            "AssumeRole",
            "Describe",
            "FetchContent",
            "Get",
            "Head",
            "List",
        ];
        !reads.iter().any(|read| self.name.starts_with(read))
    }
}

/// Whether the operation's name is in the body.
pub fn is_named_in_body(headers: &HeaderMap) -> bool {
    header(headers, "content-type").starts_with("application/x-www-form-urlencoded")
}

/// Region and service of `Credential=AKIA…/20260131/eu-west-1/lambda/aws4_request`.
fn scope(headers: &HeaderMap) -> Option<(String, String)> {
    let (_, credential) = header(headers, "authorization").split_once("Credential=")?;
    let mut scope = credential.split(',').next()?.trim().rsplit('/');
    let [_, service, region] = [scope.next()?, scope.next()?, scope.next()?];
    Some((region.to_owned(), service.to_owned()))
}

/// The key of `Credential=AKIA…/20260131/eu-west-1/lambda/aws4_request`; empty in a request that is not signed.
pub fn access_key(headers: &HeaderMap) -> String {
    let (_, credential) = header(headers, "authorization")
        .split_once("Credential=")
        .unwrap_or_default();
    credential.split('/').next().unwrap_or_default().to_owned()
}

/// `X-Amz-Target: AmazonSSM.PutParameter`.
fn in_target(headers: &HeaderMap) -> Option<String> {
    let (_, name) = header(headers, "x-amz-target").rsplit_once('.')?;
    Some(name.to_owned())
}

/// `Action=GetCallerIdentity&Version=…`.
fn in_form(body: &[u8]) -> Option<String> {
    std::str::from_utf8(body)
        .ok()?
        .split('&')
        .find_map(|field| field.strip_prefix("Action="))
        .map(str::to_owned)
}

fn in_path(method: &str, uri: &Uri) -> Option<String> {
    if has_query(uri, "find", Some("LayerVersion")) {
        return Some("GetLayerVersionByArn".to_owned());
    }
    let path: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    PATHS
        .iter()
        .find(|(of, pattern, _)| *of == method && matches(pattern, &path))
        .map(|(_, _, name)| (*name).to_owned())
}

fn matches(pattern: &str, path: &[&str]) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(path)
            .all(|(pattern, segment)| *pattern == "*" || pattern == segment)
}

/// `/bucket/key?partNumber=1`, the bucket in the path as SDKs have it where the endpoint is an address.
fn in_s3(method: &str, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let path = uri.path().trim_start_matches('/');
    let of_object = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let asks = |name| has_query(uri, name, None);
    Some(match (method, of_object) {
        ("GET", _) if path.is_empty() => "ListBuckets",
        ("PUT", false) if uri.query().is_none() => "CreateBucket",
        ("HEAD", false) => "HeadBucket",
        ("DELETE", false) => "DeleteBucket",
        ("POST", false) if asks("delete") => "DeleteObjects",
        ("GET", false) if asks("location") => "GetBucketLocation",
        ("GET", false) if asks("uploads") => "ListMultipartUploads",
        ("GET", false) if asks("list-type") => "ListObjectsV2",
        ("POST", true) if asks("uploads") => "CreateMultipartUpload",
        ("POST", true) if asks("uploadId") => "CompleteMultipartUpload",
        ("PUT", true) if asks("partNumber") => "UploadPart",
        ("DELETE", true) if asks("uploadId") => "AbortMultipartUpload",
        ("GET", true) if asks("uploadId") => "ListParts",
        ("GET", true) if asks("attributes") => "GetObjectAttributes",
        ("PUT", true) if headers.contains_key("x-amz-copy-source") => "CopyObject",
        ("PUT", true) => "PutObject",
        ("GET", true) => "GetObject",
        ("HEAD", true) => "HeadObject",
        ("DELETE", true) => "DeleteObject",
        _ => return None,
    })
}

fn has_query(uri: &Uri, name: &str, value: Option<&str>) -> bool {
    uri.query().unwrap_or_default().split('&').any(|field| {
        let (is, of) = field.split_once('=').unwrap_or((field, ""));
        is == name && value.is_none_or(|value| of == value)
    })
}

/// A header as text; empty if it was not sent.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Method, path and name of Lambda's operations and EventBridge Scheduler's; `*` is any segment.
const PATHS: &[(&str, &str, &str)] = &[
    ("GET", "content/*", "FetchContent"),
    ("GET", "2018-10-31/layers", "ListLayers"),
    (
        "POST",
        "2018-10-31/layers/*/versions",
        "PublishLayerVersion",
    ),
    ("GET", "2018-10-31/layers/*/versions", "ListLayerVersions"),
    ("GET", "2018-10-31/layers/*/versions/*", "GetLayerVersion"),
    (
        "DELETE",
        "2018-10-31/layers/*/versions/*",
        "DeleteLayerVersion",
    ),
    (
        "GET",
        "2018-10-31/layers/*/versions/*/policy",
        "GetLayerVersionPolicy",
    ),
    (
        "POST",
        "2018-10-31/layers/*/versions/*/policy",
        "AddLayerVersionPermission",
    ),
    (
        "DELETE",
        "2018-10-31/layers/*/versions/*/policy/*",
        "RemoveLayerVersionPermission",
    ),
    ("GET", "2016-08-19/account-settings", "GetAccountSettings"),
    ("POST", "2015-03-31/functions", "CreateFunction"),
    ("GET", "2015-03-31/functions", "ListFunctions"),
    ("GET", "2015-03-31/functions/*", "GetFunction"),
    ("DELETE", "2015-03-31/functions/*", "DeleteFunction"),
    (
        "GET",
        "2015-03-31/functions/*/configuration",
        "GetFunctionConfiguration",
    ),
    (
        "PUT",
        "2015-03-31/functions/*/configuration",
        "UpdateFunctionConfiguration",
    ),
    ("PUT", "2015-03-31/functions/*/code", "UpdateFunctionCode"),
    ("POST", "2015-03-31/functions/*/versions", "PublishVersion"),
    (
        "GET",
        "2015-03-31/functions/*/versions",
        "ListVersionsByFunction",
    ),
    ("POST", "2015-03-31/functions/*/aliases", "CreateAlias"),
    ("GET", "2015-03-31/functions/*/aliases", "ListAliases"),
    ("GET", "2015-03-31/functions/*/aliases/*", "GetAlias"),
    ("PUT", "2015-03-31/functions/*/aliases/*", "UpdateAlias"),
    ("DELETE", "2015-03-31/functions/*/aliases/*", "DeleteAlias"),
    ("GET", "2015-03-31/functions/*/policy", "GetPolicy"),
    ("POST", "2015-03-31/functions/*/policy", "AddPermission"),
    (
        "DELETE",
        "2015-03-31/functions/*/policy/*",
        "RemovePermission",
    ),
    ("POST", "2015-03-31/functions/*/invocations", "Invoke"),
    (
        "POST",
        "2021-11-15/functions/*/response-streaming-invocations",
        "InvokeWithResponseStream",
    ),
    (
        "POST",
        "2021-10-31/functions/*/url",
        "CreateFunctionUrlConfig",
    ),
    ("GET", "2021-10-31/functions/*/url", "GetFunctionUrlConfig"),
    (
        "PUT",
        "2021-10-31/functions/*/url",
        "UpdateFunctionUrlConfig",
    ),
    (
        "DELETE",
        "2021-10-31/functions/*/url",
        "DeleteFunctionUrlConfig",
    ),
    ("GET", "2017-03-31/tags/*", "ListTags"),
    ("POST", "2017-03-31/tags/*", "TagResource"),
    ("DELETE", "2017-03-31/tags/*", "UntagResource"),
    ("POST", "schedules/*", "CreateSchedule"),
    ("GET", "schedules/*", "GetSchedule"),
    ("PUT", "schedules/*", "UpdateSchedule"),
    ("DELETE", "schedules/*", "DeleteSchedule"),
];
