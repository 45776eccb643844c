//! Layers that are too large for a request: several, or one that goes through S3.

use std::path::Path;

use r_layer::checksum::Sha256;

use super::{packages, project, result, zips};
use crate::package_repository::making::Package;
use crate::parts::{fail, succeed};

/// A tarball of an R package with data that nothing compresses, in the form of an installed one.
fn heavy(folder: &Path, name: &str, megabytes: usize) -> String {
    // A generator of George Marsaglia's (xorshift): no file in the checkout is that large.
    let mut state = name.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |state, byte| {
        state.wrapping_mul(31).wrapping_add(byte.into())
    });
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let data: Vec<u8> = words.take(megabytes * 125_000).flatten().collect();
    let package = Package::new(name, "1.0")
        .field("Title", "Heavy")
        .field("Description", "Has data.")
        .field("Author", "A")
        .field("Maintainer", "A <a@b.c>")
        .field("NeedsCompilation", "no");
    let tarball = package
        .file("NAMESPACE", "export(weight)\n")
        .file("R/weight.R", "weight <- function() file.size(system.file(\"extdata/data\", package = .packageName))\n")
        .file("inst/extdata/data", data)
        .tarball();
    let path = folder.join(format!("{name}_1.0.tar.gz"));
    fs_err::write(&path, tarball).expect("a tarball");
    format!("./{name}_1.0.tar.gz")
}

fn hashes(project: &Path) -> Vec<(String, Sha256)> {
    let name = |path: &Path| {
        path.file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let zips = zips(project).into_iter();
    zips.map(|zip| (name(&zip), Sha256::of_file(&zip).expect("a hash")))
        .collect()
}

#[test]
fn three_packages_of_twenty_megabytes_are_two_layers_and_always_the_same() {
    let project = project();
    let names = ["one", "two", "three"].map(|name| heavy(project.path(), name, 20));
    let mut add = vec!["add-packages", "--layer", "data", "--offline"];
    add.extend(names.iter().map(String::as_str));
    // All are loaded, with both layers.
    let changed = result(&mut packages(project.path(), &add));
    let layers = changed["layers"].as_array().expect("layers");
    assert_eq!(layers.len(), 2, "{changed}");
    let first = hashes(project.path());
    let zip_names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        zip_names,
        [
            "r-data-1-4.5-al2023-x86_64.zip",
            "r-data-2-4.5-al2023-x86_64.zip"
        ]
    );
    let build = ["build", "data", "--locked", "--offline", "--no-check"];
    succeed(&mut packages(project.path(), &build));
    assert_eq!(hashes(project.path()), first);

    let with_bucket = [
        "build",
        "data",
        "--offline",
        "--no-check",
        "--s3-bucket",
        "mine",
    ];
    let changed = result(&mut packages(project.path(), &with_bucket));
    assert_eq!(changed["layers"].as_array().map(Vec::len), Some(1));
    assert_eq!(changed["layers"][0]["needs_s3"], true);
    let zip_names: Vec<String> = hashes(project.path())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(zip_names, ["r-data-4.5-al2023-x86_64.zip"]);
}

#[test]
fn a_package_that_no_request_takes_is_marked_and_what_lambda_does_not_take_is_refused() {
    let project = project();
    let large = heavy(project.path(), "large", 54);
    let add = [
        "add-packages",
        &large,
        "--layer",
        "large",
        "--offline",
        "--no-check",
    ];
    let changed = result(&mut packages(project.path(), &add));
    assert_eq!(changed["layers"][0]["needs_s3"], true);
    assert_eq!(changed["layers"].as_array().map(Vec::len), Some(1));

    let more: Vec<String> = (1..=4)
        .map(|number| heavy(project.path(), &format!("more{number}"), 48))
        .collect();
    let mut add = vec!["add-packages", "--layer", "more", "--offline", "--no-check"];
    add.extend(more.iter().map(String::as_str));
    let error = fail(&mut packages(project.path(), &add), 1);
    for expected in [
        "too large for Lambda",
        "The heaviest",
        "more1",
        "image build",
    ] {
        assert!(error.contains(expected), "{error}");
    }
}
