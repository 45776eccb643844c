//! Faults of zips themselves: paths, types, modes, sizes, and what two layers disagree about.

use std::path::{Path, PathBuf};

use r_layer::layer::{Entry, LayerTree};

use super::making::{Planted, audit, file, link, program, zip};

/// A zip with an entry that is fine and one that is not.
fn with(folder: &Path, planted: Planted) -> PathBuf {
    zip(folder, "layer.zip", &[file("R/VERSION", "4.5.0"), planted])
}

/// A zip as r-layer writes it, of files with so many zero bytes.
fn zeros(folder: &Path, name: &str, files: &[(&str, usize)]) -> PathBuf {
    let mut tree = LayerTree::default();
    for (path, size) in files {
        tree.insert(*path, Entry::bytes(vec![0; *size], false));
    }
    let path = folder.join(name);
    let mut output = std::fs::File::create(&path).unwrap();
    let time = r_layer::layer::zip::entry_time(None).unwrap();
    r_layer::layer::zip::write(&tree, time, &mut output).unwrap();
    path
}

#[test]
fn an_entry_that_lambda_would_refuse_or_not_use_as_meant() {
    let folder = tempfile::tempdir().unwrap();
    let device = |kind| file("dev/thing", "").mode(kind);
    let script = || file("bootstrap", "#!/bin/sh\n");
    for (planted, fault, path, words) in [
        (
            file("../out", "x"),
            "unsafe-path",
            "../out",
            "../out: is a path that leaves /opt",
        ),
        (
            file("a/../../out", "x"),
            "unsafe-path",
            "a/../../out",
            "a/../../out: is a path that leaves /opt",
        ),
        (
            file("/etc/out", "x"),
            "unsafe-path",
            "/etc/out",
            "/etc/out: is a path that leaves /opt",
        ),
        (
            file("..\\out", "x"),
            "unsafe-path",
            "..\\out",
            "..\\out: is a path that leaves /opt",
        ),
        (
            file("R//out", "x"),
            "unsafe-path",
            "R//out",
            "R//out: is a path that leaves /opt",
        ),
        (
            link("out", "../etc"),
            "link-leaves",
            "out",
            "is a link to `../etc`, which is not in the layer",
        ),
        (
            link("out", "/etc/passwd"),
            "link-leaves",
            "out",
            "is a link to `/etc/passwd`",
        ),
        (
            link("R/nowhere", "absent"),
            "link-leaves",
            "R/nowhere",
            "is a link to `absent`",
        ),
        (
            device(0o020_666),
            "special-file",
            "dev/thing",
            "dev/thing: is a device, pipe or socket",
        ),
        (
            device(0o060_666),
            "special-file",
            "dev/thing",
            "dev/thing: is a device, pipe or socket",
        ),
        (
            device(0o010_666),
            "special-file",
            "dev/thing",
            "dev/thing: is a device, pipe or socket",
        ),
        (
            file("bin/x", "x").mode(0o104_755),
            "set-id",
            "bin/x",
            "has a set-user-id or set-group-id bit",
        ),
        (
            file("bin/x", "x").mode(0o102_755),
            "set-id",
            "bin/x",
            "has a set-user-id or set-group-id bit",
        ),
        (
            file("R/x", "x").mode(0o100_600),
            "not-readable",
            "R/x",
            "cannot be read by the function's user (mode 600)",
        ),
        (
            file("R/d/", "").mode(0o040_744),
            "not-readable",
            "R/d/",
            "cannot be read by the function's user (mode 744)",
        ),
        (
            file("r/version", "x"),
            "case-conflict",
            "r",
            "differs from R only by case",
        ),
        (
            file("R/VERSION", "x"),
            "duplicate-path",
            "R/VERSION",
            "R/VERSION: is in the zip twice",
        ),
        (
            script(),
            "bootstrap-not-executable",
            "bootstrap",
            "is not executable: Lambda would answer Runtime.Invalid",
        ),
        (
            script().mode(0),
            "bootstrap-not-executable",
            "bootstrap",
            "(chmod +x bootstrap)",
        ),
    ] {
        audit(&[&with(folder.path(), planted)], &[]).assert_found(&[(fault, path)], words);
    }
}

#[test]
fn entries_that_are_as_they_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let entries = [
        program("bootstrap", "#!/bin/sh\n"),
        file("R/", "").mode(0o040_755),
        file("R/VERSION", "4.5.0"),
        file("R/Version.txt", "4.5.0"),
        // Zips made on Windows say nothing of permissions.
        file("R/from-windows", "x").mode(0),
        link("R/link", "VERSION"),
        link("library", "R"),
    ];
    audit(
        &[&zip(folder.path(), "layer.zip", &entries)],
        &["--runtime"],
    )
    .assert_clean();
}

