use axum::http::{HeaderMap, HeaderValue, Method};
use serde_json::json;

use super::super::proxy::runtime;
use super::super::{Account, Moto};
use super::{Client, parsed, status, versions};
use crate::parts::succeed;

#[test]
fn accounts_do_not_see_each_other() {
    let (one, other) = (Account::new(), Account::new());
    Client::of(&one).publish_with("eu-west-1", "layer", "of the one");
    assert_eq!(other.layer_versions("eu-west-1", "layer"), []);
    let [version] = &one.layer_versions("eu-west-1", "layer")[..] else {
        panic!("one version")
    };
    assert_eq!(
        (version.version, version.description.as_str()),
        (1, "of the one")
    );
    // Of the 22 bytes of an empty zip.
    assert_eq!(
        version.code_sha256,
        "hznHbmgfkAkjuQDJ3w73XPQh05yrtUZQxLmtGbanbYU="
    );
}

#[test]
fn a_layer_of_another_account_is_read_by_its_arn_once_it_is_granted() {
    let (owner, reader) = (Account::new(), Account::new());
    let published = parsed(
        &Client::of(&owner)
            .publish("eu-west-1", "layer")
            .expect("an answer"),
    );
    let arn = published["LayerVersionArn"].as_str().expect("an ARN");
    let path = format!(
        "/2018-10-31/layers?find=LayerVersion&Arn={}",
        arn.replace(':', "%3A")
    );
    let client = Client::of(&reader);
    let denied = client.get("eu-west-1", &path);
    assert_eq!(
        denied.headers()["x-amzn-errortype"],
        "AccessDeniedException"
    );
    let grant = json!({"StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"})
        .to_string();
    let granted = Client::of(&owner).lambda(
        "eu-west-1",
        Method::POST,
        &format!("{}/1/policy", versions("layer")),
        grant,
    );
    assert_eq!(status(granted), Some(200));
    assert_eq!(
        owner
            .layer_version("eu-west-1", "layer", 1)
            .expect("a version")
            .statements
            .len(),
        1
    );
    assert_eq!(
        parsed(&client.get("eu-west-1", &path))["LayerVersionArn"],
        arn
    );
    assert_eq!(client.get("eu-west-2", &path).status(), 400);
    assert_eq!(reader.proxy.count("GetLayerVersionByArn"), 3);
}

#[test]
fn a_published_zip_is_fetched_in_ranges_from_its_location() {
    let account = Account::new();
    let client = Client::of(&account);
    client.publish("eu-west-1", "layer");
    let version = parsed(&client.get("eu-west-1", &format!("{}/1", versions("layer"))));
    let location = version["Content"]["Location"].as_str().expect("a location");
    let path = location
        .strip_prefix(&account.proxy.url())
        .expect("at the proxy");
    let fetch = |range: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("range", HeaderValue::from_static(range));
        let answer = client
            .0
            .ask_with("", "", Method::GET, path, headers, Default::default());
        let answer = runtime().block_on(answer).expect("an answer");
        (answer.status().as_u16(), answer.body().len())
    };
    assert_eq!(client.get("eu-west-1", path).body().len(), 22);
    assert_eq!(fetch("bytes=0-3"), (206, 4));
    assert_eq!(fetch("bytes=20-"), (206, 2));
    assert_eq!(fetch("bytes=-5"), (206, 5));
    assert_eq!(fetch("bytes=22-"), (416, fetch("bytes=22-").1));
    assert_eq!(account.proxy.count("FetchContent"), 6);
    assert!(
        account
            .proxy
            .requests()
            .iter()
            .any(|request| request.path == path)
    );
}

#[test]
fn a_zip_that_is_published_from_a_bucket_is_fetched_too() {
    let account = Account::new();
    let client = Client::of(&account);
    account.create_bucket("eu-west-1", "fetched-from-bucket");
    let (stored, _) = account.ask(
        "s3",
        "eu-west-1",
        Method::PUT,
        "/fetched-from-bucket/layer.zip",
        "a zip".to_owned(),
    );
    assert_eq!(stored, 200);
    assert_eq!(
        account.objects("eu-west-1", "fetched-from-bucket"),
        ["layer.zip"]
    );
    assert_eq!(account.uploads("eu-west-1", "fetched-from-bucket"), [""; 0]);
    let body =
        json!({"Content": {"S3Bucket": "fetched-from-bucket", "S3Key": "layer.zip"}}).to_string();
    assert_eq!(
        status(client.lambda("eu-west-1", Method::POST, &versions("layer"), body)),
        Some(201)
    );
    let version = parsed(&client.get("eu-west-1", &format!("{}/1", versions("layer"))));
    let location = version["Content"]["Location"].as_str().expect("a location");
    let path = location
        .strip_prefix(&account.proxy.url())
        .expect("at the proxy");
    assert_eq!(client.get("eu-west-1", path).body(), "a zip");
}

