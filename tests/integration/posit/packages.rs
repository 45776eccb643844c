//! Layers of packages for arm64, made here: from binaries alone, and loaded through qemu.

use std::io::Read;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::{Posit, Project};
use crate::download::server::Server;
use crate::package_layers::result;
use crate::package_repository::making::Package;
use crate::parts::{cache_sharing, fail, only_zip, portable_r_arm64, r_layer, succeed};

/// The version of `class` that the server has: newer than that of R.
const NEWER: &str = "7.3-99";

/// The package `class` of the arm64 R, as a binary package of its own that says it is newer.
fn class_for_arm64() -> Vec<u8> {
    let r = std::fs::File::open(portable_r_arm64()).unwrap();
    let mut r = tar::Archive::new(flate2::read::GzDecoder::new(r));
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut package = tar::Builder::new(gzip);
    for entry in r.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let Ok(place) = path.strip_prefix("4.0.4/lib/R/library") else {
            continue;
        };
        if !place.starts_with("class") || !entry.header().entry_type().is_file() {
            continue;
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if place.ends_with("DESCRIPTION") {
            let text = String::from_utf8(content).unwrap();
            let lines = text.lines().map(|line| match line.starts_with("Version:") {
                true => format!("Version: {NEWER}\n"),
                false => format!("{line}\n"),
            });
            content = lines.collect::<String>().into_bytes();
        }
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        package
            .append_data(&mut header, place, &content[..])
            .unwrap();
    }
    package.into_inner().unwrap().finish().unwrap()
}

/// A project with the runtime layer for arm64, its servers, and a cache that has roots to try packages in.
struct Arm64 {
    project: Project,
    server: Server,
    cache: tempfile::TempDir,
}

impl Arm64 {
    fn built() -> Arm64 {
        let mut posit = Posit::complete();
        posit.binary(
            "aarch64",
            "4.0",
            &format!("class_{NEWER}"),
            "Imports: MASS\n",
            class_for_arm64(),
        );
        posit.source(
            "sourceonly_1.0",
            Package::new("sourceonly", "1.0").tarball(),
        );
        let arm64 = Arm64 {
            project: Project::new(),
            server: posit.serve(),
            cache: cache_sharing(&["roots"]),
        };
        succeed(&mut arm64.command(&["build", "runtime"]));
        arm64
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.project.command(&self.server.base());
        command.args(arguments);
        command.args(["--arch", "arm64", "--r-version", "4.0"]);
        if arguments[0] == "add-packages" {
            // Nobody else is asked.
            command.args(["--repo", &format!("p3m={}/p3m", self.server.base())]);
        }
        command.env("R_LAYER_CACHE", self.cache.path());
        command
    }

    fn dist(&self) -> PathBuf {
        self.project.path("dist")
    }
}

#[test]
fn a_binary_for_arm64_is_packed_here_audited_and_loaded_through_qemu() {
    let arm64 = Arm64::built();
    let runtime = only_zip(&arm64.dist());
    let request = format!("class>={NEWER}");
    let changed = result(&mut arm64.command(&["add-packages", &request]));
    let record = &changed["layers"][0];
    assert_eq!(record["zip"], "r-packages-4.0-al2023-arm64.zip");
    assert_eq!(
        (&record["architecture"], &record["check"]),
        (&Value::from("arm64"), &Value::from("passed"))
    );
    // What it needs came with R.
    assert_eq!(record["packages"]["class"]["version"], NEWER);
    assert!(record["packages"]["MASS"].is_object(), "{record}");
    let lock = arm64.project.lock();
    assert!(lock.contains("manylinux_2_28-aarch64"), "{lock}");

    let layer = arm64.dist().join("r-packages-4.0-al2023-arm64.zip");
    let audit = |arguments: &[&str]| {
        let mut command = r_layer(&arm64.dist());
        command.args(["audit", "--runtime"]).args(arguments);
        command.arg(&runtime).arg(&layer);
        command
    };
    succeed(&mut audit(&[]));
    let found = audit(&["--arch", "x86_64"]).output().unwrap();
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(
        found.contains("class.so") && found.contains("arm64"),
        "{found}"
    );
    assert_what_has_no_binary_says_what_to_do(&arm64);
}

fn assert_what_has_no_binary_says_what_to_do(arm64: &Arm64) {
    let before = arm64.project.lock();
    for (more, expected) in [
        (
            &["--package-type", "binary"][..],
            "Only binaries for arm64, R 4.0 were looked for; with --package-type auto",
        ),
        (
            &[],
            "to be compiled for arm64, R 4.0, as they come as sources: sourceonly",
        ),
    ] {
        let add = [&["add-packages", "sourceonly"], more].concat();
        let error = fail(&mut arm64.command(&add), 1);
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(arm64.project.lock(), before);
}
