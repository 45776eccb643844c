//! What there is at AWS before functions are given layers: layers as r-layer publishes them, layers of others, functions.

use std::path::Path;
use std::process::{Command, Output};

use axum::http::Method;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use r_layer::checksum::Sha256;
use r_layer::layer::{BuildRecord, Entry, LayerTree, zip};
use r_layer::publication::{PublicationRecord, describe, logical_name};
use serde_json::{Value, json};

use crate::aws::Account;
use crate::aws::proxy::{Upstream, runtime};

/// Where everything is, unless a test says otherwise.
pub const REGION: &str = "eu-central-1";

/// A layer as `r-layer build` makes it: its zip and its build record.
pub struct Built {
    pub record: BuildRecord,
    pub zip: Vec<u8>,
}

/// What a layer is made of; `models` is a layer of packages, `models-2` a part of it or one of its own.
pub struct Making<'a> {
    pub name: &'a str,
    pub r: &'a str,
    pub architecture: &'a str,
    /// Name and version.
    pub packages: &'a [(&'a str, &'a str)],
    /// By which its content differs from another's.
    pub mark: &'a str,
}

impl Default for Making<'_> {
    fn default() -> Self {
        Making {
            name: "runtime",
            r: "4.5.0",
            architecture: "x86_64",
            packages: &[],
            mark: "",
        }
    }
}

impl Making<'_> {
    pub fn build(&self) -> Built {
        let Making { name, r, .. } = self;
        let mut tree = LayerTree::default();
        let mut file = |path: String, content: String| {
            tree.insert(
                path.clone(),
                Entry::bytes(content.into_bytes(), path == "bootstrap"),
            );
        };
        file(
            "mark".to_owned(),
            format!("{name} {} {}", self.architecture, self.mark),
        );
        file(
            format!("r-layer/r-{name}.json"),
            json!({"name": format!("r-{name}"), "r_version": r}).to_string(),
        );
        if *name == "runtime" {
            file("bootstrap".to_owned(), "#!/bin/sh".to_owned());
        }
        for (package, version) in self.packages {
            file(
                format!("R/library/{package}/DESCRIPTION"),
                format!("Package: {package}\nVersion: {version}\n"),
            );
        }
        let zip = zip_of(&tree);
        let record = self.record(&zip);
        Built { record, zip }
    }

    fn record(&self, zip: &[u8]) -> BuildRecord {
        let Making { name, r, .. } = self;
        let minor = r.rsplit_once('.').map_or(*r, |(minor, _)| minor);
        let packages = self.packages.iter().map(|(package, version)| {
            let package_record = json!({"version": version, "license": null});
            ((*package).to_owned(), package_record)
        });
        let mut record = json!({
            "record_version": 1, "name": name, "description": "",
            "zip": format!("r-{name}-{minor}-al2023-{}.zip", self.architecture),
            "sha256": Sha256::of(zip), "zipped_size": zip.len(), "unzipped_size": 1000, "needs_s3": false,
            "target": "provided.al2023", "architecture": self.architecture, "r_version": r, "glibc": null,
            "r_layer_version": "", "packages": packages.collect::<serde_json::Map<_, _>>(), "added_libraries": {},
            "savings": [], "inputs": {}
        });
        match *name {
            "runtime" => record["name"] = "r-runtime".into(),
            name => record["part"] = json!({"layer": name, "number": 1, "of": 1}),
        }
        serde_json::from_value(record).expect("a build record")
    }
}

impl Built {
    /// The name that it has at AWS by the default template.
    pub fn name_at_aws(&self) -> String {
        let minor = self
            .record
            .r_minor()
            .expect("R's version")
            .replace('.', "_");
        let architecture = self.record.architecture.aws_name();
        format!("{}-{minor}-{architecture}", logical_name(&self.record))
    }

    /// Puts zip and record where `build` does.
    pub fn keep_in(&self, folder: &Path) {
        let zip = folder.join("dist").join(&self.record.zip);
        std::fs::create_dir_all(zip.parent().expect("a folder")).expect("a folder");
        let record = serde_json::to_vec(&self.record).expect("JSON");
        std::fs::write(zip.with_extension("json"), record).expect("a file");
        std::fs::write(zip, &self.zip).expect("a file");
    }
}

