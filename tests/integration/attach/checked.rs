//! What is checked before anything is changed, and what is only said.

use serde_json::json;

use super::making::{Lambda, Making, Stage, zip_that_claims, zip_with};
use crate::aws::Account;
use crate::aws::proxy::faults::Answer;

/// Attaching fails with these words, and nothing was changed.
#[track_caller]
fn refused(stage: &Stage, arguments: &[&str], words: &[&str]) {
    stage.account.proxy.forget();
    let arguments = [&["attach"], arguments].concat();
    stage.run(&arguments).ended(1).said(words);
    assert_eq!(stage.account.proxy.changes(), [""; 0]);
}

#[test]
fn layers_for_another_processor_are_refused() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    lambda.function_of("arm", json!({"Architectures": ["arm64"]}));
    refused(
        &stage,
        &["arm", "--layer", "runtime"],
        &[
            "there is no layer `runtime` for arm64",
            "r-runtime-4_5-x86_64:1 (R 4.5, x86_64)",
        ],
    );
    refused(
        &stage,
        &["arm", "--layer", &stage.runtime],
        &[
            "r-runtime-4_5-x86_64:1 is for x86_64, and the function is for arm64",
            "--arch arm64",
        ],
    );
}

#[test]
fn another_runtime_is_changed_only_where_that_is_asked_for() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    lambda.function_of("python", json!({"Runtime": "python3.12"}));
    let attach = ["python", "--layer", "runtime"];
    refused(
        &stage,
        &attach,
        &[
            "python has the runtime python3.12, and these layers are for provided.al2023",
            "--set-runtime",
        ],
    );
    let attach = [&["attach", "--set-runtime"], &attach[..]].concat();
    stage
        .run(&attach)
        .ended(0)
        .said(&["runtime: python3.12 → provided.al2023"]);
    assert_eq!(
        stage.account.proxy.changes(),
        ["UpdateFunctionConfiguration"]
    );
    assert_eq!(lambda.layers_of("python"), [stage.runtime.as_str()]);
}

#[test]
fn an_image_has_no_layers() {
    let stage = Stage::new();
    let image = format!(
        "{}.dkr.ecr.eu-central-1.amazonaws.com/r:1",
        stage.account.number()
    );
    let settings = json!({"PackageType": "Image", "Code": {"ImageUri": image}});
    stage.lambda().function_of("image", settings);
    refused(
        &stage,
        &["image", "--layer", "runtime"],
        &[
            "image is a container image",
            "r-layer image build",
            "r-layer deploy",
        ],
    );
}

#[test]
fn layers_and_code_are_added_up_from_the_directories_of_their_zips() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let large = zip_that_claims(262_143_950);
    let large = lambda.publish_other("large", "", None, &large);
    refused(
        &stage,
        &["f", "--layer", &large],
        &[
            "bytes unzipped, and Lambda takes 262144000: large:1 262143950",
            "the function's code 17",
        ],
    );
    // Of each no more is fetched than its directory, and what cannot be fetched is said.
    let fetches = stage.account.proxy.count("FetchContent");
    assert_eq!(fetches, 3, "{:?}", stage.account.proxy.requests());
    let denied = Answer::s3_error(403, "AccessDenied", "Request has expired");
    stage.account.proxy.on("FetchContent").answer(denied);
    stage.run(&["attach", "f", "--layer", "models", "--layer", &large]).ended(0).said(&[
        "how large it is unzipped is not known of r-runtime-4_5-x86_64:1, r-models-4_5-x86_64:1, large:1, the function's code",
        "what is in large:1 could not be looked at",
    ]);
}

#[test]
fn a_package_is_in_all_layers_of_one_version() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let publish = |name: &str, version: &str| {
        let making = Making {
            name,
            packages: &[("cli", version), ("glue", "1.8.0")],
            ..Making::default()
        };
        lambda.publish(&making.build())
    };
    publish("tables", "3.6.1");
    refused(
        &stage,
        &["f", "--layer", "models", "--layer", "tables"],
        &[
            "the package cli is in r-models-4_5-x86_64:1 (3.6.0) and in r-tables-4_5-x86_64:1 (3.6.1)",
            "r-layer build --all",
        ],
    );
    let same = publish("maps", "3.6.0");
    stage
        .run(&["attach", "f", "--layer", "models", "--layer", "maps"])
        .ended(0);
    assert_eq!(
        lambda.layers_of("f"),
        [stage.runtime.as_str(), &stage.models, &same]
    );
}

