//! What reaches a registry, and how often.

use std::process::Command;

use serde_json::Value;

use super::base::{Function, small_base};
use super::wire::{Resuming, Wire};
use crate::oci::pulled::Project;
use crate::oci::registry::Registry;
use crate::parts::{fail, succeed};

fn pushed(command: &mut Command) -> Value {
    serde_json::from_slice(&succeed(command.arg("--json")).stdout).unwrap()
}

fn push(project: &Project, name: &str) -> Command {
    let mut command = project.r_layer();
    command.args(["image", "push", name]);
    command
}

/// A layer that does not compress, and takes some pieces to send.
fn with_large_file(function: &Function) {
    let mut state = 7_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let noise: Vec<u8> = noise.take(3_000_000).collect();
    std::fs::write(function.path("fn/data.bin"), noise).unwrap();
}

#[test]
fn a_second_push_of_a_changed_function_sends_the_function_alone() {
    let function = Function::on(&small_base()).with_tiny_layer();
    let name = function.registry.name("fn:1");
    let built = function.built_tiny(&[]);
    let first = pushed(&mut push(&function.project, &name));
    assert_eq!(first["digest"], built["digest"]);
    // The base's layer is taken over from the base's repository.
    assert_eq!((&first["sent"], &first["there"]), (&4.into(), &1.into()));
    let error = fail(push(&function.project, &name).args(["--tag", "nosuch"]), 1);
    assert!(
        error.contains("no image with the name nosuch; it has: latest"),
        "{error}"
    );
    let again = pushed(&mut push(&function.project, &name));
    assert_eq!(
        (&again["sent"], &again["sent_bytes"]),
        (&0.into(), &0.into())
    );
    assert_eq!(again["digest"], first["digest"]);
    let record = std::fs::read_to_string(function.path("dist/image.image.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["pushed"][0]["reference"], name);
    assert_eq!(record["pushed"][0]["digest"], first["digest"]);

    function.write("fn/script.R", "parity <- function(number) 1\n");
    let changed = function.built_tiny(&["--push", &name]);
    // The code and the configuration.
    assert_eq!(
        (&changed["push"]["sent"], &changed["push"]["there"]),
        (&2.into(), &3.into())
    );
    assert_ne!(changed["digest"], first["digest"]);
    // The tag leads to the new one, and the old one is there by its digest.
    let digest = |name: &str| {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["inspect", "--tls-verify=false", "--format", "{{.Digest}}"]);
        let output = succeed(skopeo.arg(format!("docker://{name}")));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(digest(&name), changed["digest"].as_str().unwrap());
    let old = first["digest"].as_str().unwrap();
    assert_eq!(
        digest(&format!("{}@{old}", function.registry.name("fn"))),
        old
    );
}

#[test]
fn an_upload_that_breaks_off_is_sent_again_and_one_that_breaks_off_for_ever_leaves_no_tag() {
    let function = Function::on(&small_base()).with_tiny_layer();
    with_large_file(&function);
    function.built_tiny(&[]);
    let wire = Wire::to(function.registry.port(), 2, 500_000);
    let name = format!("localhost:{}/fn:1", wire.port);
    let sent = pushed(&mut push(&function.project, &name));
    assert_eq!(wire.left(), 0);
    assert_eq!(sent["sent"], 5);

    let wire = Wire::to(function.registry.port(), usize::MAX, 500_000);
    let name = format!("localhost:{}/never:1", wire.port);
    let error = fail(&mut push(&function.project, &name), 1);
    for word in [
        "is not pushed: the blob sha256:",
        "(5 tries)",
        "Type the same again",
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["inspect", "--tls-verify=false"]);
    let absent = skopeo.arg(format!("docker://{}", function.registry.name("never:1")));
    assert!(!absent.status().unwrap().success());
}

#[test]
fn an_upload_goes_on_where_the_registry_says_that_it_broke_off() {
    let function = Function::on(&small_base()).with_tiny_layer();
    with_large_file(&function);
    function.built_tiny(&[]);
    let registry = Resuming::start(1_000_000);
    pushed(&mut push(
        &function.project,
        &format!("localhost:{}/fn:1", registry.port),
    ));
    let ranges = registry.ranges();
    assert!(
        ranges.len() == 1 && ranges[0].starts_with("1000000-"),
        "{ranges:?}"
    );
    assert_eq!(registry.manifests(), 1);
}

#[test]
fn a_registry_that_wants_a_login_is_shown_what_docker_login_left() {
    let function = Function::on(&small_base()).with_tiny_layer();
    function.built_tiny(&[]);
    let closed = Registry::start_closed();
    let name = closed.name("fn:1");
    let error = fail(&mut push(&function.project, &name), 1);
    let host = closed.name("");
    let host = host.trim_end_matches('/');
    assert!(
        error.contains(&format!("docker login {host}")) && error.contains("does not take"),
        "{error}"
    );
    let config =
        format!(r#"{{"auths": {{"{host}": {{"username": "reader", "password": "secret"}}}}}}"#);
    function.write(".docker/config.json", &config);
    assert_eq!(pushed(&mut push(&function.project, &name))["there"], 0);
    // As a base it is pulled by the same login.
    let mut command = function.project.r_layer();
    command.args([
        "image",
        "build",
        "--code",
        "fn",
        "--handler",
        "script.parity",
    ]);
    succeed(command.args(["--layer", "tiny.zip", "--base", &name]));
}

#[test]
fn what_cannot_be_pushed_says_what_to_type() {
    let function = Function::on(&small_base()).with_tiny_layer();
    let name = function.registry.name("fn:1");
    let error = fail(&mut push(&function.project, &name), 1);
    assert!(error.contains("dist/image is no OCI layout"), "{error}");
    function.built_tiny(&[]);
    let digest = format!("{}@sha256:{}", function.registry.name("fn"), "0".repeat(64));
    let error = fail(&mut push(&function.project, &digest), 1);
    assert!(error.contains("name a tag"), "{error}");
    let error = fail(push(&function.project, &name).arg("--create-repository"), 1);
    assert!(error.contains("is for ECR"), "{error}");
    let error = fail(&mut push(&function.project, "FN"), 1);
    assert!(error.contains("names no image"), "{error}");
    // A layout that somebody changed.
    let digest = function.built_tiny(&[])["digest"]
        .as_str()
        .unwrap()
        .replace("sha256:", "");
    let manifest = function.path("dist/image/blobs/sha256").join(digest);
    std::fs::remove_file(&manifest).unwrap();
    std::fs::write(&manifest, "{}").unwrap();
    let error = fail(&mut push(&function.project, &name), 1);
    assert!(error.contains("was changed"), "{error}");
}
