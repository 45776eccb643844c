//! Roots that are pulled by `oci:`.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tar::EntryType;

use super::layers::layer;
use super::registry::{Compression, Layout, Registry, tarball_of};
use crate::download::server::{Reply, Server};
use crate::parts::{fail, from_source, functions, lambda_root, r_layer, runtime_layer, succeed};

/// This machine's architecture as images have it.
pub const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "amd64"
};

/// The tarball of a root like Lambda's.
pub fn lambda_tarball() -> &'static [u8] {
    static TARBALL: OnceLock<Vec<u8>> = OnceLock::new();
    TARBALL.get_or_init(|| tarball_of(&lambda_root()))
}

/// A cache of its own, and a folder to type in.
pub struct Project {
    pub folder: tempfile::TempDir,
    pub cache: tempfile::TempDir,
}

impl Project {
    pub fn new() -> Project {
        Project {
            folder: tempfile::tempdir().unwrap(),
            cache: tempfile::tempdir().unwrap(),
        }
    }

    /// r-layer in it, which speaks to servers of this machine without a proxy.
    pub fn r_layer(&self) -> Command {
        let mut command = r_layer(self.folder.path());
        command
            .env("R_LAYER_CACHE", self.cache.path())
            .env("NO_PROXY", "localhost,127.0.0.1")
            .env_remove("DOCKER_CONFIG")
            .env("HOME", self.folder.path());
        command
    }

    /// An invocation in a root.
    pub fn invoke(&self, root: &str) -> Command {
        let mut command = self.r_layer();
        command.args([
            "invoke",
            "--handler",
            "script.increment",
            "--event",
            r#"{"x":1}"#,
        ]);
        command
            .args(["--timeout", "30", "--root", root, "--layer"])
            .arg(runtime_layer());
        command.arg("--code").arg(functions("basics"));
        command
    }

    /// A build in a root that has no package manager, so that it ends before anything is compiled.
    pub fn build(&self, root: &str) -> Command {
        let mut command = self.r_layer();
        command
            .args(["build", "runtime", "--build-root", root])
            .args(from_source());
        command
    }

    pub fn lock(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("r-layer.lock")).unwrap_or_default()
    }

    /// What the cache has of a kind.
    pub fn cached(&self, kind: &str) -> usize {
        std::fs::read_dir(self.cache.path().join(kind)).map_or(0, |entries| entries.count())
    }
}

#[test]
fn a_handler_answers_in_an_image_and_offline_from_then_on() {
    let project = Project::new();
    let root = {
        let registry = Registry::start();
        // The same in two layers: the second takes a file of the first away.
        let above = layer(&[("etc/.wh.system-release", EntryType::Regular, "")]);
        let layers: [(&[u8], _); 2] = [
            (lambda_tarball(), Compression::Zstd),
            (&above, Compression::Gzip),
        ];
        registry.push(&Layout::of_index(&["amd64", "arm64"], &layers), "lambda:1");
        let root = registry.root("lambda:1");
        let output = succeed(&mut project.invoke(&root));
        assert_eq!(output.stdout, b"2\n");
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(
            log.contains("pulled localhost:") && log.contains("lambda:1@sha256:"),
            "{log}"
        );
        let cached = std::fs::read_dir(project.cache.path().join("roots")).unwrap();
        let pulled = cached.map(|entry| entry.unwrap().path()).next().unwrap();
        assert!(pulled.join("etc/passwd").exists());
        assert!(!pulled.join("etc/system-release").exists());
        assert_eq!(project.lock(), "", "invoking pins nothing");
        root
    };
    // The registry is gone.
    let output = succeed(&mut project.invoke(&root));
    assert_eq!(output.stdout, b"2\n");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("taking it as it was pulled before"), "{log}");
    assert_eq!(project.cached("roots"), 1);
}

/// A root of a few hundred bytes: with a shell of sorts, and no package manager.
pub fn tiny(content: &str) -> Layout {
    let tarball = layer(&[
        ("bin/sh", EntryType::Regular, content),
        ("usr/", EntryType::Directory, ""),
    ]);
    Layout::of_image(ARCHITECTURE, &[(&tarball, Compression::None)])
}

