//! `publish` and what goes with it, against moto behind a proxy that misbehaves.

mod aligned;
mod at_once;
mod broken_off;
mod bucket;
mod content;
mod late;
mod network;
mod parameter;
mod planned;
mod pruned;
mod refused;
mod secrets;
mod verified;

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::aws::Account;
use crate::aws::proxy::faults::{self, Cut};
use crate::parts::succeed;

const LAYER: &str = "r-models-4_5-x86_64";

/// A folder with a small layer of packages in `dist`, as somebody else might have made it.
fn project() -> tempfile::TempDir {
    project_of(&["models"])
}

/// A folder with small layers of packages in `dist`.
fn project_of(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("dist")).expect("a folder");
    for name in names {
        make_layer(folder.path(), name, &[]);
    }
    folder
}

/// Makes `dist/r-NAME-4.5-al2023-x86_64.zip`, a layer of one package that has these bytes in it.
fn make_layer(folder: &Path, name: &str, data: &[u8]) {
    let tree = folder.join(format!("tree-{name}"));
    let package = tree.join("R/library").join(name);
    std::fs::create_dir_all(&package).expect("folders");
    let description = format!(
        "Package: {name}\nVersion: 1.0\nLicense: MIT\nBuilt: R 4.5.0; ; 2025-04-01; unix\n"
    );
    std::fs::write(package.join("DESCRIPTION"), description).expect("a file");
    std::fs::write(package.join("data"), data).expect("a file");
    let zip = folder.join(zip_name(name));
    std::fs::remove_file(&zip).ok();
    let mut command = std::process::Command::new("zip");
    command.args(["-qr", "-1"]).arg(zip).arg("R");
    succeed(command.current_dir(tree));
}

fn zip_name(name: &str) -> String {
    format!("dist/r-{name}-4.5-al2023-x86_64.zip")
}

/// Bytes that no compression makes fewer, the same for the same seed.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        // Xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

