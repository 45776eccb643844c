//! What cannot work is said before anything is sent; what others do meanwhile is waited for, and nothing of theirs is lost.

use serde_json::{Value, json};

use super::{DEPLOY, Project};
use crate::aws::proxy::faults;

#[test]
fn what_cannot_work_is_said_before_anything_is_sent() {
    let project = Project::new();
    project.account.proxy.forget();
    let refused = |arguments: &[&str], words: &[&str]| {
        let said = project.refused(&[&["deploy", "my-function"], arguments].concat());
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert_eq!(project.account.proxy.changes(), Vec::<String>::new());
    };
    let role = ["--create-role"];
    refused(
        &["--handler", "script.parity"],
        &["needs a role", "--create-role"],
    );
    refused(&role, &["which function of the code is the handler?"]);
    refused(
        &["--create-role", "--handler", "other.parity"],
        &["has no other.R", "there are: script.R"],
    );
    refused(
        &["--create-role", "--handler", "script.none"],
        &[
            "cannot be loaded",
            "Function \"none\" does not exist",
            "nothing was sent",
        ],
    );
    refused(
        &[
            "--create-role",
            "--handler",
            "script.parity",
            "--layer",
            "models",
        ],
        &["there is no layer `models`"],
    );
    refused(
        &[
            "--create-role",
            "--handler",
            "script.parity",
            "--code",
            "nowhere",
        ],
        &["nowhere is not there", "--code"],
    );
    refused(
        &[
            "--role",
            "arn:aws:iam::123456789012:role/x",
            "--handler",
            "script.parity",
            "--policy-arn",
            "arn:x",
        ],
        &["--policy-arn is for the role that --create-role makes"],
    );
    project.write("broken.R", "f <- function( {\n");
    refused(
        &["--create-role", "--handler", "broken.f"],
        &["cannot be loaded", "broken.R"],
    );
}

#[test]
fn a_role_that_lambda_does_not_know_yet_is_waited_for_and_another_is_not() {
    let project = Project::new();
    let message = "The role defined for the function cannot be assumed by Lambda.";
    let refuse = || project.account.proxy.on("CreateFunction");
    refuse().first(2).answer(faults::invalid_parameter(message));
    project.done(&DEPLOY);
    assert_eq!(project.account.proxy.count("CreateFunction"), 3);
    refuse().answer(faults::invalid_parameter(message));
    let role = format!("arn:aws:iam::{}:role/other", project.account.number());
    let said = project.refused(&[
        "deploy",
        "second",
        "--handler",
        "script.parity",
        "--role",
        &role,
    ]);
    assert!(
        said.contains("its trust policy has to let lambda.amazonaws.com"),
        "{said}"
    );
}

#[test]
fn somebody_elses_change_is_waited_for_and_looked_at_again() {
    let project = Project::new();
    project.done(&DEPLOY);
    let proxy = &project.account.proxy;
    let in_progress = |value: &mut Value| {
        value["Configuration"]["LastUpdateStatus"] = "InProgress".into();
    };
    proxy.on("GetFunction").first(2).edit(in_progress);
    proxy
        .on("UpdateFunctionConfiguration")
        .nth(1)
        .answer(faults::revision_differs());
    let out = project.done(&["deploy", "my-function", "--memory", "1024"]);
    assert!(out.contains("changed"), "{out}");
    assert_eq!(proxy.count("UpdateFunctionConfiguration"), 2);
    assert_eq!(
        project.function("my-function")["Configuration"]["MemorySize"],
        1024
    );
    let failed = |value: &mut Value| {
        value["Configuration"]["LastUpdateStatus"] = "Failed".into();
        value["Configuration"]["LastUpdateStatusReason"] = "the role is gone".into();
    };
    proxy.on("GetFunction").edit(failed);
    let said = project.refused(&["deploy", "my-function", "--memory", "512"]);
    assert!(
        said.contains("could not carry out the change: the role is gone"),
        "{said}"
    );
    assert!(
        said.contains("stopped in the middle; done: its settings are changed"),
        "{said}"
    );
}

#[test]
fn variables_that_aws_does_not_show_are_not_lost() {
    let project = Project::new();
    project.done(&[&DEPLOY[..], &["--env", "KEY=1"]].concat());
    let hidden = |value: &mut Value| {
        value["Configuration"]["Environment"] = json!({
            "Error": {"ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt is denied"}
        });
    };
    project.account.proxy.on("GetFunction").edit(hidden);
    let said = project.refused(&["deploy", "my-function", "--env", "SECOND=2"]);
    assert!(
        said.contains("would lose the others") && said.contains("kms:Decrypt"),
        "{said}"
    );
    project.done(&["deploy", "my-function", "--memory", "1024"]);
    project.account.proxy.forgive();
    let variables = &project.function("my-function")["Configuration"]["Environment"]["Variables"];
    assert_eq!(*variables, json!({"KEY": "1"}));
}

#[test]
fn an_address_that_is_none_is_said_and_ends_nothing() {
    let project = Project::new();
    for (variable, value) in [
        ("AWS_ENDPOINT_URL", ""),
        ("AWS_ENDPOINT_URL_LAMBDA", "nonsense"),
    ] {
        let mut command = project.command(&["deploy", "f", "--handler", "script.parity"]);
        let output = command.env(variable, value).output().expect("r-layer runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains(variable) && said.contains("no URL that begins with"),
            "{said}"
        );
    }
    let said = project.refused(&[
        "deploy",
        "f",
        "--handler",
        "script.parity",
        "--env",
        "hunter2",
    ]);
    assert!(
        said.contains("--env takes NAME=VALUE") && !said.contains("hunter2"),
        "{said}"
    );
}
