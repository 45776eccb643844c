//! What is built: the same for the same inputs, and what other programs make of it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use r_layer::cache::Cache;
use r_layer::http::Patience;
use r_layer::image::{Images, ResolvedImage};
use r_layer::progress::Silent;
use r_layer::target::Architecture;
use serde_json::Value;
use tar::EntryType;

use super::base::{BASE, Function, small_base, tiny_layer};
use crate::oci::layers::layer;
use crate::oci::registry::{Compression, Layout, Registry};
use crate::parts::{from_source, runtime_layer, succeed};

fn json(command: &mut Command) -> Value {
    serde_json::from_slice(&succeed(command).stdout).unwrap()
}

fn skopeo(arguments: &[&str]) -> Command {
    let mut skopeo = Command::new("skopeo");
    skopeo.arg("--insecure-policy").args(arguments);
    skopeo
}

#[test]
fn two_builds_are_the_same_bytes_in_a_folder_and_in_a_tarball() {
    let function = Function::on(&small_base()).with_tiny_layer();
    let first = function.built_tiny(&["-o", "one.tar"]);
    // Another cache, other times, other permissions.
    let other = Function {
        registry: Registry::start(),
        project: crate::oci::pulled::Project::new(),
    };
    std::fs::copy(function.path("tiny.zip"), other.path("tiny.zip")).unwrap();
    succeed(
        Command::new("cp")
            .arg("-r")
            .args([function.path("fn"), other.path("fn")]),
    );
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(other.path("fn/script.R"), mode).unwrap();
    let build = |more: &[&str]| {
        let mut command = other.project.r_layer();
        command
            .args([
                "image",
                "build",
                "--code",
                "fn",
                "--handler",
                "script.parity",
            ])
            .args(["--base", &function.base(), "--layer", "tiny.zip", "--json"])
            .args(more);
        json(&mut command)
    };
    assert_eq!(build(&["-o", "two.tar"])["digest"], first["digest"]);
    let bytes = |path: &Path| std::fs::read(path).unwrap();
    assert!(bytes(&function.path("one.tar")) == bytes(&other.path("two.tar")));
    build(&["-o", "layout"]);
    build(&["-o", "layout"]);
    succeed(
        Command::new("tar")
            .arg("-xf")
            .arg("two.tar")
            .arg("--one-top-level")
            .current_dir(other.project.folder.path()),
    );
    succeed(
        Command::new("diff")
            .arg("-r")
            .args([other.path("two"), other.path("layout")]),
    );
    // What decides how an image comes out makes another one.
    for more in [["--env", "A=b"], ["--label", "version=2"]] {
        assert_ne!(build(&more)["digest"], first["digest"], "{more:?}");
    }
}