/// A tree as a zip.
pub fn zip_of(tree: &LayerTree) -> Vec<u8> {
    let mut written = Vec::new();
    let time = zip::entry_time(None).expect("a time");
    zip::write(tree, time, &mut written).expect("a zip");
    written
}

/// A zip with one file.
pub fn zip_with(path: &str, content: &str) -> Vec<u8> {
    let mut tree = LayerTree::default();
    tree.insert(path, Entry::bytes(content.as_bytes().to_vec(), true));
    zip_of(&tree)
}

/// A zip whose directory says that its first file has so many bytes.
pub fn zip_that_claims(bytes: u32) -> Vec<u8> {
    let mut zip = zip_with("large", "0");
    let directory = zip
        .windows(4)
        .position(|mark| mark == b"PK\x01\x02")
        .expect("a directory");
    zip[directory + 24..directory + 28].copy_from_slice(&bytes.to_le_bytes());
    zip
}

/// Lambda of an account, as another program than r-layer sees it: through the proxy, which so knows of the zips.
pub struct Lambda<'a> {
    account: &'a Account,
    proxy: Upstream,
}

impl<'a> Lambda<'a> {
    pub fn of(account: &'a Account) -> Lambda<'a> {
        Lambda {
            account,
            proxy: Upstream::new(account.proxy.port(), account.number()),
        }
    }

    fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let body = Bytes::from(body.to_string());
        let answer = self.proxy.ask("lambda", REGION, method, path, body);
        let answer = runtime().block_on(answer).expect("an answer");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(answer.status().is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Publishes a layer as r-layer does, and returns the version's ARN.
    pub fn publish(&self, built: &Built) -> String {
        let description = describe(&built.record, None);
        let architecture = built.record.architecture.aws_name();
        self.publish_other(
            &built.name_at_aws(),
            &description,
            Some(architecture),
            &built.zip,
        )
    }

    /// Publishes a layer as anybody does.
    pub fn publish_other(
        &self,
        name: &str,
        description: &str,
        architecture: Option<&str>,
        zip: &[u8],
    ) -> String {
        let mut body = json!({"Description": description, "Content": {"ZipFile": BASE64_STANDARD.encode(zip)}});
        if let Some(architecture) = architecture {
            body["CompatibleArchitectures"] = json!([architecture]);
        }
        let path = format!("/2018-10-31/layers/{name}/versions");
        let published = self.ask(Method::POST, &path, &body);
        published["LayerVersionArn"]
            .as_str()
            .expect("an ARN")
            .to_owned()
    }

    /// Lets everybody read a layer version.
    pub fn grant(&self, arn: &str) {
        let path = format!("{}/policy", path_of(arn));
        let grant =
            json!({"StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"});
        self.ask(Method::POST, &path, &grant);
    }

    pub fn delete_layer(&self, arn: &str) {
        self.ask(Method::DELETE, &path_of(arn), &Value::Null);
    }

    /// Makes a function with these layers.
    pub fn function(&self, name: &str, layers: &[&str]) {
        self.function_of(name, json!({"Layers": layers}));
    }

    /// Makes a function from what `CreateFunction` takes.
    pub fn function_of(&self, name: &str, mut settings: Value) {
        let code = BASE64_STANDARD.encode(zip_with("script.R", "f <- function() 1"));
        let defaults = json!({
            "FunctionName": name,
            "Role": format!("arn:aws:iam::{}:role/function-role", self.account.number()),
            "Runtime": "provided.al2023",
            "Handler": "script.f",
            "Code": {"ZipFile": code},
        });
        for (key, value) in defaults.as_object().expect("an object") {
            if settings.get(key).is_none() {
                settings[key] = value.clone();
            }
        }
        self.ask(Method::POST, "/2015-03-31/functions", &settings);
    }

    /// Gives a function other layers, as somebody else may at any time.
    pub fn set_layers(&self, name: &str, layers: &[&str]) {
        let path = format!("/2015-03-31/functions/{name}/configuration");
        let (status, answer) = self.account.ask(
            "lambda",
            REGION,
            Method::PUT,
            &path,
            json!({"Layers": layers}).to_string(),
        );
        assert_eq!(status, 200, "{answer}");
    }

    /// The ARNs of a function's layers, or of a version's.
    pub fn layers_of(&self, function: &str) -> Vec<String> {
        let found = self.account.function(REGION, function).expect("a function");
        let layers = found["Configuration"]["Layers"].as_array().cloned();
        let arn = |layer: Value| layer["Arn"].as_str().expect("an ARN").to_owned();
        layers.unwrap_or_default().into_iter().map(arn).collect()
    }

    /// The version that an alias points at.
    pub fn alias(&self, function: &str, alias: &str) -> String {
        let path = format!("/2015-03-31/functions/{function}/aliases/{alias}");
        let found = self
            .account
            .ask("lambda", REGION, Method::GET, &path, String::new());
        let found: Value = serde_json::from_str(&found.1).expect("JSON");
        found["FunctionVersion"]
            .as_str()
            .expect("a version")
            .to_owned()
    }
}

fn path_of(arn: &str) -> String {
    let parts: Vec<&str> = arn.split(':').collect();
    format!("/2018-10-31/layers/{}/versions/{}", parts[6], parts[7])
}

/// Runtime and `models` for R 4.5, and a function that has the runtime: what most tests begin with.
pub struct Stage {
    pub account: Account,
    pub folder: tempfile::TempDir,
    pub runtime: String,
    pub models: String,
}

impl Stage {
    pub fn new() -> Stage {
        let account = Account::new();
        account.create_role("function-role");
        let lambda = Lambda::of(&account);
        let runtime = lambda.publish(&Making::default().build());
        let models = Making {
            name: "models",
            packages: &[("cli", "3.6.0")],
            ..Making::default()
        };
        let models = lambda.publish(&models.build());
        lambda.function("f", &[&runtime]);
        account.proxy.forget();
        Stage {
            account,
            folder: tempfile::tempdir().expect("a folder"),
            runtime,
            models,
        }
    }

    pub fn lambda(&self) -> Lambda<'_> {
        Lambda::of(&self.account)
    }

    /// `r-layer` in the stage's folder and region.
    pub fn r_layer(&self, arguments: &[&str]) -> Command {
        let mut command = self.account.r_layer(self.folder.path());
        command.env("AWS_REGION", REGION).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.r_layer(arguments))
    }

