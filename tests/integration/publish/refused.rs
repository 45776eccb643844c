//! What bad input gets, and what AWS refuses: what is wrong, where, and what to type.

use std::path::Path;

use serde_json::{Value, json};

use super::{LAYER, done, project, run, text, versions, zip_name};
use crate::aws::Account;
use crate::aws::proxy::faults::{self, Answer};
use crate::parts::fail;

/// What a run says that fails with that status.
fn failed(account: &Account, folder: &Path, arguments: &[&str], status: i32) -> String {
    fail(account.r_layer(folder).args(arguments), status)
}

fn assert_contains(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

const PUBLISH: [&str; 3] = ["publish", "--region", "eu-west-1"];

#[test]
fn what_a_region_refuses_is_told_and_it_fails_alone() {
    let (account, project) = (Account::new(), project());
    let who = format!("arn:aws:iam::{}:user/someone", account.number());
    let denied = |action: &str| faults::access_denied(&who, action, "the layer");
    let arn = |region: &str, end: &str| {
        let number = account.number();
        format!("arn:aws:lambda:{region}:{number}:layer:{LAYER}{end}")
    };
    // Region, operation, answer, words.
    let cases: Vec<(&str, &str, Answer, Vec<String>)> = vec![
        (
            "ap-south-1",
            "ListLayerVersions",
            denied("lambda:ListLayerVersions"),
            vec![r#""Action":"lambda:ListLayerVersions""#.to_owned()],
        ),
        (
            "ca-central-1",
            "PublishLayerVersion",
            denied("lambda:PublishLayerVersion"),
            vec![
                r#""Action":"lambda:PublishLayerVersion""#.to_owned(),
                format!(r#""Resource":"{}""#, arn("ca-central-1", "")),
            ],
        ),
        (
            "eu-central-1",
            "AddLayerVersionPermission",
            denied("lambda:AddLayerVersionPermission"),
            vec![
                r#""Action":"lambda:AddLayerVersionPermission""#.to_owned(),
                format!(r#""Resource":"{}""#, arn("eu-central-1", ":1")),
            ],
        ),
        (
            "eu-north-1",
            "ListLayerVersions",
            faults::html(200),
            vec![
                "is not AWS (HTML, HTTP 200)".to_owned(),
                "NO_PROXY".to_owned(),
            ],
        ),
        (
            "eu-west-2",
            "PublishLayerVersion",
            faults::throttled(1),
            vec![
                "eu-west-2 takes no more requests".to_owned(),
                "Rate exceeded".to_owned(),
            ],
        ),
        (
            "eu-west-3",
            "PublishLayerVersion",
            faults::internal_error(),
            vec!["lambda:PublishLayerVersion in eu-west-3 was not answered well".to_owned()],
        ),
        (
            "sa-east-1",
            "ListLayerVersions",
            faults::clock_skew(),
            vec![
                "this machine's clock is off".to_owned(),
                "AWS's clock says Mon, 01 Jan 2001".to_owned(),
            ],
        ),
        (
            "us-east-1",
            "PublishLayerVersion",
            faults::code_storage_exceeded(),
            vec![
                "in us-east-1 is full".to_owned(),
                "r-layer prune --keep 2".to_owned(),
            ],
        ),
        (
            "us-east-2",
            "ListLayerVersions",
            faults::expired_token(),
            vec![
                "credentials have expired".to_owned(),
                "aws sso login".to_owned(),
            ],
        ),
        (
            "us-west-1",
            "PublishLayerVersion",
            faults::invalid_parameter("Unzipped size must be smaller than 262144000 bytes"),
            vec!["Unzipped size must be smaller".to_owned()],
        ),
        (
            "us-west-2",
            "ListLayerVersions",
            faults::region_not_enabled(),
            vec!["region us-west-2 is not enabled".to_owned()],
        ),
    ];
    let mut regions = vec!["eu-west-1"];
    let mut expected = Vec::new();
    for (region, operation, answer, words) in cases {
        account.proxy.on(operation).in_region(region).answer(answer);
        regions.push(region);
        expected.push((region, words));
    }
    let regions = regions.join(",");
    let mut command = account.r_layer(project.path());
    command.env("AWS_MAX_ATTEMPTS", "2");
    command.args(["publish", "--region", &regions, "--public", "--json"]);
    let output = command.output().expect("r-layer runs");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let ends = json["regions"].as_array().expect("regions");
    for (region, words) in expected {
        let end = ends.iter().find(|end| end["region"] == region).expect("it");
        let reasons = end["reasons"].to_string().replace("\\\"", "\"");
        assert_eq!(end["status"], "failed", "{end}");
        for word in words {
            assert!(reasons.contains(&word), "{word}: {reasons}");
        }
    }
    assert_eq!(ends[0]["status"], "done");
    assert_eq!(versions(&account, "eu-west-1"), [1]);
    let retry = json["retry"].as_str().expect("a command");
    assert_contains(retry, &["r-layer publish --region ap-south-1", "--public"]);
    assert!(!retry.contains("eu-west-1"), "{retry}");
}

#[test]
fn faults_by_chance_are_overcome() {
    let (account, project) = (Account::new(), project());
    account.proxy.set_seed(7);
    let chance = |operation| account.proxy.on(operation).with_chance(0.25);
    for operation in [
        "ListLayerVersions",
        "PublishLayerVersion",
        "AddLayerVersionPermission",
    ] {
        chance(operation).answer(faults::internal_error());
        chance(operation).answer(faults::throttled(0));
        chance(operation).cut(faults::Cut::BeforeAnswer);
    }
    let regions = "eu-west-1,eu-west-2,eu-west-3,us-east-1,us-east-2,us-west-2";
    let arguments = ["publish", "--region", regions, "--public"];
    let mut command = account.r_layer(project.path());
    command.env("AWS_MAX_ATTEMPTS", "12").args(arguments);
    done(command.output().expect("r-layer runs"));
    for region in regions.split(',') {
        let [version] = &account.layer_versions(region, LAYER)[..] else {
            panic!("{region}: {:?}", versions(&account, region))
        };
        assert_eq!(version.statements.len(), 1);
    }
}

#[test]
fn who_is_nobody_or_was_somebody_is_told_what_to_type() {
    let (account, project) = (Account::new(), project());
    let mut nobody = account.r_layer(project.path());
    nobody.env_remove("AWS_ACCESS_KEY_ID");
    nobody.env_remove("AWS_SECRET_ACCESS_KEY");
    let said = fail(nobody.args(PUBLISH), 1);
    assert_contains(
        &said,
        &["there are no credentials", "aws login", "--profile"],
    );
    let expired = Answer::query_error(403, "ExpiredToken", "The security token is expired");
    account.proxy.on("GetCallerIdentity").answer(expired);
    let said = failed(&account, project.path(), &PUBLISH, 1);
    assert_contains(&said, &["the credentials have expired", "aws sso login"]);
    account.proxy.forgive();
    account
        .proxy
        .on("GetCallerIdentity")
        .answer(faults::html(407));
    let said = failed(&account, project.path(), &PUBLISH, 1);
    assert_contains(&said, &["is not AWS (HTML, HTTP 407)", "HTTPS_PROXY"]);
    assert_eq!(account.proxy.changes(), Vec::<String>::new());
}

#[test]
fn a_region_that_is_none_has_its_nearest_name_and_no_region_is_told() {
    let (account, project) = (Account::new(), project());
    let region = |region: &str| {
        [
            "publish".to_owned(),
            "--region".to_owned(),
            region.to_owned(),
        ]
    };
    let said = fail(
        account.r_layer(project.path()).args(region("eu-central")),
        2,
    );
    assert_contains(
        &said,
        &["`eu-central` is no region", "did you mean eu-central-1?"],
    );
    let mut unresolved = account.r_layer(project.path());
    unresolved.args(region("eu-cental-1"));
    unresolved.env("AWS_ENDPOINT_URL", "http://aws.invalid");
    let said = fail(unresolved.env("AWS_MAX_ATTEMPTS", "1"), 1);
    assert_contains(
        &said,
        &[
            "does not know the region eu-cental-1",
            "did you mean eu-central-1?",
        ],
    );
    let mut of_setting = account.r_layer(project.path());
    let said = fail(of_setting.arg("publish").env("AWS_REGION", "us-esat-1x"), 1);
    assert_contains(
        &said,
        &["`us-esat-1x` is no region", "did you mean us-east-1?"],
    );
    let said = failed(&account, project.path(), &["publish"], 1);
    assert_contains(
        &said,
        &["no region", "--region", "--all-regions", "AWS_REGION"],
    );
    // One that r-layer does not know is tried.
    let output = run(
        &account,
        project.path(),
        &["publish", "--region", "eu-central-9"],
    );
    assert_contains(
        &text(&output.stderr),
        &["does not know the region eu-central-9"],
    );
    done(output);
    assert_eq!(versions(&account, "eu-central-9"), [1]);
}

#[test]
fn texts_that_are_too_long_are_refused_before_anybody_is_asked() {
    let (account, project) = (Account::new(), project());
    let long = "x".repeat(513);
    let name = format!("{}{{name}}", "x".repeat(133));
    for (flag, text, status, words) in [
        ("--license", &long, 2, "512 characters of a licence"),
        ("--description", &long, 1, "there is room for"),
        ("--name", &name, 1, "at most 140"),
    ] {
        let said = failed(
            &account,
            project.path(),
            &[&PUBLISH[..], &[flag, text]].concat(),
            status,
        );
        assert_contains(&said, &[words]);
    }
    assert_eq!(account.proxy.requests().len(), 0);
}

#[test]
fn a_zip_that_was_changed_after_its_record_was_written_is_refused() {
    let (account, project) = (Account::new(), project());
    let record = json!({
        "record_version": 1, "name": "models", "description": "", "zip": "r-models-4.5-al2023-x86_64.zip",
        "sha256": "0".repeat(64), "zipped_size": 1, "unzipped_size": 1, "needs_s3": false,
        "target": "provided.al2023", "architecture": "x86_64", "r_version": "4.5.0", "glibc": null,
        "r_layer_version": "", "packages": {}, "added_libraries": {}, "savings": [], "inputs": {}
    });
    let path = project
        .path()
        .join(zip_name("models"))
        .with_extension("json");
    std::fs::write(&path, record.to_string()).expect("a record");
    let said = failed(&account, project.path(), &PUBLISH, 1);
    assert_contains(
        &said,
        &[
            "was changed after it was built",
            ".json is of another content",
        ],
    );
    std::fs::write(&path, "{").expect("a record");
    let said = failed(&account, project.path(), &PUBLISH, 1);
    assert_contains(&said, &["cannot be read"]);
    assert_eq!(account.proxy.requests().len(), 0);
}

#[test]
fn a_grant_that_is_denied_is_told_and_taken_back_exactly() {
    let (account, project) = (Account::new(), project());
    let everywhere = ["publish", "--region", "eu-west-1,eu-west-2"];
    done(run(&account, project.path(), &everywhere));
    let who = format!("arn:aws:iam::{}:user/someone", account.number());
    let denied = faults::access_denied(&who, "lambda:AddLayerVersionPermission", LAYER);
    let add = account.proxy.on("AddLayerVersionPermission");
    add.in_region("eu-west-2").answer(denied);
    let output = run(&account, project.path(), &["grant", "--public"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let statement = r#""Action":"lambda:AddLayerVersionPermission""#;
    assert_contains(
        &text(&output.stdout),
        &[statement, ":layer:r-models-4_5-x86_64:1  for public"],
    );
    account.proxy.forgive();
    let exact = ["grant", "--exact", "--organization", "o-a1b2c3d4e5"];
    done(run(&account, project.path(), &exact));
    for region in ["eu-west-1", "eu-west-2"] {
        let version = account.layer_version(region, LAYER, 1).expect("a version");
        let [statement] = &version.statements[..] else {
            panic!("{version:?}")
        };
        assert!(
            statement.to_string().contains("o-a1b2c3d4e5"),
            "{statement}"
        );
    }
    let denied = faults::access_denied(&who, "lambda:ListLayers", "*");
    account.proxy.on("ListLayers").answer(denied);
    let remote = ["list", "--remote", "--region", "eu-west-1"];
    let said = failed(&account, project.path(), &remote, 1);
    assert_contains(&said, &[r#""Action":"lambda:ListLayers""#]);
}

#[test]
fn a_profile_that_is_named_goes_before_the_keys_of_the_environment() {
    let (account, project) = (Account::new(), project());
    std::fs::create_dir(account.home().join(".aws")).expect("a folder");
    let keys = "[other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = another-secret\n";
    std::fs::write(account.home().join(".aws/credentials"), keys).expect("a file");
    for (profile, key) in [
        (&[][..], "AKIAIOSFODNN7EXAMPLE"),
        (&["--profile", "other"], "AKIDOTHER"),
    ] {
        account.proxy.forget();
        done(run(&account, project.path(), &[&PUBLISH, profile].concat()));
        let keys: Vec<_> = account
            .proxy
            .requests()
            .into_iter()
            .map(|request| request.access_key)
            .collect();
        assert!(keys.iter().all(|used| used == key), "{keys:?}");
    }
    let said = failed(
        &account,
        project.path(),
        &[&PUBLISH[..], &["--profile", "nowhere"]].concat(),
        1,
    );
    assert_contains(&said, &["nowhere", "aws login"]);
}

#[test]
fn a_role_is_assumed_for_a_target_and_for_a_profile_without_any_region_set() {
    let (account, project) = (Account::new(), project());
    let role = format!("arn:aws:iam::{}:role/publisher", account.number());
    std::fs::create_dir(account.home().join(".aws")).expect("a folder");
    let profile =
        format!("[profile assumed]\nrole_arn = {role}\ncredential_source = Environment\n");
    std::fs::write(account.home().join(".aws/config"), profile).expect("a file");
    let manifest = format!("[[publish.to]]\nname = \"prod\"\nrole = \"{role}\"\n");
    std::fs::write(project.path().join("r-layer.toml"), manifest).expect("a file");
    for with in [["--to", "prod"], ["--profile", "assumed"]] {
        account.proxy.forget();
        done(run(
            &account,
            project.path(),
            &[&PUBLISH[..], &with].concat(),
        ));
        assert_eq!(account.proxy.count("AssumeRole"), 1, "{with:?}");
        let requests = account.proxy.requests();
        let last = requests.last().expect("a request");
        assert_ne!(last.access_key, "AKIAIOSFODNN7EXAMPLE", "{with:?}");
    }
}
