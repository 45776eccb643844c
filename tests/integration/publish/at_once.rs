//! Two runs at once, regions that are slow, and how many requests a region gets.

use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use super::{LAYER, done, project, project_of, recorded, run, text, versions};
use crate::aws::Account;
use crate::parts::cache_sharing;

const PUBLISH: [&str; 4] = ["publish", "--region", "eu-west-1", "--public"];

fn started(account: &Account, folder: &Path, cache: Option<&Path>) -> Child {
    let mut command = account.r_layer(folder);
    if let Some(cache) = cache {
        command.env("R_LAYER_CACHE", cache);
    }
    command.args(PUBLISH);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("r-layer starts")
}

fn ended(child: Child) -> Output {
    child.wait_with_output().expect("its end")
}

/// Waits until a request of that operation came.
fn wait_for(account: &Account, operation: &str) {
    while account.proxy.count(operation) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn of_two_runs_on_one_machine_the_second_waits_and_finds_what_the_first_has_made() {
    let (account, project) = (Account::new(), project());
    let late = account.proxy.on("PublishLayerVersion");
    late.delay(Duration::from_secs(2));
    let first = started(&account, project.path(), None);
    wait_for(&account, "PublishLayerVersion");
    let second = ended(started(&account, project.path(), None));
    assert!(done(ended(first)).contains("1 published"));
    let told = text(&second.stderr);
    assert!(told.contains("waiting for it"), "{told}");
    assert!(done(second).contains("1 there already"));
    assert_eq!(account.proxy.count("PublishLayerVersion"), 1);
}

/// Two machines that find nothing and publish both, each with a record of its own.
fn two_machines(account: &Account) {
    let projects = [project(), project()];
    let zip = super::zip_name("models");
    std::fs::copy(projects[0].path().join(&zip), projects[1].path().join(&zip)).expect("a copy");
    let caches = [cache_sharing(&[]), cache_sharing(&[])];
    let late = account.proxy.on("PublishLayerVersion");
    late.delay(Duration::from_millis(1500));
    let runs = [0, 1].map(|one| {
        let (project, cache) = (projects[one].path(), caches[one].path());
        started(account, project, Some(cache))
    });
    for run in runs {
        done(ended(run));
    }
    account.proxy.wait_until_idle();
    assert_eq!(account.proxy.count("PublishLayerVersion"), 2);
    let [version] = versions(account, "eu-west-1")[..] else {
        panic!("{:?}", versions(account, "eu-west-1"))
    };
    for project in &projects {
        let [(_, layer, recorded, _)] = &recorded(project.path())[..] else {
            panic!("one line")
        };
        assert_eq!((layer.as_str(), *recorded), (LAYER, version));
    }
}

#[test]
fn of_two_machines_the_later_one_takes_its_own_version_back() {
    two_machines(&Account::new());
}

#[test]
fn of_two_machines_the_later_one_finds_the_other_version_though_lists_are_late() {
    let account = Account::new();
    account.proxy.on("ListLayerVersions").stale_lists(4);
    two_machines(&account);
}

#[test]
fn a_slow_region_holds_up_no_other() {
    let (account, project) = (Account::new(), project());
    let slow = account.proxy.on("ListLayerVersions").in_region("us-west-2");
    slow.nth(1).delay(Duration::from_secs(2));
    let regions = ["publish", "--region", "eu-west-1,us-west-2", "--public"];
    done(run(&account, project.path(), &regions));
    let requests = account.proxy.requests();
    let place = |region: &str, name: &str| {
        requests
            .iter()
            .position(|request| request.region() == region && request.name() == name)
            .expect("a request")
    };
    assert!(
        place("eu-west-1", "AddLayerVersionPermission") < place("us-west-2", "PublishLayerVersion"),
        "{requests:#?}"
    );
}

#[test]
fn a_region_gets_fewer_requests_than_it_takes() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| format!("pkg{name}"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (account, project) = (Account::new(), project_of(&names));
    let out = done(run(&account, project.path(), &PUBLISH));
    assert!(out.contains("8 published"), "{out}");
    let most = account.proxy.most_in_a_second("eu-west-1");
    // The proxy sees them a moment later than they were sent.
    assert!((5..=15).contains(&most), "{most}");
}