    /// Writes what was published into the folder's record, as `publish` does.
    pub fn note(&self, arn: &str, built: &Built) {
        note(self.folder.path(), arn, built);
    }
}

/// Writes a publication into a folder's record, as `publish` does.
pub fn note(folder: &Path, arn: &str, built: &Built) {
    let parts: Vec<&str> = arn.split(':').collect();
    let publication = json!({
        "partition": "aws", "account": parts[4], "layer": parts[6], "logical_name": logical_name(&built.record),
        "architecture": built.record.architecture, "r_version": built.record.r_version, "region": parts[3],
        "version": parts[7].parse::<u64>().expect("a number"), "arn": arn, "sha256": built.record.sha256,
        "grants": [], "published": "2026-01-01T00:00:00Z"
    });
    let publication = serde_json::from_value(publication).expect("a publication");
    PublicationRecord::update(folder, |record| record.record(publication)).expect("a record");
}

/// What a command said and how it ended.
pub struct Ran {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Ran {
        Ran::from(command.output().expect("r-layer runs"))
    }

    /// It ended so.
    #[track_caller]
    pub fn ended(self, status: i32) -> Ran {
        assert_eq!(self.status, Some(status), "{}\n{}", self.out, self.err);
        self
    }

    /// It said all of these.
    #[track_caller]
    pub fn said(self, words: &[&str]) -> Ran {
        for word in words {
            assert!(
                self.out.contains(word) || self.err.contains(word),
                "not said: {word}\n{}\n{}",
                self.out,
                self.err
            );
        }
        self
    }

    /// The functions of its JSON.
    #[track_caller]
    pub fn functions(&self) -> Vec<Value> {
        let value: Value = serde_json::from_str(&self.out)
            .unwrap_or_else(|_| panic!("no JSON: {}\n{}", self.out, self.err));
        value["functions"].as_array().expect("functions").clone()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            status: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
