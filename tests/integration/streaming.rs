//! Responses that are sent while they are made: under AWS's own emulator, which shows their bytes, and by `invoke`,
//! which shows all that is told beside them.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::emulated::{Emulated, like_lambda};
use crate::parts::{functions, r_layer, runtime_layer, succeed};
use crate::serve::served::Served;

/// What a function URL sends, as far as it counts.
fn url_event() -> Value {
    json!({"requestContext": {"http": {"method": "GET"}}, "headers": {}, "isBase64Encoded": false})
}

const PRELUDE: &[u8] = b"{\"statusCode\":201,\"headers\":{\"Content-Type\":\"text/html\",\"X-A\":\"b\"},\"cookies\":[\"c=d\"]}\0\0\0\0\0\0\0\0";

/// `invoke` of a handler of tests/fixtures/functions/streams.
fn invoke(handler: &str, event: &Value) -> Command {
    let mut command = r_layer(Path::new("/tmp"));
    command
        .args(["invoke", "--timeout", "60", "--handler", handler])
        .args(["--event", &event.to_string(), "--layer"])
        .arg(runtime_layer())
        .arg("--code")
        .arg(functions("streams"));
    command
}

#[test]
fn awss_emulator_takes_the_bytes() {
    let sandbox = like_lambda(&functions("streams"));
    let text = Emulated::start(&sandbox, "script.text");
    for _ in 0..2 {
        let bytes = text.invoke_bytes(&json!({}));
        assert_eq!(bytes, b"a,\xc3\xbc\n\x00\xff", "{}", text.log());
    }
    let page = Emulated::start(&sandbox, "script.page");
    let bytes = page.invoke_bytes(&url_event());
    assert_eq!(bytes, [PRELUDE, b"onetwo"].concat(), "{}", page.log());
    let late = Emulated::start(&sandbox, "script.fails_late");
    assert_eq!(late.invoke_bytes(&json!({})), b"begun");
    let log = late.log();
    assert!(log.contains("ERROR:runtime:simpleError: late"), "{log}");
    let early = Emulated::start(&sandbox, "script.fails_early");
    assert_eq!(
        early.invoke(&json!({}))["errorMessage"],
        "early (in write_body(write))"
    );
}

#[test]
fn invoke_prints_the_bytes_and_nothing_else_to_stdout() {
    let output = succeed(&mut invoke("script.text", &json!({})));
    assert_eq!(output.stdout, b"a,\xc3\xbc\n\x00\xff");
    let output = succeed(&mut invoke("script.page", &url_event()));
    assert_eq!(output.stdout, b"onetwo");
    let said = String::from_utf8_lossy(&output.stderr);
    for line in [
        "HTTP status 201",
        "Content-Type: text/html",
        "X-A: b",
        "Set-Cookie: c=d",
    ] {
        assert!(said.lines().any(|told| told == line), "{line}: {said}");
    }
}

#[test]
fn invoke_tells_programs_the_prelude_too() {
    let output = succeed(invoke("script.page", &url_event()).arg("--json"));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(printed["result"], "onetwo");
    let prelude = json!({
        "statusCode": 201, "headers": {"Content-Type": "text/html", "X-A": "b"}, "cookies": ["c=d"],
    });
    assert_eq!(printed["prelude"], prelude);
}

#[test]
fn an_error_in_the_middle_is_an_error_with_the_bytes_so_far() {
    let output = invoke("script.fails_late", &json!({})).output();
    let output = output.expect("invoke starts");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"begun");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("simpleError: late"), "{said}");

    let output = invoke("script.fails_late", &url_event())
        .arg("--json")
        .output()
        .expect("invoke starts");
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(printed["result"], "begun");
    assert_eq!(printed["prelude"]["statusCode"], 200);
    assert_eq!(
        printed["error"]["errorMessage"],
        "late (in write_body(write))"
    );
    assert!(
        printed["error"]["stackTrace"]
            .as_array()
            .is_some_and(|calls| calls
                .iter()
                .any(|call| call.as_str().is_some_and(|call| call.contains("script.R:")))),
        "{printed}"
    );
}

#[test]
fn a_stream_may_be_larger_than_another_result_but_not_than_200_mb() {
    let output = succeed(&mut invoke("script.large", &json!({"megabytes": 20})));
    assert!(output.stdout == vec![7; 20 << 20]);
    let output = invoke("script.large", &json!({"megabytes": 201})).output();
    let output = output.expect("invoke starts");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout.len(), 200 << 20);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("The streamed response is too large"),
        "{said}"
    );
}

#[test]
fn who_invokes_the_plain_way_gets_the_bytes_at_the_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = fs_err::read_to_string(functions("streams").join("script.R")).expect("the script");
    let chosen = "handler <- function(...) page(...)\n";
    fs_err::write(folder.path().join("script.R"), script + chosen).expect("the script");
    let served = Served::start(folder.path(), &[]);
    let answer = served.post(&url_event().to_string());
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        "application/vnd.awslambda.http-integration-response"
    );
    assert_eq!(answer.body, [PRELUDE, b"onetwo"].concat());
}
