//! Events as AWS documents them, each file of tests/events, to the built layer under AWS's emulator: what handlers get
//! of them, and what the service that sent the event would get back.

use serde_json::{Value, json};

use crate::emulated::{Emulated, like_lambda};
use crate::parts::functions;

fn start(handler: &str) -> Emulated {
    Emulated::start(
        &like_lambda(&functions("events")),
        &format!("script.{handler}"),
    )
}

/// A file of tests/events.
fn event(name: &str) -> Value {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events");
    let text = fs_err::read(folder.join(name).with_extension("json")).expect("a sample event");
    serde_json::from_slice(&text).expect("the sample event is JSON")
}

fn event_names() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events");
    let mut names: Vec<String> = fs_err::read_dir(folder)
        .expect("the folder of sample events")
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            let name = name.to_str().expect("UTF-8").to_owned();
            name.strip_suffix(".json").expect("a JSON file").to_owned()
        })
        .collect();
    names.sort();
    names
}

/// A value as it comes back from R, where a vector of one element is the same as that element.
fn unboxed(value: &Value) -> Value {
    match value {
        Value::Array(items) => match items.as_slice() {
            [item] if !item.is_array() && !item.is_object() && !item.is_null() => item.clone(),
            items => items.iter().map(unboxed).collect(),
        },
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| (key.clone(), unboxed(value)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// The same with every number as a double, as which R writes 1.0 and 1 alike.
fn numbers_alike(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(numbers_alike).collect(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| (key.clone(), numbers_alike(value)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// The JSON in a response's body.
fn body(response: &Value) -> Value {
    let text = response["body"].as_str();
    let text = text.unwrap_or_else(|| panic!("{response} has a body"));
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {response}"))
}

#[test]
fn every_event_reaches_a_handler_of_whole_events() {
    let session = start("whole");
    let names = event_names();
    assert!(names.len() >= 30, "{names:?}");
    for name in names {
        let event = event(&name);
        assert_eq!(
            numbers_alike(&session.invoke(&event)),
            numbers_alike(&unboxed(&event)),
            "{name}\n{}",
            session.log()
        );
    }
}

/// The convenient arguments of each kind of event, for a handler that takes whatever comes.
#[test]
fn events_become_arguments() {
    let over_http = [
        (
            "apigateway-rest",
            json!({"user": "42", "name": "Zo\u{eb}", "scores": [1, 2.5], "verbose": "true"}),
        ),
        (
            "apigateway-rest-multi-value",
            json!({"tag": ["a", "b,c"], "limit": "10"}),
        ),
        (
            "apigateway-http-payload-1",
            json!({"user": "42", "verbose": "1"}),
        ),
        (
            "apigateway-http",
            json!({"user": "42", "name": "Zo\u{eb}", "scores": [1, 2.5], "tag": ["a", "b"], "verbose": "true"}),
        ),
        (
            "apigateway-http-form",
            json!({"user": "zo\u{eb}", "n": "5", "tag": ["a", "b c"]}),
        ),
        ("apigateway-websocket-connect", json!({"room": "7"})),
        (
            "apigateway-websocket-message",
            json!({"action": "say", "text": "Gr\u{fc}\u{df}e"}),
        ),
        ("apigateway-websocket-disconnect", json!([])),
        (
            "function-url",
            json!({"1": "Hello from a client!", "n": ["5", "7"]}),
        ),
        ("function-url-json", json!({"number": 5})),
        ("function-url-get", json!([])),
        (
            "alb",
            json!({"query": "Gr\u{fc}\u{df}e aus K\u{f6}ln", "n": "5"}),
        ),
        (
            "alb-multi-value",
            json!({"name": "Zo\u{eb}", "choice": ["1", "2"], "tag": ["a b", "c"], "n": "5"}),
        ),
        (
            "vpc-lattice",
            json!({"id": 42, "tag": ["a", "b"], "limit": "10"}),
        ),
    ];
    let session = start("arguments");
    for (name, expected) in over_http {
        let response = session.invoke(&event(name));
        assert_eq!(response["statusCode"], 200, "{name}: {response}");
        assert_eq!(body(&response), expected, "{name}");
    }
    // Nobody waits for a response to these: the result is not wrapped.
    let others = [
        ("sns", json!(["Hello from SNS!"])),
        ("sns-json", json!({"job": "report", "days": [1, 2, 3]})),
        (
            "eventbridge",
            json!({"instance-id": "i-1234567890abcdef0", "state": "terminated"}),
        ),
        ("eventbridge-scheduled", json!([])),
        ("eventbridge-scheduler", json!([])),
    ];
    for (name, expected) in others {
        let result = session.invoke(&event(name));
        assert_eq!(result, expected, "{name}\n{}", session.log());
    }
}

#[test]
fn text_takes_the_type_of_the_default() {
    let session = start("user");
    let expected =
        json!({"user": 42, "name": "Zo\u{eb}", "mean": 1.75, "tag": ["a", "b"], "verbose": true});
    assert_eq!(body(&session.invoke(&event("apigateway-http"))), expected);
    let mut wrong = event("apigateway-http");
    wrong["queryStringParameters"]["verbose"] = json!("perhaps");
    let response = session.invoke(&wrong);
    assert_eq!(response["statusCode"], 400);
    let message = "argument \"verbose\" is not a truth value: \"perhaps\"";
    assert_eq!(body(&response)["message"], message);
    wrong["queryStringParameters"] = json!({"colour": "blue"});
    let response = session.invoke(&wrong);
    assert_eq!(response["statusCode"], 400);
    assert_eq!(
        body(&response)["message"],
        "unused argument (colour = \"blue\")"
    );
    wrong["queryStringParameters"] = json!({});
    wrong["body"] = Value::Null;
    let response = session.invoke(&wrong);
    assert_eq!(response["statusCode"], 400);
    let message = "argument \"name\" is missing, with no default";
    assert_eq!(body(&response)["message"], message);
}

#[test]
fn bodies_of_bytes() {
    let response = start("bytes").invoke(&event("apigateway-rest-binary"));
    let expected = json!({"file": "plot.png", "class": "raw", "size": 8});
    assert_eq!(body(&response), expected);
}

#[test]
fn records_are_an_argument_or_walked() {
    let (by_name, walked) = (start("records"), start("sources"));
    for (name, source, count) in [
        ("sqs", "aws:sqs", 2),
        ("s3", "aws:s3", 1),
        ("dynamodb-stream", "aws:dynamodb", 3),
        ("kinesis", "aws:kinesis", 2),
        ("ses", "aws:ses", 1),
    ] {
        let expected = unboxed(&json!(vec![source; count]));
        for session in [&by_name, &walked] {
            let answer = session.invoke(&event(name));
            assert_eq!(answer, expected, "{name}\n{}", session.log());
        }
    }
    let expected = json!(["Hello, this is a test.", "{\"Zo\u{eb}\": 1}"]);
    assert_eq!(start("data").invoke(&event("kinesis")), expected);
}

#[test]
fn responses_have_the_form_that_each_service_wants() {
    let session = start("page");
    let common = |response: &Value, name: &str| {
        assert_eq!(response["statusCode"], 201, "{name}: {response}");
        assert_eq!(response["body"], "<p>Gr\u{fc}\u{df}e</p>", "{name}");
        assert_eq!(response["isBase64Encoded"], false, "{name}");
    };
    let joined = json!({"Content-Type": "text/html", "Vary": "Accept, Origin"});
    for name in ["apigateway-http", "function-url-get"] {
        let response = session.invoke(&event(name));
        common(&response, name);
        assert_eq!(response["headers"], joined, "{name}");
        assert_eq!(response["cookies"], json!(["a=1", "b=2"]), "{name}");
    }
    for name in ["apigateway-rest", "apigateway-http-payload-1"] {
        let response = session.invoke(&event(name));
        common(&response, name);
        assert_eq!(response["headers"], json!({"Content-Type": "text/html"}));
        let several = json!({"Set-Cookie": ["a=1", "b=2"], "Vary": ["Accept", "Origin"]});
        assert_eq!(response["multiValueHeaders"], several, "{name}");
    }
    let response = session.invoke(&event("alb-multi-value"));
    common(&response, "alb-multi-value");
    let all = json!({"Content-Type": ["text/html"], "Set-Cookie": ["a=1", "b=2"], "Vary": ["Accept", "Origin"]});
    assert_eq!(response["multiValueHeaders"], all);
    assert!(response.get("headers").is_none(), "{response}");
    for name in ["alb", "vpc-lattice"] {
        let response = session.invoke(&event(name));
        common(&response, name);
        let headers =
            json!({"Content-Type": "text/html", "Set-Cookie": "b=2", "Vary": "Accept, Origin"});
        assert_eq!(response["headers"], headers, "{name}");
    }
    let response = start("picture").invoke(&event("function-url-get"));
    assert_eq!(response["body"], "iVAA/w==");
    assert_eq!(response["isBase64Encoded"], true);
}

/// Over HTTP an error is a response; elsewhere it fails the invocation, so that the event is tried again.
#[test]
fn errors_are_responses_over_http_only() {
    let (absent, fails) = (start("absent"), start("fails"));
    for name in ["apigateway-rest", "apigateway-http", "alb", "vpc-lattice"] {
        let response = absent.invoke(&event(name));
        assert_eq!(response["statusCode"], 404, "{name}: {response}");
        let expected = json!({"message": "there is no user 42", "user": 42});
        assert_eq!(body(&response), expected, "{name}");
        let response = fails.invoke(&event(name));
        assert_eq!(response["statusCode"], 500, "{name}: {response}");
        assert_eq!(response["headers"]["Content-Type"], "application/json");
        assert_eq!(response["headers"]["x-amzn-ErrorType"], "simpleError");
        assert_eq!(body(&response), json!({"message": "no luck"}), "{name}");
    }
    for name in ["sns", "eventbridge", "sqs", "direct"] {
        let error = fails.invoke(&event(name));
        assert_eq!(error["errorType"], "simpleError", "{name}: {error}");
    }
}

#[test]
fn results_of_each_shape() {
    let expected = json!({
        "null": null, "number": 0.1 + 0.2, "missing": [1, null, null, null], "none": [],
        "rows": [{"n": 1, "f": "x"}, {"n": 2, "f": null}], "date": "2024-02-29", "raw": "AQID"
    });
    let session = start("shapes");
    let direct = session.invoke(&json!({}));
    let wrapped = body(&session.invoke(&event("function-url-get")));
    for mut result in [direct, wrapped] {
        let fields = result.as_object_mut().expect("an object");
        let time = fields.remove("time").expect("a time");
        let time = time.as_str().expect("text");
        assert!(time.starts_with("2024-02-29T12:00:00"), "{time}");
        assert_eq!(result, expected);
    }
    assert!(session.log().contains("NaN or Inf"), "{}", session.log());
    let as_it_is = json!({"as": ["it", "is"]});
    let session = start("json");
    assert_eq!(session.invoke(&json!({})), as_it_is);
    assert_eq!(body(&session.invoke(&event("alb"))), as_it_is);
}
