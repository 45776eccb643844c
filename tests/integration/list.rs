//! `list`: from a record of this project or of somebody else, in formats that the tools they are for take.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::download::server::{Reply, Server};
use crate::parts::{fail, format_checkers, r_layer, succeed};

const RECORD: &str = "r-layer.arns.json";

/// A line of a record.
fn publication(name: &str, architecture: &str, region: &str, version: u64) -> Value {
    let layer = format!("r-{name}-4_5-{architecture}");
    json!({
        "partition": "aws", "account": "123456789012", "layer": layer, "logical_name": format!("r-{name}"),
        "architecture": architecture, "r_version": "4.5.0", "region": region, "version": version,
        "arn": format!("arn:aws:lambda:{region}:123456789012:layer:{layer}:{version}"),
        "sha256": "0".repeat(64), "grants": ["public"], "published": "2025-04-01T12:30:00Z"
    })
}

/// The runtime for both processors in two regions, and a layer that is in one of them alone.
fn record() -> String {
    let mut lines = vec![json!({ "version": 1 }).to_string()];
    for architecture in ["arm64", "x86_64"] {
        for region in ["eu-central-1", "us-east-1"] {
            lines.push(publication("runtime", architecture, region, 7).to_string());
        }
    }
    lines.push(publication("models", "x86_64", "us-east-1", 2).to_string());
    format!("[{}]\n", lines.join("\n,"))
}

/// A folder with that record.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(RECORD), record()).unwrap();
    folder
}

fn list(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = r_layer(folder);
    command.arg("list").args(arguments);
    command
}

fn listed(folder: &Path, arguments: &[&str]) -> String {
    String::from_utf8(succeed(&mut list(folder, arguments)).stdout).unwrap()
}

/// Writes a listing into a file.
fn saved(folder: &Path, format: &str, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, listed(folder, &["--format", format])).unwrap();
    path
}

/// Runs a program in Python with the checkers and arguments.
fn check(program: &str, arguments: &[&Path]) -> String {
    let output = succeed(
        Command::new("python3")
            .env("PYTHONPATH", format_checkers())
            .args(["-c", program])
            .args(arguments),
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_published_is_listed_by_layer_region_and_processor() {
    let folder = project();
    let all = listed(folder.path(), &[]);
    assert_eq!(all.matches("arn:aws:lambda").count(), 5, "{all}");
    let some = [
        "--layer",
        "runtime",
        "--region",
        "us-east-1",
        "--arch",
        "arm64",
    ];
    let some = listed(folder.path(), &some);
    assert_eq!(
        some,
        "r-runtime-4_5-arm64: R 4.5.0, arm64, for public\n  us-east-1  2025-04-01  \
         arn:aws:lambda:us-east-1:123456789012:layer:r-runtime-4_5-arm64:7\n"
    );
    let error = fail(&mut list(folder.path(), &["--layer", "modles"]), 1);
    assert!(
        error.contains("r-models-4_5-x86_64") && error.contains("us-east-1"),
        "{error}"
    );
    let error = fail(&mut list(folder.path(), &["--region", "mars"]), 2);
    assert!(error.contains("`mars` is no region"), "{error}");
}

#[test]
fn nothing_published_yet_says_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let error = fail(&mut list(folder.path(), &[]), 1);
    assert!(
        error.contains("r-layer publish --region") && error.contains("--from"),
        "{error}"
    );
}

#[test]
fn json_is_as_its_schema_says() {
    let folder = project();
    let json = saved(folder.path(), "json", "list.json");
    let of_flag = listed(folder.path(), &["--json"]);
    assert_eq!(of_flag, std::fs::read_to_string(&json).unwrap());
    let schema =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/publication/listing/list.schema.json");
    let validate = "
import json, jsonschema, sys
listing, schema = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
validator.validate(listing)
listing['layers'][0]['region'] = 'mars'
assert not validator.is_valid(listing)
print(len(listing['layers']))
";
    assert_eq!(check(validate, &[&json, &schema]), "5\n");
}

#[test]
fn cloudformation_takes_the_template() {
    let folder = project();
    let template = saved(folder.path(), "cloudformation", "layers.yaml");
    check("from cfnlint.runner import main; main()", &[&template]);
    let look_up = "
import sys
from cfnlint.decode import decode
template, faults = decode(sys.argv[1])
assert not faults, faults
region = template['Mappings']['RLayers']['us-east-1']
print(template['Outputs']['RModels45X8664']['Value']['Fn::FindInMap'][2], region['RModels45X8664'])
";
    assert_eq!(
        check(look_up, &[&template]),
        "RModels45X8664 arn:aws:lambda:us-east-1:123456789012:layer:r-models-4_5-x86_64:2\n"
    );
}

#[test]
fn terraform_takes_the_locals_and_outputs() {
    let folder = project();
    let module = saved(folder.path(), "terraform", "layers.tf");
    let look_up = "
import hcl2, sys
text = lambda value: value.strip('\"')
module = hcl2.load(open(sys.argv[1]))
layers = {text(name): arns for name, arns in module['locals'][0]['r_layers'].items()}
arns = {text(region): text(arn) for region, arn in layers['r-models-4_5-x86_64'].items()}
[output] = module['output']
print(sorted(layers), arns, [text(name) for name in output])
";
    assert_eq!(
        check(look_up, &[&module]),
        "['r-models-4_5-x86_64', 'r-runtime-4_5-arm64', 'r-runtime-4_5-x86_64'] \
         {'us-east-1': 'arn:aws:lambda:us-east-1:123456789012:layer:r-models-4_5-x86_64:2'} ['r_layers']\n"
    );
    // Terraform itself is in no package registry: it is asked where it is installed.
    let terraform = |arguments: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(arguments).current_dir(folder.path());
        command
    };
    if terraform(&["version"])
        .output()
        .is_ok_and(|version| version.status.success())
    {
        succeed(&mut terraform(&["init", "-backend=false"]));
        succeed(&mut terraform(&["validate"]));
        succeed(&mut terraform(&["fmt", "-check"]));
    }
}

