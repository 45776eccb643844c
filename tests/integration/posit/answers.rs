//! The layers answer: on x86_64 and, through qemu, on arm64, under AWS's own emulator.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use r_layer::cache::{Cache, Unfinished};
use r_layer::layer::LayerArchive;
use r_layer::layer::unpack::unpack;
use r_layer::target::Architecture;
use serde_json::{Value, json};

use super::{Posit, Project};
use crate::download::server::{Reply, Server};
use crate::emulated::{Emulated, inside, like_lambda_of};
use crate::emulator::trusts_its_own_certificates;
use crate::parts::{functions, only_zip, r_layer, succeed};

/// A server that is busy, falls silent in the middle, and closes the connection early, before it serves.
fn flaky() -> Server {
    let posit = Posit::complete();
    let seen = std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    Server::start(move |request, _| {
        let before = {
            let mut seen = seen.lock().unwrap();
            let count = seen.entry(request.target.clone()).or_default();
            *count += 1;
            *count - 1
        };
        let reply = posit.answer(request);
        if !request.target.ends_with("R-4.5.0-manylinux_2_34.tar.gz") {
            return match before {
                0 => Reply::status(503),
                _ => reply,
            };
        }
        match before {
            0 => Reply::status(503),
            1 => reply.broken_after(20_000_000),
            2 => reply.stalled_after(10_000_000),
            _ => reply,
        }
    })
}

/// A built layer: its zip, and unpacked as Lambda unpacks it.
struct Layer {
    _folder: Unfinished,
    zip: PathBuf,
    opt: PathBuf,
}

fn built(server: &Server, arguments: &[&str]) -> Layer {
    let folder = Cache::from_environment().unwrap().unfinished().unwrap();
    let project = Project::new();
    succeed(project.build(&server.base()).args(arguments));
    let zip = folder.path().join("layer.zip");
    let built = only_zip(&project.path("dist"));
    std::fs::copy(&built, &zip).unwrap();
    std::fs::copy(built.with_extension("json"), zip.with_extension("json")).unwrap();
    std::fs::copy(
        built.with_extension("cdx.json"),
        zip.with_extension("cdx.json"),
    )
    .unwrap();
    let opt = folder.path().join("opt");
    unpack(&[LayerArchive::open(&zip).unwrap()], &opt).unwrap();
    Layer {
        _folder: folder,
        zip,
        opt,
    }
}

fn x86_64() -> &'static Layer {
    static LAYER: OnceLock<Layer> = OnceLock::new();
    LAYER.get_or_init(|| built(&flaky(), &[]))
}

fn arm64() -> &'static Layer {
    static LAYER: OnceLock<Layer> = OnceLock::new();
    let arguments = ["--arch", "arm64", "--r-version", "4.0"];
    LAYER.get_or_init(|| built(&Posit::complete().serve(), &arguments))
}

fn record(zip: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(zip.with_extension("json")).unwrap()).unwrap()
}

fn audit(layer: &Layer) {
    let mut command = r_layer(Path::new("/tmp"));
    succeed(command.args(["audit", "--runtime"]).arg(&layer.zip));
}

/// What the functions of tests/fixtures/functions/portable answer under the emulator.
fn answers(architecture: Architecture, layer: &Layer) -> Value {
    let sandbox = like_lambda_of(architecture, &layer.opt, &functions("portable"));
    let emulated = Emulated::start(&sandbox, "script.look");
    emulated.invoke(&json!({ "x": 2 }))
}

#[test]
fn a_layer_of_portable_r_answers_from_a_server_that_stumbles() {
    let layer = x86_64();
    audit(layer);
    let answer = answers(Architecture::X86_64, layer);
    let expected = json!({
        "doubled": 4, "summer": "2026-07-01 14:00:00 CEST", "winter": "2026-01-01 13:00:00 CET", "solved": 0.6,
        "zones": true, "curl": true, "r": "4.5.0",
    });
    assert_eq!(answer, expected);
}

/// Its libcurl and OpenSSL are built for other folders than Lambda's.
#[test]
fn a_portable_r_finds_the_certificates_of_the_image_and_the_functions_own() {
    let opt = &x86_64().opt;
    let sandbox = like_lambda_of(Architecture::X86_64, opt, &functions("proof"));
    trusts_its_own_certificates(&sandbox);
}

#[test]
fn an_arm64_layer_is_packed_here_and_answers_through_qemu() {
    let layer = arm64();
    audit(layer);
    assert_eq!(record(&layer.zip)["architecture"], "arm64");
    assert_eq!(record(&layer.zip)["r_version"], "4.0.4");
    let answer = answers(Architecture::Arm64, layer);
    assert_eq!(
        (&answer["doubled"], &answer["r"]),
        (&json!(4), &json!("4.0.4"))
    );
    assert_eq!(answer["summer"], "2026-07-01 14:00:00 CEST");
    assert_eq!(
        (&answer["solved"], &answer["curl"]),
        (&json!(0.6), &json!(true))
    );
}

