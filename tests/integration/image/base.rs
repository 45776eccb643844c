//! A base like AWS's image for functions, and projects that build on it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use r_layer::target::Architecture;
use serde_json::{Value, json};

use crate::oci::layers::append;
use crate::oci::pulled::{ARCHITECTURE, Project, lambda_tarball};
use crate::oci::registry::{Compression, Layout, Registry};
use crate::parts::{rie, runtime_layer, succeed};

/// Where the base is in a registry.
pub const BASE: &str = "lambda/provided:al2023";

/// As AWS's image has it: the emulator, where there is no Runtime API. Its addresses come from the test, so that many can
/// run side by side.
const ENTRYPOINT: &str = r#"#!/bin/sh
if [ $# -ne 1 ]; then
  echo "the handler is to be the only argument" >&2
  exit 142
fi
export _HANDLER="$1"
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
  exec /usr/local/bin/aws-lambda-rie $TEST_ADDRESSES /var/runtime/bootstrap
fi
exec /var/runtime/bootstrap
"#;

/// How AWS's image is started.
pub fn start() -> Value {
    json!({
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "WorkingDir": "/var/task",
        "Env": [
            "LANG=en_US.UTF-8", "TZ=:/etc/localtime", "PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
            "LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime",
        ],
    })
}

/// The layer with the entry point and the emulator.
fn on_top() -> &'static [u8] {
    static LAYER: OnceLock<Vec<u8>> = OnceLock::new();
    LAYER.get_or_init(|| {
        let mut archive = tar::Builder::new(Vec::new());
        let file = tar::EntryType::Regular;
        append(
            &mut archive,
            "lambda-entrypoint.sh",
            file,
            ENTRYPOINT,
            0o755,
        );
        let mut header = tar::Header::new_gnu();
        let emulator = std::fs::read(rie(Architecture::X86_64)).unwrap();
        header.set_mode(0o755);
        header.set_size(emulator.len() as u64);
        let path = "usr/local/bin/aws-lambda-rie";
        archive
            .append_data(&mut header, path, emulator.as_slice())
            .unwrap();
        archive.into_inner().unwrap()
    })
}

/// The base with everything in it, for this machine.
pub fn whole_base() -> Layout {
    let layers: [(&[u8], _); 2] = [
        (lambda_tarball(), Compression::Gzip),
        (on_top(), Compression::Gzip),
    ];
    Layout::of_started(ARCHITECTURE, &layers, &start())
}

/// A base of nothing but a shell of sorts.
pub fn small_base() -> Layout {
    let shell = crate::oci::layers::layer(&[("bin/sh", tar::EntryType::Regular, "x")]);
    Layout::of_started(ARCHITECTURE, &[(&shell, Compression::Gzip)], &start())
}

/// A folder with a function and a layer, and a registry with a base.
pub struct Function {
    pub registry: Registry,
    pub project: Project,
}

impl Function {
    /// The function of the predecessor, on a base of a registry of its own.
    pub fn on(base: &Layout) -> Function {
        let function = Function {
            registry: Registry::start(),
            project: Project::new(),
        };
        function.registry.push(base, BASE);
        function.write(
            "fn/script.R",
            "parity <- function(number) list(parity = if (number %% 2 == 0) \"even\" else \"odd\")\n",
        );
        function
    }

    /// Where a file of the project is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.project.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The built runtime layer in `dist`, as `build runtime` leaves it.
    pub fn with_runtime(self) -> Function {
        let zip = runtime_layer();
        std::fs::create_dir_all(self.path("dist")).unwrap();
        for path in [zip.to_owned(), zip.with_extension("json")] {
            let name = path.file_name().unwrap();
            std::fs::copy(&path, self.path("dist").join(name)).unwrap();
        }
        self
    }

    /// A layer of a few bytes that has a bootstrap.
    pub fn with_tiny_layer(self) -> Function {
        tiny_layer(self.project.folder.path(), "tiny", Architecture::X86_64);
        self
    }

    pub fn base(&self) -> String {
        self.registry.name(BASE)
    }

    /// `r-layer image build` of the function.
    pub fn build(&self, more: &[&str]) -> Command {
        let mut command = self.project.r_layer();
        command.args(["image", "build"]);
        let base = self.base();
        for (flag, value) in [
            ("--code", "fn"),
            ("--handler", "script.parity"),
            ("--base", &base),
        ] {
            if !more.contains(&flag) {
                command.args([flag, value]);
            }
        }
        command.args(more);
        command
    }

    /// What it makes, as JSON.
    pub fn built(&self, more: &[&str]) -> Value {
        let output = succeed(self.build(more).arg("--json"));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The same of the tiny layer.
    pub fn built_tiny(&self, more: &[&str]) -> Value {
        self.built(&[&["--layer", "tiny.zip"], more].concat())
    }
}

/// A zip with a bootstrap, a library of sorts for a processor, and a long path.
pub fn tiny_layer(folder: &Path, name: &str, architecture: Architecture) -> PathBuf {
    let tree = tempfile::tempdir().unwrap();
    let machine: u16 = match architecture {
        Architecture::X86_64 => 62,
        Architecture::Arm64 => 183,
    };
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0".to_vec();
    elf.extend(machine.to_le_bytes());
    let write = |path: &str, content: &[u8]| {
        let path = tree.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("bootstrap", b"#!/bin/sh\n");
    write("lib/libx.so", &elf);
    write(&format!("R/library/{}/data", "long".repeat(40)), b"x");
    let zip = folder.join(format!("{name}.zip"));
    succeed(
        Command::new("chmod")
            .arg("755")
            .arg(tree.path().join("bootstrap")),
    );
    let mut command = Command::new("zip");
    command.args(["-qrX"]).arg(&zip).arg(".");
    succeed(command.current_dir(tree.path()));
    zip
}
