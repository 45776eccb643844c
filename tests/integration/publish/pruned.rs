//! `prune`: what goes, and what stays for which reason.

use serde_json::{Value, json};

use super::{LAYER, done, make_layer, project, recorded, run, text, versions, zip_name};
use crate::aws::Account;
use crate::aws::proxy::faults;

const REGION: &str = "eu-west-1";
const PUBLISH: [&str; 3] = ["publish", "--region", REGION];

fn prune(account: &Account, folder: &std::path::Path, more: &[&str]) -> String {
    let arguments = ["prune", "--region", REGION];
    done(run(account, folder, &[&arguments, more].concat()))
}

/// An account and a folder with so many versions published.
fn published(count: u8) -> (Account, tempfile::TempDir) {
    let (account, project) = (Account::new(), project());
    for content in 1..=count {
        make_layer(project.path(), "models", &[content]);
        done(run(&account, project.path(), &PUBLISH));
    }
    (account, project)
}

/// The line of a version.
fn line(out: &str, version: u64) -> &str {
    let arn = format!(":layer:{LAYER}:{version}  ");
    let line = out.lines().find(|line| line.contains(&arn));
    line.unwrap_or_else(|| panic!("{version}: {out}"))
}

#[test]
fn the_version_that_the_record_announces_stays_though_another_is_newer() {
    let (account, project) = (Account::new(), project());
    let zip = project.path().join(zip_name("models"));
    let first = std::fs::read(&zip).expect("a zip");
    done(run(&account, project.path(), &PUBLISH));
    make_layer(project.path(), "models", b"news");
    done(run(&account, project.path(), &PUBLISH));
    std::fs::write(&zip, first).expect("a zip");
    let out = done(run(&account, project.path(), &PUBLISH));
    assert!(out.contains(":1  there already"), "{out}");
    let out = prune(&account, project.path(), &["--keep", "1", "--yes"]);
    assert!(
        line(&out, 1).ends_with("kept: r-layer.arns.json announces it"),
        "{out}"
    );
    assert_eq!(versions(&account, REGION), [2, 1]);
    assert_eq!(recorded(project.path())[0].2, 1);
    done(run(&account, project.path(), &["verify-published"]));
}

#[test]
fn what_a_function_uses_or_others_were_granted_stays_and_the_newest_never_goes() {
    let (account, project) = published(2);
    let grant = ["grant", "--account", "210987654321"];
    done(run(&account, project.path(), &grant));
    for content in 3..=4 {
        make_layer(project.path(), "models", &[content]);
        done(run(&account, project.path(), &PUBLISH));
    }
    // Another folder's record: this one's is not why the newest stays.
    std::fs::remove_file(project.path().join("r-layer.arns.json")).expect("a record");
    let used = format!(
        "arn:aws:lambda:{REGION}:{}:layer:{LAYER}:1",
        account.number()
    );
    account.create_function(REGION, "user", json!({ "Layers": [used] }));
    let out = prune(&account, project.path(), &["--keep", "0", "--yes"]);
    assert!(line(&out, 1).contains(":function:user"), "{out}");
    let granted = "kept: others were granted it (r-layer-account-210987654321); --even-granted";
    assert!(line(&out, 2).contains(granted), "{out}");
    assert!(line(&out, 3).ends_with("deleted"), "{out}");
    assert!(out.contains("1 deleted, 2 kept"), "{out}");
    assert_eq!(versions(&account, REGION), [4, 2, 1]);
    let even = ["--keep", "1", "--even-granted", "--yes"];
    prune(&account, project.path(), &even);
    assert_eq!(versions(&account, REGION), [4, 1]);
}

#[test]
fn only_what_is_older_than_that_goes() {
    let (account, project) = published(3);
    let list = account.proxy.on("ListLayerVersions");
    list.edit(|list| {
        let versions = list["LayerVersions"].as_array_mut();
        for version in versions.into_iter().flatten() {
            if version["Version"] == 1 {
                version["CreatedDate"] = Value::from("2020-02-01T12:00:00.000+0000");
            }
        }
    });
    let old = ["--keep", "1", "--older-than", "90d", "--yes"];
    let out = prune(&account, project.path(), &old);
    assert!(line(&out, 1).ends_with("2020-02-01  deleted"), "{out}");
    assert_eq!(versions(&account, REGION), [3, 2]);
}

#[test]
fn a_layer_that_there_is_not_is_refused_with_the_nearest_names() {
    let (account, project) = published(2);
    let typed = ["--keep", "1", "--yes", "--layer", "modles"];
    let arguments = [&["prune", "--region", REGION][..], &typed].concat();
    let output = run(&account, project.path(), &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let said = text(&output.stderr);
    assert!(
        said.contains("`modles`; did you mean models?") && said.contains(LAYER),
        "{said}"
    );
    assert_eq!(versions(&account, REGION), [2, 1]);
}

#[test]
fn a_region_that_fails_is_partly_done_though_the_others_have_nothing_old() {
    let (account, project) = published(1);
    let denied = faults::access_denied("someone", "lambda:ListLayers", "*");
    let there = account.proxy.on("ListLayers").in_region("eu-west-2");
    there.answer(denied);
    for (regions, status) in [("eu-west-1,eu-west-2", 3), ("eu-west-2", 1)] {
        let arguments = ["prune", "--keep", "1", "--region", regions];
        let output = run(&account, project.path(), &arguments);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{}",
            text(&output.stdout)
        );
        let out = text(&output.stdout);
        assert!(
            out.contains("failed: eu-west-2: lambda:ListLayers"),
            "{out}"
        );
    }
}