fn run(account: &Account, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = account.r_layer(folder);
    command.args(arguments).output().expect("r-layer runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn done(output: Output) -> String {
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// What the record has: region, layer, version and grants of every line.
fn recorded(folder: &Path) -> Vec<(String, String, u64, Value)> {
    let text = std::fs::read_to_string(folder.join("r-layer.arns.json")).unwrap_or_default();
    let lines: Vec<Value> = serde_json::from_str(&text).expect("a record");
    let text = |line: &Value, key: &str| line[key].as_str().expect("a text").to_owned();
    lines[1..]
        .iter()
        .map(|line| {
            let number = line["version"].as_u64().expect("a number");
            let (region, layer) = (text(line, "region"), text(line, "layer"));
            (region, layer, number, line["grants"].clone())
        })
        .collect()
}

fn versions(account: &Account, region: &str) -> Vec<u64> {
    let versions = account.layer_versions(region, LAYER);
    versions.iter().map(|version| version.version).collect()
}

#[test]
fn a_second_run_only_reads_and_a_grant_is_made_once() {
    let (account, project) = (Account::new(), project());
    let arguments = ["publish", "--region", "eu-central-1,us-east-1", "--public"];
    let out = done(run(&account, project.path(), &arguments));
    assert!(
        out.contains(&format!(":layer:{LAYER}:1  published  for public")),
        "{out}"
    );
    let record = project.path().join("r-layer.arns.json");
    let first = std::fs::read_to_string(&record).expect("a record");
    assert_eq!(first.lines().count(), 4, "{first}");
    account.proxy.forget();
    let out = done(run(&account, project.path(), &arguments));
    assert!(out.contains("0 published, 2 there already"), "{out}");
    assert_eq!(account.proxy.changes(), Vec::<String>::new());
    // Who we are; and for each region the list and the policy.
    assert_eq!(account.proxy.requests().len(), 5);
    assert_eq!(std::fs::read_to_string(&record).expect("a record"), first);
    for region in ["eu-central-1", "us-east-1"] {
        assert_eq!(versions(&account, region), [1]);
    }
    let out = done(run(&account, project.path(), &["verify-published"]));
    assert!(
        out.contains("2 versions are as they were published"),
        "{out}"
    );
}

#[test]
fn an_answer_that_is_lost_makes_no_second_version() {
    let (account, project) = (Account::new(), project());
    let publish = || account.proxy.on("PublishLayerVersion").nth(1);
    publish().cut(Cut::BeforeAnswer);
    done(run(
        &account,
        project.path(),
        &["publish", "--region", "eu-west-1"],
    ));
    assert_eq!(versions(&account, "eu-west-1"), [1]);
    assert_eq!(account.proxy.count("PublishLayerVersion"), 1);
}

#[test]
fn a_region_that_is_busy_is_asked_again() {
    let (account, project) = (Account::new(), project());
    for operation in [
        "ListLayerVersions",
        "PublishLayerVersion",
        "AddLayerVersionPermission",
    ] {
        account
            .proxy
            .on(operation)
            .nth(1)
            .answer(faults::throttled(1));
    }
    let arguments = [
        "publish",
        "--region",
        "eu-west-1",
        "--account",
        "210987654321",
    ];
    let out = done(run(&account, project.path(), &arguments));
    assert!(out.contains("for 210987654321"), "{out}");
    assert_eq!(versions(&account, "eu-west-1"), [1]);
}

#[test]
fn a_region_that_fails_for_ever_fails_alone_and_is_done_by_the_command_that_is_told() {
    let (account, project) = (Account::new(), project());
    let denied = faults::access_denied("user", "lambda:PublishLayerVersion", "the layer");
    account
        .proxy
        .on("PublishLayerVersion")
        .in_region("eu-west-3")
        .answer(denied);
    let regions = "eu-west-1,eu-west-2,eu-west-3";
    let output = run(
        &account,
        project.path(),
        &["publish", "--region", regions, "--public"],
    );
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    assert!(
        out.contains(r#""Action":"lambda:PublishLayerVersion""#),
        "{out}"
    );
    assert!(
        out.contains("r-layer publish --region eu-west-3 --public"),
        "{out}"
    );
    assert_eq!(versions(&account, "eu-west-2"), [1]);
    assert_eq!(versions(&account, "eu-west-3"), Vec::<u64>::new());
    account.proxy.forgive();
    done(run(
        &account,
        project.path(),
        &["publish", "--region", "eu-west-3", "--public"],
    ));
    let listed = done(run(&account, project.path(), &["list", "--format", "json"]));
    assert_eq!(listed.matches("\"arn\"").count(), 3, "{listed}");
}

#[test]
fn a_region_that_is_not_enabled_is_no_failure_where_all_were_asked_for() {
    let (account, project) = (Account::new(), project());
    let off = || account.proxy.on_any().in_region("me-south-1");
    off().answer(faults::region_not_enabled());
    let out = done(run(&account, project.path(), &["publish", "--all-regions"]));
    assert!(out.contains("not enabled for account"), "{out}");
    assert!(out.contains("33 published"), "{out}");
    let output = run(
        &account,
        project.path(),
        &["publish", "--region", "me-south-1"],
    );
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
}

#[test]
fn another_account_than_the_expected_one_stops_it_before_anything_is_changed() {
    let (account, project) = (Account::new(), project());
    let arguments = [
        "publish",
        "--region",
        "eu-west-1",
        "--expect-account",
        "999999999999",
    ];
    let output = run(&account, project.path(), &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("999999999999 is expected"));
    assert_eq!(account.proxy.changes(), Vec::<String>::new());
}

#[test]
fn numbers_are_aligned_and_old_versions_are_shown_before_they_go() {
    let (account, project) = (Account::new(), project());
    done(run(
        &account,
        project.path(),
        &["publish", "--region", "eu-west-1"],
    ));
    make_layer(project.path(), "models", b"news");
    let regions = "eu-west-1,eu-west-2";
    done(run(
        &account,
        project.path(),
        &["publish", "--region", regions, "--align"],
    ));
    assert_eq!(versions(&account, "eu-west-1"), [2, 1]);
    assert_eq!(versions(&account, "eu-west-2"), [2, 1]);
    let prune = ["prune", "--keep", "1", "--region", regions];
    let out = done(run(&account, project.path(), &prune));
    assert!(out.contains("2 would be deleted"), "{out}");
    done(run(
        &account,
        project.path(),
        &[&prune[..], &["--yes"]].concat(),
    ));
    assert_eq!(versions(&account, "eu-west-1"), [2]);
    assert_eq!(versions(&account, "eu-west-2"), [2]);
}
