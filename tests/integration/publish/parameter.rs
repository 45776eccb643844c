//! `--ssm-parameter`.

use super::{LAYER, done, make_layer, project, run, text};
use crate::aws::Account;
use crate::aws::proxy::faults::{self, Answer};

const PUBLISH: [&str; 5] = [
    "publish",
    "--region",
    "eu-west-1,us-east-1",
    "--ssm-parameter",
    "/r/{name}/{arch}",
];

#[test]
fn the_arn_is_written_to_the_parameter_store_and_only_when_it_changes() {
    let (account, project) = (Account::new(), project());
    let value = |region: &str| account.parameter(region, "/r/r-models/x86_64");
    let arn = |region: &str, version: u64| {
        let number = account.number();
        Some(format!(
            "arn:aws:lambda:{region}:{number}:layer:{LAYER}:{version}"
        ))
    };
    for version in 1..=2 {
        done(run(&account, project.path(), &PUBLISH));
        for region in ["eu-west-1", "us-east-1"] {
            assert_eq!(value(region), arn(region, version));
        }
        account.proxy.forget();
        done(run(&account, project.path(), &PUBLISH));
        assert_eq!(account.proxy.changes(), Vec::<String>::new());
        make_layer(project.path(), "models", b"news");
    }
}

#[test]
fn a_parameter_store_that_is_busy_is_asked_again_and_one_that_denies_is_told_with_the_statement() {
    let (account, project) = (Account::new(), project());
    let busy = Answer::error(400, "ThrottlingException", "Rate exceeded");
    account.proxy.on("PutParameter").nth(1).answer(busy);
    let who = format!("arn:aws:iam::{}:user/someone", account.number());
    let parameter = "parameter/r/r-models/x86_64";
    let mut denied = faults::access_denied(&who, "ssm:PutParameter", parameter);
    denied.status = 400;
    let in_region = account.proxy.on("PutParameter").in_region("us-east-1");
    in_region.answer(denied);
    let output = run(&account, project.path(), &PUBLISH);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    let resource = format!("arn:aws:ssm:us-east-1:{}:{parameter}", account.number());
    assert!(
        out.contains(r#""Action":"ssm:PutParameter""#) && out.contains(&resource),
        "{out}"
    );
    assert!(
        out.contains("r-layer publish --region us-east-1 --ssm-parameter '/r/{name}/{arch}'"),
        "{out}"
    );
    assert!(
        account
            .parameter("eu-west-1", "/r/r-models/x86_64")
            .is_some()
    );
}

#[test]
fn region_and_account_are_put_in_a_parameters_name() {
    let (account, project) = (Account::new(), project());
    let template = "/r/{account}/{region}/{name}";
    let publish = [
        "publish",
        "--region",
        "eu-west-1",
        "--ssm-parameter",
        template,
    ];
    done(run(&account, project.path(), &publish));
    let name = format!("/r/{}/eu-west-1/r-models", account.number());
    let value = account.parameter("eu-west-1", &name).expect("a parameter");
    assert!(value.ends_with(&format!(":layer:{LAYER}:1")), "{value}");
}
