//! Layers of packages: R's recommended packages and small ones made for this, packed beside the runtime layer and loaded in
//! a root like Lambda's.

mod making;

use std::path::Path;
use std::process::Command;

use r_layer::cache::Cache;
use r_layer::commands::package_layers::check::{CheckError, Want};
use r_layer::commands::package_layers::pack::{LayerPackage, PackedLayer};
use r_layer::layer::PackageLayerRecipe;
use r_layer::layer::record::CheckState;
use r_layer::layer::split::SplitError;
use r_layer::layer::unpack::unpack;
use serde_json::Value;

use crate::emulated::{environment, inside, like_lambda_of};
use crate::parts::{r_layer, succeed};
use making::{Bench, class_with, library, loading, of_r, runtime, target_with_request};

fn recommended() -> Vec<LayerPackage> {
    let names = PackageLayerRecipe::named("recommended").unwrap();
    names.packages.iter().map(|name| of_r(name)).collect()
}

fn bytes(packed: &PackedLayer) -> Vec<Vec<u8>> {
    let parts = packed.parts.iter();
    parts
        .map(|part| std::fs::read(&part.path).unwrap())
        .collect()
}

#[test]
fn the_recommended_packages_are_at_most_12_mb_and_load() {
    let bench = Bench::new();
    let mut plan = bench.plan("recommended", recommended());
    plan.proof = loading();
    let packed = bench.pack(&plan).unwrap();
    let [part] = &packed.parts[..] else {
        panic!("{:?}", bench.files());
    };
    let zip = "r-recommended-4.5-al2023-x86_64";
    let expected = ["cdx.json", "json", "zip"].map(|kind| format!("{zip}.{kind}"));
    assert_eq!(bench.files(), expected);
    let record = &part.record;
    println!(
        "{} bytes zipped, {} unzipped",
        record.zipped_size, record.unzipped_size
    );
    assert!(
        record.zipped_size <= 12_000_000,
        "{} bytes",
        record.zipped_size
    );
    assert_eq!(record.packages.len(), 15);
    assert_eq!(record.of_packages.check, Some(CheckState::Passed));
    assert_eq!(record.of_packages.requested.len(), 15);
    assert!(
        record
            .of_packages
            .beside
            .contains_key(&runtime()[0].archive.name)
    );
    // The runtime layer has the libraries that they need.
    assert!(record.added_libraries.is_empty(), "{record:?}");
    assert!(
        record
            .savings
            .iter()
            .any(|saving| saving.reason.contains("help pages"))
    );
    every_object_can_be_read(&packed);
    let inspected = inspect(&part.path);
    assert!(
        inspected.contains("each of the requested packages was loaded"),
        "{inspected}"
    );
}

fn inspect(zip: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = succeed(r_layer(folder.path()).arg("inspect").arg(zip));
    String::from_utf8(output.stdout).unwrap()
}

/// R reads every object of every package out of the databases that were compressed better.
fn every_object_can_be_read(packed: &PackedLayer) {
    let cache = Cache::from_environment().unwrap();
    let folder = cache.unfinished().unwrap();
    let (opt, code) = (folder.path().join("opt"), folder.path().join("code"));
    let layers = runtime().iter().chain(&packed.examined);
    unpack(layers.map(|layer| &layer.archive), &opt).unwrap();
    std::fs::create_dir(&code).unwrap();
    let script = "
        count <- 0L
        for (package in commandArgs(TRUE)) {
            space <- loadNamespace(package)
            for (name in ls(space, all.names = TRUE)) { force(get(name, space)); count <- count + 1L }
            data <- space[['.__NAMESPACE__.']][['lazydata']]
            for (name in ls(data, all.names = TRUE)) { force(get(name, data)); count <- count + 1L }
        }
        m <- mgcv::gam(mpg ~ s(wt, k = 5), data = datasets::mtcars)
        stopifnot(count > 3000L, summary(m)$r.sq > 0.7)
        cat('read', count)";
    std::fs::write(code.join("read.R"), script).unwrap();
    let mut sandbox = like_lambda_of(r_layer::target::Architecture::X86_64, &opt, &code);
    sandbox.environment = environment(&[
        ("R_HOME", "/opt/R"),
        ("LD_LIBRARY_PATH", "/opt/R/lib:/opt/lib"),
        ("LC_ALL", "C.UTF-8"),
        ("PATH", "/usr/bin"),
    ]);
    let mut arguments = vec![
        "--no-echo",
        "--no-restore",
        "--file=/var/task/read.R",
        "--args",
    ];
    let names: Vec<&str> = packed
        .parts
        .iter()
        .flat_map(|part| part.record.packages.keys())
        .map(String::as_str)
        .collect();
    arguments.extend(names);
    let output = succeed(&mut inside(&sandbox, "/opt/R/bin/exec/R", &arguments));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("read "), "{said}");
}

