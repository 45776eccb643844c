//! Versions that say they have a content, and have another one.

use axum::http::Method;
use serde_json::{Value, json};

use super::{LAYER, done, project, recorded, run, text, versions};
use crate::aws::Account;
use crate::aws::proxy::faults::{self, Cut};

const PUBLISH: [&str; 3] = ["publish", "--region", "eu-west-1"];

/// Publishes a version with the description of the real one, and nothing in it: what a run leaves that is broken off before it
/// could take back what Lambda has got.
fn leave_another_content(account: &Account, folder: &std::path::Path) {
    done(run(account, folder, &["publish", "--region", "us-east-1"]));
    std::fs::remove_file(folder.join("r-layer.arns.json")).expect("a record");
    let real = account
        .layer_version("us-east-1", LAYER, 1)
        .expect("a version");
    let empty_zip = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";
    let body = json!({ "Description": real.description, "Content": { "ZipFile": empty_zip } });
    let path = format!("/2018-10-31/layers/{LAYER}/versions");
    let (status, answer) =
        account.ask("lambda", "eu-west-1", Method::POST, &path, body.to_string());
    assert_eq!(status, 201, "{answer}");
}

fn deny_deletion(account: &Account) {
    let denied = faults::access_denied("someone", "lambda:DeleteLayerVersion", LAYER);
    account.proxy.on("DeleteLayerVersion").answer(denied);
}

fn edit_code_sha256(answer: &mut Value) {
    answer["Content"]["CodeSha256"] = Value::from("another");
}

#[test]
fn a_version_of_another_content_than_it_says_is_not_taken_but_taken_back() {
    let (account, project) = (Account::new(), project());
    leave_another_content(&account, project.path());
    let out = done(run(&account, project.path(), &PUBLISH));
    assert!(out.contains("1 published, 0 there already"), "{out}");
    assert_eq!(versions(&account, "eu-west-1"), [2]);
    assert_eq!(recorded(project.path())[0].2, 2);
}

#[test]
fn a_version_of_another_content_that_may_not_be_deleted_is_told_and_not_taken() {
    let (account, project) = (Account::new(), project());
    leave_another_content(&account, project.path());
    deny_deletion(&account);
    for published in [1, 0] {
        // Without the record, the next run finds both.
        std::fs::remove_file(project.path().join("r-layer.arns.json")).ok();
        let output = run(&account, project.path(), &PUBLISH);
        let said = text(&output.stderr);
        assert!(
            said.contains(&format!(
                "{LAYER}:1 has another content than its description says"
            )),
            "{said}"
        );
        let out = done(output);
        assert!(out.contains(&format!("{published} published")), "{out}");
        assert_eq!(versions(&account, "eu-west-1"), [2, 1]);
        assert_eq!(recorded(project.path())[0].2, 2);
    }
}

#[test]
fn what_lambda_has_got_instead_is_taken_back_or_told_if_it_may_not_be() {
    for is_lost in [false, true] {
        let (account, project) = (Account::new(), project());
        if is_lost {
            let cut = account.proxy.on("PublishLayerVersion").nth(1);
            cut.cut(Cut::BeforeAnswer);
        }
        for operation in ["PublishLayerVersion", "GetLayerVersion"] {
            account.proxy.on(operation).edit(edit_code_sha256);
        }
        let output = run(&account, project.path(), &PUBLISH);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        let out = text(&output.stdout);
        assert!(out.contains("Lambda has got another content"), "{out}");
        assert_eq!(versions(&account, "eu-west-1"), [0; 0]);
        deny_deletion(&account);
        let out = text(&run(&account, project.path(), &PUBLISH).stdout);
        let left = format!("{LAYER}:2 with that content could not be deleted, and is not used");
        assert!(out.contains(&left), "{out}");
        assert!(!project.path().join("r-layer.arns.json").exists());
    }
}
