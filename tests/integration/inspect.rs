//! `inspect`: what is in the real runtime layer, and in zips that are unlike it.

use std::path::Path;

use serde_json::Value;

use crate::audit::making::{Planted, file, zip};
use crate::parts::{fail, r_layer, runtime_layer, succeed};

fn inspect(zips: &[&Path]) -> (String, Value) {
    let folder = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let mut command = r_layer(folder.path());
        command.env_remove("R_LAYER_TARGET").arg("inspect");
        succeed(command.args(zips).args(more)).stdout
    };
    let json = serde_json::from_slice(&run(&["--json"])).unwrap();
    (String::from_utf8(run(&[])).unwrap(), json)
}

fn description(package: &str, version: &str, more: &str) -> Planted {
    let text = format!("Package: {package}\nVersion: {version}\n{more}");
    file(&format!("R/library/{package}/DESCRIPTION"), text)
}

#[test]
fn the_runtime_layer_with_all_that_takes_room_in_it() {
    let (text, json) = inspect(&[runtime_layer()]);
    let layer = &json["layers"][0];
    let record = std::fs::read_to_string(runtime_layer().with_extension("json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(layer["r_version"], "4.5.0");
    for (key, recorded) in [
        ("sha256", "sha256"),
        ("zipped", "zipped_size"),
        ("unzipped", "unzipped_size"),
        ("architecture", "architecture"),
        ("glibc", "glibc"),
    ] {
        assert_eq!(layer[key], record[recorded], "{key}");
    }
    assert_eq!(layer["record"]["status"], "recorded");
    assert_eq!(layer["record"]["inputs"], record["inputs"]);

    let parts = layer["parts"].as_array().unwrap();
    let sizes: Vec<u64> = parts
        .iter()
        .map(|part| part["unzipped"].as_u64().unwrap())
        .collect();
    assert!(sizes.is_sorted_by(|one, next| one >= next), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<u64>(), layer["unzipped"]);
    let part = |path: &str| parts.iter().find(|part| part["path"] == path).unwrap();
    assert_eq!(part("R/library/stats")["version"], "4.5.0");
    assert_eq!(part("R/library/jsonlite")["license"], "MIT + file LICENSE");
    assert_eq!(part("r-layer")["package"], Value::Null);
    assert_eq!(layer["largest"].as_array().unwrap().len(), 10);
    assert_eq!(layer["largest"][0]["path"], "R/lib/libR.so");
    let percent = layer["unzipped_percent"].as_f64().unwrap();
    let expected = 100.0 * layer["unzipped"].as_f64().unwrap() / 262_144_000.0;
    assert!((percent - expected).abs() < 0.06, "{percent} {expected}");

    for part in [
        "R 4.5.0, x86_64, glibc 2.29 or newer",
        "% of 52.4 MB, a request's limit",
        "% of 262.1 MB, a function's limit",
        "jsonlite",
        "MIT + file LICENSE",
        "R/lib/ ",
        "█",
        "R source",
        "lib/libgfortran.so.5",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    // Hashes are as long as they are.
    let long = text.lines().find(|line| {
        let is_hash = line.split(' ').any(|word| word.len() == 64);
        line.chars().count() > 80 && !is_hash
    });
    assert_eq!(long, None);
}

#[test]
fn a_package_layer_says_which_r_it_is_for_and_several_are_counted_together() {
    let folder = tempfile::tempdir().unwrap();
    let built = "Built: R 4.4.2; ; 2025-01-02 03:04:05 UTC; unix\nLicense: GPL-2 |\n    GPL-3\n";
    let entries = [description("praise", "1.0.0", built)];
    let one = zip(folder.path(), "one.zip", &entries);
    let entries = [file("data/\x1b[2Jlarge", vec![0; 1000])];
    let other = zip(folder.path(), "other.zip", &entries);
    let (text, json) = inspect(&[&one, &other]);
    assert_eq!(json["layers"][0]["r_version"], "4.4.2");
    assert_eq!(json["layers"][0]["architecture"], Value::Null);
    assert_eq!(json["layers"][0]["record"]["status"], "no-record");
    let unzipped = |index: usize| json["layers"][index]["unzipped"].as_u64().unwrap();
    assert_eq!(json["together"]["unzipped"], unzipped(0) + unzipped(1));
    assert!(text.contains("praise  1.0.0"), "{text}");
    assert!(text.contains("GPL-2 | GPL-3"), "{text}");
    assert!(
        text.contains("there is no build record beside it"),
        "{text}"
    );
    assert!(
        text.contains("together, as one function has them"),
        "{text}"
    );
    assert!(
        !text.contains('\x1b') && text.contains("[2Jlarge"),
        "{text}"
    );
}

#[test]
fn a_record_of_another_zip_and_one_that_is_none_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let layer = zip(folder.path(), "layer.zip", &[file("R/VERSION", "4.5.0")]);
    let record = layer.with_extension("json");
    std::fs::copy(runtime_layer().with_extension("json"), &record).unwrap();
    let (text, json) = inspect(&[&layer]);
    assert_eq!(json["layers"][0]["record"]["status"], "of-another-zip");
    assert!(text.contains("is that of another zip"), "{text}");
    std::fs::write(&record, "{").unwrap();
    let (text, json) = inspect(&[&layer]);
    assert_eq!(json["layers"][0]["record"]["status"], "unreadable");
    assert!(text.contains("cannot be read: EOF"), "{text}");
}

#[test]
fn what_cannot_be_inspected() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.zip");
    std::fs::write(&page, "<html>").unwrap();
    let error = fail(r_layer(folder.path()).arg("inspect").arg(&page), 1);
    assert!(error.contains("page.zip cannot be inspected"), "{error}");
    fail(r_layer(folder.path()).arg("inspect"), 2);
    // Nothing is unpacked of what is absurdly large; its sizes are told all the same.
    let absurd = zip(folder.path(), "absurd.zip", &[file("a", "").size(1 << 63)]);
    let (_, json) = inspect(&[&absurd]);
    assert_eq!(json["layers"][0]["unzipped"], 1_u64 << 63);
}
