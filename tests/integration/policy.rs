//! `policy`: flags and manifest together make it.

use std::path::Path;

use serde_json::{Value, json};

use crate::parts::{fail, r_layer, succeed};

const MANIFEST: &str = r#"
[publish]
regions = ["eu-central-1", "us-east-1"]
name = "acme-{name}-{r_minor}-{arch}"
s3-bucket = "layers-{account}-{region}"

[[publish.to]]
name = "prod"
role = "arn:aws:iam::210987654321:role/publisher"
public = true
regions = "us-west-2"
"#;

fn statement(folder: &Path, arguments: &[&str], id: &str) -> Value {
    let output = succeed(r_layer(folder).arg("policy").args(arguments));
    let policy: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut statements = policy["Statement"].as_array().unwrap().iter();
    let found = statements.find(|statement| statement["Sid"] == id);
    found.cloned().unwrap_or(Value::Null)
}

#[test]
fn the_manifest_tells_what_flags_leave_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r-layer.toml"), MANIFEST).unwrap();
    let of = |arguments: &[&str], id: &str| statement(folder.path(), arguments, id);
    let publish = of(&["publish", "--layer", "models"], "PublishLayers");
    assert_eq!(
        publish["Resource"],
        json!(["arn:aws:lambda:*:*:layer:acme-r-models-*-*"])
    );
    assert_eq!(
        publish["Condition"]["StringEquals"]["aws:RequestedRegion"],
        json!(["eu-central-1", "us-east-1"])
    );
    let prod = ["publish", "--to", "prod"];
    let versions = of(&prod, "ManageLayerVersions");
    assert_eq!(
        versions["Resource"],
        json!(["arn:aws:lambda:us-west-2:210987654321:layer:acme-r-*-*-*:*"])
    );
    let actions = versions["Action"].as_array().unwrap();
    assert!(
        actions.contains(&json!("lambda:AddLayerVersionPermission")),
        "{versions}"
    );
    assert_eq!(
        of(&prod, "PassZipsThroughBucket")["Resource"],
        json!(["arn:aws:s3:::layers-210987654321-*/*"])
    );
    let here = [
        "publish",
        "--region",
        "eu-west-1",
        "--expect-account",
        "123456789012",
    ];
    assert_eq!(
        of(&here, "PublishLayers")["Resource"],
        json!(["arn:aws:lambda:eu-west-1:123456789012:layer:acme-r-*-*-*"])
    );
    let error = fail(
        r_layer(folder.path()).args(["policy", "publish", "--to", "stage"]),
        1,
    );
    assert!(
        error.contains("no target `stage`; there are: prod"),
        "{error}"
    );
}

#[test]
fn without_a_manifest_every_region_is_meant_and_the_account_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let output = succeed(r_layer(folder.path()).args(["policy", "attach", "my-function"]));
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(note.contains("--expect-account"), "{note}");
    let of = |arguments: &[&str], id: &str| statement(folder.path(), arguments, id);
    assert_eq!(
        of(&["attach", "my-function"], "ChangeFunctions")["Resource"],
        json!(["arn:aws:lambda:*:*:function:my-function"])
    );
    let here = ["invoke", "f", "--region", "eu-west-1"];
    assert_eq!(
        of(&here, "InvokeFunctions")["Resource"],
        json!([
            "arn:aws:lambda:eu-west-1:*:function:f",
            "arn:aws:lambda:eu-west-1:*:function:f:*"
        ])
    );
    assert_eq!(
        of(&here, "ReadLogs")["Resource"],
        json!(["arn:aws:logs:eu-west-1:*:log-group:/aws/lambda/f:*"])
    );
    let theirs = "arn:aws:lambda:eu-west-1:210987654321:layer:x:3";
    let read = of(&["attach", "f", "--layer", theirs], "ReadLayers");
    assert_eq!(
        read["Resource"],
        json!(["arn:aws:lambda:eu-west-1:210987654321:layer:x:*"])
    );
    // A function that is there keeps its role; the manifest may say how a new one gets its.
    let output = succeed(r_layer(folder.path()).args(["policy", "deploy", "f"]));
    let (policy, note) = (output.stdout, output.stderr);
    assert!(!String::from_utf8_lossy(&policy).contains("iam:"));
    assert!(String::from_utf8_lossy(&note).contains("a new one needs --role or --create-role"));
    let manifest =
        "[functions.f]\ncreate-role = true\nschedule = \"rate(1 day)\"\nalias = \"live\"\n";
    fs_err::write(folder.path().join("r-layer.toml"), manifest).unwrap();
    for id in ["MakeRole", "Schedule", "MoveAlias"] {
        of(&["deploy", "f"], id);
    }
}