#[test]
fn what_is_too_large_becomes_parts_that_load_together_and_go_when_there_are_fewer() {
    let bench = Bench::new();
    let mut plan = bench.plan("models", recommended());
    plan.target = target_with_request(5_000_000);
    plan.requested = vec!["survival".into(), "mgcv".into()];
    plan.proof = loading();
    let packed = bench.pack(&plan).unwrap();
    let names: Vec<&str> = packed
        .parts
        .iter()
        .map(|part| part.record.name.as_str())
        .collect();
    assert_eq!(names, ["models-1", "models-2", "models-3"]);
    let together: usize = packed
        .parts
        .iter()
        .map(|part| part.record.packages.len())
        .sum();
    assert_eq!(together, 15);
    for (index, part) in packed.parts.iter().enumerate() {
        assert!(part.record.zipped_size < 5_000_000 && !part.record.needs_s3);
        let place = part.record.of_packages.part.as_ref().unwrap();
        assert_eq!(
            (&place.layer[..], place.number, place.of),
            ("models", index + 1, 3)
        );
        assert_eq!(part.record.of_packages.check, Some(CheckState::Passed));
        // What was left out is told once.
        assert!(part.record.savings.iter().all(|saving| saving.files > 0));
    }
    assert!(
        bench.said.text().contains("it becomes 3 layers"),
        "{}",
        bench.said.text()
    );
    let before = bytes(&packed);
    let other = Bench::new();
    let mut again = other.plan("models", recommended());
    again.packages.reverse();
    again.target = plan.target;
    again.requested = plan.requested.clone();
    assert!(
        before == bytes(&other.pack(&again).unwrap()),
        "the same packages, other bytes"
    );

    // With a bucket nothing is split, and the parts of before are gone.
    plan.s3_bucket = Some("bucket");
    plan.proof = r_layer::commands::package_layers::pack::Proof::Skipped;
    let packed = bench.pack(&plan).unwrap();
    assert_eq!((packed.parts.len(), packed.removed.len()), (1, 3));
    assert!(packed.parts[0].record.needs_s3);
    assert_eq!(bench.files().len(), 3, "{:?}", bench.files());
}

const STUB: &str = "int odd(void); int stub_of_class(void) { return odd(); }";

#[test]
fn a_library_that_lambda_lacks_comes_from_where_the_package_was_compiled() {
    let bench = Bench::new();
    let root = tempfile::tempdir().unwrap();
    let (deep, odd) = (
        root.path().join("usr/lib64/libdeep.so.2"),
        root.path().join("usr/lib64/libodd.so.1"),
    );
    library(
        &deep,
        Some("libdeep.so.2"),
        "int deep(void) { return 2; }",
        &[],
    );
    library(
        &odd,
        Some("libodd.so.1"),
        "int deep(void); int odd(void) { return deep(); }",
        &[&deep],
    );
    let folder = tempfile::tempdir().unwrap();
    let class = || {
        let folder = tempfile::tempdir_in(folder.path()).unwrap().keep();
        class_with(&folder, STUB, &[&odd])
    };
    let mut plan = bench.plan("odd", vec![class(), of_r("MASS")]);
    let error = format!("{:#}", bench.pack(&plan).unwrap_err());
    assert!(
        error.contains("package class: R/library/class/libs/class.so needs libodd.so.1")
            && error.contains("--system-package"),
        "{error}"
    );
    plan.build_roots = vec![root.path().to_owned()];
    plan.proof = loading();
    let packed = bench.pack(&plan).unwrap();
    let record = &packed.parts[0].record;
    let added: Vec<&str> = record.added_libraries.keys().map(String::as_str).collect();
    assert_eq!(added, ["lib/libdeep.so.2", "lib/libodd.so.1"]);
    let origin = &record.of_packages.library_origins["lib/libodd.so.1"];
    assert_eq!(
        origin,
        "/usr/lib64/libodd.so.1 where packages were compiled"
    );
    assert_eq!(record.of_packages.check, Some(CheckState::Passed));
    let json = std::fs::read_to_string(packed.parts[0].path.with_extension("json")).unwrap();
    assert!(!json.contains(root.path().to_str().unwrap()), "{json}");

    // A layer beside it that has the library: it is not packed again.
    let later = Bench::new();
    let others: Vec<_> = runtime().iter().chain(&packed.examined).cloned().collect();
    let mut plan = later.plan("later", vec![of_r("nnet")]);
    plan.packages[0].files = class().files;
    plan.packages[0].name = "class".to_owned();
    plan.others = &others;
    plan.build_roots = vec![root.path().to_owned()];
    let packed = later.pack(&plan).unwrap();
    assert!(packed.parts[0].record.added_libraries.is_empty());
}

