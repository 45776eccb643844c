//! podman, with runc: what is compiled in a container is what is compiled in the image's root by bubblewrap.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use r_layer::cache::Cache;
use r_layer::checksum::Sha256;
use r_layer::distribution::{Blas, BuildPlace, Compiler, R, SourcePackage, compiled_packages};
use r_layer::elf::{LibraryFolders, LibrarySource};
use r_layer::image::ImageReference;
use r_layer::layer::RuntimeRecipe;
use r_layer::layer::tree::SourceFolder;
use r_layer::progress::Silent;
use r_layer::repository::Tarball;
use r_layer::sandbox::{EngineKind, RootSpec};
use r_layer::target::Architecture;
use rustix::process::Signal;

use super::layers::append;
use super::pulled::{ARCHITECTURE, Project, lambda_tarball};
use super::registry::{Compression, Layout, Registry, tarball_of};
use crate::interrupted::{send, started_until};
use crate::parts::{build_root, compiled_r_home, fail, from_source, recommended_source, succeed};

/// podman with images of its own. Nothing of this machine's settings counts, and it works in a sandbox that may not
/// raise limits.
pub struct Podman {
    folder: tempfile::TempDir,
}

impl Podman {
    pub fn new(registry: &Registry) -> Podman {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        let path = folder.path().display();
        write(
            "containers.conf",
            format!(
                "[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n\
                 tmp_dir = \"{path}/tmp\"\n\
                 [containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n"
            ),
        );
        write(
            "storage.conf",
            format!(
                "[storage]\ndriver = \"overlay\"\ngraphroot = \"{path}/graph\"\nrunroot = \"{path}/run\"\n"
            ),
        );
        let location = registry.name("");
        write(
            "registries.conf",
            format!(
                "[[registry]]\nlocation = \"{}\"\ninsecure = true\n",
                location.trim_end_matches('/')
            ),
        );
        Podman { folder }
    }

    fn settings(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("CONTAINERS_CONF", "containers.conf"),
            ("CONTAINERS_STORAGE_CONF", "storage.conf"),
            ("CONTAINERS_REGISTRIES_CONF", "registries.conf"),
        ]
        .map(|(name, file)| (name, self.folder.path().join(file)))
    }

    /// podman itself.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut podman = Command::new("podman");
        podman.envs(self.settings()).args(arguments);
        podman
    }

    fn has_image(&self, name: &str) -> bool {
        let mut podman = Command::new("podman");
        podman.envs(self.settings()).args(["image", "exists", name]);
        podman.status().unwrap().success()
    }

    /// The names of its containers.
    fn containers(&self) -> String {
        let mut podman = Command::new("podman");
        podman
            .envs(self.settings())
            .args(["ps", "--all", "--format", "{{.Names}}"]);
        String::from_utf8(succeed(&mut podman).stdout).unwrap()
    }

    /// A build in containers of an image.
    fn build(&self, project: &Project, image: &str) -> Command {
        let mut command = project.r_layer();
        command
            .envs(self.settings())
            .env("R_LAYER_ENGINE_OPTIONS", "--network=host");
        command.args([
            "build",
            "runtime",
            "--engine",
            "podman",
            "--build-image",
            image,
        ]);
        command.args(from_source());
        command
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let mut podman = Command::new("podman");
        let _ = podman
            .envs(self.settings())
            .args(["rm", "--all", "--force"])
            .output();
        // Its storage is a mount, with which the folder could not be removed.
        let _ = Command::new("umount")
            .arg(self.folder.path().join("graph/overlay"))
            .output();
    }
}

/// The variable by which the test knows that it is the child, whose environment is podman's.
const IMAGE: &str = "R_LAYER_TEST_IMAGE";

