//! `--watch`: changed code is what the next event finds.

use serde_json::json;

use super::served::{Served, eventually, function};

/// A handler whose result tells of which text it is, and that counts its events.
fn script(version: &str) -> String {
    format!(
        "events <- 0\n\
        handler <- function(seconds = 0) {{\n\
            events <<- events + 1\n\
            message(\"begun\")\n\
            Sys.sleep(seconds)\n\
            list(version = \"{version}\", event = events)\n\
        }}\n"
    )
}

#[test]
fn code_that_changes_begins_a_new_session_after_the_event_in_progress() {
    let folder = function(&script("first"));
    let file = folder.path().join("script.R");
    let served = Served::start(folder.path(), &["--watch"]);
    let in_progress = std::thread::scope(|scope| {
        let call = scope.spawn(|| served.post(r#"{"seconds":2}"#).json());
        eventually(|| served.log().contains("begun"));
        std::fs::write(&file, script("second")).unwrap();
        call.join().unwrap()
    });
    assert_eq!(in_progress, json!({ "version": "first", "event": 1 }));
    eventually(|| served.log().contains("changed: script.R; the next event"));
    assert_eq!(served.post("{}").json()["version"], "second");

    // Editors write a file beside it and rename that.
    let beside = folder.path().join(".script.R.swp");
    std::fs::write(&beside, script("third")).unwrap();
    std::fs::rename(&beside, &file).unwrap();
    eventually(|| served.log().matches("changed:").count() == 2);
    let answer = served.post("{}").json();
    assert_eq!(answer, json!({ "version": "third", "event": 1 }));
}

#[test]
fn what_tools_leave_beside_the_code_ends_no_session() {
    let folder = function(&script("only"));
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let served = Served::start(folder.path(), &["--watch"]);
    assert_eq!(served.post("{}").json()["event"], 1);
    std::fs::write(folder.path().join(".git/index"), "x").unwrap();
    std::fs::write(folder.path().join("script.R~"), "x").unwrap();
    assert_eq!(served.post("{}").json()["event"], 2);
    std::fs::write(folder.path().join("data.csv"), "x").unwrap();
    eventually(|| served.log().contains("changed: data.csv; the next event"));
    assert_eq!(served.post("{}").json()["event"], 1);
    assert_eq!(served.log().matches("changed:").count(), 1);
}

#[test]
fn a_function_that_cannot_start_says_so_at_each_event_until_it_is_repaired() {
    let folder = function("stop('broken while loading')\n");
    let served = Served::start(folder.path(), &["--watch"]);
    for _ in 0..2 {
        let answer = served.post("{}");
        assert_eq!(answer.header("x-amz-function-error"), "Unhandled");
        let error = answer.json();
        assert_eq!(error["errorMessage"], "broken while loading");
        assert!(error["stackTrace"].is_array(), "{error}");
    }
    std::fs::write(folder.path().join("script.R"), script("repaired")).unwrap();
    eventually(|| served.log().contains("changed: script.R"));
    assert_eq!(served.post("{}").json()["version"], "repaired");
}

#[test]
fn without_it_a_session_keeps_the_code_that_it_began_with() {
    let folder = function(&script("first"));
    let served = Served::start(folder.path(), &[]);
    assert_eq!(served.post("{}").json()["event"], 1);
    std::fs::write(folder.path().join("script.R"), script("second")).unwrap();
    let answer = served.post("{}").json();
    assert_eq!(answer, json!({ "version": "first", "event": 2 }));
}