#[test]
fn limits_of_lambda_are_kept() {
    let account = Account::new();
    let client = Client::of(&account);
    account.create_function("eu-west-1", "function", json!({}));
    client.publish("eu-west-1", "layer");
    let arn = format!(
        "arn:aws:lambda:eu-west-1:{}:layer:layer:1",
        account.number()
    );
    let update = |layers: usize| {
        let body = json!({"Layers": vec![&arn; layers]}).to_string();
        client.lambda(
            "eu-west-1",
            Method::PUT,
            "/2015-03-31/functions/function/configuration",
            body,
        )
    };
    assert_eq!(status(update(6)), Some(400));
    assert_eq!(status(update(5)), Some(200));
    assert_eq!(
        account.function("eu-west-1", "function").expect("it")["Configuration"]["Layers"]
            .as_array()
            .map(Vec::len),
        Some(5)
    );
    let large = client.lambda(
        "eu-west-1",
        Method::POST,
        &versions("layer"),
        " ".repeat(70_167_212),
    );
    let large = large.expect("an answer");
    assert_eq!(
        large.headers()["x-amzn-errortype"],
        "RequestEntityTooLargeException"
    );
    assert_eq!(account.layer_versions("eu-west-1", "layer").len(), 1);
}

#[test]
fn a_zip_that_moto_is_spared_is_answered_for_as_if_it_had_it() {
    let account = Account::new();
    let client = Client::of(&account);
    let path = format!("{}/1", versions("layer"));
    let contents = [false, true].map(|spared| {
        let region = if spared { "eu-west-2" } else { "eu-west-1" };
        if spared {
            account.proxy.spare_moto();
        }
        let published = parsed(&client.publish(region, "layer").expect("an answer"));
        let mut read = parsed(&client.get(region, &path))["Content"].clone();
        assert_eq!(published["Content"]["CodeSha256"], read["CodeSha256"]);
        assert_eq!(published["Content"]["CodeSize"], read["CodeSize"]);
        let location = read["Location"].take();
        let location = location
            .as_str()
            .and_then(|url| url.strip_prefix(&account.proxy.url()))
            .expect("a location");
        assert_eq!(client.get(region, location).body().len(), 22);
        read
    });
    assert_eq!(contents[0], contents[1]);
    let seen = |region| {
        account.layer_versions(region, "layer")[0]
            .code_sha256
            .clone()
    };
    assert_ne!(
        seen("eu-west-1"),
        seen("eu-west-2"),
        "moto has the zip all the same"
    );
}

#[test]
fn parameters_are_seen() {
    let account = Account::new();
    assert_eq!(account.parameter("eu-west-1", "/r/layer"), None);
    let program = r#"
import boto3
boto3.client("ssm", region_name="eu-west-1").put_parameter(Name="/r/layer", Value="an ARN", Type="String")
"#;
    succeed(&mut account.python(program));
    assert_eq!(
        account.parameter("eu-west-1", "/r/layer").as_deref(),
        Some("an ARN")
    );
}

#[test]
fn r_layer_is_led_to_the_account_and_reads_no_settings_of_the_machine() {
    let account = Account::new();
    let mut command = account.r_layer(account.home());
    succeed(command.arg("--version"));
    let set = |name: &str| {
        let (_, value) = command.get_envs().find(|(set, _)| *set == name)?;
        Some(value?.to_string_lossy().into_owned())
    };
    assert_eq!(set("AWS_ENDPOINT_URL"), Some(account.proxy.url()));
    assert_eq!(set("HOME").as_deref(), account.home().to_str());
    assert_eq!(set("AWS_REGION"), None);
}

#[test]
fn moto_ends_with_whoever_started_it() {
    assert!(Moto::start().abandon().success());
}
