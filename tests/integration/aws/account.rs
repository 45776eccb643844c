//! An AWS account of a test's own: what commands need to use it, and what there is in it, seen without r-layer.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::moto::Moto;
use super::proxy::{Proxy, Upstream, runtime};
use crate::parts;

/// An account, and the proxy that leads to it.
pub struct Account {
    /// What r-layer is told is AWS.
    pub proxy: Proxy,
    upstream: Upstream,
    home: TempDir,
}

/// A version of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerVersion {
    pub version: u64,
    pub description: String,
    /// Base64 of the sha256, as Lambda has it.
    pub code_sha256: String,
    /// The statements of its policy.
    pub statements: Vec<Value>,
}

impl Account {
    /// An account in which there is nothing, at the moto that all tests share.
    pub fn new() -> Account {
        Account::at(Moto::shared())
    }

    /// An account in which there is nothing.
    pub fn at(moto: &Moto) -> Account {
        static NEXT: AtomicU64 = AtomicU64::new(100_000_000_001);
        let number = NEXT.fetch_add(1, Ordering::SeqCst).to_string();
        let upstream = Upstream::new(moto.port(), &number);
        Account {
            proxy: Proxy::start(upstream.clone()),
            upstream,
            home: tempfile::tempdir().expect("a folder"),
        }
    }

    /// Its twelve digits.
    pub fn number(&self) -> &str {
        self.upstream.account()
    }

    /// The home of what is started here; `.aws/config` and `.aws/credentials` in it are read.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// r-layer in that folder, with this account's credentials and no region.
    pub fn r_layer(&self, folder: &Path) -> Command {
        let mut command = parts::r_layer(folder);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        command.env("R_LAYER_CACHE", parts::cache_folder());
        self.give_access(&mut command);
        command
    }

    /// A program in Python with boto3.
    pub fn python(&self, program: &str) -> Command {
        let mut command = parts::aws_client(self.home());
        self.give_access(&mut command);
        command.args(["-c", program]);
        command
    }

