//! What AWS and others do meanwhile: changes that are under way, conflicts, answers that are late or lost, interruptions.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::making::{Making, Ran, Stage, zip_with};
use crate::aws::proxy::faults::{self, Cut};
use crate::interrupted::send;

const ATTACH: [&str; 4] = ["attach", "f", "--layer", "models"];

fn in_progress(answer: &mut Value) {
    answer["Configuration"]["LastUpdateStatus"] = "InProgress".into();
}

/// The function has runtime and models.
#[track_caller]
fn is_attached(stage: &Stage) {
    let layers = stage.lambda().layers_of("f");
    assert_eq!(layers, [stage.runtime.as_str(), &stage.models]);
}

#[test]
fn a_change_that_is_under_way_is_waited_for_before_and_after() {
    let stage = Stage::new();
    let proxy = &stage.account.proxy;
    proxy.on("GetFunction").first(2).edit(in_progress);
    proxy.on("GetFunction").nth(4).edit(in_progress);
    stage
        .run(&ATTACH)
        .ended(0)
        .said(&["f in eu-central-1: waiting for a change that is under way"]);
    is_attached(&stage);
    assert_eq!(proxy.count("GetFunction"), 5);
    assert_eq!(proxy.changes(), ["UpdateFunctionConfiguration"]);
}

#[test]
fn patience_ends_when_it_was_told_to() {
    let stage = Stage::new();
    stage.account.proxy.on("GetFunction").edit(in_progress);
    stage
        .run(&["attach", "f", "--layer", "models", "--wait", "1s"])
        .ended(1)
        .said(&["f: AWS is still at a change after 1 s", "--wait"]);
    assert_eq!(stage.account.proxy.changes(), [""; 0]);
    stage
        .run(&["attach", "f", "--wait", "1"])
        .ended(2)
        .said(&["type it as 90s (seconds) or 5m (minutes)"]);
}

#[test]
fn a_change_that_aws_cannot_carry_out_is_told_with_its_reason() {
    let stage = Stage::new();
    stage.account.proxy.on("GetFunction").nth(2).edit(|answer| {
        answer["Configuration"]["LastUpdateStatus"] = "Failed".into();
        answer["Configuration"]["LastUpdateStatusReason"] = "the VPC has no address left".into();
    });
    stage.run(&ATTACH).ended(1).said(&[
        "AWS could not carry out the change: the VPC has no address left",
        "done before that: the layers are changed",
    ]);
}

#[test]
fn conflicts_are_looked_at_again() {
    for refusal in [faults::update_in_progress("f"), faults::revision_differs()] {
        let stage = Stage::new();
        let proxy = &stage.account.proxy;
        proxy
            .on("UpdateFunctionConfiguration")
            .nth(1)
            .answer(refusal);
        stage
            .run(&ATTACH)
            .ended(0)
            .said(&["somebody else changes it too; looking again"]);
        is_attached(&stage);
        assert_eq!(proxy.count("UpdateFunctionConfiguration"), 2);
    }
}

#[test]
fn what_somebody_else_attaches_in_between_stays() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let other = lambda.publish_other("other", "", None, &zip_with("lib/x", ""));
    let late = Duration::from_millis(700);
    let update = || stage.account.proxy.on("UpdateFunctionConfiguration");
    update().nth(1).delay(late);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| stage.run(&ATTACH));
        while stage.account.proxy.count("UpdateFunctionConfiguration") == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        lambda.set_layers("f", &[&other, &stage.runtime]);
        running.join().expect("it ran").ended(0);
    });
    assert_eq!(
        lambda.layers_of("f"),
        [other.as_str(), &stage.runtime, &stage.models]
    );
}

#[test]
fn two_at_once_lose_nothing_of_each_other() {
    let stage = Stage::new();
    let lambda = stage.lambda();
    let tables = Making {
        name: "tables",
        ..Making::default()
    };
    let tables = lambda.publish(&tables.build());
    std::thread::scope(|scope| {
        for layer in ["models", "tables"] {
            let stage = &stage;
            scope.spawn(move || stage.run(&["attach", "f", "--layer", layer]).ended(0));
        }
    });
    let mut layers = lambda.layers_of("f");
    layers[1..].sort();
    assert_eq!(
        layers,
        [stage.runtime.clone(), stage.models.clone(), tables]
    );
}