#[test]
fn a_package_compiled_in_a_container_is_the_one_compiled_in_the_images_root() {
    if let Ok(image) = std::env::var(IMAGE) {
        compile_in_both(&image);
        return;
    }
    let registry = Registry::start();
    let root = tarball_of(&build_root());
    registry.push(
        &Layout::of_image(ARCHITECTURE, &[(&root, Compression::Zstd)]),
        "tools:1",
    );
    let podman = Podman::new(&registry);
    let name =
        "oci::engine::a_package_compiled_in_a_container_is_the_one_compiled_in_the_images_root";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", name, "--nocapture"])
        .envs(podman.settings());
    child
        .env("NO_PROXY", "localhost,127.0.0.1")
        .env("R_LAYER_ENGINE_OPTIONS", "--network=host");
    succeed(child.env(IMAGE, registry.name("tools:1")));
    assert_eq!(podman.containers(), "", "no container is left");
}

fn compile_in_both(image: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = recommended_source("spatial", folder.path());
    let version = path.file_name().unwrap().to_str().unwrap();
    let version = version
        .trim_start_matches("spatial_")
        .trim_end_matches(".tar.gz");
    let source = SourcePackage {
        name: "spatial".to_owned(),
        version: version.to_owned(),
        tarball: Tarball {
            sha256: Sha256::of_file(&path).unwrap(),
            path: path.clone(),
            from: None,
        },
        needs: Vec::new(),
        system_requirements: None,
        listed_requirements: Vec::new(),
    };
    let r = R {
        version: "4.5.0".parse().unwrap(),
        home: SourceFolder::new(compiled_r_home()),
        root: None,
        sources: Vec::new(),
        inputs: BTreeMap::new(),
    };
    let image: ImageReference = image.parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let compiled = |place: BuildPlace| {
        let cache = tempfile::tempdir().unwrap();
        let compiler = Compiler {
            place: &place,
            recipe: RuntimeRecipe::embedded(),
            blas: Blas::Reference,
            architecture: Architecture::of_this_machine().unwrap(),
            jobs: 2,
            cache: &Cache::open(cache.path().to_owned()).unwrap(),
            reporter: &Silent,
        };
        // A system package that the image lacks is installed in a copy of it, in the one way and in the other.
        let (there, system) = (BTreeMap::new(), ["libfribidi-dev".to_owned()]);
        let sources = std::slice::from_ref(&source);
        let compiled = compiled_packages(&compiler, &r, sources, &there, &system);
        let compiled = runtime.block_on(compiled).unwrap();
        let package = compiled.packages["spatial"].installed.folder.clone();
        assert!(package.join("libs/spatial.so").is_file());
        let root = compiled.root;
        let folders = LibraryFolders::of_root(&root, compiler.architecture, &[]);
        let libraries = [
            "libfribidi.so.0",
            "libgfortran.so.5",
            "liblzma.so.5",
            "libpcre2-8.so.0",
        ]
        .map(|name| {
            let content = folders
                .find(name, compiler.architecture)
                .expect(name)
                .content;
            Sha256::of(&content)
        });
        (digests(&package), libraries)
    };
    let in_root = compiled(BuildPlace::Root(RootSpec::Image(image.clone())));
    let in_container = compiled(BuildPlace::Engine(EngineKind::Podman, image));
    assert_eq!(
        in_root.1, in_container.1,
        "the libraries that a layer would take"
    );
    let names = in_root.0.keys().chain(in_container.0.keys());
    let different: Vec<_> = names
        .filter(|name| in_root.0.get(*name) != in_container.0.get(*name))
        // Help pages carry the folder that they were made in; layers are without them.
        .filter(|name| !name.starts_with("help"))
        .collect();
    assert!(different.is_empty(), "{different:?}");
}

