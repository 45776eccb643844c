//! The bill of materials beside a zip: by CycloneDX's own schema, and by what the zip holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use r_layer::checksum::Sha256;
use r_layer::layer::LayerArchive;
use serde_json::{Value, json};

use crate::build::home_with_its_libraries;
use crate::parts::{cyclonedx, only_zip, r_layer, runtime_layer, sources, succeed};

/// Says what is wrong with a bill, or nothing.
const VALIDATE: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())
sys.exit(None if fault is None else repr(fault))
";

/// The bill beside a zip, which CycloneDX's own schema takes.
fn valid_bill(zip: &Path) -> (String, Value) {
    let path = zip.with_extension("cdx.json");
    succeed(
        Command::new("python3")
            .env("PYTHONPATH", cyclonedx())
            .args(["-c", VALIDATE])
            .arg(&path),
    );
    let text = std::fs::read_to_string(path).unwrap();
    let bill = serde_json::from_str(&text).unwrap();
    (text, bill)
}

/// The components of a bill by their name.
fn components(bill: &Value) -> BTreeMap<&str, &Value> {
    let all = bill["components"].as_array().unwrap();
    all.iter()
        .map(|component| (component["name"].as_str().unwrap(), component))
        .collect()
}

fn property<'a>(component: &'a Value, name: &str) -> Option<&'a str> {
    let properties = component["properties"].as_array()?;
    let found = properties.iter().find(|one| one["name"] == name)?;
    found["value"].as_str()
}

#[test]
fn the_runtime_layers_bill_names_everything_in_it_and_nothing_of_this_machine() {
    let (text, bill) = valid_bill(runtime_layer());
    let archive = LayerArchive::open(runtime_layer()).unwrap();
    let described = &bill["metadata"]["component"];
    assert_eq!(
        described["hashes"][0]["content"],
        archive.sha256.to_string()
    );
    assert_eq!(bill["metadata"]["timestamp"], Value::Null);

    let components = components(&bill);
    assert_eq!(components["R"]["purl"], "pkg:generic/R@4.5.0");
    assert_eq!(components["curl"]["purl"], "pkg:generic/curl@8.14.1");
    let license = |name: &str| components[name]["licenses"][0]["license"]["id"].clone();
    assert_eq!(license("R"), "GPL-2.0-or-later");
    assert_eq!(license("stats"), "GPL-2.0-or-later");
    assert_eq!(license("jsonlite"), "MIT");
    let version = components["jsonlite"]["version"].as_str().unwrap();
    assert_eq!(
        components["jsonlite"]["purl"],
        format!("pkg:cran/jsonlite@{version}")
    );

    let libraries: Vec<_> = archive
        .entries
        .iter()
        .filter(|entry| entry.path.starts_with("lib/"))
        .collect();
    assert!(libraries.len() > 3, "{libraries:?}");
    for library in libraries {
        let component = components[library.path.strip_prefix("lib/").unwrap()];
        let sha256 = Sha256::of(&library.content().unwrap()).to_string();
        assert_eq!(component["hashes"][0]["content"], sha256);
        assert_eq!(property(component, "r-layer:path"), Some(&*library.path));
        let purl = component["purl"].as_str().unwrap();
        assert!(purl.starts_with("pkg:deb/debian/lib"), "{purl}");
        assert!(property(component, "r-layer:copyright-file").is_some());
    }
    let cache = r_layer::cache::Cache::from_environment().unwrap();
    let home = std::env::var("HOME").unwrap();
    for machine in [cache.folder().to_str().unwrap(), &home] {
        assert!(!text.contains(machine), "{machine}");
    }
}

#[test]
fn the_bill_of_a_prebuilt_r_is_part_of_the_layers() {
    let folder = tempfile::tempdir().unwrap();
    let home = home_with_its_libraries(folder.path());
    let component = |name: &str, files: &str| {
        json!({
            "type": "library", "name": name, "version": "1.0-2.el9", "purl": format!("pkg:rpm/rocky/{name}@1.0-2.el9?arch=x86_64"),
            "properties": [{"name": "posit:bundled-files", "value": files}],
        })
    };
    let bill = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "metadata": {"timestamp": "2024-05-06T07:08:09Z", "component": {"type": "application", "name": "Posit R", "version": "4.5.0"}},
        "components": [component("blas", "libRblas.so, libabsent-01234567.so.3"), component("tk", "libtk-89abcdef.so.8")],
    });
    std::fs::write(home.join("sbom.cdx.json"), bill.to_string()).unwrap();
    let source = format!("dir:{}", home.display());
    let mut build = r_layer(folder.path());
    build.args(["build", "runtime", "--r-source", &source]);
    build.args(sources()).env("SOURCE_DATE_EPOCH", "1700000000");
    succeed(&mut build);
    let (text, bill) = valid_bill(&only_zip(&folder.path().join("dist")));
    let components = components(&bill);
    let blas = components["blas"];
    assert_eq!(blas["purl"], "pkg:rpm/rocky/blas@1.0-2.el9?arch=x86_64");
    assert_eq!(property(blas, "posit:bundled-files"), Some("libRblas.so"));
    assert!(!components.contains_key("tk"));
    assert_eq!(bill["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
    assert!(!text.contains("2024-05-06") && !text.contains("3e671687"));

    std::fs::write(home.join("sbom.cdx.json"), "{}").unwrap();
    let said = succeed(&mut build).stderr;
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("warning: the bill of materials"), "{said}");
}
