//! `cache show` and `cache clean`, on a cache of their own.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use r_layer::cache::{Cache, CacheError};
use r_layer::progress::Silent;
use serde_json::Value;

use crate::parts::{fail, r_layer, succeed};

fn cache_command(cache: &Path, arguments: &[&str]) -> Command {
    let mut command = r_layer(cache);
    command.env("R_LAYER_CACHE", cache);
    command.arg("cache").args(arguments);
    command
}

fn json(cache: &Path, arguments: &[&str]) -> Value {
    let output = succeed(cache_command(cache, arguments).arg("--json"));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Makes an entry of so many bytes; it is in use as long as the cache is there.
fn make(cache: &Cache, kind: &str, name: &str, size: usize) {
    let make = async |content: &Path| {
        std::fs::create_dir(content).unwrap();
        std::fs::write(content.join("file"), vec![0; size]).unwrap();
        Ok::<(), CacheError>(())
    };
    let made = cache.get_or_make(kind, name, &Silent, make);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(made).unwrap();
}

fn names(entries: &Value) -> Vec<&str> {
    let entries = entries.as_array().unwrap().iter();
    entries
        .map(|entry| entry["name"].as_str().unwrap())
        .collect()
}

#[test]
fn what_the_cache_holds_is_told_by_kind_and_by_size() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().to_owned()).unwrap();
    make(&cache, "downloads", "small", 10);
    make(&cache, "downloads", "other", 20);
    make(&cache, "roots", "large", 5000);
    let shown = json(folder.path(), &["show"]);
    assert_eq!(shown["size"], 5030);
    assert_eq!(shown["kinds"][0]["kind"], "roots");
    assert_eq!(shown["kinds"][1]["entries"], 2);
    assert_eq!(names(&shown["largest"]), ["large", "other", "small"]);
    assert_eq!(shown["largest"][0]["days_unused"], 0);
    let text = succeed(&mut cache_command(folder.path(), &["show"])).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("roots/large  used today"), "{text}");
}

#[test]
fn what_another_run_uses_is_left_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let (this, other) = (
        Cache::open(folder.path().to_owned()).unwrap(),
        Cache::open(folder.path().to_owned()).unwrap(),
    );
    make(&this, "roots", "used", 100);
    make(&other, "roots", "unused", 7);
    make(&other, "downloads", "tarball", 30);
    drop(other);
    let dry = json(folder.path(), &["clean", "--all", "--dry-run"]);
    let clean = |kinds: &[&str]| {
        let arguments = [&["clean"], kinds].concat();
        json(folder.path(), &arguments)
    };
    assert_eq!((&dry["dry_run"], &dry["freed"]), (&true.into(), &37.into()));
    assert!(folder.path().join("downloads/tarball").exists());
    let cleaned = clean(&["downloads"]);
    assert_eq!(names(&cleaned["removed"]), ["tarball"]);
    assert!(!folder.path().join("downloads/tarball").exists());
    let cleaned = clean(&["--all"]);
    assert_eq!(
        (names(&cleaned["removed"]), names(&cleaned["left"])),
        (vec!["unused"], vec!["used"])
    );
    assert!(folder.path().join("roots/used/file").exists());
    let text = succeed(&mut cache_command(folder.path(), &["clean", "--all"])).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("left: roots/used: another r-layer is using it"),
        "{text}"
    );
    assert!(text.contains("freed 0 B"), "{text}");
    drop(this);
    assert_eq!(names(&clean(&["--all"])["removed"]), ["used"]);
    assert_eq!(
        std::fs::read_dir(folder.path().join("unfinished"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn only_what_is_old_goes_when_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().to_owned()).unwrap();
    for name in ["old", "young", "used-again"] {
        make(&cache, "compiled", name, 1);
    }
    drop(cache);
    let days_ago = |days: u64| SystemTime::now() - Duration::from_secs(days * 86_400 + 60);
    let age = |path: &str, days: u64| {
        let file = File::open(folder.path().join(path)).unwrap();
        file.set_modified(days_ago(days)).unwrap();
    };
    for name in ["old", "used-again"] {
        age(&format!("compiled/{name}"), 40);
    }
    age("locks/compiled-old", 31);
    let cleaned = json(folder.path(), &["clean", "--older-than", "30"]);
    assert_eq!(names(&cleaned["removed"]), ["old"]);
    assert_eq!(cleaned["removed"][0]["days_unused"], 31);
}

#[test]
fn what_is_to_be_removed_has_to_be_said() {
    let folder = tempfile::tempdir().unwrap();
    fail(&mut cache_command(folder.path(), &["clean"]), 2);
    fail(
        &mut cache_command(folder.path(), &["clean", "--all", "roots"]),
        2,
    );
    let error = fail(&mut cache_command(folder.path(), &["clean", "root"]), 1);
    assert!(error.contains("the cache keeps no `root`"), "{error}");
    assert!(
        error.contains("downloads, logs, packages, roots"),
        "{error}"
    );
    succeed(&mut cache_command(folder.path(), &["clean", "roots"]));
}
