//! `logs`: CloudWatch Logs as moto plays it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::aws::Account;
use crate::aws::proxy::faults::{self, Cut};
use crate::parts::{fail, succeed};

const REGION: &str = "eu-central-1";
const GROUP: &str = "/aws/lambda/greeter";
const STREAM: &str = "2026/11/24/[$LATEST]0123";
const ID: &str = "11111111-2222-4333-8444-555555555555";

fn account() -> Account {
    let account = Account::new();
    account.create_function(REGION, "greeter", json!({}));
    account
}

fn logs(account: &Account, arguments: &[&str]) -> Command {
    let mut command = account.r_layer(Path::new("/tmp"));
    command
        .args(["logs", "greeter", "--region", REGION])
        .args(arguments);
    command
}

fn shown(account: &Account, arguments: &[&str]) -> String {
    let output = succeed(&mut logs(account, arguments));
    String::from_utf8(output.stdout).unwrap()
}

/// So many seconds ago, in milliseconds since 1970.
fn ago(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap() - seconds * 1000
}

/// What is behind the times.
fn without_times(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| match line.split_once("Z ") {
        Some((time, rest)) if time.starts_with("20") => rest.to_owned(),
        _ => line.to_owned(),
    });
    lines.collect()
}

#[test]
fn entries_of_text_and_json_are_laid_out() {
    let account = account();
    let start = format!("START RequestId: {ID} Version: $LATEST\n");
    let report = format!(
        "REPORT RequestId: {ID}\tDuration: 1.50 ms\tBilled Duration: 35 ms\tMemory Size: 128 MB\tMax Memory Used: 90 MB\t\
         Init Duration: 33.20 ms\t\n"
    );
    let record = json!({"timestamp": "2026-11-24T17:51:23.321Z", "level": "ERROR", "message": "simpleError: no",
        "logger": "runtime", "requestId": ID, "errorType": "simpleError", "errorMessage": "no",
        "stackTrace": ["f(x = 1L)", "stop(\"no\") at script.R:2"]})
    .to_string();
    let end = format!("END RequestId: {ID}\n");
    let events = [
        start.as_str(),
        "2026-11-24 17:51:23 INFO:handler:order accepted id=17\n",
        "Warning in sqrt(x) : NaNs produced\n",
        "[1] 2\n",
        &record,
        &end,
        &report,
    ];
    let events: Vec<(i64, &str)> = (0..).map(|n| ago(60) + n).zip(events).collect();
    account.put_log_events(REGION, GROUP, STREAM, &events);
    let text = shown(&account, &[]);
    assert_eq!(
        without_times(&text),
        [
            "START  11111111 version $LATEST",
            "INFO   11111111 order accepted id=17",
            "WARN   11111111 NaNs produced",
            "    in sqrt(x)",
            "       11111111 [1] 2",
            "ERROR  11111111 simpleError: no",
            "    f(x = 1L)",
            "    stop(\"no\") at script.R:2",
            "REPORT 11111111 1.50 ms, billed 35 ms, 90 of 128 MB, init 33.20 ms",
        ]
    );
    let json = shown(&account, &["--json", "--filter", "simpleError"]);
    let events: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [event] = events.as_slice() else {
        panic!("{json}")
    };
    assert_eq!(event["requestId"], ID);
    assert_eq!(event["logStream"], STREAM);
    assert_eq!(event["record"]["stackTrace"][0], "f(x = 1L)");
    assert_eq!(event["message"], record.as_str());
}

#[test]
fn what_is_wanted_is_between_two_times_and_at_most_so_many() {
    let account = account();
    let events = [
        (ago(7_200), "two hours ago"),
        (ago(600), "ten minutes ago"),
        (ago(60), "a minute ago"),
        (ago(1), "now"),
    ];
    account.put_log_events(REGION, GROUP, STREAM, &events);
    for (arguments, expected) in [
        (&[][..], &["ten minutes ago", "a minute ago", "now"][..]),
        (
            &["--since", "3h", "--until", "5m"],
            &["two hours ago", "ten minutes ago"],
        ),
        (&["--since", "1d", "--limit", "2"], &["a minute ago", "now"]),
        (&["--since", "1d", "--filter", "hours"], &["two hours ago"]),
        (&["--since", "0s"], &[]),
    ] {
        let text = shown(&account, arguments);
        let lines: Vec<&str> = text.lines().map(|line| line[24..].trim()).collect();
        assert_eq!(lines, expected, "{arguments:?}");
    }
    let output = succeed(&mut logs(&account, &["--since", "0s"]));
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(note.contains("--since 7d"), "{note}");
}

#[test]
fn every_page_is_read() {
    let account = account();
    let texts: Vec<String> = (0..10_050).map(|n| format!("line {n}")).collect();
    let begin = ago(600);
    let events: Vec<(i64, &str)> = (begin..).zip(texts.iter().map(String::as_str)).collect();
    for some in events.chunks(5_000) {
        account.put_log_events(REGION, GROUP, STREAM, some);
    }
    let text = shown(&account, &[]);
    assert_eq!(text.lines().count(), texts.len());
    assert!(text.ends_with(" line 10049\n"));
    assert_eq!(account.proxy.count("FilterLogEvents"), 2);
}

