//! What of the build root's distribution is installed for packages, and what it does not have.

use std::collections::BTreeMap;
use std::path::Path;

use r_layer::distribution::SourcePackage;

use super::{compile, made, shared_cache, source, the_r};

#[test]
fn a_system_package_is_installed_in_a_copy_and_the_root_of_r_stays_what_it_was() {
    let r = the_r();
    let folder = tempfile::tempdir().unwrap();
    let compiled = |system_packages: &[&str]| {
        let package = made(folder.path(), "plain", &[], &[]);
        compile(
            &shared_cache(),
            &[package],
            &BTreeMap::new(),
            system_packages,
        )
        .unwrap()
    };
    let plain = compiled(&[]);
    let base = r.root.as_deref().unwrap();
    assert_eq!(
        plain.root, base,
        "nothing is missing, and nothing is copied"
    );
    assert_eq!(
        compiled(&["gcc", "zlib1g-dev"]).root,
        base,
        "both are there"
    );
    let furnished = compiled(&["libxml2-dev"]);
    let header = Path::new("usr/include/libxml2/libxml/parser.h");
    assert!(furnished.root.join(header).is_file());
    assert!(!base.join(header).exists());
    assert_ne!(
        plain.packages["plain"].installed.identity, furnished.packages["plain"].installed.identity,
        "what is installed there is an input"
    );
}

#[test]
fn a_system_package_that_the_distribution_lacks_is_told_with_who_wants_it() {
    let error = |name: &str| {
        compile(
            &shared_cache(),
            &[source("glue")],
            &BTreeMap::new(),
            &[name],
        )
        .unwrap_err()
        .to_string()
    };
    let text = error("libnosuchthing-dev");
    for expected in [
        "debian:bullseye has no package libnosuchthing-dev, wanted by --system-package",
        "type: --system-package NAME",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    let text = error("-oDebug::pkgProblemResolver=1");
    assert!(text.contains("is not the name of a package"), "{text}");
}

#[test]
fn the_field_of_a_package_brings_what_it_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let code = "#include <libxml/parser.h>\nint f(void) { xmlInitParser(); return 0; }\n";
    let makevars =
        "PKG_CPPFLAGS = $(shell xml2-config --cflags)\nPKG_LIBS = $(shell xml2-config --libs)\n";
    let files = [("src/a.c", code), ("src/Makevars", makevars)];
    let package = SourcePackage {
        system_requirements: Some("libxml2 (>= 2.9)".to_owned()),
        ..made(folder.path(), "asksforxml", &files, &[])
    };
    let compiled = compile(&shared_cache(), &[package], &BTreeMap::new(), &[]).unwrap();
    let library = &compiled.packages["asksforxml"].installed.folder;
    assert!(library.join("libs/asksforxml.so").is_file());
}
