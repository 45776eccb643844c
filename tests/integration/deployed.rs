//! `invoke --function`: AWS played by moto behind a proxy, the function by R's runtime, served on this machine.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::aws::Account;
use crate::aws::proxy::faults::{self, Cut};
use crate::aws::proxy::{event, runtime};
use crate::parts::{fail, succeed};
use crate::serve::served::{Served, eventually, function};

const REGION: &str = "eu-central-1";

const SCRIPT: &str = r#"
inner <- function(x) stop("no such luck")
handler <- function(what, context) {
    switch(what,
        greet = { print("printed"); message("a message"); list(greeting = "Grüß dich") },
        fail = inner(1),
        wait = { while (!file.exists("go")) Sys.sleep(0.05); "waited" },
        stream = stream_response(function(write) { write("one\n"); write("two\n") }),
        http = stream_response(status = 201, content_type = "text/plain", function(write) write("body"))
    )
}
"#;

/// An account with the function `greeter` and an alias of it.
fn account() -> Account {
    let account = Account::new();
    account.create_function(REGION, "greeter", json!({}));
    account
}

/// The same, with R's runtime to answer for it.
fn answering() -> (Account, Served, tempfile::TempDir) {
    let (account, code) = (account(), function(SCRIPT));
    let served = Served::start(code.path(), &[]);
    let port = served.address.rsplit(':').next().unwrap().parse().unwrap();
    account.proxy.let_functions_answer_at(port);
    (account, served, code)
}

fn invoke(account: &Account, arguments: &[&str]) -> Command {
    let mut command = account.r_layer(Path::new("/tmp"));
    command.args(["invoke", "--region", REGION]).args(arguments);
    command
}

fn greeter(account: &Account, what: &str, arguments: &[&str]) -> Command {
    let mut command = invoke(account, &["--function", "greeter"]);
    let event = json!({ "what": what }).to_string();
    command.args(["--event", &event]).args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn in_order(text: &str, parts: &[&str]) {
    let positions: Vec<usize> = parts
        .iter()
        .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")))
        .collect();
    assert!(positions.is_sorted(), "{text}");
}

#[test]
fn a_deployed_function_answers_as_one_on_this_machine() {
    let (account, _served, _code) = answering();
    let output = succeed(&mut greeter(&account, "greet", &[]));
    assert_eq!(text(&output.stdout), "{\"greeting\":\"Grüß dich\"}\n");
    let log = [
        "START RequestId: ",
        "printed",
        "a message",
        "END RequestId: ",
        "REPORT RequestId: ",
    ];
    in_order(&text(&output.stderr), &log);

    let output = succeed(&mut greeter(
        &account,
        "greet",
        &["--json", "--alias", "live", "-q"],
    ));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["result"]["greeting"], "Grüß dich");
    assert!(printed["report"]["durationMs"].is_number(), "{printed}");
    let log = text(&output.stderr);
    assert!(log.contains("printed") && !log.contains("REPORT"), "{log}");
    let requests = account.proxy.requests();
    let aliased = requests
        .iter()
        .filter(|request| request.path.ends_with("?Qualifier=live"));
    assert_eq!(aliased.count(), 1, "{requests:?}");
}

#[test]
fn a_function_error_is_laid_out_and_exits_with_1() {
    let (account, _served, _code) = answering();
    let error = fail(&mut greeter(&account, "fail", &[]), 1);
    in_order(
        &error,
        &[
            "REPORT RequestId",
            "\nsimpleError: no such luck (in ",
            "\n    inner(1) at script.R:",
        ],
    );
    for flags in [&["--json"][..], &["--json", "--stream"]] {
        let output = greeter(&account, "fail", flags).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["error"]["errorType"], "simpleError", "{printed}");
    }
}

#[test]
fn what_aws_refused_before_it_began_is_tried_again() {
    let (account, _served, _code) = answering();
    let on = |nth| account.proxy.on("Invoke").nth(nth);
    on(1).answer(faults::throttled(0));
    on(2).answer(faults::conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    ));
    let output = succeed(&mut greeter(&account, "greet", &[]));
    assert_eq!(account.proxy.count("Invoke"), 3, "{}", text(&output.stderr));

    account.proxy.forgive();
    let failed = "The function is currently in the following state: Failed";
    account.proxy.on("Invoke").answer(faults::conflict(failed));
    let error = fail(&mut greeter(&account, "greet", &[]), 1);
    assert!(
        error.contains("did not run") && error.contains("state: Failed"),
        "{error}"
    );
    assert_eq!(account.proxy.count("Invoke"), 4);
}

