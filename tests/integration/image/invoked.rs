//! `invoke --image`: the image's file system answers an event here, without an engine.

use std::process::Command;

use super::base::{Function, small_base, whole_base};
use crate::parts::{fail, succeed};

#[test]
fn an_image_answers_as_the_same_layers_and_code_do() {
    let function = Function::on(&whole_base()).with_runtime();
    let script = "zone <- function() list(format(as.POSIXct(0), tz = ''), Sys.getenv('STAGE'), Sys.getenv('AWS_REGION'))\n";
    function.write("fn/other.R", script);
    let name = function.registry.name("fn:1");
    function.built(&["--env", "STAGE=image", "--push", &name, "-o", "fn.tar"]);
    let invoke = |arguments: &[&str]| {
        let mut command: Command = function.project.r_layer();
        command.args(["invoke", "--timeout", "30"]).args(arguments);
        command.env_remove("AWS_REGION");
        command
    };
    let event = ["--event", r#"{"number": 5}"#];
    let answer = |arguments: &[&str]| {
        let output = succeed(invoke(arguments).args(event));
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            log.contains("REPORT RequestId") && !log.contains("unknown timezone"),
            "{log}"
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let plain = answer(&["--code", "fn", "--handler", "script.parity"]);
    assert_eq!(plain, "{\"parity\":\"odd\"}\n");
    for image in ["fn.tar", &name] {
        assert_eq!(answer(&["--image", image]), plain, "{image}");
    }
    // The handler may be another one, as Lambda's override of the command; the image's variables and Lambda's are there.
    let output = succeed(&mut invoke(&[
        "--image",
        "fn.tar",
        "--handler",
        "other.zone",
    ]));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "[\"1970-01-01\",\"image\",\"us-east-1\"]\n");
    let error = fail(
        &mut invoke(&["--image", "fn.tar", "--handler", "script.none"]),
        1,
    );
    assert!(
        error.contains("Function \"none\" does not exist"),
        "{error}"
    );

    // What variables of the environment say of layers is for those who have layers.
    succeed(
        invoke(&["--image", "fn.tar"])
            .args(event)
            .env("R_LAYER_TARGET", "al2023"),
    );
    let error = fail(&mut invoke(&["--image", "fn.tar", "--layer", "a.zip"]), 2);
    assert!(
        error.contains("--layer does not go with --image"),
        "{error}"
    );
    let error = fail(&mut invoke(&["--image", "absent.tar"]), 1);
    assert!(error.contains("absent.tar is no OCI layout"), "{error}");
    let error = fail(&mut invoke(&["--image", "fn.tar", "--arch", "arm64"]), 1);
    assert!(
        error.contains("nothing for linux/arm64, only for linux/amd64"),
        "{error}"
    );
    let error = fail(
        &mut invoke(&["--image", &function.registry.name("absent:1")]),
        1,
    );
    assert!(error.contains("absent:1 is not there"), "{error}");
}

/// A layout's files once were the cache's own, and a changed one became a root under the digest of the right one.
#[test]
fn a_layer_that_was_changed_in_a_layout_is_refused_and_concerns_nothing_else() {
    let function = Function::on(&small_base()).with_tiny_layer();
    let built = function.built_tiny(&[]);
    let layers = built["platforms"][0]["layers"].as_array().unwrap();
    let digest = layers[1]["digest"].as_str().unwrap();
    let blob = format!("dist/image/blobs/{}", digest.replace(':', "/"));
    // In place, as an editor may do it.
    std::fs::write(function.path(&blob), "another").unwrap();
    for _ in 0..2 {
        let mut invoke = function.project.r_layer();
        invoke.args(["invoke", "--image", "dist/image", "--event", "{}"]);
        let error = fail(&mut invoke, 1);
        assert!(
            error.contains("a layer was changed") && error.contains(digest),
            "{error}"
        );
    }
    function.built_tiny(&["-o", "again"]);
    let again = blob.replace("dist/image", "again");
    assert_ne!(std::fs::read(function.path(&again)).unwrap(), b"another");
}