#[test]
fn a_package_that_does_not_load_is_told_with_the_reason_and_nothing_is_kept() {
    let bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let crash = "#include <stdlib.h>\n__attribute__((constructor)) void crash(void) { abort(); }";
    let crashing = class_with(folder.path(), crash, &[]);
    let mut plan = bench.plan("models", vec![crashing, of_r("MASS"), of_r("nnet")]);
    plan.proof = loading();
    let error = bench.pack(&plan).unwrap_err();
    let failed = &error.downcast_ref::<CheckError>().unwrap().failures;
    assert_eq!(failed.len(), 1, "{error}");
    assert_eq!(failed[0].package, "class");
    assert!(failed[0].message.contains("R ended"), "{error}");
    assert!(bench.files().is_empty(), "{:?}", bench.files());

    // A package that it needs is missing.
    plan.packages = vec![of_r("mgcv"), of_r("nnet")];
    plan.requested = vec!["mgcv".into(), "nnet".into()];
    let error = bench.pack(&plan).unwrap_err();
    let failed = &error.downcast_ref::<CheckError>().unwrap().failures;
    assert_eq!(failed.len(), 1, "{error}");
    let Some(Want::Package { name }) = &failed[0].wants else {
        panic!("{error}");
    };
    assert!(["Matrix", "nlme"].contains(&name.as_str()), "{error}");
    let fix = format!("r-layer add-packages {name}");
    assert!(error.to_string().contains(&fix), "{error}");
    assert!(bench.files().is_empty(), "{:?}", bench.files());

    plan.proof = r_layer::commands::package_layers::pack::Proof::Skipped;
    let packed = bench.pack(&plan).unwrap();
    let json = std::fs::read(packed.parts[0].path.with_extension("json")).unwrap();
    let record: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(record["check"], "skipped");
    assert!(inspect(&packed.parts[0].path).contains("whether its packages load was not tried"));
}

#[test]
fn what_is_too_large_for_a_function_is_told_with_what_would_help() {
    let bench = Bench::new();
    let mut plan = bench.plan("models", vec![of_r("Matrix"), of_r("lattice")]);
    let mut target = plan.target.clone();
    target.limits.unzipped = runtime()[0].archive.unzipped_size() + 1_000_000;
    plan.target = Box::leak(Box::new(target));
    plan.keep = vec!["help".into(), "doc".into()];
    let error = bench.pack(&plan).unwrap_err();
    let error = error.downcast_ref::<SplitError>().unwrap();
    assert_eq!(error.heaviest[0].name, "Matrix");
    assert!(
        error
            .savings
            .iter()
            .any(|saving| saving.how.contains("--keep help")),
        "{error}"
    );
    assert!(bench.files().is_empty());
    plan.keep = vec!["hlep".into()];
    let error = bench.pack(&plan).unwrap_err().to_string();
    assert!(
        error.contains("`hlep` is nothing that can be kept"),
        "{error}"
    );
}

#[test]
fn the_real_binary_audits_a_layer_of_packages_with_the_runtime() {
    let bench = Bench::new();
    let packed = bench
        .pack(&bench.plan("small", vec![of_r("nnet")]))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut audit: Command = r_layer(folder.path());
    audit
        .arg("audit")
        .arg(crate::parts::runtime_layer())
        .arg(&packed.parts[0].path);
    succeed(audit.arg("--runtime"));
}