#[test]
fn a_build_record_tells_what_nobody_needs_to_fetch() {
    let stage = Stage::new();
    let tables = Making {
        name: "tables",
        packages: &[("cli", "3.6.1")],
        ..Making::default()
    };
    let tables = tables.build();
    tables.keep_in(stage.folder.path());
    stage.lambda().publish(&tables);
    let denied = Answer::s3_error(403, "AccessDenied", "Request has expired");
    stage.account.proxy.on("FetchContent").answer(denied);
    let ran = stage.run(&["attach", "f", "--layer", "tables"]).ended(0);
    let said = ran.said(&["not known of r-runtime-4_5-x86_64:1, the function's code"]);
    assert!(!said.out.contains("tables-4_5-x86_64:1,"), "{}", said.out);
}

#[test]
fn what_a_function_has_already_need_not_be_readable() {
    let (owner, stage) = (Account::new(), Stage::new());
    let lambda = stage.lambda();
    let hidden = Lambda::of(&owner).publish_other("theirs", "", None, &zip_with("lib/x", ""));
    let gone = lambda.publish_other("gone", "", None, &zip_with("lib/y", ""));
    lambda.set_layers("f", &[&hidden, &stage.runtime, &gone]);
    stage
        .run(&["attach", "f", "--layer", "models"])
        .ended(0)
        .said(&[
            "how large it is unzipped is not known of theirs:1,",
            "what is in theirs:1 could not be looked at",
        ]);
    let after = [&hidden, &stage.runtime, &stage.models, &gone];
    assert_eq!(lambda.layers_of("f"), after.map(String::as_str));
    // AWS takes no list with a layer that was deleted, and says so.
    lambda.delete_layer(&gone);
    stage
        .run(&["attach", "f", "--layer", &hidden])
        .ended(1)
        .said(&["has not granted it to"]);
    stage
        .run(&["detach", "f", "--layer", "models"])
        .ended(1)
        .said(&["gone:1", "lambda:UpdateFunctionConfiguration"]);
    stage
        .run(&["detach", "f", "--layer", "models", "--layer", "gone"])
        .ended(0);
    assert_eq!(lambda.layers_of("f"), [hidden, stage.runtime.clone()]);
}

#[test]
fn a_bootstrap_of_the_functions_own_is_noted() {
    use base64::Engine;
    let stage = Stage::new();
    let code = base64::prelude::BASE64_STANDARD.encode(zip_with("bootstrap", "#!/bin/sh"));
    let settings = json!({"Code": {"ZipFile": code}});
    stage.lambda().function_of("own", settings);
    stage
        .run(&["attach", "own", "--layer", "runtime"])
        .ended(0)
        .said(&["the function's own code has a bootstrap, which Lambda starts instead"]);
}

#[test]
fn who_manages_a_function_is_told_with_the_line_for_the_template() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let layer = format!("[\"{}\"]", stage.runtime);
    let stack = ("aws:cloudformation:stack-name", "app");
    for (name, tags, words) in [
        (
            "cfn",
            vec![stack],
            format!(
                "CloudFormation (stack app), whose next deployment would undo this; put into its template: Layers: {layer}"
            ),
        ),
        (
            "sam",
            vec![stack, ("lambda:createdBy", "SAM")],
            format!(
                "SAM (stack app), whose next deployment would undo this; put into its template: Layers: {layer}"
            ),
        ),
        (
            "cdk",
            vec![stack, ("aws-cdk:id", "f")],
            "CDK (stack app)".to_owned(),
        ),
        (
            "terraform",
            vec![("ManagedBy", "terraform")],
            format!("layers = {layer}"),
        ),
    ] {
        let tags: serde_json::Map<String, serde_json::Value> = tags
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect();
        lambda.function_of(name, json!({"Tags": tags}));
        let attach = ["attach", name, "--layer", "runtime"];
        stage.run(&attach).ended(0).said(&[&words, &stage.runtime]);
        // Where nothing is changed, nothing is undone.
        let ran = stage.run(&attach).ended(0).said(&["nothing to do"]);
        assert!(!ran.out.contains("managed by"), "{}", ran.out);
    }
}
