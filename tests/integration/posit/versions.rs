//! `release`, `oldrel` and `4.5`: found out, locked, and what they mean without a network; every version at once.

use serde_json::Value;

use super::{Posit, Project, read};
use crate::download::server::{Reply, Server, nobody};
use crate::parts::{fail, portable_r, succeed};

#[test]
fn words_are_resolved_from_the_published_list_and_locked() {
    let server = Posit::complete().serve();
    let project = Project::new();
    let output = succeed(
        project
            .build(&server.base())
            .args(["--r-version", "release", "--json"]),
    );
    let built: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(built["r_version"], "4.5.0");
    let lock = project.lock();
    assert!(
        lock.contains("request = \"release\"\nversion = \"4.5.0\""),
        "{lock}"
    );
    assert!(
        lock.contains("name = \"R\"\nversion = \"4.5.0\"\narchitecture = \"x86_64\""),
        "{lock}"
    );

    // A newer one is out, which the lock does not follow until it is told to.
    let mut newer = Posit::complete();
    newer.list(&["4.5.0", "4.6.0"]);
    let newer = newer.serve();
    succeed(
        project
            .build(&newer.base())
            .args(["--r-version", "release"]),
    );
    assert!(newer.targets().is_empty(), "{:?}", newer.targets());
    let error = fail(
        project
            .build(&newer.base())
            .args(["--r-version", "release", "--upgrade"]),
        1,
    );
    assert!(error.contains("no portable R 4.6.0 for x86_64"), "{error}");
    assert!(
        error.contains("the nearest that there are: 4.5.0"),
        "{error}"
    );
    assert_eq!(project.lock(), lock);
}

#[test]
fn a_version_that_is_not_there_is_answered_with_the_nearest_that_are() {
    let mut posit = Posit::complete();
    posit.list(&["3.6.3", "4.0.4", "4.4.3", "4.5.0", "4.5.1"]);
    posit.r("R-4.4.3-manylinux_2_34.tar.gz", read(&portable_r()));
    let server = posit.serve();
    let project = Project::new();
    let error = fail(
        project.build(&server.base()).args(["--r-version", "4.5.1"]),
        1,
    );
    assert!(
        error.contains("the nearest that there are: 4.5.0, 4.4.3\n"),
        "{error}"
    );
    let mut arm64 = project.build(&server.base());
    let error = fail(arm64.args(["--r-version", "4.5.1", "--arch", "arm64"]), 1);
    assert!(error.contains("no portable R 4.5.1 for arm64"), "{error}");
    assert!(
        error.contains("the nearest that there are: 4.0.4\n"),
        "{error}"
    );
    let error = fail(
        project.build(&server.base()).args(["--r-version", "4.1"]),
        1,
    );
    assert!(
        error.contains("no R is 4.1; there are: 4.5.1, 4.5.0, 4.4.3"),
        "{error}"
    );
    project.assert_nothing_built();
    assert_eq!(project.lock(), "");
}

#[test]
fn without_the_list_the_newest_that_was_proven_is_taken_and_not_locked() {
    let posit = Posit::complete();
    let server = Server::start(move |request, _| match request.target.as_str() {
        "/r/versions.json" => Reply::ok("<html>Please log in</html>"),
        _ => posit.answer(request),
    });
    let project = Project::new();
    let mut command = project.build(&server.base());
    let output = succeed(command.args(["--r-version", "release"]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("warning:") && said.contains("taking R 4.5.0"),
        "{said}"
    );
    assert!(!project.lock().contains("request"), "{}", project.lock());

    let error = fail(
        project
            .build(&server.base())
            .args(["--r-version", "oldrel"]),
        1,
    );
    assert!(
        error.contains("which R is oldrel cannot be found out"),
        "{error}"
    );
    assert!(error.contains("--r-version 4.5.0"), "{error}");
}

#[test]
fn auto_compiles_where_posit_has_nothing_and_not_where_it_has_something_wrong() {
    let project = Project::new();
    let cran = project.path("cran");
    std::fs::create_dir_all(cran.join("src/base/R-4")).unwrap();
    let mut command = project.build(&nobody());
    command.args(["--r-source", "auto", "--cran"]).arg(&cran);
    let error = fail(command.args(["--r-version", "4.4.9"]), 1);
    assert!(error.contains("compiling it from CRAN's source"), "{error}");
    assert!(
        error.contains("src/base/R-4/R-4.4.9.tar.gz: no such file"),
        "{error}"
    );

    // A series that Posit does not list, CRAN may have.
    std::fs::write(cran.join("src/base/R-4/R-4.3.3.tar.gz"), "not a tarball").unwrap();
    let mut command = project.build(&Posit::complete().serve().base());
    command.args(["--r-source", "auto", "--cran"]).arg(&cran);
    let error = fail(command.args(["--r-version", "4.3"]), 1);
    assert!(error.contains("R 4.3 is 4.3.3"), "{error}");

    let mut posit = Posit::complete();
    posit.r("R-4.4.9-manylinux_2_34.tar.gz", read(&portable_r()));
    let server = posit.serve();
    let mut command = project.build(&server.base());
    command.args(["--r-source", "auto", "--cran"]).arg(&cran);
    let error = fail(command.args(["--r-version", "4.4.9"]), 1);
    assert!(error.contains("is R 4.5.0, not R 4.4.9"), "{error}");
    assert!(!error.contains("CRAN's source"), "{error}");
}

#[test]
fn every_version_and_processor_of_the_manifest_is_built() {
    let server = Posit::complete().serve();
    let project = Project::new();
    let manifest = "[runtime]\nr-version = [\"4.5\", \"4.0\"]\narch = [\"x86_64\", \"arm64\"]\n";
    std::fs::write(project.path("r-layer.toml"), manifest).unwrap();
    let all = || {
        let mut command = project.command(&server.base());
        command.args(["build", "--all"]);
        command
    };
    let output = all().arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |what: &str, field: &str| -> Vec<String> {
        let list = printed[what].as_array().unwrap();
        list.iter()
            .map(|one| {
                format!(
                    "{} {}",
                    one[field].as_str().unwrap(),
                    one["architecture"].as_str().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(of("built", "r_version"), ["4.5.0 x86_64", "4.0.4 arm64"]);
    assert_eq!(of("failed", "r_version"), ["4.5 arm64", "4.0 x86_64"]);

    succeed(all().args(["--r-version", "4.5", "--arch", "x86_64", "--out", "other"]));
    let names = std::fs::read_dir(project.path("other")).unwrap();
    assert_eq!(names.count(), 3, "a zip, its record, its bill of materials");
    // Without --all the first of each is meant.
    let output = succeed(project.build(&server.base()).arg("--json"));
    let built: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&built["r_version"], &built["architecture"]),
        (&"4.5.0".into(), &"x86_64".into())
    );
}
