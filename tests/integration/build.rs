//! `build runtime`: the same bytes everywhere, from a source or from an R that is there, wherever the binary stands.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::parts::{
    compiled_r_home, fail, from_source, functions, only_zip, r_layer, runtime_layer, sources,
    succeed,
};

fn record(zip: &Path) -> Value {
    let text = std::fs::read_to_string(zip.with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn two_builds_in_different_folders_and_umasks_give_the_same_bytes() {
    let program = assert_cmd::cargo::cargo_bin!("r-layer")
        .display()
        .to_string();
    let flags = from_source().join(" ");
    let zips = ["022", "077"].map(|umask| {
        let folder = tempfile::tempdir().unwrap();
        let script =
            format!("umask {umask}; exec {program} build runtime --out some/{umask} {flags}");
        succeed(
            r_layer(folder.path()).get_envs().fold(
                Command::new("/bin/sh")
                    .current_dir(folder.path())
                    .arg("-c")
                    .arg(script),
                |command, (name, value)| match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                },
            ),
        );
        // Entries have times to the second, if they have any that they should not.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let zip = only_zip(&folder.path().join("some").join(umask));
        let bill = std::fs::read_to_string(zip.with_extension("cdx.json")).unwrap();
        (std::fs::read(&zip).unwrap(), record(&zip), bill)
    });
    assert!(zips[0].0 == zips[1].0, "the zips differ");
    assert_eq!(zips[0].1, zips[1].1);
    assert_eq!(zips[0].2, zips[1].2);
}

#[test]
fn the_time_of_entries_is_source_date_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = r_layer(folder.path());
    command
        .args(["build", "runtime"])
        .args(from_source())
        .env("SOURCE_DATE_EPOCH", "1700000000");
    succeed(&mut command);
    let other = std::fs::read(only_zip(&folder.path().join("dist"))).unwrap();
    assert!(other != std::fs::read(runtime_layer()).unwrap());
    let error = fail(command.env("SOURCE_DATE_EPOCH", "tomorrow"), 1);
    assert!(error.contains("SOURCE_DATE_EPOCH is `tomorrow`"), "{error}");
}

#[test]
fn the_record_says_what_the_zip_is() {
    let zip = runtime_layer();
    let record = record(zip);
    let sha256 = r_layer::checksum::Sha256::of_file(zip).unwrap().to_string();
    assert_eq!(record["sha256"], sha256);
    assert_eq!(record["zipped_size"], std::fs::metadata(zip).unwrap().len());
    assert_eq!(record["r_version"], "4.5.0");
    assert_eq!(record["needs_s3"], false);
    assert_eq!(record["packages"]["stats"]["version"], "4.5.0");
    assert!(
        record["packages"]["jsonlite"]["license"]
            .as_str()
            .unwrap()
            .contains("MIT")
    );
    assert!(
        record["packages"]["Matrix"].is_null(),
        "recommended packages are left out"
    );
    let savings = record["savings"].as_array().unwrap();
    assert!(
        savings
            .iter()
            .all(|saving| !saving["reason"].as_str().unwrap().is_empty())
    );
}

#[test]
fn the_binary_alone_in_an_empty_folder_builds_and_invokes() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("r-layer");
    std::fs::copy(assert_cmd::cargo::cargo_bin!("r-layer"), &program).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(folder.path()).args(arguments);
        command
    };
    succeed(run(&["build", "runtime"]).args(from_source()));
    std::fs::write(
        folder.path().join("script.R"),
        "increment <- function(x) x + 1\n",
    )
    .unwrap();
    let mut invoke = run(&["invoke", "--handler", "script.increment", "--timeout", "30"]);
    let output = succeed(invoke.args(["--event", r#"{"x":41}"#]));
    assert_eq!(output.stdout, b"42\n");
}

/// An R home as on a machine that has everything R needs: with the libraries of where it was built.
pub fn home_with_its_libraries(folder: &Path) -> std::path::PathBuf {
    let home = folder.join("R");
    succeed(
        Command::new("cp")
            .arg("-r")
            .arg(compiled_r_home())
            .arg(&home),
    );
    let opt = folder.join("opt");
    let layer = r_layer::layer::LayerArchive::open(runtime_layer()).unwrap();
    r_layer::layer::unpack::unpack(&[layer], &opt).unwrap();
    for entry in std::fs::read_dir(opt.join("lib")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), home.join("lib").join(entry.file_name())).unwrap();
    }
    home
}