#[test]
fn a_runtime_layer_has_one_bootstrap() {
    let folder = tempfile::tempdir().unwrap();
    let bootstrap = || program("bootstrap", "#!/bin/sh\n");
    let none = zip(folder.path(), "none.zip", &[file("R/VERSION", "4.5.0")]);
    let deep = zip(
        folder.path(),
        "deep.zip",
        &[program("layer/bootstrap", "#!/bin/sh\n")],
    );
    let [one, other] =
        ["one.zip", "other.zip"].map(|name| zip(folder.path(), name, &[bootstrap()]));
    let words = "there is no `bootstrap` at the root of the zip";
    audit(&[&none], &["--runtime"]).assert_found(&[("no-bootstrap", "")], words);
    audit(&[&deep], &["--runtime"]).assert_found(&[("no-bootstrap", "")], words);
    audit(&[&none], &[]).assert_clean();
    audit(&[&none, &one], &["--runtime"]).assert_clean();
    audit(&[&one, &other], &["--runtime"]).assert_found(
        &[("several-bootstraps", "bootstrap")],
        "other.zip: bootstrap: is in another layer too: only one runtime layer can start",
    );
}

#[test]
fn a_layer_of_more_bytes_than_lambda_takes_is_told_its_heaviest_folders() {
    let folder = tempfile::tempdir().unwrap();
    let half = 131_072_000;
    let full = zeros(
        folder.path(),
        "full.zip",
        &[("lib/a", half), ("R/library/Matrix/b", half)],
    );
    audit(&[&full], &[]).assert_clean();
    let files = [
        ("lib/a", half),
        ("R/library/Matrix/libs/b", half),
        ("R/library/mgcv/R/c", 1),
    ];
    let verdict = audit(&[&zeros(folder.path(), "over.zip", &files)], &[]);
    verdict.assert_found(
        &[("too-large-unzipped", "")],
        "262144001 bytes unzipped; Lambda takes 262144000",
    );
    let heaviest = &verdict.json["findings"][0]["heaviest"];
    let expected = serde_json::json!([
        ["R/library/Matrix", half],
        ["lib", half],
        ["R/library/mgcv", 1]
    ]);
    assert_eq!(heaviest, &expected);
    assert!(
        verdict.text.contains("131072000  R/library/Matrix\n"),
        "{}",
        verdict.text
    );
    assert!(
        verdict.text.contains("make a container image"),
        "{}",
        verdict.text
    );
}

#[test]
fn two_layers_that_are_too_large_together() {
    let folder = tempfile::tempdir().unwrap();
    let one = zeros(
        folder.path(),
        "one.zip",
        &[("R/library/Matrix/a", 131_072_000)],
    );
    let other = zeros(
        folder.path(),
        "other.zip",
        &[("R/library/mgcv/b", 131_072_001)],
    );
    audit(&[&one], &[]).assert_clean();
    audit(&[&other], &[]).assert_clean();
    let verdict = audit(&[&one, &other], &[]);
    verdict.assert_found(
        &[("too-large-unzipped", "")],
        "one.zip + other.zip: 262144001 bytes unzipped",
    );
    assert_eq!(
        verdict.json["findings"][0]["heaviest"][0][0],
        "R/library/mgcv"
    );
}

/// Sizes so large that their sum is beyond 64 bits, said of entries that are empty.
#[test]
fn sizes_beyond_all_measure() {
    let folder = tempfile::tempdir().unwrap();
    let entries = ["a", "b"].map(|path| file(path, "").size(1 << 63));
    let verdict = audit(&[&zip(folder.path(), "layer.zip", &entries)], &[]);
    verdict.assert_found(
        &[("too-large-unzipped", "")],
        "bytes unzipped; Lambda takes 262144000",
    );
}

#[test]
fn a_zip_that_has_to_go_through_s3_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let verdict = audit(
        &[&zip(
            folder.path(),
            "large.zip",
            &[file("R/data", vec![0; 52_428_800])],
        )],
        &[],
    );
    assert_eq!(verdict.findings(), [("needs-s3", "")]);
    assert!(
        verdict.text.contains("warning: large.zip: "),
        "{}",
        verdict.text
    );
    assert!(
        verdict
            .text
            .contains("a request takes 52428800: it has to go through S3"),
        "{}",
        verdict.text
    );
    assert!(verdict.text.contains("would load"), "{}", verdict.text);
    assert_eq!(
        (verdict.status, verdict.json["passed"].as_bool()),
        (0, Some(true))
    );
}

