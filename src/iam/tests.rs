use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::publication::Region;

const ACCOUNT: &str = "123456789012";

fn scope(regions: &[&str]) -> Scope {
    let regions: Vec<Region> = regions
        .iter()
        .map(|region| region.parse().unwrap())
        .collect();
    Scope::new(Some(ACCOUNT.parse().unwrap()), regions).unwrap()
}

/// The statements by their ids.
fn statements(policy: &IamPolicy) -> Map<String, Value> {
    let policy = serde_json::to_value(policy).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    let statements = policy["Statement"].as_array().unwrap().iter();
    let by_id: Map<String, Value> = statements
        .map(|statement| {
            assert_eq!(statement["Effect"], "Allow");
            let resources = statement["Resource"].as_array().unwrap();
            assert!(!resources.is_empty(), "{statement}");
            (
                statement["Sid"].as_str().unwrap().to_owned(),
                statement.clone(),
            )
        })
        .collect();
    assert_eq!(by_id.len(), policy["Statement"].as_array().unwrap().len());
    by_id
}

fn actions(policy: &IamPolicy) -> BTreeSet<&'static str> {
    let actions = policy
        .statement
        .iter()
        .flat_map(|statement| &statement.action);
    actions.copied().collect()
}

fn publish() -> PublishPermissions {
    PublishPermissions {
        layers: vec!["r-*-*-*".to_owned()],
        ..PublishPermissions::default()
    }
}

#[test]
fn publishing_needs_no_more_than_what_it_is_asked_for() {
    let policy = publish().policy(&scope(&["eu-central-1"]));
    let least = [
        "lambda:DeleteLayerVersion",
        "lambda:GetLayerVersion",
        "lambda:GetLayerVersionPolicy",
        "lambda:ListLayerVersions",
        "lambda:PublishLayerVersion",
    ];
    assert_eq!(actions(&policy), BTreeSet::from(least));
    let by_id = statements(&policy);
    assert_eq!(
        by_id["PublishLayers"]["Resource"],
        json!(["arn:aws:lambda:eu-central-1:123456789012:layer:r-*-*-*"])
    );
    assert_eq!(
        by_id["ManageLayerVersions"]["Resource"],
        json!(["arn:aws:lambda:eu-central-1:123456789012:layer:r-*-*-*:*"])
    );
    // The ARN tells the region already; where there is none, a condition does.
    assert_eq!(by_id["PublishLayers"].get("Condition"), None);
    let in_region = json!({ "StringEquals": { "aws:RequestedRegion": "eu-central-1" } });
    assert_eq!(by_id["ListLayerVersions"]["Condition"], in_region);
    let more = PublishPermissions {
        grants: true,
        exact: true,
        prune: true,
        ..publish()
    };
    let more = more.policy(&scope(&[]));
    for action in [
        "lambda:AddLayerVersionPermission",
        "lambda:RemoveLayerVersionPermission",
        "lambda:ListFunctions",
        "lambda:ListLayers",
    ] {
        assert!(actions(&more).contains(action), "{action}");
    }
    assert_eq!(
        statements(&more)["ListLayerVersions"].get("Condition"),
        None
    );
}

#[test]
fn several_regions_are_one_condition_and_one_partition() {
    let permissions = PublishPermissions {
        bucket: Some("layers-123456789012-*".to_owned()),
        parameter: Some("/r/*/*".to_owned()),
        ..publish()
    };
    let by_id = statements(&permissions.policy(&scope(&["cn-north-1", "cn-northwest-1"])));
    assert_eq!(
        by_id["PublishLayers"]["Condition"],
        json!({ "StringEquals": { "aws:RequestedRegion": ["cn-north-1", "cn-northwest-1"] } })
    );
    assert_eq!(
        by_id["WriteParameters"]["Resource"],
        json!(["arn:aws-cn:ssm:*:123456789012:parameter/r/*/*"])
    );
    let bucket = &by_id["PassZipsThroughBucket"];
    assert_eq!(
        bucket["Resource"],
        json!(["arn:aws-cn:s3:::layers-123456789012-*/*"])
    );
    assert_eq!(
        bucket["Condition"],
        json!({ "StringEquals": { "aws:ResourceAccount": ACCOUNT } })
    );
    let mixed = ["cn-north-1", "us-east-1"].map(|region| region.parse().unwrap());
    let error = Scope::new(None, mixed.to_vec()).unwrap_err().to_string();
    assert!(error.contains("a policy for each"), "{error}");
}

fn used_layers() -> UsedLayers {
    UsedLayers {
        own: vec!["r-*".to_owned()],
        others: BTreeSet::from(["arn:aws:lambda:*:210987654321:layer:x:*".to_owned()]),
    }
}

