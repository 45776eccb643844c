//! `invoke`: the local Runtime API, the root like Lambda's, the REPORT line.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::parts::{fail, functions, r_layer, runtime_layer, succeed};

/// `invoke` of a handler in a folder of tests/fixtures/functions; `/tmp` is where it is typed.
fn invoke(functions_folder: &str, handler: &str, event: &str) -> Command {
    invoke_in(&functions(functions_folder), handler, event)
}

fn invoke_in(code: &Path, handler: &str, event: &str) -> Command {
    let mut command = r_layer(Path::new("/tmp"));
    command.args([
        "invoke",
        "--handler",
        handler,
        "--event",
        event,
        "--timeout",
        "30",
        "--layer",
    ]);
    command.arg(runtime_layer()).arg("--code").arg(code);
    command
}

/// A folder with a script.R of that text.
fn code(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script.R"), script).unwrap();
    folder
}

fn result(command: &mut Command) -> Value {
    let output = succeed(command.arg("--json"));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    printed["result"].clone()
}

#[test]
fn the_two_first_handlers_answer() {
    for (handler, event, expected) in [
        ("script.increment", r#"{"x":1}"#, "2\n"),
        ("script.parity", r#"{"number":5}"#, "{\"parity\":\"odd\"}\n"),
    ] {
        let output = succeed(&mut invoke("basics", handler, event));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        let log = String::from_utf8_lossy(&output.stderr);
        for part in [
            "START RequestId",
            "END RequestId",
            "REPORT RequestId",
            "Init Duration",
            "Max Memory Used",
        ] {
            assert!(log.contains(part), "{log}");
        }
    }
}

#[test]
fn what_a_handler_prints_is_its_log_and_not_its_result() {
    let output = succeed(&mut invoke("basics", "script.talk", "{}"));
    assert_eq!(output.stdout, b"\"done\"\n");
    let log = String::from_utf8_lossy(&output.stderr);
    for part in ["printed", "no newline at the end", "a message", "a warning"] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[test]
fn a_function_error_shows_its_type_message_and_trace() {
    let error = fail(&mut invoke("failing", "script.fails", r#"{"x":"deep"}"#), 1);
    assert!(error.contains("simpleError: inner deep"), "{error}");
    assert!(
        error.contains("inner(x)") && error.contains("script.R:"),
        "{error}"
    );

    let output = invoke("failing", "script.fails", r#"{"x":"deep"}"#)
        .arg("--json")
        .output()
        .unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let message = printed["error"]["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("inner deep (in "), "{message}");
    assert!(
        !printed["error"]["stackTrace"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert!(printed["report"]["durationMs"].is_number());
}

#[test]
fn an_init_error_says_what_is_wrong() {
    for (handler, expected) in [
        ("missing_package.handler", "r-layer add-packages notThere"),
        ("broken.handler", "broken while loading"),
        ("syntax.handler", "syntax.R"),
        ("absent.handler", "Source file does not exist: absent.[R|r]"),
        ("script.absent", "Function \"absent\" does not exist"),
    ] {
        let error = fail(&mut invoke("failing", handler, "{}"), 1);
        assert!(error.contains(expected), "{handler}: {error}");
    }
}

#[test]
fn the_time_out_is_enforced() {
    let folder = code("slow <- function() { message('begun'); system('sleep 60') }\n");
    let mut command = invoke_in(folder.path(), "script.slow", "{}");
    let error = fail(command.args(["--timeout", "1"]), 2);
    assert!(error.contains("--timeout"), "given twice: {error}");

    let mut command = r_layer(folder.path());
    command.args([
        "invoke",
        "--handler",
        "script.slow",
        "--timeout",
        "1",
        "--layer",
    ]);
    let error = fail(command.arg(runtime_layer()), 1);
    assert!(error.contains("begun"), "{error}");
    assert!(
        error.contains("Task timed out after 1.00 seconds"),
        "{error}"
    );
}

#[test]
fn a_process_that_ends_without_an_answer_is_reported() {
    let folder = code("dies <- function() tools::pskill(Sys.getpid(), 9)\n");
    let error = fail(&mut invoke_in(folder.path(), "script.dies", "{}"), 1);
    assert!(error.contains("Runtime.ExitError"), "{error}");
}

#[test]
fn a_handler_finds_what_lambda_has_and_nothing_else() {
    let folder = code(
        r#"
look <- function() {
    writable <- function(folder) {
        file <- tempfile(tmpdir = folder)
        suppressWarnings(tryCatch(file.create(file), error = function(e) FALSE))
    }
    folders <- c("/tmp", "/var/task", "/opt", "/etc", "/")
    context <- lambda_context()
    list(
        writable = folders[vapply(folders, writable, NA)],
        folder = getwd(),
        home = Sys.getenv("HOME"),
        variable = Sys.getenv("STAGE"),
        memory = Sys.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        arn = context$invoked_function_arn,
        in_time = context$remaining_time_in_millis() > 0 && context$remaining_time_in_millis() <= 30000,
        trace = grepl("^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=", Sys.getenv("_X_AMZN_TRACE_ID")),
        commands = unname(nzchar(Sys.which(c("bash", "sed", "curl", "perl", "which", "tar"))))
    )
}
"#,
    );
    let mut command = invoke_in(folder.path(), "script.look", "{}");
    let mut found = result(command.args(["--env", "STAGE=test=1", "--memory", "512"]));
    let arn = found["arn"].take();
    assert!(
        arn.as_str().unwrap().starts_with("arn:aws:lambda:"),
        "{arn}"
    );
    let expected = json!({
        "writable": "/tmp", "folder": "/var/task", "home": "/tmp", "variable": "test=1", "memory": "512",
        "arn": null, "in_time": true, "trace": true, "commands": [true, true, true, false, false, false],
    });
    assert_eq!(found, expected);
}

#[test]
fn an_event_comes_from_a_file_or_stdin() {
    let event = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(event.path(), r#"{"name":"日本"}"#).unwrap();
    let from_file = format!("@{}", event.path().display());
    assert_eq!(
        result(&mut invoke("basics", "script.greet", &from_file)),
        "Grüß dich, 日本"
    );

    let mut command = invoke("basics", "script.greet", "-");
    let file = std::fs::File::open(event.path()).unwrap();
    assert_eq!(result(command.stdin(Stdio::from(file))), "Grüß dich, 日本");
}

#[test]
fn wrong_use_says_what_to_type() {
    let fails_with = |command: &mut Command, expected: &str| {
        let error = fail(command, 1);
        assert!(error.contains(expected), "{expected}: {error}");
    };
    fails_with(
        &mut invoke("basics", "script.greet", "{name:1}"),
        "not JSON",
    );
    fails_with(
        &mut invoke("no_such_folder", "script.greet", "{}"),
        "--code",
    );
    fails_with(
        invoke("basics", "script.greet", "{}").args(["--env", "STAGE"]),
        "NAME=VALUE",
    );
    fails_with(
        invoke("basics", "script.greet", "{}").args(["--root", "alpine"]),
        "debian:SUITE",
    );
    let empty = tempfile::tempdir().unwrap();
    let root = format!("dir:{}", empty.path().display());
    fails_with(
        invoke("basics", "script.greet", "{}").args(["--root", &root]),
        "no libc.so.6",
    );
    fails_with(
        r_layer(empty.path()).args(["invoke", "--handler", "a.b"]),
        "r-layer build runtime",
    );
}
