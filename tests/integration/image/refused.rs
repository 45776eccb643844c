//! What no image is made of, each with what to type; nothing half-written is left.

use std::process::Command;

use tar::EntryType;

use super::base::{BASE, Function, small_base, start, tiny_layer};
use crate::download::server::{Reply, Server};
use crate::oci::layers::layer;
use crate::oci::pulled::ARCHITECTURE;
use crate::oci::registry::{Compression, Layout};
use crate::parts::{fail, succeed};

fn refused(function: &Function, more: &[&str], words: &[&str]) {
    let error = fail(&mut function.build(more), 1);
    for word in words {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(!function.path("dist/image").exists());
}

/// A zip of one entry, as no tool makes it.
fn zip(function: &Function, name: &str, entry: &str, mode: u32) {
    let script = "import sys, zipfile\n\
        zip = zipfile.ZipFile(sys.argv[1], 'w')\n\
        for path, mode in [(sys.argv[2], int(sys.argv[3], 8)), ('bootstrap', 0o100755)]:\n    \
        info = zipfile.ZipInfo(path); info.external_attr = mode << 16; info.create_system = 3\n    \
        zip.writestr(info, 'x')\n";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(function.path(name));
    succeed(python.arg(entry).arg(format!("{mode:o}")));
}

#[test]
fn what_was_typed_wrong_is_said_before_anything_is_done() {
    let function = Function::on(&small_base()).with_tiny_layer();
    let tiny = ["--layer", "tiny.zip"];
    let with = |more: &[&'static str]| [&tiny[..], more].concat();
    refused(
        &function,
        &[],
        &["no runtime layer for", "r-layer build runtime --arch"],
    );
    refused(&function, &["--layer", "models"], &["no runtime layer"]);
    refused(&function, &["--layer", "absent.zip"], &["absent.zip"]);
    refused(
        &function,
        &with(&["--handler", "other.parity"]),
        &["has no other.R", "--handler"],
    );
    refused(
        &function,
        &with(&["--code", "absent"]),
        &["absent is not there", "--code"],
    );
    refused(
        &function,
        &with(&["--env", "A"]),
        &["--env takes NAME=VALUE"],
    );
    refused(
        &function,
        &with(&["--label", "=b"]),
        &["--label takes NAME=VALUE"],
    );
    for (flag, value, word) in [
        ("--env", "A=b\nRUN c", "on one line"),
        ("--env", "A b=c", "has a space"),
        ("--label", "a=b\nRUN c", "on one line"),
        ("--push", "localhost:9/fn@sha256:", "names no image"),
    ] {
        refused(&function, &with(&[flag, value]), &[word]);
    }
    let digest = format!("localhost:9/fn@sha256:{}", "a".repeat(64));
    refused(
        &function,
        &[&tiny[..], &["--push", &digest]].concat(),
        &["names a digest", "NAME:TAG"],
    );
    refused(
        &function,
        &with(&["--push", "localhost:9/fn:1", "--create-repository"]),
        &["--create-repository is for ECR"],
    );
    fail(
        &mut function.build(&["--dockerfile", "--create-repository"]),
        2,
    );
    refused(&function, &with(&["--base", "A B"]), &["names no image"]);
    refused(
        &function,
        &with(&["--arch", "mips"]),
        &["there are: x86_64, arm64"],
    );
    refused(
        &function,
        &with(&["--create-repository"]),
        &["goes with --push"],
    );
    refused(
        &function,
        &with(&["-o", "fn"]),
        &["fn is there already", "-o"],
    );
    refused(&function, &with(&["--push", "FN"]), &["names no image"]);
    let folder = function.project.folder.path();
    tiny_layer(folder, "arm64", r_layer::target::Architecture::Arm64);
    refused(
        &function,
        &["--layer", "arm64.zip"],
        &["arm64.zip is for arm64", "--arch arm64"],
    );
    assert_eq!(function.project.lock(), "");
}

/// The record of `-o settings` once was `settings.json`, and a tarball took the place of whatever had its name.
#[test]
fn files_that_r_layer_did_not_write_are_never_replaced() {
    let function = Function::on(&small_base()).with_tiny_layer();
    let files = [
        ("my.tar", "no tarball"),
        ("settings.json", "{}"),
        ("other.image.json", "{}"),
    ];
    for (name, content) in files {
        function.write(name, content);
    }
    let tiny = ["--layer", "tiny.zip"];
    for (output, words) in [
        ("my.tar", ["my.tar is there already", "-o"]),
        ("other", ["other.image.json is there already", "-o"]),
    ] {
        refused(&function, &[&tiny[..], &["-o", output]].concat(), &words);
    }
    assert_eq!(function.project.lock(), "");
    assert!(!function.path("other").exists());
    for _ in 0..2 {
        function.built_tiny(&["-o", "settings"]);
        function.built_tiny(&["-o", "own.tar"]);
    }
    for (name, content) in files {
        let found = std::fs::read_to_string(function.path(name)).unwrap();
        assert_eq!(found, content, "{name}");
    }
    assert!(function.path("settings.image.json").is_file());
    assert!(function.path("own.tar.image.json").is_file());
}

#[test]
fn a_zip_that_would_do_other_things_in_an_image_is_refused() {
    let function = Function::on(&small_base());
    for (entry, mode, word) in [
        ("lib/.wh.gone", 0o100_644, ".wh."),
        ("../outside", 0o100_644, "leaves the folder"),
        ("/etc/passwd", 0o100_644, "leaves the folder"),
        ("device", 0o020_666, "neither a file nor a link"),
        ("bootstrap/file", 0o100_644, "a folder above it"),
    ] {
        zip(&function, "odd.zip", entry, mode);
        refused(
            &function,
            &["--layer", "odd.zip"],
            &["odd.zip", entry, word],
        );
    }
    // Without an executable bootstrap nothing would start.
    let script =
        "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').writestr('bootstrap', 'x')";
    succeed(
        Command::new("python3")
            .args(["-c", script])
            .arg(function.path("plain.zip")),
    );
    refused(
        &function,
        &["--layer", "plain.zip"],
        &["executable bootstrap"],
    );
}

#[test]
fn a_base_that_is_none_says_why() {
    let function = Function::on(&small_base()).with_tiny_layer();
    let tiny = ["--layer", "tiny.zip"];
    let push = |layout: &Layout, name: &str| function.registry.push(layout, name);
    let base = |name: &str| function.registry.name(name);
    let shell = layer(&[("bin/sh", EntryType::Regular, "x")]);
    let layers: [(&[u8], _); 1] = [(&shell, Compression::Gzip)];
    let other = if ARCHITECTURE == "amd64" {
        "arm64"
    } else {
        "amd64"
    };
    push(&Layout::of_index(&[other], &layers), "other:1");
    let kind = "application/vnd.wasm.content.layer.v1+wasm";
    push(
        &Layout::of_image(ARCHITECTURE, &layers).with_layer_kind(kind),
        "wasm:1",
    );
    let no_architecture = format!("nothing for linux/{ARCHITECTURE}");
    for (name, words) in [
        ("absent:1", &["is not there", "Look at the name"][..]),
        (
            "wasm:1",
            &["a layer of the kind application/vnd.wasm", "name a --base"],
        ),
        ("other:1", &[no_architecture.as_str(), "--arch"]),
    ] {
        let base = base(name);
        refused(&function, &[&tiny[..], &["--base", &base]].concat(), words);
    }
    // Docker's first kind of manifest, as old registries have it.
    let old = r#"{"schemaVersion": 1, "name": "a", "tag": "1", "architecture": "amd64", "fsLayers": [], "history": []}"#;
    let server = Server::start(move |_, _| Reply::ok(old));
    let base = server.base().replace("http://", "") + "/old:1";
    let words = [
        "old:1 has a manifest",
        "of the kind without a name, version 1",
    ];
    refused(&function, &[&tiny[..], &["--base", &base]].concat(), &words);
    let nobody = [&tiny[..], &["--base", "localhost:9/a:1"]].concat();
    refused(
        &function,
        &nobody,
        &["localhost:9/a:1 cannot be pulled", "tries"],
    );
    assert_eq!(function.project.lock(), "");
}

#[test]
fn a_base_is_pinned_and_another_under_its_tag_is_taken_only_with_upgrade() {
    let function = Function::on(&small_base()).with_tiny_layer();
    let first = function.built_tiny(&[]);
    let lock = function.project.lock();
    assert!(
        lock.contains(&format!("reference = \"{}\"", function.base())),
        "{lock}"
    );
    let other = layer(&[("bin/sh", EntryType::Regular, "another")]);
    let moved = Layout::of_started(ARCHITECTURE, &[(&other, Compression::Gzip)], &start());
    function.registry.push(&moved, BASE);
    assert_eq!(function.built_tiny(&[])["digest"], first["digest"]);
    let output = succeed(&mut function.build(&["--layer", "tiny.zip", "--upgrade"]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let digest = |lock: &str| {
        let at = lock.find("digest = \"").unwrap() + 10;
        lock[at..at + 71].to_owned()
    };
    let arrow = format!("{} → {}", digest(&lock), digest(&function.project.lock()));
    assert!(said.contains(&arrow), "{said}");
    let second = function.built_tiny(&[]);
    assert_ne!(second["digest"], first["digest"]);

    // What is pinned, and neither kept nor in the registry any more.
    let gone = "f".repeat(64);
    let lock = function
        .project
        .lock()
        .replace(&digest(&function.project.lock())[7..], &gone);
    function.write("r-layer.lock", &lock);
    let error = fail(&mut function.build(&["--layer", "tiny.zip"]), 1);
    for word in [
        "is pinned in r-layer.lock",
        &gone,
        "the tag leads to sha256:",
        "--upgrade",
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
}