#[test]
fn attaching_reads_layers_and_changes_functions() {
    let attach = AttachPermissions {
        functions: vec!["my-function".parse().unwrap()],
        layers: used_layers(),
        ..AttachPermissions::default()
    };
    let policy = attach.policy(&scope(&["us-east-1"]));
    assert!(!actions(&policy).contains("lambda:PublishVersion"));
    let by_id = statements(&policy);
    assert_eq!(
        by_id["ReadLayers"]["Resource"],
        json!([
            "arn:aws:lambda:us-east-1:123456789012:layer:r-*:*",
            "arn:aws:lambda:*:210987654321:layer:x:*"
        ])
    );
    assert_eq!(by_id["ChangeFunctions"].get("Condition"), None);
    let with_alias = AttachPermissions {
        alias: Some("live".to_owned()),
        ..attach
    };
    let policy = with_alias.policy(&scope(&["us-east-1"]));
    assert!(actions(&policy).contains("lambda:PublishVersion"));
    let versions = json!(["arn:aws:lambda:us-east-1:123456789012:function:my-function:*"]);
    assert_eq!(statements(&policy)["ReadVersions"]["Resource"], versions);
    let arns = statements(&policy)["MoveAlias"]["Resource"].to_string();
    assert!(arns.contains("function:my-function:live"), "{arns}");
}

#[test]
fn deploying_passes_roles_to_lambda_alone() {
    let deploy = DeployPermissions {
        functions: vec!["f".parse().unwrap()],
        layers: used_layers(),
        role: Some("arn:aws:iam::123456789012:role/x/y".parse().unwrap()),
        ..DeployPermissions::default()
    };
    let policy = deploy.policy(&scope(&["us-east-1"]));
    let by_id = statements(&policy);
    let pass = &by_id["PassRoleToLambda"];
    assert_eq!(
        pass["Resource"],
        json!(["arn:aws:iam::123456789012:role/x/y"])
    );
    let to_lambda = json!({ "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } });
    assert_eq!(pass["Condition"], to_lambda);
    let layers = &by_id["CreateFunctions"]["Condition"]["ForAllValues:StringLike"]["lambda:Layer"];
    assert_eq!(layers.as_array().unwrap().len(), 2);
    for action in ["iam:CreateRole", "lambda:AddPermission", "events:PutRule"] {
        assert!(!actions(&policy).contains(action), "{action}");
    }
}

#[test]
fn what_deploying_makes_beside_the_function_is_named() {
    let deploy = DeployPermissions {
        functions: vec!["f".parse().unwrap()],
        layers: used_layers(),
        create_role: true,
        policy_arns: vec!["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess".to_owned()],
        function_url: Some(FunctionUrlAuth::None),
        schedule: true,
        destroy: true,
        ..DeployPermissions::default()
    };
    let by_id = statements(&deploy.policy(&scope(&["us-east-1"])));
    let role = json!(["arn:aws:iam::123456789012:role/r-layer-f-us-east-1"]);
    for id in ["MakeRole", "PassRoleToLambda", "AttachPolicies"] {
        assert_eq!(by_id[id]["Resource"], role);
    }
    assert_eq!(
        by_id["AttachPolicies"]["Condition"]["ArnEquals"]["iam:PolicyARN"][0],
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    );
    let open = &by_id["OpenUrl"]["Condition"];
    assert_eq!(open["StringEquals"]["lambda:Principal"], "*");
    assert_eq!(
        open["StringEqualsIfExists"]["lambda:FunctionUrlAuthType"],
        "NONE"
    );
    let rule = &by_id["LetRulesInvoke"]["Condition"]["StringEquals"]["lambda:Principal"];
    assert_eq!(rule, "events.amazonaws.com");
    let rules = json!(["arn:aws:events:us-east-1:123456789012:rule/r-layer-f"]);
    assert_eq!(by_id["Schedule"]["Resource"], rules);
    assert_eq!(by_id["RemoveSchedule"]["Resource"], rules);
    assert_eq!(by_id["RemoveRole"]["Resource"], role);
    assert_eq!(
        by_id["RemoveFunctions"]["Action"][1],
        "lambda:DeleteFunction"
    );
}

#[test]
fn a_name_of_a_function_may_have_stars() {
    for name in ["f", "my_function-1", "reports-*"] {
        assert!(name.parse::<FunctionPattern>().is_ok(), "{name}");
    }
    for name in ["", "a b", "arn:aws:lambda:x", &"x".repeat(65)] {
        let error = name.parse::<FunctionPattern>().unwrap_err().to_string();
        assert!(error.contains("no name of a function"), "{error}");
    }
}