#[test]
fn a_record_of_somebody_else_is_read_from_a_file_or_a_url() {
    let (theirs, folder) = (project(), tempfile::tempdir().unwrap());
    let record = record();
    let server = Server::of_files(&[("arns.json", record.as_bytes())]);
    let url = server.url("arns.json");
    let file = theirs.path().join(RECORD);
    for from in [
        theirs.path().to_str().unwrap(),
        file.to_str().unwrap(),
        &url,
    ] {
        let all = listed(folder.path(), &["--from", from]);
        assert_eq!(all.matches("arn:aws:lambda").count(), 5, "{all}");
    }
}

#[test]
fn what_is_no_record_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let page = Server::start(|_, _| Reply::ok("<!DOCTYPE html>\n<html>blob</html>"));
    let other = Server::start(|_, _| Reply::ok("{\"version\": 1}"));
    let newer = Server::start(|_, _| Reply::ok("[{\"version\": 9}]"));
    let cut = record().lines().take(3).collect::<Vec<_>>().join("\n");
    let broken = Server::start(move |_, _| Reply::ok(cut.clone()));
    let nothing = Server::start(|_, _| Reply::ok("[{\"version\": 1}]"));
    let empty = Server::of_files(&[]);
    for (server, words) in [
        (&page, "a page for people"),
        (&other, "does not begin with"),
        (&newer, "take a newer r-layer"),
        (&broken, "line 3"),
        (&nothing, "nothing is published"),
        (&empty, "is not there (HTTP 404"),
    ] {
        let url = server.url("arns.json");
        let error = fail(&mut list(folder.path(), &["--from", &url]), 1);
        assert!(
            error.contains(words) && error.contains(&url),
            "{words}: {error}"
        );
    }
    let error = fail(&mut list(folder.path(), &["--from", "nowhere.json"]), 1);
    assert!(error.contains("nowhere.json"), "{error}");
    let conflict = record().replacen(",{", "<<<<<<< ours\n,{", 1);
    std::fs::write(folder.path().join(RECORD), conflict).unwrap();
    let error = fail(&mut list(folder.path(), &[]), 1);
    assert!(error.contains("line 2: git left a conflict"), "{error}");
}