#[test]
fn an_r_home_that_is_there_becomes_a_layer_that_answers() {
    let folder = tempfile::tempdir().unwrap();
    let home = home_with_its_libraries(folder.path());
    let source = format!("dir:{}", home.display());
    let mut build = r_layer(folder.path());
    build.args(["build", "runtime", "--r-source", &source]);
    succeed(build.args(sources()));
    let mut invoke = r_layer(folder.path());
    invoke.args([
        "invoke",
        "--handler",
        "script.increment",
        "--event",
        r#"{"x":1}"#,
    ]);
    let output = succeed(
        invoke
            .args(["--timeout", "30", "--code"])
            .arg(functions("basics")),
    );
    assert_eq!(output.stdout, b"2\n");

    let error = fail(build.args(["--r-version", "4.4.1"]), 1);
    assert!(error.contains("is R 4.5.0, not R 4.4.1"), "{error}");
}

#[test]
fn an_r_of_a_newer_system_is_refused_and_no_zip_is_left() {
    // Debian 12's own R asks for a newer glibc than Amazon Linux 2023 has.
    let folder = tempfile::tempdir().unwrap();
    let mut build = r_layer(folder.path());
    build
        .args(["build", "runtime", "--r-source", "dir:/usr/lib/R"])
        .args(sources());
    let error = fail(&mut build, 1);
    assert!(error.contains("would not load on Lambda"), "{error}");
    assert!(error.contains("GLIBC_2.3"), "{error}");
    assert_eq!(
        std::fs::read_dir(folder.path().join("dist"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_zip_over_lambdas_limits_is_refused_with_what_is_heavy() {
    let folder = tempfile::tempdir().unwrap();
    let home = home_with_its_libraries(folder.path());
    let source = format!("dir:{}", home.display());
    let mut build = r_layer(folder.path());
    build
        .args(["build", "runtime", "--r-source", &source])
        .args(sources());

    // Random bytes do not become smaller, so that the zip is over 50 MB and what it holds is not over 250 MB.
    let heavy = home.join("library/heavy");
    std::fs::create_dir(&heavy).unwrap();
    let random = std::fs::File::open("/dev/urandom").unwrap();
    let mut data = std::fs::File::create(heavy.join("data")).unwrap();
    std::io::copy(&mut std::io::Read::take(random, 40_000_000), &mut data).unwrap();
    let error = fail(&mut build, 1);
    for part in ["takes less than 52428800", "--s3-bucket", "R/library/heavy"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(
        std::fs::read_dir(folder.path().join("dist"))
            .unwrap()
            .count(),
        0
    );

    succeed(build.args(["--s3-bucket", "some-bucket"]));
    let zip = only_zip(&folder.path().join("dist"));
    assert_eq!(record(&zip)["needs_s3"], true);

    data.set_len(262_144_001).unwrap();
    let error = fail(&mut build, 1);
    for part in [
        "unzipped; Lambda takes 262144000",
        "R/library/heavy",
        "container image",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(
        record(&zip)["needs_s3"],
        true,
        "what was there before stays"
    );
}

#[test]
fn a_disk_without_room_is_said_before_it_is_full() {
    // A file system of 100 MB, seen by this run alone.
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let program = assert_cmd::cargo::cargo_bin!("r-layer")
        .display()
        .to_string();
    let script = format!(
        "mount -t tmpfs -o size=100m tmpfs {} && exec {program} build runtime {}",
        cache.path().display(),
        from_source().join(" ")
    );
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "/bin/sh", "-c", &script])
        .current_dir(folder.path());
    let error = fail(command.env("R_LAYER_CACHE", cache.path()), 1);
    assert!(
        error.contains("needs 800 MB at") && error.contains("R_LAYER_CACHE"),
        "{error}"
    );
    assert!(
        error.contains(&cache.path().display().to_string()),
        "{error}"
    );
}