/// The record beside the layout, and the layers' zips, were part of the code once, if it was the current folder.
#[test]
fn what_is_built_in_the_folder_of_the_code_is_no_part_of_it() {
    let function = Function::on(&small_base()).with_tiny_layer();
    function.write("script.R", "parity <- function(number) 1");
    function.write("data/.env", "A=b");
    function.write("data/rows.csv", "1");
    let build = |more: &[&str]| {
        let layer = ["--code", ".", "--layer", "tiny.zip"];
        function.built(&[&layer[..], more].concat())
    };
    let first = build(&["-o", "function.tar"]);
    for _ in 0..2 {
        assert_eq!(build(&["-o", "function.tar"])["digest"], first["digest"]);
    }
    let listed =
        succeed(&mut function.build(&["--code", ".", "--layer", "tiny.zip", "--dockerfile"]));
    let dockerfile = String::from_utf8(listed.stdout).unwrap();
    let copied: Vec<&str> = dockerfile
        .lines()
        .filter(|line| line.ends_with(r#"/"]"#) && line.contains("/var/task/"))
        .collect();
    // The layout of the builds before is a file of the folder like any other here.
    assert!(
        !dockerfile.contains(".env") && !dockerfile.contains(r#""./""#),
        "{dockerfile}"
    );
    assert!(
        copied.contains(&r#"COPY ["data/rows.csv","/var/task/data/"]"#),
        "{copied:?}"
    );
    // A push without a layout says nothing of one that is there.
    let record = || std::fs::read(function.path("dist/image.image.json")).unwrap();
    function.built_tiny(&[]);
    let before = record();
    function.built_tiny(&["--env", "A=b", "--push", &function.registry.name("fn:2")]);
    assert!(record() == before);
}

#[test]
fn umoci_and_skopeo_find_what_was_put_in() {
    let function = Function::on(&small_base()).with_tiny_layer();
    for (name, content) in [
        ("fn/.git/config", "not the function's"),
        ("fn/r-layer.toml", ""),
        ("fn/R/helper.R", "1"),
        ("fn/run.sh", "#!/bin/sh"),
    ] {
        function.write(name, content);
    }
    let mode = std::fs::Permissions::from_mode(0o775);
    std::fs::set_permissions(function.path("fn/run.sh"), mode).unwrap();
    let built = function.built_tiny(&["--env", "STAGE=test", "--label", "version=1.2"]);
    let inspected = json(&mut skopeo(&[
        "inspect",
        &format!("oci:{}:latest", function.path("dist/image").display()),
    ]));
    assert_eq!(inspected["Digest"], built["digest"]);
    let labels = &inspected["Labels"];
    assert_eq!(labels["org.opencontainers.image.version"], "1.2");
    assert_eq!(labels["org.opencontainers.image.title"], "script.parity");
    assert_eq!(
        labels["org.opencontainers.image.base.name"],
        function.base()
    );
    let environment = inspected["Env"].as_array().unwrap();
    assert!(environment.contains(&"STAGE=test".into()) && environment.contains(&"TZ=:UTC".into()));
    // umoci compares every digest of every layer, packed and unpacked.
    let root = function.path("unpacked");
    let mut umoci = Command::new("umoci");
    umoci.args(["unpack", "--rootless", "--image"]);
    umoci.arg(format!("{}:latest", function.path("dist/image").display()));
    succeed(umoci.arg(&root));
    let found = |path: &str| {
        let found = std::fs::symlink_metadata(root.join("rootfs").join(path));
        found.ok().map(|found| found.permissions().mode() & 0o777)
    };
    let long = format!("opt/R/library/{}/data", "long".repeat(40));
    for (path, mode) in [
        ("opt", 0o755),
        ("opt/bootstrap", 0o755),
        ("opt/lib/libx.so", 0o644),
        (&long, 0o644),
        ("var/runtime/bootstrap", 0o755),
        ("var/task/script.R", 0o644),
        ("var/task/R/helper.R", 0o644),
        ("var/task/run.sh", 0o755),
        ("bin/sh", 0o644),
    ] {
        assert_eq!(found(path), Some(mode), "{path}");
    }
    assert_eq!(found("var/task/.git"), None);
    assert_eq!(found("var/task/r-layer.toml"), None);
}

#[test]
fn an_image_for_both_processors_is_an_index_of_two() {
    let function = Function::on(&small_base());
    let shell = layer(&[("bin/sh", EntryType::Regular, "x")]);
    let layers: [(&[u8], _); 1] = [(&shell, Compression::Gzip)];
    let base = Layout::of_index(&["amd64", "arm64"], &layers);
    function.registry.push(&base, BASE);
    let folder = function.project.folder.path();
    tiny_layer(folder, "x86_64", Architecture::X86_64);
    tiny_layer(folder, "arm64", Architecture::Arm64);
    let both = [
        "--arch",
        "x86_64,arm64",
        "--layer",
        "x86_64.zip",
        "--layer",
        "arm64.zip",
    ];
    let name = function.registry.name("fn:both");
    let built = function.built(&[&both[..], &["--push", &name, "-o", "both.tar"]].concat());
    let raw = json(&mut skopeo(&[
        "inspect",
        "--raw",
        "--tls-verify=false",
        &format!("docker://{name}"),
    ]));
    let platforms: Vec<&Value> = raw["manifests"].as_array().unwrap().iter().collect();
    assert_eq!(platforms.len(), 2);
    for (platform, line) in platforms.iter().zip(built["platforms"].as_array().unwrap()) {
        assert_eq!(platform["digest"], line["digest"]);
        // The bootstrap, one layer, the code: those for the other processor are not there.
        assert_eq!(line["layers"].as_array().unwrap().len(), 3);
    }
    assert_eq!(platforms[0]["platform"]["architecture"], "amd64");
    assert_eq!(platforms[1]["platform"]["architecture"], "arm64");
    assert_eq!(built["push"]["digest"], built["digest"]);
    // All of it can be copied by another program, from the registry and from the layout.
    let copy = format!("oci:{}:copy", function.path("copy").display());
    let from = format!("docker://{name}");
    succeed(&mut skopeo(&[
        "copy",
        "--all",
        "--src-tls-verify=false",
        &from,
        &copy,
    ]));
    succeed(&mut skopeo(&[
        "copy",
        "--all",
        &format!("oci-archive:{}:latest", function.path("both.tar").display()),
        &copy,
    ]));
    // A function takes one of them: what a reference leads to for a processor is known without the layers.
    for (line, architecture) in built["platforms"]
        .as_array()
        .unwrap()
        .iter()
        .zip(Architecture::ALL)
    {
        let found = resolved(&name, architecture);
        assert_eq!(line["digest"], found.digest.oci());
        assert!(found.is_from_index);
        let by_digest = format!("{}@{}", function.registry.name("fn"), found.digest.oci());
        assert!(!resolved(&by_digest, architecture).is_from_index);
    }
    // The Dockerfile takes the zips of the processor that is built for.
    let dockerfile = succeed(&mut function.build(&[&both[..], &["--dockerfile"]].concat())).stdout;
    let dockerfile = String::from_utf8(dockerfile).unwrap();
    for line in [
        r#"COPY ["x86_64.zip","/zips/amd64/1.zip"]"#,
        r#"COPY ["arm64.zip","/zips/arm64/1.zip"]"#,
        "ARG TARGETARCH",
        "zip=/zips/$TARGETARCH/$n.zip;",
    ] {
        assert!(dockerfile.contains(line), "{line}: {dockerfile}");
    }
    let lock = function.project.lock();
    assert_eq!(lock.matches("[[image]]").count(), 2, "{lock}");
}

fn resolved(name: &str, architecture: Architecture) -> ResolvedImage {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().to_owned()).unwrap();
    let images = Images {
        cache: &cache,
        patience: Patience::default(),
        login: None,
        reporter: &Silent,
    };
    let reference = name.parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(images.resolve(&reference, architecture))
        .unwrap()
}

/// The code says which packages it needs, and they are in the image without another word.
#[test]
fn packages_that_the_code_asks_for_come_by_themselves() {
    let function = Function::on(&small_base()).with_runtime();
    function.write(
        "fn/DESCRIPTION",
        "Package: fn\nVersion: 1.0\nImports: nlme\n",
    );
    let mut command = function.build(&["--json"]);
    let flags = from_source();
    command.env("R_LAYER_R_SOURCE", &flags[1]);
    if let Some(folder) = flags.get(3) {
        command.env("R_LAYER_SOURCES", folder);
    }
    command.env("R_LAYER_CACHE", crate::parts::cache_folder());
    let built = json(&mut command);
    let layers = built["platforms"][0]["layers"].as_array().unwrap();
    let titles: Vec<&str> = layers
        .iter()
        .filter_map(|layer| layer["title"].as_str())
        .collect();
    let runtime = runtime_layer().file_name().unwrap().to_str().unwrap();
    let packages = "r-packages-4.5-al2023-x86_64.zip";
    assert_eq!(titles, ["bootstrap", runtime, packages, "code"]);
    let manifest = std::fs::read_to_string(function.path("r-layer.toml")).unwrap();
    assert!(manifest.contains("nlme"), "{manifest}");
    // By their names they are the same; and named ones are all there is.
    let named = function.built(&["--layer", "runtime", "--layer", "packages"]);
    assert_eq!(named["digest"], built["digest"]);
    let runtime_alone = function.built(&["--layer", "runtime"]);
    assert_eq!(
        runtime_alone["platforms"][0]["layers"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}
