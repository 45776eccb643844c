//! `policy attach` allows what `attach` asks for, and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::making::Stage;

/// The IAM actions of what was asked of Lambda; each has its operation's name, but one.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html>
fn asked(stage: &Stage) -> BTreeSet<String> {
    let requests = stage.account.proxy.requests();
    let of_lambda = requests
        .iter()
        .filter(|request| request.operation.service == "lambda");
    let action = |name: &str| match name {
        "GetLayerVersionByArn" => "lambda:GetLayerVersion".to_owned(),
        _ => format!("lambda:{name}"),
    };
    of_lambda.map(|request| action(request.name())).collect()
}

fn allowed(stage: &Stage, arguments: &[&str]) -> BTreeSet<String> {
    let arguments = [&["policy", "attach", "f"], arguments].concat();
    let ran = stage.run(&arguments).ended(0);
    let policy: Value = serde_json::from_str(&ran.out).expect("a policy");
    let statements = policy["Statement"].as_array().expect("statements");
    let actions = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().expect("actions"));
    actions
        .map(|action| action.as_str().expect("an action").to_owned())
        .collect()
}

#[test]
fn the_policy_has_the_actions_that_are_asked_for_and_no_other() {
    let stage = Stage::new();
    // Named, by default, and not there.
    stage.run(&["attach", "f", "--layer", "models"]).ended(0);
    stage.run(&["attach", "g"]).ended(1);
    stage.run(&["detach", "f", "--layer", "models"]).ended(0);
    assert_eq!(allowed(&stage, &[]), asked(&stage));
    let live = ["--alias", "live"];
    for layers in [["--layer", "models"], ["--layer", "runtime"]] {
        stage.run(&[&["attach", "f"][..], &layers, &live].concat());
        stage.run(&["detach", "f", "--layer", "models", "--alias", "live"]);
    }
    assert_eq!(allowed(&stage, &live), asked(&stage));
}