#[test]
fn two_layers_with_different_files_at_one_path() {
    let folder = tempfile::tempdir().unwrap();
    let layer =
        |name: &str, content: &str| zip(folder.path(), name, &[file("lib/settings", content)]);
    let [one, same, other] =
        [("one.zip", "a"), ("same.zip", "a"), ("other.zip", "b")].map(|(n, c)| layer(n, c));
    audit(&[&one, &same], &[]).assert_clean();
    audit(&[&one, &other], &[]).assert_found(
        &[("path-conflict", "lib/settings")],
        "fault: other.zip: lib/settings: is another file in one.zip",
    );
}

#[test]
fn two_layers_with_different_versions_of_a_package() {
    let folder = tempfile::tempdir().unwrap();
    let layer = |name: &str, version: &str| {
        let description = format!("Package: Matrix\nVersion: {version}\n");
        zip(
            folder.path(),
            name,
            &[file("R/library/Matrix/DESCRIPTION", description)],
        )
    };
    let [one, other] =
        [("one.zip", "1.7-3"), ("other.zip", "1.7-4")].map(|(name, version)| layer(name, version));
    let verdict = audit(&[&one, &other], &[]);
    let found = [
        ("path-conflict", "R/library/Matrix/DESCRIPTION"),
        ("package-conflict", ""),
    ];
    verdict.assert_found(&found, "fault: other.zip: Matrix 1.7-4 is 1.7-3 in one.zip");
    assert_eq!(verdict.json["findings"][1]["other_version"], "1.7-3");
}

#[test]
fn what_is_no_zip_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let whole = std::fs::read(zip(
        folder.path(),
        "whole.zip",
        &[file("R/VERSION", "4.5.0")],
    ))
    .unwrap();
    std::fs::write(path("page.zip"), "<html>Not Found</html>").unwrap();
    std::fs::write(path("empty.zip"), "").unwrap();
    std::fs::write(path("half.zip"), &whole[..whole.len() / 2]).unwrap();
    std::fs::create_dir(path("folder.zip")).unwrap();
    zip(
        folder.path(),
        "crc.zip",
        &[file("R/good", "good"), file("R/VERSION", "4.5.0").crc(1)],
    );
    zip(
        folder.path(),
        "short.zip",
        &[file("R/VERSION", "4.5.0").size(6)],
    );
    for (name, words) in [
        ("page.zip", "page.zip is not a zip that can be read"),
        ("empty.zip", "empty.zip is not a zip that can be read"),
        ("half.zip", "half.zip is not a zip that can be read"),
        (
            "crc.zip",
            "crc.zip: the entry `R/VERSION` cannot be read: its checksum or length is wrong",
        ),
        (
            "short.zip",
            "short.zip: the entry `R/VERSION` cannot be read: its checksum or length is wrong",
        ),
        ("folder.zip", "Is a directory"),
        ("absent.zip", "No such file or directory"),
    ] {
        let verdict = audit(&[&path(name)], &[]);
        assert_eq!(
            (verdict.status, verdict.json.is_null()),
            (1, true),
            "{}",
            verdict.text
        );
        let named = format!("error: {} cannot be audited", path(name).display());
        assert!(verdict.text.contains(&named), "{}", verdict.text);
        assert!(
            verdict.text.contains(words),
            "`{words}` is not in:\n{}",
            verdict.text
        );
    }
}

#[test]
fn an_entry_below_a_file_and_folders_that_differ_by_case() {
    let folder = tempfile::tempdir().unwrap();
    let below = zip(
        folder.path(),
        "below.zip",
        &[file("a", "x"), file("a/b", "x")],
    );
    audit(&[&below], &[]).assert_found(&[("below-a-file", "a/b")], "lies below a, which is a file");
    let one = zip(folder.path(), "one.zip", &[file("a", "x")]);
    let other = zip(folder.path(), "other.zip", &[file("a/b", "x")]);
    audit(&[&one, &other], &[])
        .assert_found(&[("below-a-file", "a/b")], "lies below a, which is a file");
    let folders = zip(
        folder.path(),
        "folders.zip",
        &[file("Lib/a", "x"), file("lib/b", "x")],
    );
    audit(&[&folders], &[])
        .assert_found(&[("case-conflict", "lib")], "differs from Lib only by case");
}
