//! AWS's own clients, pointed at a function that is served.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::served::{Served, function};
use super::{SCRIPT, what};
use crate::parts::{aws_client, succeed};

/// Calls with boto3, and prints what came of each as JSON.
const BOTO3: &str = r#"
import base64, boto3, json, sys

client = boto3.client("lambda", endpoint_url=sys.argv[1])
function = "arn:aws:lambda:eu-central-1:123456789012:function:my-function"
found = {}

def invoke(name, event, **options):
    payload = json.dumps({"what": event})
    answer = client.invoke(FunctionName=function, Payload=payload, **options)
    body = answer["Payload"].read()
    found[name] = {
        "status": answer["StatusCode"],
        "version": answer.get("ExecutedVersion"),
        "error": answer.get("FunctionError"),
        "log": base64.b64decode(answer.get("LogResult", "")).decode(),
        "body": json.loads(body) if body else None,
    }

invoke("first", "count")
invoke("second", "print", LogType="Tail")
invoke("fails", "fail", LogType="Tail")
invoke("dies", "die")
invoke("event", "count", InvocationType="Event")
invoke("dry", "count", InvocationType="DryRun")
invoke("after", "count")
context = base64.b64encode(json.dumps({"custom": {"a": 1}}).encode()).decode()
invoke("context", "context", ClientContext=context)
for name, payload in [("large", json.dumps("x" * 6_291_456)), ("no_json", "{x:1}")]:
    try:
        client.invoke(FunctionName="my-function", Payload=payload)
    except client.exceptions.ClientError as error:
        found[name] = type(error).__name__
print(json.dumps(found))
"#;

#[test]
fn boto3_invokes_the_handler() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    let mut python = aws_client(folder.path());
    let output = succeed(python.args(["-c", BOTO3, &served.address]));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();

    let expected =
        json!({ "status": 200, "version": "$LATEST", "error": null, "log": "", "body": 1 });
    assert_eq!(found["first"], expected);
    assert_eq!(found["second"]["body"], "done");
    let log = found["second"]["log"].as_str().unwrap();
    assert!(log.contains("printed") && log.contains("REPORT"), "{log}");
    assert_eq!(found["fails"]["error"], "Unhandled");
    let message = found["fails"]["body"]["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("no such luck (in "), "{message}");
    let log = found["fails"]["log"].as_str().unwrap();
    assert!(log.contains("simpleError: no such luck"), "{log}");
    assert_eq!(found["dies"]["body"]["errorType"], "Runtime.ExitError");
    assert_eq!(found["event"]["status"], 202);
    assert_eq!(found["dry"]["status"], 204);
    assert_eq!(found["after"]["body"], 2);
    assert_eq!(found["context"]["body"], json!({ "custom": { "a": 1 } }));
    assert_eq!(found["large"], "RequestTooLargeException");
    assert_eq!(found["no_json"], "InvalidRequestContentException");
}

#[test]
fn the_aws_command_line_invokes_the_handler() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    let home = tempfile::tempdir().unwrap();
    let result = home.path().join("result.json");
    let invoke = |event: &str| {
        let mut aws = aws_client(home.path());
        aws.args(["-m", "awscli", "lambda", "invoke"])
            .args(["--endpoint-url", &served.address])
            .args(["--function-name", "my-function", "--log-type", "Tail"])
            .args(["--payload", event])
            .arg(&result);
        let said: Value = serde_json::from_slice(&succeed(&mut aws).stdout).unwrap();
        let body: Value = serde_json::from_slice(&std::fs::read(&result).unwrap()).unwrap();
        (said, body)
    };
    let (said, body) = invoke(&what("print"));
    assert_eq!(body, "done");
    assert_eq!(said["StatusCode"], 200);
    assert_eq!(said["ExecutedVersion"], "$LATEST");
    assert_eq!(said["FunctionError"], Value::Null);
    let log = STANDARD
        .decode(said["LogResult"].as_str().unwrap())
        .unwrap();
    assert!(String::from_utf8_lossy(&log).contains("printed"));

    let (said, body) = invoke(&what("fail"));
    assert_eq!(said["FunctionError"], "Unhandled");
    let message = body["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("no such luck (in "), "{message}");
    let (_, body) = invoke("{}");
    assert_eq!(body, 3);
}
