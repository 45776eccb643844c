//! Binary packages, as Posit Package Manager has them.

use super::{packages, project, result, zips};
use crate::parts::fail;
use crate::real_repository::{LARGE_REQUEST, SNAPSHOT, p3m};

#[test]
fn binaries_are_taken_where_there_are_any_and_a_source_in_their_place_is_said() {
    let project = project();
    let repository = format!("p3m={}/{SNAPSHOT}", p3m().base);
    let add = [
        "add-packages",
        "glue",
        "backports",
        "--repo",
        &repository,
        "--no-check",
    ];
    let mut command = packages(project.path(), &add);
    let output = crate::parts::succeed(&mut command);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("has no binary of backports"), "{told}");
    let lock = fs_err::read_to_string(project.path().join("r-layer.lock")).expect("a lock");
    let kind = |package: &str| {
        let entry = lock
            .split("[[package]]")
            .find(|entry| entry.contains(&format!("name = \"{package}\"")));
        entry.and_then(|entry| {
            let rest = entry.split_once("kind = \"")?.1;
            rest.split_once('"').map(|(kind, _)| kind.to_owned())
        })
    };
    assert_eq!(kind("glue").as_deref(), Some("binary"), "{lock}");
    assert_eq!(kind("backports").as_deref(), Some("source"), "{lock}");
    let record = fs_err::read_to_string(zips(project.path())[0].with_extension("json"));
    assert!(record.expect("a record").contains("\"check\": \"skipped\""));

    let other = super::project();
    let only = [
        "add-packages",
        "backports",
        "--package-type",
        "binary",
        "--repo",
        &repository,
    ];
    let error = fail(&mut packages(other.path(), &only), 1);
    assert!(error.contains("no binary of backports"), "{error}");
}

#[test]
fn a_large_closure_of_binaries_is_packed_and_packed_again_the_same() {
    let project = project();
    let repository = format!("p3m={}/{SNAPSHOT}", p3m().base);
    let add = [
        &["add-packages", "--no-check", "--repo", &repository][..],
        &LARGE_REQUEST,
    ]
    .concat();
    let changed = result(&mut packages(project.path(), &add));
    let all = changed["layers"][0]["packages"]
        .as_object()
        .expect("packages");
    assert!(all.len() >= 30, "{}", all.len());
    let first = fs_err::read(&zips(project.path())[0]).expect("a zip");
    let build = [
        "build",
        "packages",
        "--locked",
        "--offline",
        "--no-check",
        "--repo",
        &repository,
    ];
    result(&mut packages(project.path(), &build));
    assert_eq!(
        fs_err::read(&zips(project.path())[0]).expect("a zip"),
        first
    );
}
