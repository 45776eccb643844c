//! Which layers are meant: by default, by name, by ARN, by zip.

use super::making::{Built, Lambda, Making, REGION, Ran, Stage, note};
use crate::aws::Account;

/// A layer of packages for an R.
fn packages<'a>(name: &'a str, r: &'a str) -> Built {
    Making {
        name,
        r,
        ..Making::default()
    }
    .build()
}

#[test]
fn by_default_the_runtime_and_the_manifests_layers_are_taken_from_the_record() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let manifest = "[runtime]\nr-version = \"4.5\"\n[layers.tables]\npackages = [\"cli\"]\n";
    std::fs::write(stage.folder.path().join("r-layer.toml"), manifest).expect("a file");
    let runtime = Making {
        mark: "newer",
        ..Making::default()
    };
    let (runtime, tables) = (runtime.build(), packages("tables", "4.5.0"));
    let (runtime_arn, tables_arn) = (lambda.publish(&runtime), lambda.publish(&tables));
    // Nobody asked for this one.
    lambda.publish(&packages("others", "4.5.0"));
    stage.note(&runtime_arn, &runtime);
    stage.note(&tables_arn, &tables);
    stage.account.proxy.forget();
    stage.run(&["attach", "f"]).ended(0).said(&[
        "f in eu-central-1: changed",
        "r-runtime-4_5-x86_64:1 → r-runtime-4_5-x86_64:2",
        "+ r-tables-4_5-x86_64:1",
    ]);
    assert_eq!(lambda.layers_of("f"), [runtime_arn, tables_arn]);
    assert_eq!(stage.account.proxy.count("ListLayers"), 0);
    assert_eq!(
        stage.account.proxy.changes(),
        ["UpdateFunctionConfiguration"]
    );
}

#[test]
fn without_a_record_aws_is_asked_for_the_newest_that_fit() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let manifest = "[layers.models]\npackages = [\"cli\"]\n";
    std::fs::write(stage.folder.path().join("r-layer.toml"), manifest).expect("a file");
    let arm64 = Making {
        name: "models",
        architecture: "arm64",
        ..Making::default()
    };
    lambda.publish(&arm64.build());
    lambda.publish(&packages("models", "4.6.0"));
    stage.run(&["attach", "f"]).ended(0);
    assert_eq!(
        lambda.layers_of("f"),
        [stage.runtime.as_str(), stage.models.as_str()]
    );
    // The manifest's R counts more than the function's, and what there is not is said before anything is changed.
    let manifest = format!("[runtime]\nr-version = \"4.6\"\n{manifest}");
    std::fs::write(stage.folder.path().join("r-layer.toml"), manifest).expect("a file");
    stage.account.proxy.forget();
    stage.run(&["attach", "f"]).ended(1).said(&[
        "there is no layer `r-runtime` for R 4.6, x86_64 in eu-central-1",
        "only r-runtime-4_5-x86_64:1 (R 4.5, x86_64)",
        "r-layer publish --region eu-central-1",
    ]);
    assert_eq!(stage.account.proxy.changes(), [""; 0]);
}

#[test]
fn a_record_of_another_account_is_taken_once_its_layers_are_granted() {
    let (owner, stage) = (Account::new(), Stage::new());
    let theirs = Lambda::of(&owner);
    let maps = packages("maps", "4.5.0");
    let arn = theirs.publish(&maps);
    stage.note(&arn, &maps);
    let attach = ["attach", "f", "--layer", "maps"];
    let grant = format!("r-layer grant --account {}", stage.account.number());
    let denied = stage.run(&attach).ended(1);
    denied.said(&[&format!("is of account {}", owner.number()), &grant]);
    theirs.grant(&arn);
    // Whose it is, is shown.
    stage.run(&attach).ended(0).said(&[&format!("+ {arn}")]);
    assert_eq!(stage.lambda().layers_of("f"), [stage.runtime.clone(), arn]);
}

