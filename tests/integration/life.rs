//! The beginning and the end of a function: hooks, SIGTERM, extensions.

use std::path::Path;
use std::process::Command;

use r_layer::sandbox::Mount;
use serde_json::json;

use crate::emulated::{Emulated, environment, like_lambda, opt};
use crate::parts::{functions, r_layer, runtime_layer, succeed};

/// `invoke` of a handler of tests/fixtures/functions/life.
fn invoke(handler: &str) -> Command {
    let mut command = r_layer(Path::new("/tmp"));
    command
        .args(["invoke", "--timeout", "30", "--handler", handler, "--layer"])
        .arg(runtime_layer())
        .arg("--code")
        .arg(functions("life"));
    command
}

/// The hooks for the end were called, the last one first, and the one that fails did not keep the others from it.
fn assert_hooks(log: &str) {
    let place = |text: &str| {
        let mut found = log.match_indices(text);
        let (Some((place, _)), None) = (found.next(), found.next()) else {
            panic!("{text} is not there once: {log}")
        };
        place
    };
    let last = place("hook registered last");
    let failing = place("ERROR:runtime:simpleError: a hook that fails");
    let first = place("hook registered first");
    assert!(last < failing && failing < first, "{log}");
}

#[test]
fn hooks_for_the_end_are_called_where_the_function_asks_for_the_signal() {
    let output = succeed(invoke("script.look").args(["--env", "R_LAYER_SHUTDOWN=1"]));
    assert_eq!(output.stdout, b"[\"first\",\"second\"]\n");
    assert_hooks(&String::from_utf8_lossy(&output.stderr));
}

#[test]
fn without_an_extension_there_is_no_signal_and_a_warning_says_so() {
    let output = succeed(&mut invoke("script.look"));
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!log.contains("hook registered"), "{log}");
    assert!(log.contains("R_LAYER_SHUTDOWN=1"), "{log}");
}

/// The emulator sends SIGTERM to all processes of the runtime where an extension is registered.
#[test]
fn awss_emulator_lets_the_hooks_run() {
    let mut sandbox = like_lambda(&functions("life"));
    sandbox
        .environment
        .extend(environment(&[("R_LAYER_SHUTDOWN", "1")]));
    let mut session = Emulated::start(&sandbox, "script.look");
    let value = session.invoke(&json!({}));
    assert_eq!(value, json!(["first", "second"]), "{}", session.log());
    session.end();
    let log = session.log();
    assert!(log.contains("Internal agent r-layer-shutdown"), "{log}");
    assert_hooks(&log);
}

/// An extension of a layer is enough: the runtime needs to register none.
#[test]
fn an_extension_of_a_layer_brings_the_signal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = "#!/bin/sh\nid=$(curl -s -D - -o /dev/null -H 'Lambda-Extension-Name: quiet' -d '{\"events\":[]}' \
        \"http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension/register\" |\n\
        sed -n 's/^[Ll]ambda-[Ee]xtension-[Ii]dentifier: *\\([^\\r]*\\).*/\\1/p')\n\
        exec curl -s -H \"Lambda-Extension-Identifier: $id\" \
        \"http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension/event/next\"\n";
    let extension = folder.path().join("quiet");
    fs_err::write(&extension, script).expect("the extension is written");
    succeed(Command::new("chmod").arg("755").arg(&extension));
    // Where it is mounted in the unpacked layer, which cannot be written to in there.
    fs_err::create_dir_all(opt().join("extensions")).expect("a folder in the layer");
    let mut sandbox = like_lambda(&functions("life"));
    sandbox.mounts.push(Mount::ReadOnly {
        from: folder.path().to_owned(),
        to: "/opt/extensions".into(),
    });
    let mut session = Emulated::start(&sandbox, "script.look");
    let value = session.invoke(&json!({}));
    assert_eq!(value, json!(["first", "second"]), "{}", session.log());
    session.end();
    let log = session.log();
    assert!(!log.contains("r-layer-shutdown"), "{log}");
    assert_hooks(&log);
}
