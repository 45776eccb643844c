//! `r-layer add-packages` and its like: the real binary, from requests to layers that answer under AWS's own emulator.

mod changes;
mod fetched;
mod input;
mod ready;
mod refused;
mod renv;
mod requirements;
mod splitting;
mod system_libraries;

use std::path::{Path, PathBuf};
use std::process::Command;

use r_layer::layer::LayerArchive;
use r_layer::layer::unpack::unpack;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::emulated::{Emulated, like_lambda_of, read_only};
use crate::emulator::serve_https;
use crate::parts::{from_source, functions, r_layer, runtime_layer, succeed};
use crate::real_repository::cran;
use r_layer::target::Architecture;

/// A project in which the runtime layer is built.
pub fn project() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let built = runtime_layer().parent().expect("its folder");
    let dist = folder.path().join("dist");
    fs_err::create_dir(&dist).expect("a folder");
    for entry in fs_err::read_dir(built).expect("the folder is there") {
        let entry = entry.expect("an entry");
        fs_err::copy(entry.path(), dist.join(entry.file_name())).expect("a copy");
    }
    let lock = built.parent().expect("the project").join("r-layer.lock");
    fs_err::copy(lock, folder.path().join("r-layer.lock")).expect("a copy");
    folder
}

/// A command of r-layer's in a project, for the compiled R.
pub fn packages(project: &Path, arguments: &[&str]) -> Command {
    let mut command = r_layer(project);
    command.args(arguments).args(from_source());
    command
}

/// The result of a command as JSON.
pub fn result(command: &mut Command) -> Value {
    let output = succeed(command.arg("--json"));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The zips in a project's `dist/` but the runtime's.
pub fn zips(project: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(project.join("dist")).expect("the folder is there");
    let mut zips: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zip"))
        .filter(|path| !path.to_string_lossy().contains("r-runtime-"))
        .collect();
    zips.sort();
    zips
}

/// All layers of a project, unpacked as Lambda unpacks them.
pub fn unpacked(project: &Path, opt: &Path) {
    let layers = std::iter::once(runtime_layer().to_owned()).chain(zips(project));
    let layers: Vec<LayerArchive> = layers
        .map(|path| LayerArchive::open(&path).expect("a zip"))
        .collect();
    unpack(&layers, opt).expect("the layers are unpacked");
}

#[test]
fn recommended_packages_need_no_network_and_answer_under_the_emulator() {
    let project = project();
    let changed = result(&mut packages(
        project.path(),
        &["add-packages", "Matrix", "mgcv", "--offline"],
    ));
    let record = &changed["layers"][0];
    assert_eq!(record["zip"], "r-packages-4.5-al2023-x86_64.zip");
    let names: Vec<&String> = record["packages"]
        .as_object()
        .expect("packages")
        .keys()
        .collect();
    assert_eq!(names, ["Matrix", "lattice", "mgcv", "nlme"]);
    let manifest = fs_err::read_to_string(project.path().join("r-layer.toml")).expect("a manifest");
    assert_eq!(
        manifest,
        "[layers.packages]\npackages = [\"Matrix\", \"mgcv\"]\n"
    );

    let opt = project.path().join("opt");
    unpacked(project.path(), &opt);
    let sandbox = like_lambda_of(Architecture::X86_64, &opt, &functions("packages"));
    let smooth = Emulated::start(&sandbox, "script.smooth");
    let distance = smooth.invoke(&json!({"n": 50}));
    assert!(
        distance.as_f64().is_some_and(|distance| distance < 0.01),
        "{distance} {}",
        smooth.log()
    );
    let entries = Emulated::start(&sandbox, "script.entries");
    assert_eq!(
        entries.invoke(&json!({"n": 1000})),
        json!(1000),
        "{}",
        entries.log()
    );
}

/// Sources with C, C++ and system libraries (libcurl, OpenSSL, libxml2) are compiled with all they need; and HTTPS by
/// packages with a libcurl of their own finds Lambda's certificates without the user's doing.
#[test]
fn a_closure_that_is_compiled_answers_and_trusts_lambdas_certificates() {
    let project = project();
    let repository = format!("cran={}", cran().base);
    let wanted = ["data.table", "Rcpp", "dplyr", "curl", "httr2", "xml2"];
    let arguments = [&["add-packages", "--repo", &repository][..], &wanted].concat();
    let changed = result(&mut packages(project.path(), &arguments));
    let record = &changed["layers"][0];
    assert!(
        record["packages"]
            .as_object()
            .is_some_and(|all| all.len() > 20),
        "{record}"
    );
    let added = record["added_libraries"].as_object().expect("libraries");
    assert!(
        added.keys().any(|path| path.starts_with("lib/libxml2.so")),
        "{added:?}"
    );

    let opt = project.path().join("opt");
    unpacked(project.path(), &opt);
    let mut sandbox = like_lambda_of(Architecture::X86_64, &opt, &functions("packages"));
    let several = Emulated::start(&sandbox, "script.several");
    assert_eq!(
        several.invoke(&json!({"text": "<a><b>c</b></a>"})),
        json!({"data.table": [3, 3], "dplyr": [3, 3], "xml2": "c", "Rcpp": true}),
        "{}",
        several.log()
    );

    let served = tempfile::tempdir().expect("a temporary folder");
    fs_err::write(served.path().join("file.txt"), "one\n").expect("the file is written");
    let (_server, url) = serve_https(served.path());
    let event = json!({"url": format!("{url}/file.txt")});
    let strange = Emulated::start(&sandbox, "script.by_curl");
    assert!(
        strange.invoke(&event)["errorMessage"].is_string(),
        "{}",
        strange.log()
    );
    let certificate = served.path().join("certificate.pem");
    sandbox
        .mounts
        .push(read_only(&certificate, "/etc/pki/tls/certs/ca-bundle.crt"));
    for handler in ["script.by_curl", "script.by_httr2"] {
        let vouched_for = Emulated::start(&sandbox, handler);
        assert_eq!(
            vouched_for.invoke(&event),
            json!("one\n"),
            "{}",
            vouched_for.log()
        );
    }
}
