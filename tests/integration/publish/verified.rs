//! `verify-published`, `grant` and `list --remote`: the record and what AWS has.

use std::path::Path;

use axum::http::Method;
use serde_json::Value;

use super::{LAYER, done, project, run, text};
use crate::aws::Account;

const RECORD: &str = "r-layer.arns.json";

/// A folder that has the same record, and keeps its own.
fn beside(project: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(project.join(RECORD), folder.path().join(RECORD)).expect("a copy");
    folder
}

#[test]
fn what_differs_from_the_record_is_told_version_by_version() {
    let (account, project) = (Account::new(), project());
    let regions = "eu-west-1,eu-west-2,eu-west-3,us-east-1,us-east-2";
    let publish = ["publish", "--region", regions, "--account", "210987654321"];
    done(run(&account, project.path(), &publish));
    let path = format!("/2018-10-31/layers/{LAYER}/versions/1");
    let (status, answer) = account.ask("lambda", "eu-west-1", Method::DELETE, &path, String::new());
    assert!(status < 300, "{answer}");
    let get = account.proxy.on("GetLayerVersion").in_region("eu-west-2");
    get.edit(|answer| answer["Content"]["CodeSha256"] = Value::from("another"));
    let other = beside(project.path());
    let lost = ["grant", "--region", "eu-west-3", "--exact"];
    done(run(&account, other.path(), &lost));
    let extra = ["grant", "--region", "us-east-1", "--public"];
    done(run(&account, other.path(), &extra));
    let output = run(&account, project.path(), &["verify-published"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    let number = account.number();
    for (region, words) in [
        ("eu-west-1", "there is no such version any more"),
        ("eu-west-2", "its content is another: CodeSha256 another"),
        ("eu-west-3", "it is not granted to 210987654321 any more"),
        ("us-east-1", "it is granted to public, which the record"),
    ] {
        let told = format!("arn:aws:lambda:{region}:{number}:layer:{LAYER}:1\n  {words}");
        assert!(out.contains(&told), "{told}: {out}");
    }
    assert!(out.contains("4 of 5 versions differ"), "{out}");
}

#[test]
fn what_is_listed_at_aws_is_what_the_record_has() {
    let (account, project) = (Account::new(), project());
    let regions = "eu-west-1,us-east-1";
    let publish = ["publish", "--region", regions, "--public"];
    done(run(&account, project.path(), &publish));
    let recorded = done(run(&account, project.path(), &["list", "--json"]));
    std::fs::remove_file(project.path().join(RECORD)).expect("a record");
    let remote = ["list", "--remote", "--region", regions, "--json"];
    let there: Value =
        serde_json::from_str(&done(run(&account, project.path(), &remote))).expect("JSON");
    let mut recorded: Value = serde_json::from_str(&recorded).expect("JSON");
    // moto dates a version anew when it lists it.
    for (layer, there) in recorded["layers"]
        .as_array_mut()
        .expect("layers")
        .iter_mut()
        .zip(there["layers"].as_array().expect("layers"))
    {
        layer["published"] = there["published"].clone();
    }
    assert_eq!(there, recorded);
}

#[test]
fn where_nothing_was_published_or_nothing_is_named_so_it_is_said_what_to_type() {
    let (account, project) = (Account::new(), project());
    for command in [&["grant", "--public"][..], &["verify-published"]] {
        let output = run(&account, project.path(), command);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(
            said.contains("nothing is published from this folder yet")
                && said.contains("r-layer publish --region"),
            "{said}"
        );
    }
    let publish = ["publish", "--region", "eu-west-1"];
    done(run(&account, project.path(), &publish));
    for command in [&["grant", "--public"][..], &["verify-published"]] {
        let named = [command, &["--layer", "modles"]].concat();
        let said = text(&run(&account, project.path(), &named).stderr);
        assert!(said.contains("did you mean models?"), "{said}");
        let elsewhere = [command, &["--region", "eu-west-2"]].concat();
        let said = text(&run(&account, project.path(), &elsewhere).stderr);
        assert!(said.contains("`r-layer list` shows"), "{said}");
    }
}

/// What `publish --to` makes: one record of two accounts.
#[test]
fn of_two_accounts_in_one_record_each_is_granted_compared_and_pruned_by_its_target() {
    let (prod, test, project) = (Account::new(), Account::new(), project());
    let role = format!("arn:aws:iam::{}:role/publisher", prod.number());
    let manifest = format!(
        "[[publish.to]]\nname = \"prod\"\nrole = \"{role}\"\naccount = \"{}\"\nregions = [\"eu-west-1\"]\npublic = true\n\
         [[publish.to]]\nname = \"test\"\naccount = \"{}\"\n",
        prod.number(),
        test.number()
    );
    std::fs::write(project.path().join("r-layer.toml"), manifest).expect("a file");
    let publish = ["publish", "--region", "eu-west-1,us-east-1"];
    for account in [&prod, &test] {
        done(run(account, project.path(), &publish));
    }
    for command in [
        &["grant", "--to", "prod"][..],
        &["verify-published", "--to", "prod"],
        &["prune", "--to", "prod", "--keep", "1"],
    ] {
        prod.proxy.forget();
        let output = run(&prod, project.path(), command);
        let said = text(&output.stderr);
        let out = done(output);
        assert!(!out.contains(test.number()), "{command:?}: {out}");
        assert_eq!(prod.proxy.count("AssumeRole"), 1, "{command:?}");
        let requests = prod.proxy.requests();
        let lambda = requests
            .iter()
            .filter(|request| request.operation.service == "lambda");
        assert!(lambda.clone().count() > 0, "{command:?}");
        for request in lambda {
            assert_ne!(request.access_key, "AKIAIOSFODNN7EXAMPLE", "{command:?}");
            assert_eq!(request.region(), "eu-west-1", "{command:?}");
        }
        if command[0] != "prune" {
            let left_out = format!("left out is what is of account {} (1)", test.number());
            assert!(said.contains(&left_out), "{said}");
        }
    }
    let grants = |region: &str| {
        let version = prod.layer_version(region, LAYER, 1).expect("a version");
        version.statements.len()
    };
    assert_eq!((grants("eu-west-1"), grants("us-east-1")), (1, 0));
    // Without --to it is whose credentials these are; another account than the target's stops it.
    let out = done(run(&test, project.path(), &["verify-published"]));
    assert!(out.contains("2 versions are as they were"), "{out}");
    for command in [
        &["grant", "--to", "test", "--public"][..],
        &["verify-published", "--to", "test"],
        &[
            "prune",
            "--to",
            "test",
            "--keep",
            "1",
            "--region",
            "eu-west-1",
        ],
    ] {
        let output = run(&prod, project.path(), command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let said = text(&output.stderr);
        assert!(
            said.contains(&format!("{} is expected", test.number())),
            "{said}"
        );
    }
}
