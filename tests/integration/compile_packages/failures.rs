//! Packages that do not compile, and closures that cannot be.

use std::collections::BTreeMap;

use r_layer::cache::Cache;
use r_layer::distribution::{CompileError, SourcePackage};

use super::{compile, made, shared_cache, source};
use crate::parts::cache_sharing;

fn error_of(packages: &[SourcePackage], system_packages: &[&str]) -> CompileError {
    compile(&shared_cache(), packages, &BTreeMap::new(), system_packages).unwrap_err()
}

#[test]
fn a_missing_header_is_told_with_the_package_that_has_it_and_with_what_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, files: &[(&str, &str)], needs: &[&str]| {
        made(folder.path(), name, files, needs)
    };
    let code = "#include <sodium.h>\nint f(void) { return sodium_init(); }\n";
    let packages = [
        make("above", &[], &["between", "needsheader"]),
        make("between", &[], &["needsheader"]),
        make("needsheader", &[("src/a.c", code)], &[]),
        make("apart", &[], &[]),
    ];
    let error = error_of(&packages, &[]);
    let CompileError::PackageFailed { stopped, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*stopped, ["above", "between"]);
    let text = error.to_string();
    for expected in [
        "compiling the R package needsheader 1.0 failed",
        "fatal error: sodium.h: No such file or directory",
        "/logs/needsheader-",
        "--system-package libsodium-dev",
        "above, between need it, and were not compiled.",
    ] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    let log = text.split_once("last lines of ").unwrap().1;
    let log = log.split_once(":\n").unwrap().0;
    assert!(std::fs::read_to_string(log).unwrap().contains("sodium.h"));
}

#[test]
fn what_is_under_way_when_another_fails_comes_to_its_end_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    // A cache of its own but for R and its root, so that nothing is there already.
    let own = cache_sharing(&["compiled", "downloads", "roots"]);
    let cache = Cache::open(own.path().to_owned()).unwrap();
    let packages = [
        made(folder.path(), "fails", &[("src/a.c", "nonsense\n")], &[]),
        made(
            folder.path(),
            "slow",
            &[("configure", "#!/bin/sh\nsleep 4\n")],
            &[],
        ),
        made(folder.path(), "waits", &[], &["slow"]),
    ];
    let error = compile(&cache, &packages, &BTreeMap::new(), &[]).unwrap_err();
    assert!(error.to_string().contains("R package fails 1.0"), "{error}");
    let kept: Vec<String> = std::fs::read_dir(own.path().join("packages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].starts_with("slow-"), "{kept:?}");
}

#[test]
fn a_configure_that_asks_a_server_fails_without_one_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let configure = "#!/bin/sh\nexec /opt/R/bin/Rscript --vanilla -e \
        \"download.file('http://127.0.0.1:9/lib.tar.gz', 'lib.tar.gz')\"\n";
    let package = made(folder.path(), "fetches", &[("configure", configure)], &[]);
    let text = error_of(&[package], &[]).to_string();
    assert!(text.contains("a compilation has no network"), "{text}");
    assert!(text.contains("(http://127.0.0.1:9/lib.tar.gz)"), "{text}");
}

#[test]
fn closures_that_cannot_be_are_refused_before_anything_is_compiled() {
    let glue = source("glue");
    let named = |name: &str, needs: &[&str]| SourcePackage {
        name: name.to_owned(),
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        ..glue.clone()
    };
    let text = |packages: &[SourcePackage]| error_of(packages, &[]).to_string();
    let cycle = text(&[named("one", &["two"]), named("two", &["one"])]);
    assert!(cycle.contains("one → two → one"), "{cycle}");
    let missing = text(&[named("glue", &["notthere"])]);
    assert!(missing.contains("glue needs notthere"), "{missing}");
    for name in ["--help", "../x", "a b", "$(id)"] {
        let error = text(&[named(name, &[])]);
        assert!(error.contains("is not a package name"), "{error}");
        let error = text(&[named("glue", &[name])]);
        assert!(error.contains("is not a package name"), "{error}");
    }
    let other = text(&[named("cli", &[])]);
    assert!(
        other.contains("is not the source of the R package cli"),
        "{other}"
    );
    let version = SourcePackage {
        version: "9.9".to_owned(),
        ..glue.clone()
    };
    let other = text(&[version]);
    assert!(
        other.contains("is glue 1.8.0, and 9.9 was expected"),
        "{other}"
    );
}
