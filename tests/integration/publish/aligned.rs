//! `--align` where a region fails: numbers stay the same everywhere.

use super::{done, make_layer, project, run, text, versions};
use crate::aws::Account;
use crate::aws::proxy::faults;

const ALIGN: [&str; 4] = ["publish", "--align", "--region", "eu-west-1,eu-west-2"];

#[test]
fn without_a_region_that_cannot_be_looked_at_no_number_is_found_and_nothing_is_published() {
    let (account, project) = (Account::new(), project());
    let denied = faults::access_denied("someone", "lambda:ListLayerVersions", "*");
    let there = account.proxy.on("ListLayerVersions").in_region("eu-west-2");
    there.answer(denied);
    for more in [&[][..], &["--dry-run"]] {
        let output = run(&account, project.path(), &[&ALIGN, more].concat());
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        let said = text(&output.stderr);
        assert!(
            said.contains("nothing was published: --align wants the numbers of all regions")
                && said.contains("eu-west-2: failed"),
            "{said}"
        );
    }
    assert_eq!(account.proxy.changes(), Vec::<String>::new());
}

#[test]
fn what_makes_up_for_a_region_that_failed_looks_at_all_of_them_again() {
    let (account, project) = (Account::new(), project());
    done(run(
        &account,
        project.path(),
        &["publish", "--region", "eu-west-1"],
    ));
    make_layer(project.path(), "models", b"news");
    let denied = faults::access_denied("someone", "lambda:PublishLayerVersion", "it");
    let there = account
        .proxy
        .on("PublishLayerVersion")
        .in_region("eu-west-2");
    there.answer(denied);
    let output = run(&account, project.path(), &ALIGN);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    let again = "r-layer publish --region eu-west-1 --region eu-west-2 --align";
    assert!(out.contains(again), "{out}");
    account.proxy.forgive();
    let again: Vec<&str> = again.split(' ').skip(1).collect();
    done(run(&account, project.path(), &again));
    for region in ["eu-west-1", "eu-west-2"] {
        assert_eq!(versions(&account, region), [2, 1], "{region}");
    }
}