#[test]
fn an_answer_that_is_lost_or_refused_for_now_is_asked_for_again() {
    let stage = Stage::new();
    let proxy = &stage.account.proxy;
    proxy.on("GetFunction").nth(1).answer(faults::throttled(1));
    let update = || proxy.on("UpdateFunctionConfiguration");
    update().nth(1).cut(Cut::BeforeAnswer);
    proxy.on("CreateAlias").nth(1).cut(Cut::BeforeAnswer);
    let live = [&ATTACH[..], &["--alias", "live"]].concat();
    stage.run(&live).ended(0);
    is_attached(&stage);
    assert_eq!(stage.lambda().alias("f", "live"), "1");
}

#[test]
fn an_answer_of_before_the_change_is_not_taken_for_its_end() {
    let stage = Stage::new();
    let proxy = &stage.account.proxy;
    let before: Arc<Mutex<Value>> = Arc::default();
    let (saved, shown) = (before.clone(), before);
    let get = || proxy.on("GetFunction");
    get()
        .nth(1)
        .edit(move |answer| *saved.lock().unwrap() = answer.clone());
    get()
        .nth(2)
        .edit(move |answer| *answer = shown.lock().unwrap().clone());
    stage.run(&ATTACH).ended(0);
    is_attached(&stage);
    assert_eq!(proxy.count("GetFunction"), 3);
    assert_eq!(proxy.changes(), ["UpdateFunctionConfiguration"]);
}

#[test]
fn interrupted_it_says_what_was_done_and_a_second_run_does_the_rest() {
    let stage = Stage::new();
    let seen = AtomicUsize::new(0);
    stage.account.proxy.on("GetFunction").edit(move |answer| {
        if seen.fetch_add(1, Ordering::SeqCst) > 0 {
            in_progress(answer);
        }
    });
    let live = [&ATTACH[..], &["--alias", "live"]].concat();
    let rest = interrupted(&stage, &live, "waiting for a change");
    assert!(
        rest.contains("f: stopped in the middle; done: the layers are changed."),
        "{rest}"
    );
    let proxy = &stage.account.proxy;
    proxy.forgive();
    proxy.forget();
    stage
        .run(&live)
        .ended(0)
        .said(&["new alias live points at it"]);
    assert_eq!(proxy.changes(), ["PublishVersion", "CreateAlias"]);
    is_attached(&stage);
}

/// Runs a command until it says these words, interrupts it, and returns what it says then.
fn interrupted(stage: &Stage, arguments: &[&str], words: &str) -> String {
    let mut child = stage
        .r_layer(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("r-layer runs");
    let mut said = BufReader::new(child.stderr.take().expect("its stderr"));
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert_ne!(said.read_line(&mut line).expect("a line"), 0, "it ended");
    }
    send(Signal::INT, &child);
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("the rest");
    assert_eq!(child.wait().expect("its end").code(), Some(130));
    rest
}

#[test]
fn interrupted_before_aws_answered_it_says_that_nobody_knows() {
    let stage = Stage::new();
    let proxy = &stage.account.proxy;
    let update = proxy.on("UpdateFunctionConfiguration");
    update.delay(Duration::from_secs(1));
    let rest = interrupted(&stage, &ATTACH, "changing its layers");
    assert!(
        rest.contains(
            "f: stopped in the middle; a change was sent, which AWS may have taken or not"
        ),
        "{rest}"
    );
    proxy.wait_until_idle();
    stage.run(&ATTACH).ended(0);
    is_attached(&stage);
}

#[test]
fn a_region_that_is_not_enabled_fails_alone() {
    let stage = Stage::new();
    let away = || stage.account.proxy.on_any().in_region("me-south-1");
    away().answer(faults::region_not_enabled());
    let regions = ["--region", "eu-central-1,me-south-1"];
    let ran: Ran = stage.run(&[&ATTACH[..], &regions].concat());
    ran.ended(3).said(&[
        "f in eu-central-1: changed",
        "region me-south-1 is not enabled",
    ]);
    is_attached(&stage);
}
