//! What cannot be: errors that say what is wrong and what to type, and nothing changed.

use super::{packages, project, zips};
use crate::parts::{fail, succeed};
use crate::real_repository::cran;

/// The error of `add-packages` with these arguments; the project is as it was.
fn refused(arguments: &[&str]) -> String {
    let project = project();
    let before = fs_err::read(project.path().join("r-layer.lock")).expect("a lock");
    let arguments = [&["add-packages"], arguments].concat();
    let error = fail(&mut packages(project.path(), &arguments), 1);
    let after = fs_err::read(project.path().join("r-layer.lock")).expect("a lock");
    assert_eq!(after, before, "{error}");
    assert!(!project.path().join("r-layer.toml").exists() && zips(project.path()).is_empty());
    error
}

#[test]
fn packages_that_are_not_there() {
    let repository = format!("cran={}", cran().base);
    for (wanted, said) in [
        ("dplyrr", "did you mean dplyr?"),
        ("matrix", "did you mean Matrix?"),
        ("R6>=3", "R6 (>= 3) (requested)"),
        ("glue==1.5.0", "no repository has glue 1.5.0"),
        ("./nowhere", "./nowhere"),
        ("a/b", "a/b"),
    ] {
        let error = refused(&[wanted, "--repo", &repository]);
        assert!(error.contains(said), "{wanted}: {error}");
    }
}

#[test]
fn repositories_that_are_none() {
    let unreachable = "gone=http://127.0.0.1:9";
    let error = refused(&["glue", "--repo", unreachable]);
    assert!(
        error.contains("the repository gone") && error.contains("--repo"),
        "{error}"
    );
    // Others go on, and the one is told.
    let project = project();
    let repository = format!("cran={}", cran().base);
    let add = [
        "add-packages",
        "glue",
        "--repo",
        unreachable,
        "--repo",
        &repository,
    ];
    let output = succeed(&mut packages(project.path(), &add));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("warning: the repository gone"), "{told}");
}

#[test]
fn without_a_network_it_is_said_what_the_cache_lacks() {
    let error = refused(&["glue", "--offline", "--repo", "never=http://127.0.0.1:9"]);
    assert!(
        error.contains("not in the cache") && error.contains("--offline"),
        "{error}"
    );
}

#[test]
fn names_of_layers_that_cannot_be() {
    for (layer, said) in [("runtime", "the layer with R itself"), ("a b", "AWS takes")] {
        let error = refused(&["Matrix", "--layer", layer]);
        assert!(error.contains(said), "{error}");
    }
    let project = project();
    let error = fail(&mut packages(project.path(), &["build", "recommendd"]), 1);
    assert!(error.contains("Did you mean recommended?"), "{error}");
}

/// Repositories were once asked all the same, and blamed.
#[test]
fn what_no_repository_can_cure_asks_none() {
    let project = project();
    let folder = project.path().join("young");
    fs_err::create_dir(&folder).expect("a folder");
    let description = "Package: young\nVersion: 1.0\nDepends: R (>= 9.1)\n";
    fs_err::write(folder.join("DESCRIPTION"), description).expect("a file");
    let add = [
        "add-packages",
        "./young",
        "--repo",
        "gone=http://127.0.0.1:9",
    ];
    let error = fail(&mut packages(project.path(), &add), 1);
    assert!(error.contains("9.1") && !error.contains("gone"), "{error}");
}

#[test]
fn binaries_alone_from_a_repository_of_sources() {
    let repository = format!("cran={}", cran().base);
    let error = refused(&["glue", "--package-type", "binary", "--repo", &repository]);
    assert!(
        error.contains("the repository cran") && error.contains("--package-type auto"),
        "{error}"
    );
}

#[test]
fn folders_that_need_each_other() {
    let project = project();
    for (name, need) in [("aa", "bb"), ("bb", "aa")] {
        let folder = project.path().join(name);
        fs_err::create_dir(&folder).expect("a folder");
        let description = format!("Package: {name}\nVersion: 1.0\nImports: {need}\n");
        fs_err::write(folder.join("DESCRIPTION"), description).expect("a file");
        fs_err::write(folder.join("NAMESPACE"), "").expect("a file");
    }
    let add = ["add-packages", "./aa", "./bb", "--offline"];
    let error = fail(&mut packages(project.path(), &add), 1);
    assert!(error.contains("aa → bb → aa require each other"), "{error}");
    assert!(!project.path().join("r-layer.toml").exists() && zips(project.path()).is_empty());
}
