use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use super::super::Account;
use super::super::proxy::faults::{self, Answer, Cut};
use super::super::proxy::runtime;
use super::{Client, parsed, status, versions};
use crate::parts::succeed;

#[test]
fn errors_are_what_aws_own_client_takes_them_for() {
    let account = Account::new();
    let who = format!("arn:aws:iam::{}:user/someone", account.number());
    let errors: Vec<(Answer, &str)> = vec![
        (faults::throttled(2), "TooManyRequestsException"),
        (
            faults::conflict("The statement id (all) provided already exists."),
            "ResourceConflictException",
        ),
        (
            faults::update_in_progress("arn:aws:lambda:eu-west-1:123456789012:function:f"),
            "ResourceConflictException",
        ),
        (faults::revision_differs(), "PreconditionFailedException"),
        (faults::internal_error(), "ServiceException"),
        (faults::region_not_enabled(), "UnrecognizedClientException"),
        (
            faults::access_denied(&who, "lambda:ListLayerVersions", "*"),
            "AccessDeniedException",
        ),
        (faults::expired_token(), "ExpiredTokenException"),
        (faults::clock_skew(), "InvalidSignatureException"),
        (faults::wrong_signature(), "InvalidSignatureException"),
        (
            faults::code_storage_exceeded(),
            "CodeStorageExceededException",
        ),
        (
            faults::invalid_parameter("Unzipped size must be smaller than 262144000 bytes"),
            "InvalidParameterValueException",
        ),
        (
            faults::request_too_large("PublishLayerVersion"),
            "RequestEntityTooLargeException",
        ),
    ];
    let expected: Vec<(String, u16)> = errors
        .iter()
        .map(|(answer, name)| ((*name).to_owned(), answer.status))
        .collect();
    for (index, (answer, _)) in errors.into_iter().enumerate() {
        account
            .proxy
            .on("ListLayerVersions")
            .nth(index + 1)
            .answer(answer);
    }
    let program = format!(
        r#"
import boto3, json
from botocore.config import Config
from botocore.exceptions import ClientError
client = boto3.client("lambda", region_name="eu-west-1", config=Config(retries={{"total_max_attempts": 1}}))
seen = []
for _ in range({}):
    try:
        client.list_layer_versions(LayerName="layer")
    except ClientError as error:
        seen.append([error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]])
assert client.list_layer_versions(LayerName="layer")["LayerVersions"] == []
print(json.dumps(seen))
"#,
        expected.len()
    );
    let seen: Vec<(String, u16)> =
        serde_json::from_slice(&succeed(&mut account.python(&program)).stdout).expect("JSON");
    assert_eq!(seen, expected);
    assert_eq!(
        account
            .proxy
            .requests()
            .iter()
            .filter(|request| request.reached)
            .count(),
        1
    );
}

#[test]
fn a_throttled_request_says_when_to_try_again_and_html_is_html() {
    let account = Account::new();
    let client = Client::of(&account);
    account
        .proxy
        .on("ListLayerVersions")
        .in_region("eu-west-1")
        .answer(faults::throttled(7));
    account
        .proxy
        .on("ListLayerVersions")
        .in_region("eu-west-2")
        .answer(faults::html(200));
    let throttled = client.get("eu-west-1", &versions("layer"));
    assert_eq!(
        (
            throttled.status().as_u16(),
            &throttled.headers()["retry-after"]
        ),
        (429, &"7".parse().expect("a header"))
    );
    let html = client.get("eu-west-2", &versions("layer"));
    assert_eq!(html.headers()["content-type"], "text/html");
    assert!(html.body().starts_with(b"<html>"), "{html:?}");
    assert_eq!(client.get("eu-west-3", &versions("layer")).status(), 200);
}

#[test]
fn a_connection_is_cut_where_it_is_said() {
    let cases = [
        (Cut::AtOnce, 0),
        (Cut::AfterBytes(100_000), 0),
        (Cut::BeforeAnswer, 1),
        (Cut::WithinAnswer, 1),
    ];
    for (cut, published) in cases {
        let account = Account::new();
        account.proxy.on("PublishLayerVersion").nth(1).cut(cut);
        let body =
            json!({"Content": {"ZipFile": super::EMPTY_ZIP}, "Description": "d".repeat(1_000_000)})
                .to_string();
        let length = body.len();
        let answer =
            Client::of(&account).lambda("eu-west-1", Method::POST, &versions("layer"), body);
        assert_eq!(status(answer), None, "{cut:?}");
        account.proxy.wait_until_idle();
        assert_eq!(
            account.layer_versions("eu-west-1", "layer").len(),
            published,
            "{cut:?}"
        );
        let [request] = &account.proxy.requests()[..] else {
            panic!("one request")
        };
        assert_eq!(request.reached, published == 1, "{cut:?}");
        match cut {
            Cut::AtOnce => assert_eq!(request.bytes, 0),
            Cut::AfterBytes(bytes) => assert!(
                (bytes..length).contains(&request.bytes),
                "{}",
                request.bytes
            ),
            Cut::BeforeAnswer | Cut::WithinAnswer => assert_eq!(request.bytes, length),
        }
    }
}

#[test]
fn a_request_is_carried_out_though_its_sender_has_died() {
    let account = Account::new();
    account
        .proxy
        .on("PublishLayerVersion")
        .delay(Duration::from_millis(500));
    let client = Client::of(&account);
    let sender = runtime().spawn(async move {
        let body = json!({"Content": {"ZipFile": super::EMPTY_ZIP}}).to_string();
        let path = versions("layer");
        client
            .0
            .ask("lambda", "eu-west-1", Method::POST, &path, body.into())
            .await
            .is_ok()
    });
    while !account
        .proxy
        .requests()
        .iter()
        .any(|request| request.bytes > 0)
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    sender.abort();
    account.proxy.wait_until_idle();
    assert_eq!(account.layer_versions("eu-west-1", "layer").len(), 1);
}