#[test]
fn invoke_runs_arm64_layers_too() {
    let mut command = r_layer(Path::new("/tmp"));
    command.args([
        "invoke",
        "--handler",
        "script.look",
        "--event",
        r#"{"x":4}"#,
    ]);
    command
        .args(["--timeout", "60", "--code"])
        .arg(functions("portable"));
    let output = succeed(command.arg("--layer").arg(&arm64().zip));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["doubled"], 8);
}

/// Its own program finds everything without R's start script and without bootstrap's environment but for R_HOME.
#[test]
fn the_program_of_r_started_directly_finds_everything() {
    let sandbox = like_lambda_of(Architecture::X86_64, &x86_64().opt, &functions("portable"));
    let script = "cat(R.home(), solve(4), extSoftVersion()[['BLAS']], nchar(libcurlVersion()) > 0)";
    let mut command = inside(
        &sandbox,
        "/usr/bin/env",
        &[
            "R_HOME=/opt/R",
            "LD_LIBRARY_PATH=/opt/R/lib",
            "/opt/R/bin/exec/R",
            "--no-echo",
            "--vanilla",
            "-e",
            script,
        ],
    );
    let said = succeed(&mut command).stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(said, "/opt/R 0.25 /opt/R/lib/libRblas.so TRUE");
}

#[test]
fn what_nothing_needs_is_left_out_and_the_rest_stays_where_it_was() {
    let zip = LayerArchive::open(&x86_64().zip).unwrap();
    let has = |part: &str| zip.entries.iter().any(|entry| entry.path.contains(part));
    for kept in [
        "R/lib/libRblas.so",
        "R/lib/.libs/libpcre2-8-",
        "R/lib/.libs/libgfortran-",
        "R/share/zoneinfo/Europe/Berlin",
        "R/library/jsonlite/libs/jsonlite.so",
        "R/bin/Rscript.bin",
    ] {
        assert!(has(kept), "{kept}");
    }
    for left_out in [
        "cairo",
        "pango",
        "fontconfig",
        "libX11",
        "R_X11",
        "R_de.so",
        "sbom.cdx.json",
        "/help/",
        "R/library/Matrix/",
    ] {
        assert!(!has(left_out), "{left_out}");
    }
    assert!(
        !zip.entries
            .iter()
            .any(|entry| entry.path.starts_with("lib/"))
    );
}

#[test]
fn the_record_and_the_bill_say_whose_it_is() {
    let layer = x86_64();
    let record = record(&layer.zip);
    let sources = record["sources"].as_array().unwrap();
    let origin = |name: &str| {
        let found = sources.iter().find(|source| source["name"] == name);
        found.map_or("", |source| source["origin"].as_str().unwrap())
    };
    assert_eq!(origin("R"), "Posit's portable build");
    assert!(origin("jsonlite").contains("manylinux_2_28"));
    assert!(origin("time zones").contains("IANA"));
    let bill: Value =
        serde_json::from_slice(&std::fs::read(layer.zip.with_extension("cdx.json")).unwrap())
            .unwrap();
    let names: Vec<&str> = bill["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| component["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"libpcre2-8-0"),
        "of Posit's own bill: {names:?}"
    );
    for also in ["tzdata", "libRblas.so"] {
        assert!(names.contains(&also), "{also}: {names:?}");
    }
    assert!(
        !names.iter().any(|name| name.contains("fontconfig")),
        "{names:?}"
    );
    for printed in [record.to_string(), bill.to_string()] {
        assert!(!printed.contains("127.0.0.1") && !printed.contains("/tmp/"));
    }
}

/// As on a laptop: no bubblewrap, no root, no other network than the two servers.
#[test]
fn fetching_and_packing_needs_no_sandbox_no_root_and_no_other_network() {
    let server = Posit::complete().serve();
    let elsewhere = Server::start(|_, _| Reply::status(500));
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("r-layer");
    std::fs::copy(assert_cmd::cargo::cargo_bin!("r-layer"), &program).unwrap();
    let project = folder.path().join("project");
    std::fs::create_dir(&project).unwrap();
    succeed(
        Command::new("chown")
            .args(["-R", "65534:65534"])
            .arg(folder.path()),
    );
    let setpriv = r_layer::sandbox::find_program("setpriv").unwrap();
    let mut command = Command::new(setpriv);
    command
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--no-new-privs",
        ])
        .arg(&program)
        .args(["build", "runtime"])
        .current_dir(&project)
        .env_clear()
        // No program is found, and everything but the two servers is behind a proxy.
        .env("PATH", "/nowhere")
        .env("HOME", &project)
        .env("R_LAYER_CACHE", folder.path().join("cache"))
        .env("R_LAYER_POSIT", server.url("r"))
        .env("R_LAYER_P3M", server.url("p3m"))
        .env("ALL_PROXY", elsewhere.base())
        .env("NO_PROXY", "127.0.0.1");
    succeed(&mut command);
    assert!(elsewhere.requests().is_empty(), "{:?}", elsewhere.targets());
    let zip = std::fs::read(only_zip(&project.join("dist"))).unwrap();
    assert!(
        zip == std::fs::read(&x86_64().zip).unwrap(),
        "the same bytes"
    );
}