#[test]
fn a_build_pins_the_image_and_keeps_to_it_when_the_tag_moves() {
    let (registry, project) = (Registry::start(), Project::new());
    registry.push(&tiny("first"), "root:1");
    let root = registry.root("root:1");
    let error = fail(&mut project.build(&root), 1);
    assert!(error.contains("neither apt-get nor dnf"), "{error}");
    let lock = project.lock();
    let name = format!("[[image]]\nreference = \"{}\"\n", registry.name("root:1"));
    assert!(
        lock.contains(&name) && lock.contains("digest = \"sha256:"),
        "{lock}"
    );

    registry.push(&tiny("second"), "root:1");
    fail(&mut project.build(&root), 1);
    assert_eq!(project.lock(), lock);
    let shells = |project: &Project| -> Vec<String> {
        let roots = std::fs::read_dir(project.cache.path().join("roots")).unwrap();
        let read = |root: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(root.unwrap().path().join("bin/sh")).unwrap()
        };
        roots.map(read).collect()
    };
    assert_eq!(shells(&project), ["first"]);

    // Another machine takes what the lock says, and so does invoking.
    let other = Project::new();
    std::fs::copy(
        project.folder.path().join("r-layer.lock"),
        other.folder.path().join("r-layer.lock"),
    )
    .unwrap();
    let error = fail(&mut other.invoke(&root), 1);
    assert!(error.contains("no libc.so.6"), "{error}");
    assert_eq!(shells(&other), ["first"]);
    assert_eq!(other.lock(), lock);
    // Without the lock it is what the tag leads to now.
    let new = Project::new();
    fail(&mut new.invoke(&root), 1);
    assert_eq!(shells(&new), ["second"]);
}

#[test]
fn what_is_pinned_and_kept_needs_no_registry() {
    let project = Project::new();
    let root = {
        let registry = Registry::start();
        registry.push(&tiny("kept"), "root:1");
        let root = registry.root("root:1");
        fail(&mut project.build(&root), 1);
        root
    };
    let error = fail(&mut project.build(&root), 1);
    assert!(error.contains("neither apt-get nor dnf"), "{error}");
}

#[test]
fn an_image_of_aws_that_cannot_be_had_is_a_note() {
    // Nobody listens at the proxy; the roots that are there already are shared, but for those like Lambda's.
    let project = Project::new();
    let roots = project.cache.path().join("roots");
    std::fs::create_dir(&roots).unwrap();
    let shared = lambda_root();
    for entry in std::fs::read_dir(shared.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if Path::new(name).to_str().unwrap().starts_with("debian-") {
            std::os::unix::fs::symlink(&path, roots.join(name)).unwrap();
        }
    }
    let invoke = || {
        let mut command = project.invoke("auto");
        command.env("HTTPS_PROXY", "http://127.0.0.1:9");
        String::from_utf8_lossy(&succeed(&mut command).stderr).into_owned()
    };
    let log = invoke();
    assert!(
        log.contains("AWS's own image is not to be had now"),
        "{log}"
    );
    assert!(log.contains("from Debian bullseye"), "{log}");
    let log = invoke();
    assert!(
        !log.contains("AWS's own image"),
        "what is there is taken: {log}"
    );
}

#[test]
fn a_registry_that_wants_a_token_and_stumbles_is_asked_again_and_a_layer_is_resumed() {
    let (project, layout) = (Project::new(), tiny("stubborn"));
    let manifest = layout.manifest_content();
    let blobs = layout.blobs();
    let layer = layout.layer(0).oci();
    let first = AtomicBool::new(true);
    let server = Server::start(move |request, _| {
        let path = request.target.trim_start_matches("/v2/").to_owned();
        // Everything wants a token, which everybody gets, as public registries have it.
        if path.starts_with("/token?") {
            return Reply::ok(r#"{"token": "anybody"}"#);
        }
        if request.header("authorization") != "Bearer anybody" {
            let realm = format!("http://{}/token", request.header("host"));
            let asks = format!("Bearer realm=\"{realm}\",service=\"test\"");
            return Reply::status(401).header("WWW-Authenticate", asks);
        }
        match path.rsplit_once('/') {
            Some((_, "1")) if first.swap(false, Ordering::SeqCst) => Reply::status(503),
            Some((_, "1")) => Reply::ok(manifest.clone()),
            Some((_, digest)) if digest == layer && request.header("range").is_empty() => {
                Reply::ok(blobs[digest].clone()).broken_after(700)
            }
            Some((_, digest)) => Reply::file(request, &blobs[digest], "\"one\""),
            None => Reply::ok(""),
        }
    });
    let root = server.base().replace("http://", "oci:") + "/some/root:1";
    let error = fail(&mut project.build(&root), 1);
    assert!(error.contains("neither apt-get nor dnf"), "{error}");
    let ranges: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.header("range").to_owned())
        .filter(|range| !range.is_empty())
        .collect();
    assert_eq!(ranges, ["bytes=700-"]);
}
