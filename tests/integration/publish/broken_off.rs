//! Runs that are killed, and connections that are cut.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{done, make_layer, noise, project, project_of, recorded, run, versions};
use crate::aws::Account;
use crate::aws::proxy::faults::Cut;

const REGIONS: [&str; 3] = ["eu-west-1", "sa-east-1", "us-west-2"];
const NAMES: [&str; 2] = ["models", "reports"];
const KILLS: u64 = 30;

/// A number from 0 up to 1, the same for the same seed.
fn drawn(seed: u64) -> f64 {
    let bytes = noise(seed + 1000, 64);
    f64::from(u16::from_le_bytes([bytes[48], bytes[49]])) / f64::from(u16::MAX)
}

fn account() -> Account {
    let account = Account::new();
    account.proxy.on_any().delay(Duration::from_millis(20));
    account
}

/// How long it takes that nobody kills.
fn undisturbed() -> Duration {
    let (account, project) = (account(), project_of(&NAMES));
    let regions = REGIONS.join(",");
    let begun = Instant::now();
    done(run(
        &account,
        project.path(),
        &["publish", "--region", &regions, "--public"],
    ));
    begun.elapsed()
}

/// Publishes in an account of its own, kills it after that time, and publishes again.
fn killed_and_run_again(seed: u64, after: Duration) {
    let (account, project) = (account(), project_of(&NAMES));
    let regions = REGIONS.join(",");
    let publish = ["publish", "--region", &regions, "--public"];
    let mut command = account.r_layer(project.path());
    command
        .args(publish)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("r-layer starts");
    std::thread::sleep(after);
    child.kill().ok();
    child.wait().expect("its end");
    done(run(&account, project.path(), &publish));
    account.proxy.wait_until_idle();
    let mut expected = Vec::new();
    for name in NAMES {
        let layer = format!("r-{name}-4_5-x86_64");
        for region in REGIONS {
            let there = account.layer_versions(region, &layer);
            let [version] = &there[..] else {
                panic!("seed {seed}, killed after {after:?}: {region}: {there:?}")
            };
            assert_eq!(version.statements.len(), 1, "seed {seed}: {version:?}");
            expected.push((
                region.to_owned(),
                layer.clone(),
                version.version,
                json!(["public"]),
            ));
        }
    }
    assert_eq!(recorded(project.path()), expected, "seed {seed}");
}

#[test]
fn killed_at_any_moment_and_run_again_there_is_one_version_a_layer_and_region() {
    let whole = undisturbed();
    std::thread::scope(|scope| {
        for group in 0..6 {
            scope.spawn(move || {
                for seed in (group..KILLS).step_by(6) {
                    // Six at once are slower than the one that was timed.
                    killed_and_run_again(seed, whole.mul_f64(1.5 * drawn(seed)));
                }
            });
        }
    });
}

#[test]
fn an_upload_that_is_cut_begins_anew() {
    let (account, project) = (Account::new(), project());
    make_layer(project.path(), "models", &noise(1, 3_000_000));
    let cut = account.proxy.on("PublishLayerVersion").nth(1);
    cut.cut(Cut::AfterBytes(1_000_000));
    let out = done(run(
        &account,
        project.path(),
        &["publish", "--region", "eu-west-1"],
    ));
    assert!(out.contains("1 published"), "{out}");
    assert_eq!(versions(&account, "eu-west-1"), [1]);
    assert_eq!(account.proxy.count("PublishLayerVersion"), 2);
}

#[test]
fn an_answer_that_breaks_off_makes_no_second_version() {
    let (account, project) = (Account::new(), project());
    let cut = account.proxy.on("PublishLayerVersion").nth(1);
    cut.cut(Cut::WithinAnswer);
    done(run(
        &account,
        project.path(),
        &["publish", "--region", "eu-west-1"],
    ));
    assert_eq!(versions(&account, "eu-west-1"), [1]);
    assert_eq!(account.proxy.count("PublishLayerVersion"), 1);
}