/// The digest of every file below a folder.
fn digests(folder: &Path) -> BTreeMap<PathBuf, Sha256> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(below) = folders.pop() {
        for entry in std::fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, Sha256::of_file(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn an_image_that_cannot_be_built_in_says_why_and_is_pinned() {
    let (registry, project) = (Registry::start(), Project::new());
    let podman = Podman::new(&registry);
    let layers: [(&[u8], _); 1] = [(lambda_tarball(), Compression::Gzip)];
    registry.push(&Layout::of_image(ARCHITECTURE, &layers), "lambda:1");
    let name = registry.name("lambda:1");
    let error = fail(&mut podman.build(&project, &name), 1);
    assert!(
        error.contains("there is neither apt-get nor dnf"),
        "{error}"
    );
    assert!(
        project.lock().contains(&format!("reference = \"{name}\"")),
        "{}",
        project.lock()
    );
    assert!(podman.has_image(&name));
    assert_eq!(podman.containers(), "", "no container is left");

    let other = if ARCHITECTURE == "amd64" {
        "arm64"
    } else {
        "amd64"
    };
    registry.push(&Layout::of_image(other, &layers), "other:1");
    let error = fail(&mut podman.build(&project, &registry.name("other:1")), 1);
    assert!(
        error.contains(&format!(
            "is for linux/{other}, and linux/{ARCHITECTURE} was asked for"
        )),
        "{error}"
    );

    let error = fail(&mut podman.build(&project, &registry.name("absent:1")), 1);
    assert!(
        error.contains("podman has no image") && error.contains("podman login localhost:"),
        "{error}"
    );
}

#[test]
fn an_interrupted_build_leaves_no_container() {
    let (registry, project) = (Registry::start(), Project::new());
    let podman = Podman::new(&registry);
    let mut slow = tar::Builder::new(Vec::new());
    let script = "#!/bin/sh\necho '==> held'\nexec sleep 600\n";
    append(
        &mut slow,
        "usr/bin/apt-get",
        tar::EntryType::Regular,
        script,
        0o755,
    );
    let slow = slow.into_inner().unwrap();
    let layers: [(&[u8], _); 2] = [
        (lambda_tarball(), Compression::Gzip),
        (&slow, Compression::Gzip),
    ];
    registry.push(&Layout::of_image(ARCHITECTURE, &layers), "slow:1");
    let mut child = started_until(
        &mut podman.build(&project, &registry.name("slow:1")),
        "held",
    );
    assert!(podman.containers().contains("r-layer-"));
    send(Signal::TERM, &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(podman.containers(), "");
}

#[test]
fn an_engine_that_does_not_work_says_what_to_type() {
    let (registry, project) = (Registry::start(), Project::new());
    let podman = Podman::new(&registry);
    let fails_with = |command: &mut Command, words: &[&str]| {
        let error = fail(command, 1);
        for part in words {
            assert!(error.contains(part), "{part}: {error}");
        }
    };
    let mut absent = project.r_layer();
    absent
        .args([
            "build",
            "runtime",
            "--engine",
            "finch",
            "--build-image",
            "debian",
        ])
        .args(from_source());
    fails_with(
        &mut absent,
        &["finch is not installed", "--build-root oci:IMAGE"],
    );
    let mut remote = podman.build(&project, "debian");
    remote.env("CONTAINER_HOST", "unix:///nowhere.sock");
    fails_with(
        &mut remote,
        &["podman does not answer", "/nowhere.sock", "type: podman"],
    );
    for (flags, words) in [
        (&["--engine", "podman"][..], "--build-image public.ecr.aws/"),
        (
            &["--build-image", "debian"],
            "--build-root oci:docker.io/library/debian:latest",
        ),
        (
            &["--engine", "lxc", "--build-image", "debian"],
            "docker, podman, finch",
        ),
        (
            &["--engine", "podman", "--build-image", "A B"],
            "names no image",
        ),
    ] {
        let mut command = project.r_layer();
        command.args(["build", "runtime", "--r-source", "cran"]);
        fails_with(command.args(flags), &[words]);
    }
    let manifest =
        |text: &str| std::fs::write(project.folder.path().join("r-layer.toml"), text).unwrap();
    manifest("[runtime]\nengine = \"podman\"\nbuild-root = \"debian:bullseye\"\n");
    fails_with(
        project
            .r_layer()
            .args(["build", "runtime", "--r-source", "cran"]),
        &["both build-root and engine"],
    );
    manifest("[runtime]\nengine = \"lxc\"\nbuild-image = \"debian\"\n");
    fails_with(
        project
            .r_layer()
            .args(["build", "runtime", "--r-source", "cran"]),
        &["r-layer.toml, [runtime] engine", "lxc"],
    );
    assert_eq!(project.lock(), "");
}
