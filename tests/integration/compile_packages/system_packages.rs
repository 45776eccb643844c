//! What of the build root's distribution is installed for packages, and what it does not have.

use std::collections::BTreeMap;
use std::path::Path;

use r_layer::distribution::{BuildPlace, SourcePackage, compiled_packages};

use super::{compile, made, shared_cache, source, the_r, with_compiler};

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
    let files = [
        ("DESCRIPTION", "SystemRequirements: libxml2 (>= 2.9)\n"),
        ("NAMESPACE", "useDynLib(asksforxml)\n"),
        ("src/a.c", code),
        ("src/Makevars", makevars),
    ];
    let package = made(folder.path(), "asksforxml", &files, &[]);
    let plain = made(folder.path(), "plain", &[], &[]);
    let compiled = |packages: &[SourcePackage], there: &BTreeMap<_, _>| {
        compile(&shared_cache(), packages, there, &[]).unwrap()
    };
    let both = compiled(&[package, plain.clone()], &BTreeMap::new());
    let asks = both.packages["asksforxml"].installed.clone();
    assert!(asks.folder.join("libs/asksforxml.so").is_file());
    assert_eq!(
        both.packages["plain"],
        compiled(&[plain], &BTreeMap::new()).packages["plain"],
        "what asks for nothing is not compiled again because of others"
    );
    // What was compiled before is loaded by what needs it, and so are its libraries: its own field says which.
    let there = BTreeMap::from([("asksforxml".to_owned(), asks)]);
    let namespace = ("NAMESPACE", "import(asksforxml)\n");
    let user = made(folder.path(), "usesit", &[namespace], &["asksforxml"]);
    assert_eq!(compiled(&[user], &there).root, both.root);
}

#[test]
fn on_this_machine_nothing_is_installed_and_what_is_missing_is_told_with_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let user = made(
        folder.path(),
        "usesglue",
        &[("NAMESPACE", "importFrom(glue, glue)\n")],
        &["glue"],
    );
    let (r, cache) = (the_r(), shared_cache());
    let on_host = |system_packages: &[String]| {
        let packages = [user.clone(), source("glue")];
        with_compiler(&cache, &BuildPlace::Host, async |compiler| {
            compiled_packages(compiler, r, &packages, &BTreeMap::new(), system_packages).await
        })
    };
    let compiled = on_host(&[]).unwrap();
    assert_eq!(compiled.root, Path::new("/"));
    let glue = &compiled.packages["glue"].installed.folder;
    assert!(glue.join("libs/glue.so").is_file());
    let error = on_host(&["libnosuchthing-dev".to_owned(), "gcc".to_owned()]).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("type: apt-get install -y libnosuchthing-dev"),
        "{text}"
    );
    assert!(!text.contains("gcc"), "it is there: {text}");
}