    fn give_access(&self, command: &mut Command) {
        let settings = self.home().join(".aws");
        command
            .env("HOME", self.home())
            .env("AWS_ENDPOINT_URL", self.proxy.url())
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-that-nobody-should-see")
            .env("AWS_CONFIG_FILE", settings.join("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", settings.join("credentials"))
            .env("AWS_EC2_METADATA_DISABLED", "true");
    }

    /// The versions of a layer in a region, the newest first.
    pub fn layer_versions(&self, region: &str, layer: &str) -> Vec<LayerVersion> {
        let path = format!("/2018-10-31/layers/{layer}/versions");
        let list = self.lambda(region, &path).unwrap_or_default();
        let versions = list["LayerVersions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        versions
            .iter()
            .map(|version| {
                let number = version["Version"].as_u64().expect("a number");
                self.layer_version(region, layer, number)
                    .expect("a version that is listed")
            })
            .collect()
    }

    /// A version of a layer, if there is one of that number.
    pub fn layer_version(&self, region: &str, layer: &str, version: u64) -> Option<LayerVersion> {
        let path = format!("/2018-10-31/layers/{layer}/versions/{version}");
        let found = self.lambda(region, &path)?;
        let policy = self.lambda(region, &format!("{path}/policy"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some(LayerVersion {
            version,
            description: text(&found["Description"]),
            code_sha256: text(&found["Content"]["CodeSha256"]),
            statements: policy.map_or_else(Vec::new, |policy| {
                let policy: Value =
                    serde_json::from_str(&text(&policy["Policy"])).expect("a policy");
                policy["Statement"].as_array().cloned().unwrap_or_default()
            }),
        })
    }

    /// A function, as `GetFunction` has it.
    pub fn function(&self, region: &str, name: &str) -> Option<Value> {
        self.lambda(region, &format!("/2015-03-31/functions/{name}"))
    }

    /// Makes a function from what `CreateFunction` takes; code, role and runtime are given where they are missing.
    pub fn create_function(&self, region: &str, name: &str, mut settings: Value) {
        let role = self.create_role("function-role");
        let defaults = json!({
            "FunctionName": name,
            "Role": role,
            "Runtime": "provided.al2023",
            "Handler": "script.handler",
            // A zip with nothing in it.
            "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
        });
        for (key, value) in defaults.as_object().expect("an object") {
            if settings.get(key).is_none() {
                settings[key] = value.clone();
            }
        }
        let (status, answer) = self.ask(
            "lambda",
            region,
            Method::POST,
            "/2015-03-31/functions",
            settings.to_string(),
        );
        assert_eq!(status, 201, "{answer}");
    }

    /// Makes a role that Lambda may take, unless there is one, and returns its ARN.
    pub fn create_role(&self, name: &str) -> String {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let trust =
            percent_encoding::utf8_percent_encode(trust, percent_encoding::NON_ALPHANUMERIC);
        let form = format!(
            "Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument={trust}"
        );
        let (status, answer) = self.ask_form("iam", "us-east-1", form);
        assert!(
            status == 200 || answer.contains("EntityAlreadyExists"),
            "{answer}"
        );
        format!("arn:aws:iam::{}:role/{name}", self.number())
    }

    /// Makes a bucket. Its name must be nobody else's: accounts do not keep buckets apart.
    pub fn create_bucket(&self, region: &str, bucket: &str) {
        let body = if region == "us-east-1" {
            String::new()
        } else {
            format!(
                "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            )
        };
        let (status, answer) = self.ask("s3", region, Method::PUT, &format!("/{bucket}"), body);
        assert_eq!(status, 200, "{answer}");
    }

    /// The keys of a bucket's objects.
    pub fn objects(&self, region: &str, bucket: &str) -> Vec<String> {
        let (status, list) = self.ask(
            "s3",
            region,
            Method::GET,
            &format!("/{bucket}?list-type=2"),
            String::new(),
        );
        assert_eq!(status, 200, "{list}");
        between(&list, "<Key>", "</Key>")
    }

    /// The ids of a bucket's uploads that were begun and neither completed nor aborted.
    pub fn uploads(&self, region: &str, bucket: &str) -> Vec<String> {
        let (status, list) = self.ask(
            "s3",
            region,
            Method::GET,
            &format!("/{bucket}?uploads"),
            String::new(),
        );
        assert_eq!(status, 200, "{list}");
        between(&list, "<UploadId>", "</UploadId>")
    }

    /// The value in Parameter Store.
    pub fn parameter(&self, region: &str, name: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-amz-target",
            HeaderValue::from_static("AmazonSSM.GetParameter"),
        );
        headers.insert(
            "content-type",
            HeaderValue::from_static("application/x-amz-json-1.1"),
        );
        let (status, answer) = self.ask_with(
            "ssm",
            region,
            Method::POST,
            "/",
            headers,
            json!({"Name": name}).to_string(),
        );
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        (status == 200).then(|| {
            answer["Parameter"]["Value"]
                .as_str()
                .expect("a value")
                .to_owned()
        })
    }

    /// Puts texts into a log stream, which is made with its group where there is none, each at its time in milliseconds.
    pub fn put_log_events(&self, region: &str, group: &str, stream: &str, events: &[(i64, &str)]) {
        let group_and_stream = json!({"logGroupName": group, "logStreamName": stream});
        self.logs(region, "CreateLogGroup", json!({"logGroupName": group}));
        self.logs(region, "CreateLogStream", group_and_stream.clone());
        let events = events
            .iter()
            .map(|(timestamp, message)| json!({"timestamp": timestamp, "message": message}));
        let mut put = group_and_stream;
        put["logEvents"] = events.collect();
        self.logs(region, "PutLogEvents", put);
    }

    /// A call to CloudWatch Logs; what is there already is no failure.
    fn logs(&self, region: &str, operation: &str, input: Value) {
        let mut headers = HeaderMap::new();
        let target = format!("Logs_20140328.{operation}");
        headers.insert(
            "x-amz-target",
            HeaderValue::from_str(&target).expect("a header"),
        );
        headers.insert(
            "content-type",
            HeaderValue::from_static("application/x-amz-json-1.1"),
        );
        let body = input.to_string();
        let (status, answer) = self.ask_with("logs", region, Method::POST, "/", headers, body);
        let is_there = answer.contains("ResourceAlreadyExistsException");
        assert!(status == 200 || is_there, "{operation}: {answer}");
    }

    /// What Lambda says to a GET; none where there is no such thing.
    fn lambda(&self, region: &str, path: &str) -> Option<Value> {
        let (status, answer) = self.ask("lambda", region, Method::GET, path, String::new());
        assert!(status == 200 || status == 404, "{path}: {status} {answer}");
        (status == 200).then(|| serde_json::from_str(&answer).expect("JSON"))
    }

    /// A request past the proxy: status and body.
    pub fn ask(
        &self,
        service: &str,
        region: &str,
        method: Method,
        path: &str,
        body: String,
    ) -> (u16, String) {
        self.ask_with(service, region, method, path, HeaderMap::new(), body)
    }

    /// A form past the proxy, as IAM takes it: status and body.
    pub fn ask_form(&self, service: &str, region: &str, form: String) -> (u16, String) {
        let mut headers = HeaderMap::new();
        headers.insert(
            "content-type",
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        self.ask_with(service, region, Method::POST, "/", headers, form)
    }

    fn ask_with(
        &self,
        service: &str,
        region: &str,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: String,
    ) -> (u16, String) {
        let answer = runtime()
            .block_on(self.upstream.ask_with(
                service,
                region,
                method,
                path,
                headers,
                Bytes::from(body),
            ))
            .expect("moto answers");
        let status = answer.status().as_u16();
        (status, String::from_utf8_lossy(answer.body()).into_owned())
    }
}

fn between(text: &str, before: &str, after: &str) -> Vec<String> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(after)?.0.to_owned()))
        .collect()
}
