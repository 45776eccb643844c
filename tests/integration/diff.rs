//! `diff`: a changelog of two layers.

use std::path::{Path, PathBuf};

use r_layer::layer::{Entry, LayerTree};
use serde_json::{Value, json};

use crate::parts::{fail, r_layer, runtime_layer, succeed};

fn diff(old: &Path, new: &Path) -> (String, Value) {
    let folder = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let mut command = r_layer(folder.path());
        succeed(command.arg("diff").arg(old).arg(new).args(more)).stdout
    };
    let json = serde_json::from_slice(&run(&["--json"])).unwrap();
    (String::from_utf8(run(&[])).unwrap(), json)
}

/// A zip of these files, with that time.
fn layer(folder: &Path, name: &str, epoch: &str, files: &[(&str, &str)]) -> PathBuf {
    let mut tree = LayerTree::default();
    for (path, text) in files {
        tree.insert(
            *path,
            Entry::bytes((*text).to_owned(), *path == "bootstrap"),
        );
    }
    let path = folder.join(name);
    let mut output = std::fs::File::create(&path).unwrap();
    let time = r_layer::layer::zip::entry_time(Some(epoch)).unwrap();
    r_layer::layer::zip::write(&tree, time, &mut output).unwrap();
    path
}

const BASE: &str = "R/library/base/DESCRIPTION";
const MATRIX: &str = "R/library/Matrix/DESCRIPTION";
const MGCV: &str = "R/library/mgcv/DESCRIPTION";

#[test]
fn what_changed_is_a_list_for_a_changelog() {
    let folder = tempfile::tempdir().unwrap();
    let old = layer(
        folder.path(),
        "old.zip",
        "0",
        &[
            (BASE, "Package: base\nVersion: 4.4.3\n"),
            (MATRIX, "Package: Matrix\nVersion: 1.7-3\n"),
            (
                "R/library/stats/DESCRIPTION",
                "Package: stats\nVersion: 1\n",
            ),
            ("R/library/stats/R/stats", "old"),
            (
                "R/library/gone/DESCRIPTION",
                "Package: gone\nVersion: 0.1\n",
            ),
            ("bootstrap", "#!/bin/sh\n"),
            ("lib/liba.so.1", "a"),
        ],
    );
    let matrix = "m".repeat(5000);
    let new = layer(
        folder.path(),
        "new.zip",
        "0",
        &[
            (BASE, "Package: base\nVersion: 4.5.0\n"),
            (MATRIX, "Package: Matrix\nVersion: 1.7-4\n"),
            ("R/library/Matrix/data", &matrix),
            (MGCV, "Package: mgcv\nVersion: 1.9-1\n"),
            (
                "R/library/stats/DESCRIPTION",
                "Package: stats\nVersion: 1\n",
            ),
            ("R/library/stats/R/stats", "new"),
            ("bootstrap", "#!/bin/bash\n"),
            ("r-layer/main.R", "1\n"),
            ("lib/liba.so.2", "a"),
        ],
    );
    let (text, json) = diff(&old, &new);
    for line in [
        "- R: 4.4.3 → 4.5.0\n",
        "- Packages added: mgcv 1.9-1\n",
        "- Packages removed: gone 0.1\n",
        "- Packages changed: Matrix 1.7-3 → 1.7-4, base 4.4.3 → 4.5.0\n",
        "- Packages of the same version with other files: stats\n",
        "- Shared libraries, added: `lib/liba.so.2`\n",
        "- Shared libraries, removed: `lib/liba.so.1`\n",
        "- The Lambda runtime, added: `r-layer/main.R`\n",
        "- The Lambda runtime, changed: `bootstrap`\n",
        "  - `R/library/Matrix`: +5.0 kB\n",
        "- Files: 4 added, 2 removed, 4 changed\n",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let is_list = |line: &str| line.starts_with("- ") || line.starts_with("  - ");
    assert!(text.lines().all(is_list), "{text}");
    assert_eq!(json["sameness"], "different");
    assert_eq!(json["r_version"], json!({"from": "4.4.3", "to": "4.5.0"}));
    assert_eq!(json["packages"]["added"], json!({"mgcv": "1.9-1"}));
    assert_eq!(json["rebuilt"], json!(["stats"]));
    assert_eq!(json["growth"][0]["path"], "R/library/Matrix");
}

#[test]
fn the_same_content_is_told_whatever_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("bootstrap", "#!/bin/sh\n"), ("lib/a", "text")];
    let of = |name: &str, epoch: &str| layer(folder.path(), name, epoch, &files);
    let (one, same, later) = (
        of("1.zip", "0"),
        of("2.zip", "0"),
        of("3.zip", "1700000000"),
    );
    let (text, json) = diff(&one, &same);
    assert_eq!(json["sameness"], "same-zip");
    assert!(text.contains("The same content") && text.lines().count() == 1);
    let (text, json) = diff(&one, &later);
    assert_eq!(json["sameness"], "same-content");
    assert!(text.starts_with("- The same content: only times"), "{text}");
    // A file that may not be run any more is another file.
    let files = [("bootstrap.txt", "#!/bin/sh\n"), ("lib/a", "text")];
    let (_, json) = diff(&one, &layer(folder.path(), "4.zip", "0", &files));
    assert_eq!(json["sameness"], "different");
}

#[test]
fn the_runtime_layer_is_itself_and_what_is_no_zip_is_none() {
    let (_, json) = diff(runtime_layer(), runtime_layer());
    assert_eq!(json["sameness"], "same-zip");
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.zip");
    std::fs::write(&page, "<html>").unwrap();
    let mut command = r_layer(folder.path());
    let error = fail(command.arg("diff").arg(runtime_layer()).arg(&page), 1);
    assert!(error.contains("page.zip cannot be compared"), "{error}");
}
