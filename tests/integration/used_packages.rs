//! Which packages code asks for: R's own parser, in the runtime layer's R, and r-layer's own say the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use r_layer::function::used_packages::{Place, by_package, in_code, r_code};
use serde_json::{Value, json};

use crate::parts::{r_layer, runtime_layer, succeed};

/// Files of this checkout: (path, R code).
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    let mut open: Vec<PathBuf> = vec![root.join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if path.is_dir() {
                open.push(path);
            } else if [".R", ".Rmd", ".qmd"].iter().any(|end| name.ends_with(end)) {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push((name.clone(), r_code(&name, &text).into_owned()));
            }
        }
    }
    sources
}

/// What R finds in each, as a function in layers/proof that r-layer invokes; nothing where R does not understand it.
fn found_by_r(sources: &[(String, String)]) -> Vec<Option<Vec<(String, usize)>>> {
    let folder = tempfile::tempdir().unwrap();
    let script = r_layer::embedded::text("proof/used_packages.R");
    std::fs::write(folder.path().join("used_packages.R"), script).unwrap();
    let mut names = Vec::new();
    for (number, (_, code)) in sources.iter().enumerate() {
        let name = format!("code/{number}.R");
        std::fs::create_dir_all(folder.path().join("code")).unwrap();
        std::fs::write(folder.path().join(&name), code).unwrap();
        names.push(name);
    }
    let event = json!({ "files": names }).to_string();
    let mut command = r_layer(folder.path());
    command.args([
        "invoke",
        "--json",
        "--handler",
        "used_packages.used_packages",
    ]);
    command.args(["--timeout", "60", "--event", &event, "--layer"]);
    let output = succeed(command.arg(runtime_layer()));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = printed["result"].as_array().unwrap().iter();
    let uses = |file: &Value| {
        let uses = file.as_array()?.iter();
        let one = |used: &Value| {
            let line = used["line"].as_u64().unwrap() as usize;
            (used["package"].as_str().unwrap().to_owned(), line)
        };
        Some(uses.map(one).collect())
    };
    files.map(uses).collect()
}

fn told(uses: Vec<(String, usize)>) -> BTreeMap<String, Vec<Place>> {
    by_package(uses.into_iter().map(|(package, line)| (package, "", line)))
}

#[test]
fn the_parser_of_r_finds_the_same() {
    // The fixtures, and real code: the runtime's own, its tests, and the handlers of the tests.
    let folders = [
        "layers/proof",
        "layers/runtime",
        "tests/fixtures",
        "tests/runtime",
    ];
    let mut sources: Vec<(String, String)> = folders.into_iter().flat_map(sources).collect();
    sources.push(("broken.R".to_owned(), "library(MASS\nx <- ) 1".to_owned()));
    let found = found_by_r(&sources);
    assert_eq!(found.len(), sources.len());
    let mut not_understood = Vec::new();
    let mut uses = 0;
    for ((name, code), by_r) in sources.iter().zip(found) {
        match by_r {
            None => not_understood.push(name.rsplit('/').next().unwrap()),
            Some(by_r) => {
                uses += by_r.len();
                assert_eq!(told(by_r), told(in_code(code)), "{name}");
            }
        }
    }
    not_understood.sort_unstable();
    assert_eq!(not_understood, ["broken.R", "escapes.R", "syntax.R"]);
    assert!(uses > 100, "{uses}");
}