#[test]
fn an_answer_that_is_lost_is_told_and_the_function_is_not_invoked_again() {
    let (account, served, _code) = answering();
    for (cut, flags) in [
        (Cut::BeforeAnswer, &[][..]),
        (Cut::WithinAnswer, &[]),
        (Cut::WithinAnswer, &["--stream"]),
        (Cut::BeforeAnswer, &["--async"]),
    ] {
        account.proxy.forgive();
        account.proxy.forget();
        account.proxy.on_any().cut(cut);
        let error = fail(&mut greeter(&account, "greet", flags), 1);
        assert!(error.contains("may have run"), "{cut:?} {flags:?}: {error}");
        assert!(error.contains("r-layer logs greeter"), "{error}");
        assert_eq!(account.proxy.requests().len(), 1, "{cut:?} {flags:?}");
    }
    account.proxy.forgive();
    account.proxy.on("Invoke").answer(faults::internal_error());
    let error = fail(&mut greeter(&account, "greet", &[]), 1);
    assert!(error.contains("may have run"), "{error}");
    eventually(|| served.log().matches("REPORT RequestId").count() == 4);
}

#[test]
fn an_interruption_says_that_the_function_runs_on() {
    let (account, served, code) = answering();
    let child = greeter(&account, "wait", &[])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    eventually(|| served.log().contains("START RequestId"));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let note = text(&output.stderr);
    assert!(note.contains("greeter may run on at AWS"), "{note}");
    std::fs::write(code.path().join("go"), "").unwrap();
    eventually(|| served.log().contains("REPORT RequestId"));
}

#[test]
fn an_event_is_handed_over_and_not_waited_for() {
    let (account, served, _code) = answering();
    let output = succeed(&mut greeter(&account, "greet", &["--async"]));
    assert!(output.stdout.is_empty());
    let note = text(&output.stderr);
    assert!(note.contains("r-layer logs greeter --follow"), "{note}");
    let output = succeed(&mut greeter(&account, "greet", &["--async", "--json"]));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = printed["requestId"].as_str().unwrap().to_owned();
    eventually(|| served.log().contains(&format!("REPORT RequestId: {id}")));
}

#[test]
fn a_streamed_response_is_that_of_the_runtime() {
    let (account, _served, _code) = answering();
    for flags in [&["--stream"][..], &[]] {
        let output = succeed(&mut greeter(&account, "stream", flags));
        assert!(text(&output.stdout).starts_with("one\ntwo\n"), "{flags:?}");
        assert!(
            text(&output.stderr).contains("REPORT RequestId"),
            "{flags:?}"
        );
    }
    let output = succeed(&mut greeter(&account, "stream", &["--stream", "--json"]));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["result"], "one\ntwo\n");
    assert!(printed["report"]["durationMs"].is_number(), "{printed}");
}

/// `r-layer invoke --stream` of a function whose response is what comes out of a channel.
fn streaming(account: &Account, response: Body) -> Command {
    let response = std::sync::Mutex::new(Some(response));
    let answer = move || {
        let body = response.lock().unwrap().take().expect("one request");
        async { Response::new(body) }
    };
    let listener = runtime()
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = std::sync::Arc::new(answer);
    let app = Router::new().fallback(move || answer());
    runtime().spawn(async move { axum::serve(listener, app).await });
    let mut command = greeter(account, "stream", &["--stream"]);
    command.env("AWS_ENDPOINT_URL_LAMBDA", url);
    command
}

