//! Builds that are stopped, killed, or run at once: nothing half-made stays, and the next run succeeds.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::parts::{cache_sharing, from_source, r_layer, succeed};

fn build(folder: &Path, cache: &Path) -> Command {
    let mut command = r_layer(folder);
    command
        .args(["build", "runtime"])
        .args(from_source())
        .env("R_LAYER_CACHE", cache);
    command
}

/// Starts a build and waits until it says that it is at a step.
pub fn started_until(command: &mut Command, step: &str) -> Child {
    let mut child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let seen = lines.any(|line| line.unwrap().contains(step));
    assert!(seen, "the build never came to: {step}");
    // Whoever writes to stderr must find somebody who reads.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

pub fn send(signal: Signal, child: &Child) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// The processes whose command line names a folder.
fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&folder) {
            found.push(line);
        }
    }
    found
}

/// Children of a killed process end a moment after it.
fn assert_no_process_in(folder: &Path) {
    let patience = Instant::now() + Duration::from_secs(10);
    while !processes_in(folder).is_empty() {
        assert!(
            Instant::now() < patience,
            "still there: {:?}",
            processes_in(folder)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn an_interrupted_compilation_ends_its_children_cleans_up_and_exits_with_130() {
    for signal in [Signal::INT, Signal::TERM] {
        let (folder, cache) = (tempfile::tempdir().unwrap(), cache_sharing(&["roots"]));
        let mut child = started_until(&mut build(folder.path(), cache.path()), "configure libcurl");
        assert!(!processes_in(cache.path()).is_empty());
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal:?}");
        assert_no_process_in(cache.path());
        assert_eq!(names(&cache.path().join("unfinished")), [""; 0]);
        assert_eq!(names(&cache.path().join("compiled")), [""; 0]);
        assert_eq!(names(&folder.path().join("dist")), [""; 0]);
    }
}

#[test]
fn a_killed_compilation_leaves_no_process_and_what_it_left_is_swept_away() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), cache_sharing(&["roots"]));
    let mut child = started_until(&mut build(folder.path(), cache.path()), "configure libcurl");
    send(Signal::KILL, &child);
    child.wait().unwrap();
    assert_no_process_in(cache.path());
    assert_eq!(names(&cache.path().join("compiled")), [""; 0]);
    assert!(!names(&cache.path().join("unfinished")).is_empty());
    r_layer::cache::Cache::open(cache.path().to_owned()).unwrap();
    assert_eq!(names(&cache.path().join("unfinished")), [""; 0]);
}

#[test]
fn a_build_killed_at_any_moment_leaves_no_zip_that_looks_finished() {
    let (folder, cache) = (
        tempfile::tempdir().unwrap(),
        cache_sharing(&["roots", "compiled"]),
    );
    let dist = folder.path().join("dist");
    for milliseconds in [5, 20, 50, 100, 200, 300, 400, 500, 600, 800, 1200] {
        let mut command = build(folder.path(), cache.path());
        let mut child = command
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        let _ = child.kill();
        child.wait().unwrap();
        for name in names(&dist)
            .iter()
            .filter(|name| name.starts_with("r-runtime") && name.ends_with(".zip"))
        {
            let layer = r_layer::layer::LayerArchive::open(&dist.join(name));
            assert!(
                layer.is_ok(),
                "after {milliseconds} ms: {name} is not whole"
            );
            std::fs::remove_file(dist.join(name)).unwrap();
        }
    }
    succeed(&mut build(folder.path(), cache.path()));
    let left: Vec<String> = names(&dist)
        .into_iter()
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(left, [""; 0], "left by killed runs");
}

#[test]
fn two_builds_at_once_in_one_cache_both_succeed() {
    let cache = cache_sharing(&["roots", "compiled"]);
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let children: Vec<Child> = folders
        .iter()
        .map(|folder| {
            let mut command = build(folder.path(), cache.path());
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let zips: Vec<Vec<u8>> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .zip(&folders)
        .map(|(output, folder)| {
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            std::fs::read(crate::parts::only_zip(&folder.path().join("dist"))).unwrap()
        })
        .collect();
    assert!(zips[0] == zips[1], "the zips differ");
}

#[test]
fn an_interrupted_root_leaves_no_mount_and_no_process() {
    for signal in [Signal::INT, Signal::KILL] {
        let (folder, cache) = (tempfile::tempdir().unwrap(), cache_sharing(&[]));
        let mut command = r_layer(folder.path());
        command.args(["build", "runtime", "--build-root", "debian:bookworm"]);
        command.args(from_source());
        command.env("R_LAYER_CACHE", cache.path());
        let mut child = started_until(&mut command, "making a root");
        // debootstrap is somewhere in its work; it mounts /proc when it has unpacked the first packages.
        std::thread::sleep(Duration::from_secs(4));
        send(signal, &child);
        let status = child.wait().unwrap();
        if signal == Signal::INT {
            assert_eq!(status.code(), Some(130));
            assert_eq!(names(&cache.path().join("unfinished")), [""; 0]);
        }
        assert_no_process_in(cache.path());
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
        assert!(
            !mounts.contains(&cache.path().display().to_string()),
            "{mounts}"
        );
    }
}

#[test]
fn an_interruption_is_heard_while_the_event_is_awaited() {
    let mut command = r_layer(Path::new("/tmp"));
    command.args([
        "invoke",
        "--handler",
        "script.increment",
        "--event",
        "-",
        "--code",
        "/tmp",
    ]);
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Open to the end, or the end of the event could be heard first.
    let _open = child.stdin.take();
    // Until it has come to reading; before that an interruption ends it all the same.
    std::thread::sleep(Duration::from_millis(500));
    send(Signal::INT, &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
