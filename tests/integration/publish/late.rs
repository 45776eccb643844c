//! Lists that do not have yet what was published.

use super::{done, project, recorded, run, versions};
use crate::aws::Account;
use crate::aws::proxy::faults::Cut;

const PUBLISH: [&str; 3] = ["publish", "--region", "eu-west-1"];

#[test]
fn a_version_whose_answer_was_lost_is_found_by_its_number_where_lists_are_late() {
    let (account, project) = (Account::new(), project());
    let cut = account.proxy.on("PublishLayerVersion").nth(1);
    cut.cut(Cut::BeforeAnswer);
    account.proxy.on("ListLayerVersions").stale_lists(5);
    done(run(&account, project.path(), &PUBLISH));
    assert_eq!(account.proxy.count("PublishLayerVersion"), 2);
    assert_eq!(versions(&account, "eu-west-1"), [1]);
    assert_eq!(recorded(project.path())[0].2, 1);
}

#[test]
fn a_run_right_after_another_publishes_nothing_though_lists_are_late() {
    let (account, project) = (Account::new(), project());
    account.proxy.on("ListLayerVersions").stale_lists(5);
    for _ in 0..2 {
        done(run(&account, project.path(), &PUBLISH));
        assert_eq!(versions(&account, "eu-west-1"), [1]);
        assert_eq!(recorded(project.path())[0].2, 1);
    }
    // What was published in vain is gone.
    assert_eq!(account.proxy.count("DeleteLayerVersion"), 1);
}
