//! `--dry-run`, and what the policies allow.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{done, make_layer, project, run};
use crate::aws::Account;

#[test]
fn a_dry_run_tells_on_stdout_what_would_be_done_and_changes_nothing() {
    let (account, project) = (Account::new(), project());
    let publish = |more: &[&str]| {
        let arguments = [&["publish", "--region", "eu-west-1,eu-west-2"], more].concat();
        done(run(&account, project.path(), &arguments))
    };
    let out = publish(&["--public", "--dry-run"]);
    assert!(
        out.contains("eu-west-2: r-models-4_5-x86_64: version 1 would be published; it would be granted to public"),
        "{out}"
    );
    assert!(out.contains("2 versions would be published"), "{out}");
    assert_eq!(account.proxy.changes(), Vec::<String>::new());
    assert!(!project.path().join("r-layer.arns.json").exists());
    publish(&["--account", "210987654321"]);
    account.proxy.forget();
    let out = publish(&["--public", "--exact", "--dry-run"]);
    assert!(
        out.contains("version 1 is there; it would be granted to public; of its policy r-layer-account-210987654321"),
        "{out}"
    );
    let grant = ["grant", "--public", "--dry-run"];
    let out = done(run(&account, project.path(), &grant));
    assert_eq!(
        out.matches("would be granted to public").count(),
        2,
        "{out}"
    );
    let json: Value = serde_json::from_str(&publish(&["--dry-run", "--json"])).expect("JSON");
    assert_eq!(json["regions"][0]["layers"][0]["to_publish"], 0, "{json}");
    assert_eq!(account.proxy.changes(), Vec::<String>::new());
    // Numbers are aligned in the plan as they would be.
    make_layer(project.path(), "models", b"news");
    let first = ["publish", "--region", "eu-west-1"];
    done(run(&account, project.path(), &first));
    let out = publish(&["--align", "--dry-run"]);
    assert!(
        out.contains("eu-west-1: r-models-4_5-x86_64: version 2 is there"),
        "{out}"
    );
    assert!(
        out.contains("eu-west-2: r-models-4_5-x86_64: version 2 would be published"),
        "{out}"
    );
}

#[test]
fn what_publishing_asks_for_is_what_its_policy_allows() {
    let (account, project) = (Account::new(), project());
    let flags = [
        "--region",
        "eu-west-1",
        "--public",
        "--exact",
        "--ssm-parameter",
        "/r/{name}",
    ];
    let command = |name: &[&str]| done(run(&account, project.path(), &[name, &flags].concat()));
    command(&["publish"]);
    command(&["publish"]);
    // What stands for a run at the same time, whose version is the older one.
    std::fs::remove_file(project.path().join("r-layer.arns.json")).expect("a record");
    let granted = ["grant", "--public"];
    command(&["publish"]);
    done(run(&account, project.path(), &granted));
    done(run(&account, project.path(), &["verify-published"]));
    let asked: BTreeSet<String> = account
        .proxy
        .requests()
        .iter()
        .filter(|request| request.operation.service != "sts")
        .map(|request| format!("{}:{}", request.operation.service, request.name()))
        .collect();
    let policy: Value = serde_json::from_str(&command(&["policy", "publish"])).expect("JSON");
    let statements = policy["Statement"].as_array().expect("statements");
    let allowed: BTreeSet<String> = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().expect("actions"))
        .map(|action| action.as_str().expect("a text").to_owned())
        .collect();
    assert!(asked.is_subset(&allowed), "{asked:#?}\n{allowed:#?}");
    assert!(allowed.contains("lambda:DeleteLayerVersion"), "{allowed:?}");
}
