//! Who invokes what was deployed, what is removed with it, and what all of it has to be allowed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{DEPLOY, Project, REGION};

#[test]
fn a_url_for_everybody_has_both_permissions_and_goes_back_to_none() {
    let project = Project::new();
    let open = ["--function-url", "--function-url-auth", "none"];
    let out = project.done(&[&DEPLOY[..], &open].concat());
    assert!(out.contains("URL:    https://"), "{out}");
    let policy = || {
        let path = "/2015-03-31/functions/my-function/policy";
        let (_, answer) = project.account.ask(
            "lambda",
            REGION,
            axum::http::Method::GET,
            path,
            String::new(),
        );
        answer
    };
    for action in ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction\\\""] {
        assert!(policy().contains(action), "{action}: {}", policy());
    }
    project.account.proxy.forget();
    project.done(&[&DEPLOY[..], &open].concat());
    assert_eq!(project.account.proxy.changes(), Vec::<String>::new());
    project.done(&[&DEPLOY[..], &["--function-url"]].concat());
    assert!(!policy().contains("InvokeFunctionUrl"), "{}", policy());
}

#[test]
fn a_schedule_invokes_it_and_destroy_removes_what_was_made() {
    let project = Project::new();
    let scheduled = [&DEPLOY[..], &["--schedule", "rate(1 day)"]].concat();
    let out = project.done(&scheduled);
    assert!(out.contains("invoked by itself: rate(1 day)"), "{out}");
    project.account.proxy.forget();
    project.done(&scheduled);
    assert_eq!(project.account.proxy.changes(), Vec::<String>::new());

    let out = project.done(&["destroy", "my-function"]);
    for what in [
        "the rule r-layer-my-function",
        "the function arn:",
        "the role r-layer-my-function",
    ] {
        assert!(out.contains(what), "{what}: {out}");
    }
    assert!(out.contains("--yes removes it"), "{out}");
    assert_eq!(project.account.proxy.changes(), Vec::<String>::new());
    project.done(&["destroy", "my-function", "--yes"]);
    assert_eq!(project.account.function(REGION, "my-function"), None);
    let said = project.refused(&["destroy", "my-function", "--yes"]);
    assert!(said.contains("there is no function"), "{said}");
    project
        .account
        .create_function(REGION, "somebodys", json!({}));
    let said = project.refused(&["destroy", "somebodys", "--yes"]);
    assert!(said.contains("was not made by r-layer deploy"), "{said}");
}

#[test]
fn the_policy_allows_all_that_is_asked_for() {
    let project = Project::new();
    let everything = [
        "--alias",
        "live",
        "--function-url",
        "--function-url-auth",
        "none",
        "--schedule",
        "rate(1 day)",
        "--tag",
        "team=data",
    ];
    project.account.proxy.forget();
    project.done(&[&DEPLOY[..], &everything].concat());
    project.done(&[&DEPLOY[..], &everything, &["--memory", "1024"]].concat());
    project.write("other.R", "x <- 1\n");
    let for_some = [
        "--function-url",
        "--schedule",
        "rate(2 days)",
        "--alias",
        "live",
    ];
    project.done(&[&DEPLOY[..], &for_some].concat());
    project.done(&["destroy", "my-function", "--yes"]);
    let action = |service: &str, name: &str| match name {
        "GetLayerVersionByArn" => "lambda:GetLayerVersion".to_owned(),
        _ => format!("{service}:{name}"),
    };
    let requests = project.account.proxy.requests();
    let asked: BTreeSet<String> = requests
        .iter()
        .filter(|request| ["lambda", "iam", "events"].contains(&request.operation.service.as_str()))
        // The zip's own address is signed.
        .filter(|request| request.name() != "FetchContent")
        .map(|request| action(&request.operation.service, request.name()))
        .collect();
    let policy = [
        "policy",
        "deploy",
        "my-function",
        "--create-role",
        "--alias",
        "live",
        "--function-url",
        "--function-url-auth",
        "none",
        "--schedule",
        "--destroy",
    ];
    let policy: Value = serde_json::from_str(&project.done(&policy)).expect("a policy");
    let statements = policy["Statement"].as_array().expect("statements");
    let allowed: BTreeSet<String> = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().expect("actions"))
        .map(|action| action.as_str().expect("an action").to_owned())
        .collect();
    let denied: Vec<&String> = asked.difference(&allowed).collect();
    assert!(denied.is_empty(), "{denied:?}");
    assert!(
        asked.contains("iam:CreateRole") && asked.contains("events:DeleteRule"),
        "{asked:?}"
    );
}

#[test]
fn removing_a_function_leaves_one_of_the_same_name_in_another_region_its_role() {
    let project = Project::new();
    project.done(&["publish", "--region", "us-east-1"]);
    project.done(&DEPLOY);
    let there = ["--region", "us-east-1"];
    project.done(&[&DEPLOY[..], &there].concat());
    project.done(&["destroy", "my-function", "--yes", "--region", "us-east-1"]);
    let role = "Action=GetRole&Version=2010-05-08&RoleName=r-layer-my-function-";
    let status = |region: &str| {
        let form = format!("{role}{region}");
        let (status, _) = project.account.ask_form("iam", "us-east-1", form);
        status
    };
    assert_eq!((status("us-east-1"), status(REGION)), (404, 200));
}