#[test]
fn a_streamed_response_is_shown_while_it_comes() {
    let account = account();
    let (sender, receiver) = futures_channel();
    let mut child = streaming(&account, receiver)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        line
    };
    let head = b"{\"statusCode\":201,\"headers\":{\"X-Kind\":\"a\"}}\0\0\0\0\0\0\0\0one\n";
    // In the middle of the prelude; each part is sent when the one before is seen.
    sender.send(event("PayloadChunk", &head[..20])).unwrap();
    sender.send(event("PayloadChunk", &head[20..])).unwrap();
    assert_eq!(line(), "one\n");
    sender.send(event("PayloadChunk", b"two\n")).unwrap();
    assert_eq!(line(), "two\n");
    let log = STANDARD.encode("START RequestId: a Version: 1\nEND RequestId: a\n");
    let error = json!({"errorType": "simpleError", "errorMessage": "late", "stackTrace": ["f(x)"]});
    let end = json!({"ErrorCode": "Function.SimpleError", "ErrorDetails": error.to_string(), "LogResult": log});
    sender
        .send(event("InvokeComplete", end.to_string().as_bytes()))
        .unwrap();
    drop(sender);
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(1));
    let parts = [
        "HTTP status 201",
        "X-Kind: a",
        "START RequestId: a",
        "simpleError: late",
        "\n    f(x)",
    ];
    in_order(&text(&stderr), &parts);
}

#[test]
fn a_streamed_response_without_its_end_is_lost() {
    let account = account();
    let (sender, receiver) = futures_channel();
    sender.send(event("PayloadChunk", b"one\n")).unwrap();
    drop(sender);
    let output = streaming(&account, receiver).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "one\n");
    let error = text(&output.stderr);
    assert!(error.contains("may have run"), "{error}");
}

/// Events, and the body that they are sent in.
fn futures_channel() -> (tokio::sync::mpsc::UnboundedSender<Vec<u8>>, Body) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<Vec<u8>>();
    let events = futures_util::stream::unfold(receiver, |mut receiver| async {
        let event = receiver.recv().await?;
        Some((Bytes::from(event), receiver))
    });
    let events = events.map(Ok::<_, std::io::Error>);
    (sender, Body::from_stream(events))
}

#[test]
fn what_cannot_be_invoked_says_what_to_type() {
    let account = account();
    let refused = |arguments: &[&str], expected: &[&str]| {
        let error = fail(&mut invoke(&account, arguments), 1);
        for part in expected {
            assert!(error.contains(part), "{part}: {error}");
        }
    };
    refused(
        &["--function", "greter"],
        &["no function greter", "did you mean greeter?"],
    );
    refused(
        &["--function", "other"],
        &["no function other", "there are greeter", "--region"],
    );
    let elsewhere = format!(
        "arn:aws:lambda:eu-west-1:{}:function:greeter",
        account.number()
    );
    refused(
        &["--function", &elsewhere],
        &["--region is eu-central-1", "eu-west-1"],
    );
    refused(
        &["--function", "greeter:1", "--alias", "live"],
        &["--qualifier is live", "says 1"],
    );
    account.proxy.forget();
    refused(
        &["--function", "greeter", "--event", "{x:1}"],
        &["not JSON"],
    );
    let event = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(event.path(), format!("\"{}\"", "x".repeat(1_048_577))).unwrap();
    let large = format!("@{}", event.path().display());
    refused(
        &["--function", "greeter", "--async", "--event", &large],
        &["1048579 bytes", "at most 1048576"],
    );
    let expected = ["--function", "greeter", "--expect-account", "999999999999"];
    refused(&expected, &["999999999999 is expected"]);
    assert_eq!(account.proxy.count("Invoke"), 0);

    let arn = format!(
        "arn:aws:lambda:{REGION}:{}:function:greeter",
        account.number()
    );
    let denied = faults::access_denied("user", "lambda:InvokeFunction", &arn);
    account.proxy.on("Invoke").answer(denied);
    refused(
        &["--function", &arn],
        &[
            r#""Action":"lambda:InvokeFunction""#,
            &format!(r#""Resource":"{arn}""#),
        ],
    );
    let mut command = account.r_layer(Path::new("/tmp"));
    let error = fail(command.args(["invoke", "--function", "greeter"]), 1);
    assert!(error.contains("type --region eu-central-1"), "{error}");
}

#[test]
fn flags_for_a_handler_here_are_refused() {
    let account = account();
    let error = fail(
        &mut invoke(&account, &["--function", "greeter", "--layer", "x.zip"]),
        2,
    );
    assert!(
        error.contains("--layer is for a handler that is invoked on this machine"),
        "{error}"
    );
    // A variable is for whoever can use it.
    account
        .proxy
        .on("Invoke")
        .answer(faults::invalid_parameter("seen"));
    let mut command = greeter(&account, "greet", &[]);
    let error = fail(command.env("R_LAYER_HANDLER", "script.handler"), 1);
    assert!(error.contains("seen"), "{error}");
}
