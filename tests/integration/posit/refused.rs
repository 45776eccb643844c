//! Tarballs that are not what they should be, servers that do not serve, and credentials that stay out of files.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use r_layer::checksum::Sha256;

use super::{Posit, Project, read};
use crate::download::server::{Reply, Server, nobody};
use crate::parts::{
    binary_jsonlite, binary_jsonlite_arm64, fail, portable_r, portable_r_arm64, succeed,
};

const R: &str = "R-4.5.0-manylinux_2_34.tar.gz";

/// The error of a build from a Posit whose R is this.
fn refused_r(content: Vec<u8>) -> String {
    let mut posit = Posit::complete();
    posit.r(R, content);
    refused(posit)
}

/// The error of a build from this Posit, which leaves nothing behind: no zip, no lock, nothing unpacked.
fn refused(posit: Posit) -> String {
    let server = posit.serve();
    let project = Project::new();
    let error = fail(&mut project.build(&server.base()), 1);
    project.assert_nothing_built();
    assert!(!error.contains("panicked"), "{error}");
    error
}

/// A tarball of these entries: name, link target, content.
fn tarball(entries: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, target, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        header.set_entry_type(tar::EntryType::Regular);
        if let Some(target) = target {
            header.set_entry_type(tar::EntryType::Symlink);
            header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        }
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn a_truncated_tarball() {
    let whole = read(&portable_r());
    let error = refused_r(whole[..whole.len() / 2].to_vec());
    assert!(
        error.contains("is damaged or truncated") && error.contains(R),
        "{error}"
    );
}

#[test]
fn a_tarball_of_another_architecture_or_version_than_its_name_says() {
    let arm64 = read(&portable_r_arm64());
    let error = refused_r(arm64.clone());
    assert!(error.contains("is R 4.0.4, not R 4.5.0"), "{error}");

    let mut posit = Posit::complete();
    posit.r("R-4.0.4-manylinux_2_34.tar.gz", arm64);
    let server = posit.serve();
    let project = Project::new();
    let error = fail(
        project.build(&server.base()).args(["--r-version", "4.0.4"]),
        1,
    );
    assert!(error.contains("is for arm64, not for x86_64"), "{error}");
    project.assert_nothing_built();
    assert!(!project.lock().contains("[[source]]"), "{}", project.lock());
}

#[test]
fn a_tarball_that_is_no_portable_r() {
    let error = refused_r(tarball(&[("R-4.5.0/configure", None, b"#!/bin/sh\n")]));
    assert!(error.contains("it has no lib/R/bin/exec/R"), "{error}");
    assert!(error.contains("--r-source cran"), "{error}");
    let error = refused_r(b"<!DOCTYPE html><title>Please log in</title>".to_vec());
    assert!(error.contains("what is there is not a .tar.gz"), "{error}");
    assert!(
        error.contains("--posit") && error.contains("--r-source cran"),
        "{error}"
    );
}

#[test]
fn a_tarball_that_would_write_elsewhere() {
    for (entry, words) in [
        (("../../out", None, &b"x"[..]), "leaves the folder"),
        (("/etc/out", None, &b"x"[..]), "leaves the folder"),
        (("4.5.0/lib", Some("/etc"), &b""[..]), "leads to `/etc`"),
        (
            ("4.5.0/lib", Some("../../.."), &b""[..]),
            "leads to `../../..`",
        ),
    ] {
        let error = refused_r(tarball(&[entry]));
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn another_content_than_the_lock_says_names_both_hashes() {
    let server = Posit::complete().serve();
    let project = Project::new();
    let pinned = Sha256::of(b"another");
    let lock = format!(
        "version = 1\n\n[[source]]\nname = \"R\"\nversion = \"4.5.0\"\narchitecture = \"x86_64\"\nsha256 = \"{pinned}\"\n"
    );
    std::fs::write(project.path("r-layer.lock"), &lock).unwrap();
    let error = fail(&mut project.build(&server.base()), 1);
    let served = Sha256::of(&read(&portable_r()));
    for hash in [pinned, served] {
        assert!(error.contains(&hash.to_string()), "{error}");
    }
    assert!(error.contains("r-layer.lock"), "{error}");
    project.assert_nothing_built();
    assert_eq!(project.lock(), lock);
}

#[test]
fn a_server_that_cannot_be_reached_says_what_to_type_instead() {
    let project = Project::new();
    let error = fail(&mut project.build(&nobody()), 1);
    for words in [
        "--posit",
        "--p3m",
        "--sources",
        "--r-source cran",
        R,
        "Connection refused",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    project.assert_nothing_built();
}

#[test]
fn a_package_that_is_source_or_built_for_something_else() {
    let with = |package: Vec<u8>| {
        let mut posit = Posit::complete();
        posit.package("x86_64", "4.5", "1.9.1", package);
        refused(posit)
    };
    let source = tarball(&[(
        "jsonlite/DESCRIPTION",
        None,
        b"Package: jsonlite\nVersion: 1.9.1\n",
    )]);
    let error = with(source);
    assert!(error.contains("it is the package's source"), "{error}");
    assert!(
        error.contains("for R 4.5 on x86_64") && error.contains("--p3m"),
        "{error}"
    );
    let built = |built: &str| {
        let text = format!("Package: jsonlite\nVersion: 1.9.1\nBuilt: {built}\n");
        tarball(&[("jsonlite/DESCRIPTION", None, text.as_bytes())])
    };
    let error = with(built(
        "R 4.4.1; x86_64-pc-linux-gnu; 2025-01-01 00:00:00 UTC; unix",
    ));
    assert!(error.contains("it was built for R 4.4.1"), "{error}");
    let error = with(built(
        "R 4.5.0; aarch64-unknown-linux-gnu; 2025-01-01 00:00:00 UTC; unix",
    ));
    assert!(
        error.contains("it was built on aarch64-unknown-linux-gnu"),
        "{error}"
    );
    let error = with(read(&binary_jsonlite_arm64()));
    assert!(error.contains("it is jsonlite 1.7.2"), "{error}");
}

#[test]
fn a_server_that_says_source_is_believed_before_the_package_is_opened() {
    let posit = Posit::complete();
    let server = Server::start(move |request, _| {
        let reply = posit.answer(request);
        match request.target.ends_with("jsonlite_1.9.1.tar.gz") {
            true => reply.header("x-package-type", "source"),
            false => reply,
        }
    });
    let project = Project::new();
    let error = fail(&mut project.build(&server.base()), 1);
    assert!(error.contains("the server has the source only"), "{error}");
    assert!(error.contains("--r-source cran"), "{error}");
}

/// A server that wants to know who asks; the answer names what it was told.
fn guarded(expected: &'static str) -> Server {
    let posit = Posit::complete();
    Server::start(move |request, _| match request.header("authorization") {
        said if said == expected => posit.answer(request),
        _ => Reply::status(401),
    })
}

/// That none of these words is in any file of a project.
fn assert_nowhere(folder: &Path, secrets: &[&str]) {
    for secret in secrets {
        let mut grep = Command::new("grep");
        grep.args([
            "--recursive",
            "--text",
            "--files-with-matches",
            "--fixed-strings",
            secret,
        ]);
        let found = grep.arg(folder).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&found.stdout),
            "",
            "{secret} was written"
        );
    }
}

#[test]
fn credentials_are_sent_and_never_written() {
    // `ann:sesame` in Base64.
    const BASIC: &str = "Basic YW5uOnNlc2FtZQ==";
    let secrets = ["sesame", "YW5uOnNlc2FtZQ"];

    let server = guarded(BASIC);
    let project = Project::new();
    let error = fail(&mut project.build(&server.base()), 1);
    assert!(error.contains("401") && error.contains("netrc"), "{error}");

    // In the URL of a mirror.
    let with_password = server.base().replace("http://", "http://ann:sesame@");
    let output = succeed(project.build(&with_password).arg("-v"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("sesame"), "{said}");
    assert!(
        project
            .lock()
            .contains(&format!("url = \"{}/r/manylinux", server.base()))
    );
    assert_nowhere(&project.path(""), &secrets);

    // In netrc.
    let project = Project::new();
    let netrc = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        netrc.as_file(),
        "machine 127.0.0.1 login ann password sesame"
    )
    .unwrap();
    succeed(project.build(&server.base()).env("NETRC", netrc.path()));
    assert_nowhere(&project.path(""), &secrets);

    // In the environment, one for each server.
    let server = guarded("Bearer sesame");
    let project = Project::new();
    let mut command = project.build(&server.base());
    command.env("R_LAYER_REPO_POSIT_TOKEN", "sesame");
    succeed(command.env("R_LAYER_REPO_P3M_TOKEN", "sesame"));
    assert_nowhere(&project.path(""), &secrets);
    let mut half = project.build(&server.base());
    let error = fail(half.env("R_LAYER_REPO_POSIT_USER", "ann"), 1);
    assert!(error.contains("R_LAYER_REPO_POSIT_PASSWORD"), "{error}");
}

#[test]
fn folders_do_for_servers() {
    let project = Project::new();
    let folder = project.path("downloads");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(portable_r(), folder.join(R)).unwrap();
    let jsonlite = binary_jsonlite();
    std::fs::copy(&jsonlite, folder.join(jsonlite.file_name().unwrap())).unwrap();
    succeed(project.build(&nobody()).arg("--sources").arg(&folder));
    let lock = project.lock();
    assert_eq!(lock.matches("[[source]]").count(), 2, "{lock}");
    assert!(!lock.contains("url"), "{lock}");
}

#[test]
fn a_signature_in_a_url_is_sent_and_never_written() {
    let server = Posit::complete().serve();
    let project = Project::new();
    let url = server.url(&format!("r/manylinux_2_34/{R}?X-Amz-Signature=sesame"));
    let output = succeed(
        project
            .build(&server.base())
            .args(["-v", "--r-tarball", &url]),
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("sesame"), "{said}");
    assert!(
        server
            .targets()
            .iter()
            .any(|target| target.ends_with("=sesame"))
    );
    assert_nowhere(&project.path(""), &["sesame"]);
    let error = fail(
        project
            .build(&server.base())
            .args(["--posit", &format!("{}?key=sesame", server.url("r"))]),
        1,
    );
    assert!(
        error.contains("leave the query out") && !error.contains("sesame"),
        "{error}"
    );
}

#[test]
fn a_token_goes_to_the_first_cran_that_was_named_and_to_no_other() {
    let (first, second) = (Server::of_files(&[]), Server::of_files(&[]));
    let project = Project::new();
    let mut command = project.build(&nobody());
    command.args(["--r-source", "cran", "--r-version", "4.4.9"]);
    command.args(["--cran", &first.base(), "--cran", &second.base()]);
    fail(command.env("R_LAYER_REPO_CRAN_TOKEN", "sesame"), 1);
    let told = |server: &Server| {
        let requests = server.requests();
        assert!(!requests.is_empty());
        requests
            .iter()
            .any(|request| request.header("authorization") == "Bearer sesame")
    };
    assert!(told(&first) && !told(&second));
}

#[test]
fn what_is_for_compiling_is_refused_with_a_prebuilt_r() {
    let server = Posit::complete().serve();
    let project = Project::new();
    for flags in [
        &["--blas", "openblas"][..],
        &["--build-on-host"],
        &["--build-root", "debian:bullseye"],
        &["--engine", "docker", "--build-image", "debian:12"],
    ] {
        let error = fail(project.build(&server.base()).args(flags), 1);
        assert!(
            error.contains(flags[0]) && error.contains("--r-source cran"),
            "{error}"
        );
    }
    std::fs::write(
        project.path("r-layer.toml"),
        "[runtime]\nblas = \"openblas\"\n",
    )
    .unwrap();
    let error = fail(&mut project.build(&server.base()), 1);
    assert!(
        error.contains("[runtime] blas") && error.contains("r-source = \"cran\""),
        "{error}"
    );
    succeed(project.build(&server.base()).args(["--r-source", "posit"]));
}

#[test]
fn a_folder_of_downloads_may_hold_what_is_for_something_else() {
    let server = Posit::complete().serve();
    let project = Project::new();
    let folder = project.path("downloads");
    std::fs::create_dir(&folder).unwrap();
    let source = tarball(&[(
        "jsonlite/DESCRIPTION",
        None,
        b"Package: jsonlite\nVersion: 9.0.0\n",
    )]);
    std::fs::write(folder.join("jsonlite_9.0.0.tar.gz"), source).unwrap();
    std::fs::copy(
        binary_jsonlite_arm64(),
        folder.join("jsonlite_1.7.2.tar.gz"),
    )
    .unwrap();
    succeed(project.build(&server.base()).arg("--sources").arg(&folder));
    assert!(
        project.lock().contains("version = \"1.9.1\""),
        "{}",
        project.lock()
    );
    let mut arm64 = project.build(&server.base());
    arm64.args([
        "--arch",
        "arm64",
        "--r-version",
        "4.0.4",
        "--p3m",
        &nobody(),
    ]);
    succeed(arm64.arg("--sources").arg(&folder));
}
