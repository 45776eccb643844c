//! `invoke --serve`: a function that stays, called by curl, by AWS's own clients, and stopped in the middle.

mod clients;
pub mod served;
mod watch;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::parts::{fail, r_layer};
use served::{Answer, Served, eventually, function};

/// A handler that counts its events in a global variable, and does what it is told.
const SCRIPT: &str = r#"
events <- 0
handler <- function(what = "count", context) {
    events <<- events + 1
    switch(what,
        count = events,
        print = { print("printed"); message("a message"); "done" },
        chatter = { cat(strrep("x", 10000)); "done" },
        wait = { while (!file.exists("go")) Sys.sleep(0.05); events },
        fail = stop("no such luck"),
        quit = quit(status = 3),
        die = tools::pskill(Sys.getpid(), 9),
        sleep = system("sleep 120"),
        context = context$client_context
    )
}
"#;

fn what(name: &str) -> String {
    json!({ "what": name }).to_string()
}

/// A function's own error.
fn error(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.header("x-amz-function-error"),
        "Unhandled",
        "{answer:?}"
    );
    answer.json()
}

#[test]
fn one_session_answers_event_after_event() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    for expected in 1..=3 {
        let answer = served.post("{}");
        assert_eq!((answer.status, answer.json()), (200, json!(expected)));
        assert_eq!(answer.header("x-amz-executed-version"), "$LATEST");
        let id = answer.header("x-amzn-requestid");
        let log = served.log();
        assert!(log.contains(&format!("END RequestId: {id}")), "{id}: {log}");
    }
    // The AWS SDKs put the function's own name into the path; no event is an empty one.
    let path = "/2015-03-31/functions/my-function/invocations?Qualifier=live";
    assert_eq!(served.curl(path, &["--data", ""], "").json(), 4);
    let log = served.log();
    assert_eq!(log.matches("REPORT RequestId").count(), 4, "{log}");
    assert_eq!(log.matches("Init Duration").count(), 1, "{log}");
}

#[test]
fn twenty_calls_at_once_are_answered_one_after_another() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    let mut counts = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| served.post("{}").json().as_i64().unwrap()))
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().unwrap())
            .collect::<Vec<_>>()
    });
    counts.sort_unstable();
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
}

#[test]
fn a_functions_error_is_the_runtimes_json_and_ends_no_session() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    let failed = error(&served.post(&what("fail")));
    let message = failed["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("no such luck (in "), "{message}");
    assert_eq!(failed["errorType"], "simpleError");
    assert!(!failed["stackTrace"].as_array().unwrap().is_empty());
    error(&served.post(&what("quit")));
    assert_eq!(served.post("{}").json(), 3);
}

#[test]
fn a_runtime_that_died_is_started_anew_by_the_next_event() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    let died = served.curl_event(&["--header", "X-Amz-Log-Type: Tail"], &what("die"));
    assert_eq!(error(&died)["errorType"], "Runtime.ExitError");
    assert!(tail(&died).contains("Error Type: Runtime.ExitError"));
    assert_eq!(served.post("{}").json(), 1);

    // It may also die while there is nothing to do.
    let [sandbox] = served.children()[..] else {
        panic!("one child: {:?}", served.children())
    };
    kill_process(Pid::from_raw(sandbox).unwrap(), Signal::KILL).unwrap();
    eventually(|| !served::runs(sandbox));
    assert_eq!(served.post("{}").json(), 1);
    assert_eq!(served.post("{}").json(), 2);
}

#[test]
fn a_runtime_whose_time_is_over_is_started_anew_by_the_next_event() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &["--timeout", "4"]);
    assert_eq!(served.post("{}").json(), 1);
    let late = error(&served.post(&what("sleep")));
    assert_eq!(late["errorType"], "Sandbox.Timedout");
    let message = late["errorMessage"].as_str().unwrap();
    assert!(
        message.contains("Task timed out after 4.00 seconds"),
        "{message}"
    );
    assert_eq!(served.post("{}").json(), 1);
    assert!(served.log().contains("Status: timeout"));
}

#[test]
fn a_runtime_that_takes_too_long_to_start_is_started_again_within_the_invocation() {
    let folder = function(&format!(
        "while (!file.exists(\"go\")) Sys.sleep(0.05)\n{SCRIPT}"
    ));
    let served = Served::start(folder.path(), &[]);
    let answer = std::thread::scope(|scope| {
        let call = scope.spawn(|| served.post("{}").json());
        eventually(|| served.log().contains("INIT_REPORT"));
        std::fs::write(folder.path().join("go"), "").unwrap();
        call.join().unwrap()
    });
    assert_eq!(answer, 1);
    let log = served.log();
    assert!(!log.contains("\tInit Duration"), "{log}");
    assert_eq!(served.post("{}").json(), 2);
}

#[test]
fn an_event_that_nobody_waits_for_is_answered_in_its_turn() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    let header = ["--header", "X-Amz-Invocation-Type: Event"];
    let taken = served.curl_event(&header, &what("wait"));
    assert_eq!((taken.status, taken.body.as_slice()), (202, &b""[..]));
    let next = std::thread::scope(|scope| {
        let call = scope.spawn(|| served.post("{}").json());
        // Not before now does it end.
        std::fs::write(folder.path().join("go"), "").unwrap();
        call.join().unwrap()
    });
    assert_eq!(next, 2);
    let id = taken.header("x-amzn-requestid");
    assert!(served.log().contains(&format!("END RequestId: {id}")));

    let dry = served.curl_event(&["--header", "X-Amz-Invocation-Type: DryRun"], "{}");
    assert_eq!(dry.status, 204);
    assert_eq!(served.post("{}").json(), 3);
}

