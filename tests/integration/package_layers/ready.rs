//! Layers that need no manifest, and what is said of packages that need what Lambda lacks.

use super::{packages, project, zips};
use crate::parts::succeed;

#[test]
fn the_recommended_packages_are_a_layer_by_name_without_a_network() {
    let project = project();
    let output = succeed(&mut packages(
        project.path(),
        &["build", "recommended", "--offline"],
    ));
    let [zip] = &zips(project.path())[..] else {
        panic!("{output:?}");
    };
    let record = fs_err::read_to_string(zip.with_extension("json")).expect("a record");
    for package in ["Matrix", "mgcv", "survival", "rpart"] {
        assert!(
            record.contains(&format!("\"{package}\"")),
            "{package}: {record}"
        );
    }
    assert!(!project.path().join("r-layer.toml").exists());
}

#[test]
fn what_a_package_needs_that_lambda_lacks_is_said_when_it_is_added() {
    let project = project();
    let folder = project.path().join("rmarkdown");
    fs_err::create_dir(&folder).expect("a folder");
    fs_err::write(
        folder.join("DESCRIPTION"),
        "Package: rmarkdown\nVersion: 99.0\nTitle: A Stand-In\nDescription: A stand-in.\nLicense: MIT\n\
         Author: A\nMaintainer: A <a@example.org>\n",
    )
    .expect("a file");
    fs_err::write(folder.join("NAMESPACE"), "").expect("a file");
    let add = ["add-packages", "./rmarkdown", "--offline"];
    let output = succeed(&mut packages(project.path(), &add));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("warning: rmarkdown needs pandoc when it runs"),
        "{told}"
    );
}
