//! What fetched binaries need of the system and Lambda lacks.

use std::path::Path;

use serde_json::json;

use super::{packages, project, result, unpacked};
use crate::emulated::{Emulated, like_lambda_of};
use crate::parts::{fail, functions, succeed};
use crate::real_repository::{SNAPSHOT, p3m, root};
use crate::rpm_repository::making::repository_of;
use r_layer::target::Architecture;

#[test]
fn a_binary_gets_its_library_from_an_rpm_repository_and_answers() {
    let project = project();
    let repository = format!("p3m={}/{SNAPSHOT}", p3m().base);
    let library = root().join("usr/lib/x86_64-linux-gnu/libpng16.so.16.37.0");
    let rpms = repository_of(
        project.path(),
        "libpng",
        &[("/usr/lib64/libpng16.so.16.37.0", &library)],
        &[("/usr/lib64/libpng16.so.16", "libpng16.so.16.37.0")],
    );
    let rpms = rpms.display().to_string();
    let add = [
        "add-packages",
        "png",
        "glue",
        "--repo",
        &repository,
        "--rpm-repository",
        &rpms,
    ];
    let changed = result(&mut packages(project.path(), &add));
    let added = &changed["layers"][0]["added_libraries"];
    assert!(added["lib/libpng16.so.16"].is_number(), "{added}");
    assert_pins_stay(project.path());

    let opt = project.path().join("opt");
    unpacked(project.path(), &opt);
    let sandbox = like_lambda_of(Architecture::X86_64, &opt, &functions("packages"));
    let picture = Emulated::start(&sandbox, "script.picture");
    assert_eq!(
        picture.invoke(&json!({"n": 7})),
        json!([7, 7]),
        "{}",
        picture.log()
    );
}

#[test]
fn a_library_that_is_nowhere_is_named_with_the_package_that_needs_it() {
    let project = project();
    let repository = format!("p3m={}/{SNAPSHOT}", p3m().base);
    let empty = repository_of(
        project.path(),
        "other",
        &[("/usr/lib64/other", &root().join("etc/debian_version"))],
        &[],
    );
    let empty = empty.display().to_string();
    let add = [
        "add-packages",
        "png",
        "--repo",
        &repository,
        "--rpm-repository",
        &empty,
    ];
    let error = fail(&mut packages(project.path(), &add), 1);
    assert!(
        error.contains("libpng16.so.16") && error.contains("png"),
        "{error}"
    );
}

/// What one package's upgrade does not concern stays locked; an upgrade of all looks for the system's packages anew.
fn assert_pins_stay(project: &Path) {
    let lock = || fs_err::read_to_string(project.join("r-layer.lock")).expect("a lock");
    let before = lock();
    assert!(
        before.contains("[[rpm]]") && before.contains("libpng16.so.16"),
        "{before}"
    );
    succeed(&mut packages(project, &["lock", "--upgrade", "glue"]));
    assert_eq!(lock(), before);
    let all = ["lock", "--upgrade", "--dry-run"];
    succeed(&mut packages(project, &all));
    assert_eq!(lock(), before);
    succeed(&mut packages(project, &all[..2]));
    assert!(!lock().contains("[[rpm]]"), "{}", lock());
}
