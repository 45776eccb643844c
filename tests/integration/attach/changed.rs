//! What is sent, and what is not: several functions, versions and aliases, dry runs, the second time.

use serde_json::json;

use super::making::{REGION, Stage};

#[test]
fn a_second_run_and_a_dry_run_send_no_change() {
    let stage = Stage::new();
    let attach = ["attach", "f", "--layer", "models"];
    let dry = [&attach[..], &["--dry-run"]].concat();
    stage.run(&dry).ended(0).said(&[
        "f in eu-central-1: would be changed",
        "    r-runtime-4_5-x86_64:1",
        "+ r-models-4_5-x86_64:1",
    ]);
    assert_eq!(stage.account.proxy.changes(), [""; 0]);
    stage
        .run(&attach)
        .ended(0)
        .said(&["f in eu-central-1: changed"]);
    assert_eq!(
        stage.account.proxy.changes(),
        ["UpdateFunctionConfiguration"]
    );
    stage.account.proxy.forget();
    for again in [&attach[..], &dry] {
        stage
            .run(again)
            .ended(0)
            .said(&["f in eu-central-1: nothing to do"]);
    }
    stage
        .run(&["detach", "f", "--layer", "models", "--dry-run"])
        .ended(0)
        .said(&["- r-models-4_5-x86_64:1"]);
    assert_eq!(stage.account.proxy.changes(), [""; 0]);
    // Everything of ours.
    stage
        .run(&["detach", "f"])
        .ended(0)
        .said(&["without the runtime layer R does not start"]);
    assert_eq!(stage.lambda().layers_of("f"), [""; 0]);
}

#[test]
fn of_several_functions_each_fails_alone() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    lambda.function("g", &[]);
    lambda.function_of("python", json!({"Runtime": "python3.12"}));
    let ran = stage.run(&[
        "attach", "f", "python", "g", "absent", "--layer", "runtime", "--layer", "models", "--json",
    ]);
    let outcomes: Vec<String> = ran
        .ended(3)
        .functions()
        .iter()
        .map(|function| function["outcome"].as_str().expect("an outcome").to_owned())
        .collect();
    assert_eq!(outcomes, ["changed", "failed", "changed", "failed"]);
    for function in ["f", "g"] {
        assert_eq!(
            lambda.layers_of(function),
            [stage.runtime.as_str(), &stage.models]
        );
    }
    stage
        .run(&["attach", "python", "absent", "--layer", "runtime"])
        .ended(1)
        .said(&[
            "python in eu-central-1: failed",
            "absent in eu-central-1: failed",
        ]);
}

#[test]
fn a_function_is_named_by_its_arn_or_a_name_and_its_place_is_minded() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    lambda.function("my-function", &[&stage.runtime]);
    let account = stage.account.number();
    let arn = format!("arn:aws:lambda:{REGION}:{account}:function:my-function");
    let attach = |function: &str| stage.run(&["attach", function, "--layer", "models"]);
    attach(&arn).ended(0);
    assert_eq!(
        lambda.layers_of("my-function"),
        [stage.runtime.as_str(), &stage.models]
    );
    attach("my-funktion")
        .ended(1)
        .said(&["function:my-funktion; did you mean my-function?"]);
    attach("zzz")
        .ended(1)
        .said(&["r-layer deploy zzz makes it"]);
    attach(&arn.replace(account, "999999999999"))
        .ended(1)
        .said(&[
            "my-function belongs to account 999999999999",
            &format!("these credentials are of {account}"),
        ]);
    attach(&format!("{arn}:live"))
        .ended(2)
        .said(&["leave `:live` out"]);
    stage
        .run(&["attach", &arn, "--region", "eu-west-1"])
        .ended(1)
        .said(&["of eu-central-1, and --region says eu-west-1"]);
    stage
        .account
        .r_layer(stage.folder.path())
        .args(["attach", "f"])
        .output()
        .map(|output| {
            super::making::Ran::from(output)
                .ended(1)
                .said(&["no region"])
        })
        .expect("r-layer runs");
}

#[test]
fn a_version_is_published_and_an_alias_moved_only_where_something_is_new() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let live = ["attach", "f", "--layer", "models", "--alias", "live"];
    let dry = [&live[..], &["--dry-run"]].concat();
    stage
        .run(&dry)
        .ended(0)
        .said(&["a version would be published, and alias live pointed at it"]);
    let proxy = &stage.account.proxy;
    assert_eq!(proxy.changes(), [""; 0]);
    stage
        .run(&live)
        .ended(0)
        .said(&["version 1 published, new alias live points at it"]);
    let first = [
        "UpdateFunctionConfiguration",
        "PublishVersion",
        "CreateAlias",
    ];
    assert_eq!(proxy.changes(), first);
    assert_eq!(lambda.alias("f", "live"), "1");
    assert_eq!(
        lambda.layers_of("f:1"),
        [stage.runtime.as_str(), &stage.models]
    );
    proxy.forget();
    stage
        .run(&live)
        .ended(0)
        .said(&["nothing to do", "alias live points at it"]);
    stage
        .run(&["attach", "f", "--layer", "models", "--publish-version"])
        .ended(0)
        .said(&["version 1 is what it is now"]);
    assert_eq!(proxy.changes(), [""; 0]);
    // The alias follows, and a second alias takes the version that there is.
    stage
        .run(&["detach", "f", "--layer", "models", "--alias", "live"])
        .ended(0)
        .said(&["version 2 published, alias live: 1 → 2"]);
    stage
        .run(&["attach", "f", "--layer", "runtime", "--alias", "test"])
        .ended(0)
        .said(&["f in eu-central-1: changed", "new alias test points at it"]);
    assert_eq!(
        (lambda.alias("f", "live"), lambda.alias("f", "test")),
        ("2".into(), "2".into())
    );
    let last = [
        "UpdateFunctionConfiguration",
        "PublishVersion",
        "UpdateAlias",
        "CreateAlias",
    ];
    assert_eq!(proxy.changes(), last);
    stage
        .run(&["attach", "f", "--alias", "1"])
        .ended(2)
        .said(&["no name of an alias"]);
}
