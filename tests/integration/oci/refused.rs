//! Images that are refused, each with what to type; nothing of them is kept.

use std::process::Command;

use tar::EntryType;

use super::layers::layer;
use super::pulled::{ARCHITECTURE, Project, lambda_tarball, tiny};
use super::registry::{Compression, Layout, Registry};
use crate::parts::fail;

/// It fails with all of these words, and leaves neither a root nor a lock.
fn assert_refused(project: &Project, command: &mut Command, words: &[&str]) {
    let error = fail(command, 1);
    for part in words {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(project.cached("roots"), 0);
    assert_eq!(project.cached("unfinished"), 0);
    assert_eq!(project.lock(), "");
}

#[test]
fn an_index_without_the_architecture_says_what_it_has() {
    let (registry, project) = (Registry::start(), Project::new());
    let other = if ARCHITECTURE == "amd64" {
        "arm64"
    } else {
        "amd64"
    };
    let shell = layer(&[("bin/sh", EntryType::Regular, "x")]);
    let layers: [(&[u8], _); 1] = [(&shell, Compression::Gzip)];
    registry.push(&Layout::of_index(&[other, "s390x"], &layers), "index:1");
    registry.push(&Layout::of_image(other, &layers), "image:1");
    let wanted = format!("nothing for linux/{ARCHITECTURE}");
    let both = format!("only for linux/{other}, linux/s390x");
    let one = format!("only for linux/{other};");
    for (image, there) in [("index:1", &both), ("image:1", &one)] {
        let root = registry.root(image);
        assert_refused(
            &project,
            &mut project.build(&root),
            &[&wanted, there, "--arch"],
        );
        assert_refused(&project, &mut project.invoke(&root), &[&wanted, there]);
    }
}

#[test]
fn a_layer_with_another_digest_than_its_manifest_says_is_not_kept() {
    let (registry, project) = (Registry::start(), Project::new());
    let layout = Layout::of_image(ARCHITECTURE, &[(lambda_tarball(), Compression::Gzip)]);
    registry.push(&layout, "changed:1");
    let digest = layout.layer(0);
    let path = registry.blob(&digest);
    let mut content = std::fs::read(&path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(&path, &content).unwrap();
    let root = registry.root("changed:1");
    let expected = [
        &digest.oci(),
        "a layer has the digest sha256:",
        "nothing of it is kept",
    ];
    assert_refused(&project, &mut project.invoke(&root), &expected);
    let kept: Vec<_> = std::fs::read_dir(project.cache.path().join("blobs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!kept.contains(&format!("sha256-{digest}")), "{kept:?}");

    // One that breaks off for good is told apart from one that was changed.
    std::fs::write(&path, &content[..middle]).unwrap();
    let error = fail(&mut project.invoke(&root), 1);
    assert!(error.contains("changed:1"), "{error}");
}

#[test]
fn a_root_without_a_shell_is_refused() {
    let (registry, project) = (Registry::start(), Project::new());
    let empty = layer(&[
        ("usr/bin/", EntryType::Directory, ""),
        ("bin", EntryType::Symlink, "usr/bin"),
    ]);
    registry.push(
        &Layout::of_image(ARCHITECTURE, &[(&empty, Compression::Gzip)]),
        "empty:1",
    );
    let root = registry.root("empty:1");
    let words = ["has no /bin/sh", "amazonlinux:2023"];
    assert_refused(&project, &mut project.invoke(&root), &words);

    // A folder too.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("usr")).unwrap();
    let root = format!("dir:{}", folder.path().display());
    let error = fail(&mut project.build(&root), 1);
    assert!(error.contains("has no /bin/sh"), "{error}");
}

#[test]
fn a_layer_that_leads_out_of_its_root_is_refused() {
    let (registry, project) = (Registry::start(), Project::new());
    let hostile = layer(&[
        ("bin/sh", EntryType::Regular, "x"),
        ("a/../../../escaped", EntryType::Regular, "x"),
    ]);
    registry.push(
        &Layout::of_image(ARCHITECTURE, &[(&hostile, Compression::None)]),
        "hostile:1",
    );
    let words = ["a/../../../escaped", "leads out of the root file system"];
    assert_refused(
        &project,
        &mut project.invoke(&registry.root("hostile:1")),
        &words,
    );
}

#[test]
fn a_name_that_leads_nowhere_says_what_to_look_at() {
    let (registry, project) = (Registry::start(), Project::new());
    let absent = registry.root("absent:1");
    let words = [
        "absent:1 is not there",
        "Look at the name",
        "docker login localhost:",
    ];
    assert_refused(&project, &mut project.invoke(&absent), &words);
    let pinned = format!("{}@sha256:{}", registry.root("absent"), "0".repeat(64));
    assert_refused(&project, &mut project.invoke(&pinned), &["is not there"]);
    for root in ["oci:", "oci:UPPER", "oci:a b"] {
        assert_refused(
            &project,
            &mut project.invoke(root),
            &["names no image", "provided:al2023"],
        );
    }
    let nobody = "oci:localhost:9/r:1";
    assert_refused(
        &project,
        &mut project.invoke(nobody),
        &["localhost:9/r:1 cannot be pulled (5 tries)", "refused"],
    );
}

#[test]
fn a_registry_that_wants_to_know_who_asks_is_shown_what_docker_login_left() {
    let (registry, project) = (Registry::start_closed(), Project::new());
    registry.push(&tiny("private"), "private:1");
    let root = registry.root("private:1");
    let words = [
        "does not give",
        "private:1 to this user",
        "docker login localhost:",
    ];
    assert_refused(&project, &mut project.build(&root), &words);

    let login = |user: &str| {
        let auth = format!(r#"{{"username": "{user}", "password": "secret"}}"#);
        let host = registry.name("");
        let host = host.trim_end_matches('/');
        let config = format!(r#"{{"auths": {{"{host}": {auth}}}}}"#);
        let folder = project.folder.path().join(".docker");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.json"), config).unwrap();
    };
    login("stranger");
    assert_refused(&project, &mut project.build(&root), &words);
    login("reader");
    let error = fail(&mut project.build(&root), 1);
    assert!(error.contains("neither apt-get nor dnf"), "{error}");
    assert!(project.lock().contains("private:1"));
}