#[test]
fn following_shows_each_event_once_also_those_that_come_late() {
    let account = account();
    account.put_log_events(REGION, GROUP, STREAM, &[(ago(30), "first")]);
    // A fault of AWS ends nothing, and an answer that breaks off loses nothing.
    account
        .proxy
        .on("FilterLogEvents")
        .nth(2)
        .cut(Cut::WithinAnswer);
    account
        .proxy
        .on("FilterLogEvents")
        .nth(4)
        .answer(faults::internal_error());
    let mut child = logs(&account, &["--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        line.get(24..).unwrap_or_default().trim().to_owned()
    };
    assert_eq!(next(), "first");
    account.put_log_events(REGION, GROUP, STREAM, &[(ago(0), "second")]);
    assert_eq!(next(), "second");
    // Older than what was shown, and of another sandbox.
    let other = "2026/11/24/[$LATEST]4567";
    account.put_log_events(REGION, GROUP, other, &[(ago(20), "late")]);
    assert_eq!(next(), "late");
    account.put_log_events(REGION, GROUP, STREAM, &[(ago(0), "last")]);
    assert_eq!(next(), "last");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(next(), "");
}

#[test]
fn following_ends_when_nobody_reads_it() {
    let account = account();
    account.put_log_events(REGION, GROUP, STREAM, &[(ago(30), "first")]);
    let mut child = logs(&account, &["--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    account.put_log_events(REGION, GROUP, STREAM, &[(ago(0), "second")]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_group_of_ones_own_is_read_for_the_function_alone() {
    let account = account();
    account.proxy.on("GetFunctionConfiguration").edit(|answer| {
        answer["LoggingConfig"] = json!({"LogFormat": "JSON", "LogGroup": "all-functions"});
    });
    let put = |stream: &str, text: &str| {
        account.put_log_events(REGION, "all-functions", stream, &[(ago(10), text)]);
    };
    put("2026/11/24/greeter[$LATEST][0123]", "newest");
    put("2026/11/24/greeter[3][0123]", "third");
    put("2026/11/24/other[$LATEST][0123]", "of another");
    let text = shown(&account, &[]);
    assert!(text.contains("newest") && text.contains("third"), "{text}");
    assert!(!text.contains("of another"), "{text}");
    let mut command = account.r_layer(Path::new("/tmp"));
    let output = succeed(command.args(["logs", "greeter:3", "--region", REGION]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("third") && !text.contains("newest"), "{text}");
}

#[test]
fn what_has_no_log_says_why() {
    let account = account();
    let refused = |arguments: &[&str], status, expected: &[&str]| {
        let mut command = account.r_layer(Path::new("/tmp"));
        command.args(["logs", "--region", REGION]).args(arguments);
        let error = fail(&mut command, status);
        for part in expected {
            assert!(error.contains(part), "{part}: {error}");
        }
    };
    let never = ["never invoked", "AWSLambdaBasicExecutionRole", GROUP];
    refused(&["greeter"], 1, &never);
    refused(&["greter"], 1, &["did you mean greeter?"]);
    refused(&["greeter:live"], 1, &["`live` is an alias"]);
    refused(
        &["greeter", "--since", "1h", "--until", "2h"],
        1,
        &["--until is before --since"],
    );
    refused(&["greeter", "--since", "yesterday"], 2, &["1h30m"]);
    refused(&["greeter", "--since", "2999-01-01"], 1, &["yet to come"]);
    refused(&["greeter", "--follow", "--until", "1m"], 2, &["--until"]);

    // A function that was deleted leaves its log.
    account.put_log_events(
        REGION,
        "/aws/lambda/gone",
        STREAM,
        &[(ago(10), "last words")],
    );
    let mut command = account.r_layer(Path::new("/tmp"));
    let output = succeed(command.args(["logs", "gone", "--region", REGION]));
    assert!(String::from_utf8_lossy(&output.stdout).contains("last words"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no function gone"));

    // Who may not see the configuration gets the usual place.
    account.put_log_events(REGION, GROUP, STREAM, &[(ago(10), "hello")]);
    let denied = |action: &str| faults::access_denied("user", action, "it");
    account
        .proxy
        .on("GetFunctionConfiguration")
        .answer(denied("lambda:GetFunctionConfiguration"));
    assert!(shown(&account, &[]).contains("hello"));
    account
        .proxy
        .on("FilterLogEvents")
        .answer(denied("logs:FilterLogEvents"));
    let statement = r#""Resource":"arn:aws:logs:eu-central-1:*:log-group:/aws/lambda/greeter:*""#;
    refused(
        &["greeter"],
        1,
        &[r#""Action":"logs:FilterLogEvents""#, statement],
    );
}