#[test]
fn a_request_that_is_late_holds_up_no_other() {
    let account = Account::new();
    account
        .proxy
        .on_any()
        .in_region("eu-west-1")
        .delay(Duration::from_secs(3600));
    let client = Client::of(&account);
    let path = versions("layer");
    let late: Vec<_> = (0..200)
        .map(|_| {
            let (upstream, path) = (client.0.clone(), path.clone());
            runtime().spawn(async move {
                upstream
                    .ask(
                        "lambda",
                        "eu-west-1",
                        Method::GET,
                        &path,
                        Default::default(),
                    )
                    .await
                    .is_ok()
            })
        })
        .collect();
    while account.proxy.count("ListLayerVersions") < late.len() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(client.get("eu-west-2", &path).status(), 200);
    assert!(late.iter().all(|request| !request.is_finished()));
    assert!((1..=200).contains(&account.proxy.most_in_a_second("eu-west-1")));
    late.iter().for_each(|request| request.abort());
}

#[test]
fn the_same_seed_meets_the_same_requests_in_whatever_order_regions_are_served() {
    let met = |seed: u64, turned: bool| {
        let account = Account::new();
        account.proxy.set_seed(seed);
        account
            .proxy
            .on("GetLayerVersion")
            .with_chance(0.4)
            .answer(faults::throttled(1));
        let mut regions: Vec<String> = (0..6).map(|number| format!("eu-west-{number}")).collect();
        if turned {
            regions.reverse();
        }
        let client = Client::of(&account);
        std::thread::scope(|scope| {
            for region in &regions {
                scope.spawn(|| {
                    for _ in 0..12 {
                        client.get(region, "/2018-10-31/layers/layer/versions/1");
                    }
                });
            }
        });
        regions.sort();
        let requests = account.proxy.requests();
        let of = |region: &String| -> Vec<u16> {
            let of = requests.iter().filter(|request| request.region() == region);
            of.map(|request| request.status.expect("an answer"))
                .collect()
        };
        regions.iter().map(of).collect::<Vec<_>>()
    };
    let first = met(1, false);
    assert_eq!(met(1, true), first);
    assert_ne!(met(2, false), first);
    let throttled = first
        .iter()
        .flatten()
        .filter(|status| **status == 429)
        .count();
    assert!((1..72).contains(&throttled), "{throttled}");
    assert_ne!(first[0], first[1], "each region has its own chances");
}

#[test]
fn nth_is_counted_in_each_region_from_when_the_rule_is_made() {
    let account = Account::new();
    let client = Client::of(&account);
    let ask = |region| client.get(region, &versions("layer")).status().as_u16();
    assert_eq!(ask("eu-west-1"), 200);
    account
        .proxy
        .on("ListLayerVersions")
        .nth(2)
        .answer(faults::internal_error());
    assert_eq!(
        [ask("eu-west-1"), ask("eu-west-1"), ask("eu-west-1")],
        [200, 500, 200]
    );
    assert_eq!(
        [ask("eu-west-2"), ask("eu-west-2"), ask("eu-west-2")],
        [200, 500, 200]
    );
    account
        .proxy
        .on("ListLayerVersions")
        .first(2)
        .answer(faults::internal_error());
    assert_eq!(
        [ask("eu-west-1"), ask("eu-west-1"), ask("eu-west-1")],
        [500, 500, 200]
    );
    account.proxy.forgive();
    account.proxy.forget();
    assert_eq!(account.proxy.requests().len(), 0);
    assert_eq!(ask("eu-west-3"), 200);
}

#[test]
fn lists_are_late_by_as_many_reads_as_it_is_said() {
    let account = Account::new();
    let client = Client::of(&account);
    client.publish("eu-west-1", "layer");
    for _ in 0..2 {
        assert_eq!(client.list("eu-west-1", "layer"), [1]);
    }
    account.proxy.on("ListLayerVersions").stale_lists(2);
    client.publish("eu-west-1", "layer");
    let lists: Vec<_> = (0..3).map(|_| client.list("eu-west-1", "layer")).collect();
    assert_eq!(lists, [vec![1], vec![1], vec![2, 1]]);
    account.proxy.forgive();
    account
        .proxy
        .on("ListLayerVersions")
        .stale_for(Duration::from_secs(3600));
    client.publish("eu-west-1", "layer");
    assert!(!client.list("eu-west-1", "layer").contains(&3));
    assert_eq!(account.layer_versions("eu-west-1", "layer").len(), 3);
}

#[test]
fn an_update_takes_as_many_reads_as_it_is_said() {
    let account = Account::new();
    account.create_function("eu-west-1", "function", json!({}));
    account.proxy.on("GetFunction").first(2).edit(|answer| {
        answer["Configuration"]["LastUpdateStatus"] = "InProgress".into();
    });
    let client = Client::of(&account);
    let read = || {
        let answer = parsed(&client.get("eu-west-1", "/2015-03-31/functions/function"));
        answer["Configuration"]["LastUpdateStatus"]
            .as_str()
            .map(str::to_owned)
    };
    let reads: Vec<_> = (0..3).filter_map(|_| read()).collect();
    assert_eq!(reads, ["InProgress", "InProgress", "Successful"]);
}
