//! What commands change in manifest and lock, and what they leave.

use super::{packages, project, result, zips};
use crate::parts::{fail, r_layer, succeed};
use crate::real_repository::cran;

fn read(project: &std::path::Path, name: &str) -> String {
    fs_err::read_to_string(project.join(name)).unwrap_or_default()
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let project = project();
    let before = read(project.path(), "r-layer.lock");
    let output = succeed(&mut packages(
        project.path(),
        &["add-packages", "Matrix", "--dry-run", "--offline"],
    ));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("+ Matrix 1.7-3") && said.contains("dry run"),
        "{said}"
    );
    assert_eq!(read(project.path(), "r-layer.lock"), before);
    assert!(!project.path().join("r-layer.toml").exists() && zips(project.path()).is_empty());
}

#[test]
fn packages_come_and_go_and_the_tree_says_why_they_are_there() {
    let project = project();
    let manifest = "# What the model needs.\n[layers.models]\npackages = [\n    \"MASS\", # for fractions()\n]\n";
    fs_err::write(project.path().join("r-layer.toml"), manifest).expect("a manifest");
    let add = ["add-packages", "nlme", "--layer", "models", "--offline"];
    succeed(&mut packages(project.path(), &add));
    let now = read(project.path(), "r-layer.toml");
    assert!(
        now.starts_with("# What the model needs.\n") && now.contains("# for fractions()"),
        "{now}"
    );
    assert!(now.contains("    \"nlme\",\n"), "{now}");

    let tree = succeed(r_layer(project.path()).args(["tree", "lattice"]));
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    assert!(
        tree.contains("lattice 0.22-6\n└── nlme 3.1-168 (requested)"),
        "{tree}"
    );

    let remove = ["remove-packages", "nlme", "--layer", "models", "--offline"];
    let changed = result(&mut packages(project.path(), &remove));
    assert_eq!(
        changed["layers"][0]["packages"]
            .as_object()
            .map(|all| all.len()),
        Some(1)
    );
    assert!(!read(project.path(), "r-layer.lock").contains("nlme"));
    let error = fail(
        r_layer(project.path()).args(["tree", "lattise", "--layer", "models"]),
        1,
    );
    assert!(
        error.contains("no layer that is locked has lattise"),
        "{error}"
    );
}

#[test]
fn what_another_layer_holds_is_not_packed_twice() {
    let project = project();
    let first = ["add-packages", "nlme", "--layer", "first", "--offline"];
    succeed(&mut packages(project.path(), &first));
    let second = ["add-packages", "mgcv", "--layer", "second", "--offline"];
    let changed = result(&mut packages(project.path(), &second));
    let packed: Vec<&String> = changed["layers"][0]["packages"]
        .as_object()
        .expect("packages")
        .keys()
        .collect();
    assert_eq!(packed, ["Matrix", "mgcv"]);
}

#[test]
fn the_lock_is_taken_and_what_does_not_fit_it_is_refused() {
    let project = project();
    let repository = format!("cran={}", cran().base);
    let add = ["add-packages", "glue", "--repo", &repository];
    succeed(&mut packages(project.path(), &add));
    let locked = read(project.path(), "r-layer.lock");
    assert!(locked.contains("version = \"1.8.0\""), "{locked}");

    // The same again: the same bytes, and nobody is asked.
    let zip = fs_err::read(&zips(project.path())[0]).expect("a zip");
    let build = [
        "build",
        "packages",
        "--locked",
        "--offline",
        "--repo",
        &repository,
    ];
    succeed(&mut packages(project.path(), &build));
    assert_eq!(fs_err::read(&zips(project.path())[0]).expect("a zip"), zip);

    let manifest = "[layers.packages]\npackages = [\"glue==1.6.2\"]\n";
    fs_err::write(project.path().join("r-layer.toml"), manifest).expect("a manifest");
    let error = fail(&mut packages(project.path(), &build), 1);
    assert!(
        error.contains("+ glue==1.6.2") && error.contains("r-layer lock"),
        "{error}"
    );

    // An archived version, and the way back.
    let lock = ["lock", "--repo", &repository];
    let said = succeed(&mut packages(project.path(), &lock));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("glue 1.8.0 → 1.6.2"), "{said}");
    let manifest = "[layers.packages]\npackages = [\"glue\"]\n";
    fs_err::write(project.path().join("r-layer.toml"), manifest).expect("a manifest");
    let kept = succeed(&mut packages(project.path(), &lock));
    assert!(!String::from_utf8_lossy(&kept.stdout).contains("1.8.0"));
    let upgrade = ["lock", "--upgrade", "glue", "--repo", &repository];
    let said = succeed(&mut packages(project.path(), &upgrade));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("glue 1.6.2 → 1.8.0"), "{said}");
}