#[test]
fn an_event_whose_caller_went_away_before_its_turn_is_dropped() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    assert_eq!(served.post("{}").json(), 1);
    let header = ["--header", "X-Amz-Invocation-Type: Event"];
    served.curl_event(&header, &what("wait"));
    let url = format!("{}{}", served.address, served::PATH);
    let impatient = std::process::Command::new("curl")
        .args(["--silent", "--max-time", "0.5", "--data", "{}", &url])
        .output()
        .unwrap();
    assert_eq!(impatient.status.code(), Some(28), "{impatient:?}");
    std::fs::write(folder.path().join("go"), "").unwrap();
    assert_eq!(served.post("{}").json(), 3);
    assert!(served.log().contains("went away"));
}

fn tail(answer: &Answer) -> String {
    let log = STANDARD.decode(answer.header("x-amz-log-result")).unwrap();
    String::from_utf8(log).unwrap()
}

#[test]
fn the_end_of_the_log_is_sent_to_who_asks_for_it() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    let header = ["--header", "X-Amz-Log-Type: Tail"];
    served.curl_event(&header, &what("print"));
    let answer = served.curl_event(&header, &what("print"));
    let (id, log) = (answer.header("x-amzn-requestid"), tail(&answer));
    let positions: Vec<usize> = [
        &format!("START RequestId: {id}"),
        "printed",
        "a message",
        &format!("END RequestId: {id}"),
        &format!("REPORT RequestId: {id}"),
    ]
    .iter()
    .map(|part| log.find(part).unwrap_or_else(|| panic!("{part}: {log}")))
    .collect();
    assert!(log.starts_with("START"), "{log}");
    assert!(positions.is_sorted(), "{log}");

    let long = tail(&served.curl_event(&header, &what("chatter")));
    assert_eq!(long.len(), 4096);
    assert!(long.starts_with("xxx") && long.contains("REPORT"), "{long}");
    assert!(!served.post("{}").headers.contains_key("x-amz-log-result"));
}

#[test]
fn a_client_context_reaches_the_handler() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    let context = json!({ "custom": { "name": "日本", "n": 1 } });
    let header = format!(
        "X-Amz-Client-Context: {}",
        STANDARD.encode(context.to_string())
    );
    let answer = served.curl_event(&["--header", &header], &what("context"));
    assert_eq!(answer.json(), context);
    assert_eq!(served.post(&what("context")).json(), Value::Null);
    let wrong = served.curl_event(&["--header", "X-Amz-Client-Context: {}"], "{}");
    assert_eq!(wrong.status, 400);
}

#[test]
fn what_lambda_refuses_is_refused_and_says_what_is_right() {
    let folder = function(SCRIPT);
    let served = Served::start(folder.path(), &[]);
    let refused = |answer: Answer, status, kind: &str, message: &str| {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("x-amzn-errortype"), kind);
        let said = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(said.contains(message), "{said}");
    };
    let large = format!("\"{}\"", "x".repeat(6_291_456));
    let kind = "RequestTooLargeException";
    refused(served.post(&large), 413, kind, "6291456 bytes");
    let header = ["--header", "X-Amz-Invocation-Type: Event"];
    let larger = served.curl_event(&header, &large[..1_048_577]);
    refused(larger, 413, kind, "1048576 bytes");
    let kind = "InvalidRequestContentException";
    refused(served.post("{x:1}"), 400, kind, "into json");
    let header = ["--header", "X-Amz-Invocation-Type: Later"];
    let later = served.curl_event(&header, "{}");
    refused(later, 400, "InvalidParameterValueException", "DryRun");
    for path in ["/", "/invocations", "/2015-03-31/functions/function"] {
        let answer = served.curl(path, &["--data", "{}"], "");
        refused(answer, 404, "UnknownOperationException", served::PATH);
    }
    let greeting = served.curl("/", &[], "");
    assert_eq!(greeting.status, 200);
    assert!(String::from_utf8_lossy(&greeting.body).contains(served::PATH));
    // None of that was an event.
    assert_eq!(served.post("{}").json(), 1);
}

#[test]
fn an_interruption_ends_the_session_and_leaves_no_process() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = function(SCRIPT);
        let mut served = Served::start(folder.path(), &["--host", "127.0.0.2"]);
        assert!(served.address.starts_with("http://127.0.0.2:"));
        assert_eq!(served.post("{}").json(), 1);
        let processes = served.descendants();
        assert!(processes.len() >= 2, "bubblewrap and R: {processes:?}");
        // In the middle of an event, too.
        served.curl_event(
            &["--header", "X-Amz-Invocation-Type: Event"],
            &what("sleep"),
        );
        assert_eq!(served.stop(signal), Some(130));
        eventually(|| processes.iter().all(|process| !served::runs(*process)));
    }
}

#[test]
fn wrong_use_says_what_to_type() {
    let folder = function(SCRIPT);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let serve = |arguments: &[&str]| {
        let mut command = r_layer(folder.path());
        command.args(["invoke", "--handler", "script.handler"]);
        command.args(arguments);
        command
    };
    let error = fail(&mut serve(&["--serve", &port]), 1);
    assert!(
        error.contains(&port) && error.contains("--serve 0"),
        "{error}"
    );
    let error = fail(&mut serve(&["--serve", "0", "--host", "192.0.2.1"]), 1);
    assert!(error.contains("0.0.0.0"), "{error}");
    fail(&mut serve(&["--serve", "0", "--event", "{}"]), 2);
    fail(&mut serve(&["--watch"]), 2);
    fail(&mut serve(&["--host", "127.0.0.1"]), 2);
}