#[test]
fn a_zip_means_what_was_published_of_it() {
    let stage = Stage::new();
    let tables = packages("tables", "4.5.0");
    tables.keep_in(stage.folder.path());
    let zip = format!("dist/{}", tables.record.zip);
    let attach = ["attach", "f", "--layer", &zip];
    stage.run(&attach).ended(1).said(&[
        "is not published in eu-central-1",
        &format!("type first: r-layer publish {zip} --region eu-central-1"),
    ]);
    let arn = stage.lambda().publish(&tables);
    stage.run(&attach).ended(0);
    assert_eq!(stage.lambda().layers_of("f"), [stage.runtime.clone(), arn]);
    stage
        .run(&["attach", "f", "--layer", "none.zip"])
        .ended(1)
        .said(&["--layer none.zip: there is no such zip"]);
}

#[test]
fn the_parts_that_were_built_here_count_more_than_an_older_one_that_is_left() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let mut arns = Vec::new();
    for name in ["maps-1", "maps-2", "maps-3"] {
        arns.push(lambda.publish(&packages(name, "4.5.0")));
    }
    for (number, name) in [(1, "maps-1"), (2, "maps-2")] {
        let mut built = packages(name, "4.5.0");
        let part = built.record.of_packages.part.as_mut().expect("a part");
        part.layer = "maps".to_owned();
        (part.number, part.of) = (number, 2);
        built.keep_in(stage.folder.path());
    }
    lambda.set_layers("f", &[&stage.runtime, &arns[0], &arns[2]]);
    stage.run(&["attach", "f", "--layer", "maps"]).ended(0);
    assert_eq!(
        lambda.layers_of("f"),
        [stage.runtime.as_str(), &arns[0], &arns[1]]
    );
}

#[test]
fn what_names_no_layer_is_said_with_what_there_is() {
    let stage = Stage::new();
    let attach = |layer: &str| stage.run(&["attach", "f", "--layer", layer]);
    attach("model").ended(1).said(&[
        "there is no layer `model` for R 4.5, x86_64 in eu-central-1 (there are: r-models, r-runtime)",
        "r-layer list",
    ]);
    attach("models:7").ended(1).said(&[
        "there is no layer `models:7`",
        "only r-models-4_5-x86_64:1 (R 4.5, x86_64)",
    ]);
    attach("models:x")
        .ended(2)
        .said(&["the number of a version"]);
    attach("arn:aws:lambda:layer:x")
        .ended(2)
        .said(&["arn:aws:lambda:layer:x"]);
    let elsewhere = stage.models.replace(REGION, "eu-west-1");
    attach(&elsewhere).ended(1).said(&[
        &format!("{elsewhere} is in eu-west-1, and the function is in eu-central-1"),
        "r-layer publish --region eu-central-1",
    ]);
    let deleted = stage.models.replace("x86_64:1", "x86_64:9");
    attach(&deleted).ended(1).said(&["is not there (any more)"]);
    assert_eq!(stage.account.proxy.changes(), [""; 0]);
    // A region where nothing is published.
    let other = stage
        .account
        .r_layer(stage.folder.path())
        .args(["attach", "f", "--region", "eu-west-1"])
        .output();
    Ran::from(other.expect("r-layer runs"))
        .ended(1)
        .said(&["there is no function"]);
}

#[test]
fn a_record_knows_what_a_layer_is_whose_description_does_not() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let tables = packages("tables", "4.5.0");
    let arn = lambda.publish_other("our-tables", "", None, &tables.zip);
    let folder = stage.folder.path();
    note(folder, &arn, &tables);
    stage.run(&["attach", "f", "--layer", "tables"]).ended(0);
    assert_eq!(lambda.layers_of("f"), [stage.runtime.clone(), arn]);
    stage.run(&["detach", "f", "--layer", "tables"]).ended(0);
    assert_eq!(lambda.layers_of("f"), [stage.runtime.as_str()]);
}