#[test]
fn several_layers_become_one() {
    let project = project();
    for (layer, package) in [("first", "nlme"), ("second", "mgcv")] {
        let add = ["add-packages", package, "--layer", layer, "--offline"];
        succeed(&mut packages(project.path(), &add));
    }
    let merge = ["build", "first", "second", "--merge", "both", "--offline"];
    let changed = result(&mut packages(project.path(), &merge));
    assert_eq!(changed["layers"][0]["zip"], "r-both-4.5-al2023-x86_64.zip");
    let packed = changed["layers"][0]["packages"].as_object();
    let packed: Vec<&String> = packed.expect("packages").keys().collect();
    assert_eq!(packed, ["Matrix", "lattice", "mgcv", "nlme"]);
    let taken = ["build", "first", "second", "--merge", "first", "--offline"];
    let error = fail(&mut packages(project.path(), &taken), 1);
    assert!(error.contains("there is a layer of that name"), "{error}");
}

/// It was once locked from a repository that stood nowhere: "the manifest has changed".
#[test]
fn a_repository_that_was_typed_is_there_for_the_next_build() {
    let project = project();
    let repository = format!("cran={}", cran().base);
    let add = ["add-packages", "glue", "--repo", &repository];
    succeed(&mut packages(project.path(), &add));
    let manifest = read(project.path(), "r-layer.toml");
    assert!(manifest.contains("[repositories.cran]"), "{manifest}");
    let build = ["build", "packages", "--locked", "--offline"];
    succeed(&mut packages(project.path(), &build));
}

/// It was once not loaded, as its name was taken for its folder's.
#[test]
fn a_package_in_a_folder_of_another_name_is_loaded_too() {
    let project = project();
    let folder = project.path().join("another-name");
    fs_err::create_dir_all(folder.join("R")).expect("a folder");
    let write = |name: &str, text: &str| fs_err::write(folder.join(name), text).expect("a file");
    write(
        "DESCRIPTION",
        "Package: lamb\nVersion: 1.0\nTitle: A Lamb\nDescription: Stops.\nLicense: MIT\nAuthor: A\nMaintainer: A <a@b.c>\n",
    );
    write("NAMESPACE", "");
    write(
        "R/load.R",
        ".onLoad <- function(...) if (dir.exists(\"/var/task\")) stop(\"not on Lambda\")\n",
    );
    let add = ["add-packages", "./another-name", "--offline"];
    let error = fail(&mut packages(project.path(), &add), 1);
    assert!(
        error.contains("lamb") && error.contains("not on Lambda"),
        "{error}"
    );
    assert!(zips(project.path()).is_empty());
}

/// It was once an error until `lock` was typed.
#[test]
fn a_folder_that_changed_is_locked_anew_unless_the_lock_is_to_be_taken() {
    let project = project();
    let folder = project.path().join("lamb");
    fs_err::create_dir_all(folder.join("R")).expect("a folder");
    let write = |name: &str, text: &str| fs_err::write(folder.join(name), text).expect("a file");
    write(
        "DESCRIPTION",
        "Package: lamb\nVersion: 1.0\nTitle: A Lamb\nDescription: Bleats.\nLicense: MIT\nAuthor: A\nMaintainer: A <a@b.c>\n",
    );
    write("NAMESPACE", "export(bleat)\n");
    write("R/bleat.R", "bleat <- function() \"ba\"\n");
    let add = ["add-packages", "./lamb", "--offline", "--no-check"];
    succeed(&mut packages(project.path(), &add));
    let first = fs_err::read(&zips(project.path())[0]).expect("a zip");
    write("R/bleat.R", "bleat <- function() \"baaaa\"\n");
    let locked = ["build", "packages", "--offline", "--no-check", "--locked"];
    let error = fail(&mut packages(project.path(), &locked), 1);
    assert!(
        error.contains("lamb has changed since it was locked") && error.contains("r-layer lock"),
        "{error}"
    );
    let output = succeed(&mut packages(project.path(), &locked[..4]));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("it is locked anew"), "{told}");
    assert_ne!(
        fs_err::read(&zips(project.path())[0]).expect("a zip"),
        first
    );
    succeed(&mut packages(project.path(), &locked));

    let binary = [
        "add-packages",
        "./lamb",
        "--layer",
        "other",
        "--package-type",
        "binary",
        "--offline",
    ];
    let error = fail(&mut packages(project.path(), &binary), 1);
    assert!(
        error.contains("`./lamb` is a source") && error.contains("--package-type auto"),
        "{error}"
    );
}

/// They once stayed in dist/, where the next deployment found them.
#[test]
fn zips_that_nothing_builds_any_more_go_with_their_records() {
    let project = project();
    let add = [
        "add-packages",
        "nlme",
        "--layer",
        "one",
        "--offline",
        "--no-check",
    ];
    succeed(&mut packages(project.path(), &add));
    assert_eq!(zips(project.path()).len(), 1);
    // All of it comes to be in another layer.
    let manifest = "[layers.two]\npackages = [\"nlme\"]\n[layers.one]\npackages = [\"nlme\"]\n";
    fs_err::write(project.path().join("r-layer.toml"), manifest).expect("a manifest");
    fs_err::remove_file(project.path().join("r-layer.lock")).expect("a lock");
    let build = ["build", "two", "one", "--offline", "--no-check"];
    let output = succeed(&mut packages(project.path(), &build));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let old = "r-one-4.5-al2023-x86_64.zip";
    assert!(
        told.contains("nothing to build") && told.contains(&format!("removed dist/{old}")),
        "{told}"
    );
    assert_eq!(
        zips(project.path()),
        [project.path().join("dist/r-two-4.5-al2023-x86_64.zip")]
    );

    let remove = ["remove-packages", "nlme", "--layer", "two", "--offline"];
    let dry = [&remove[..], &["--dry-run"]].concat();
    succeed(&mut packages(project.path(), &dry));
    assert_eq!(zips(project.path()).len(), 1);
    succeed(&mut packages(project.path(), &remove));
    assert!(zips(project.path()).is_empty());
    assert!(
        !project
            .path()
            .join("dist/r-two-4.5-al2023-x86_64.json")
            .exists()
    );
}

/// They were once for that time alone, and a ready layer was hidden without a word.
#[test]
fn flags_of_add_packages_are_in_the_manifest_and_a_ready_layer_that_is_hidden_is_told() {
    let project = project();
    let add = [
        "add-packages",
        "MASS",
        "--layer",
        "recommended",
        "--keep",
        "help",
        "--compression",
        "best",
        "--offline",
        "--no-check",
    ];
    let output = succeed(&mut packages(project.path(), &add));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("r-layer has a ready layer recommended"),
        "{told}"
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(", 1 R package\n"), "{said}");
    assert_eq!(
        read(project.path(), "r-layer.toml"),
        "[layers.recommended]\npackages = [\"MASS\"]\ncompression = \"best\"\nkeep = [\"help\"]\n"
    );
    let first = fs_err::read(&zips(project.path())[0]).expect("a zip");
    let build = [
        "build",
        "recommended",
        "--offline",
        "--no-check",
        "--locked",
    ];
    succeed(&mut packages(project.path(), &build));
    assert_eq!(
        fs_err::read(&zips(project.path())[0]).expect("a zip"),
        first
    );
}
