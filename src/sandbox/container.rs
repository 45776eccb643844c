//! Containers: started by an engine, gone when they are done or given up.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::engine::{Engine, EngineError, EngineImage, EngineKind, reason};
use super::{CommandFailed, LoggedCommand, Mount, ProcessGroup};
use crate::cache::Cache;
use crate::image::{Limits, Unpacker};
use crate::os::blocking;
use crate::progress::{Reporter, Task};

/// The shared libraries of a root, with the links that lead to them, where the loader looks, and by what a root is
/// told from another; as a tarball.
const LIBRARIES: &str = "cd / && find lib lib32 lib64 usr/lib usr/lib32 usr/lib64 usr/local opt etc/alternatives \
    etc/ld.so.conf.d etc/os-release var/lib/dpkg/status var/lib/rpm/rpmdb.sqlite \
    '(' -type l -o -name '*.so' -o -name '*.so.*' -o -type f -path 'etc/*' -o -type f -path 'var/*' ')' 2>/dev/null \
    | tar -c -f - --no-recursion -T -";

/// The variables that say where the proxy is, for package managers.
pub const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// A command in a container that is about to run. The container is removed with this value.
pub struct Container {
    command: Command,
    guard: Guard,
}

/// A container that is removed when this is dropped, also if whoever waited for it was interrupted: killing the
/// engine's program does not end what its daemon runs.
struct Guard {
    program: PathBuf,
    name: String,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut remove = std::process::Command::new(&self.program);
        remove.args(["rm", "--force", &self.name]);
        // One that was never made is none the worse.
        let _ = remove
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

impl Engine {
    /// A script in an image, as its root, with the network that the user has set up.
    pub(super) fn script(&self, image: &str, script: &str) -> Container {
        let mut container = self.container();
        let command = &mut container.command;
        command
            .args(&self.options)
            .args(["--user", "0", "--workdir", "/"]);
        for name in PROXIES
            .iter()
            .filter(|name| std::env::var_os(name).is_some())
        {
            command.args(["--env", name]);
        }
        command.args(["--entrypoint", "/bin/sh", image, "-c", script]);
        container
    }

    /// A script by its path in the container, with nothing but this environment and no network. What it writes to
    /// the mounts belongs to this user.
    pub fn isolated_script(
        &self,
        image: &EngineImage,
        mounts: &[Mount],
        environment: &BTreeMap<String, OsString>,
        script: &Path,
    ) -> Container {
        let mut container = self.container();
        let command = &mut container.command;
        command
            .args(without_network(&self.options))
            .arg("--network=none");
        command.args(["--workdir", "/", "--user", &self.user()]);
        for mount in mounts {
            command.args(mount_option(mount));
        }
        // The image's own environment is left out too, as bubblewrap leaves out this machine's.
        command.args(["--entrypoint", "/usr/bin/env", &image.id, "-i"]);
        for (name, value) in environment {
            let mut variable = OsString::from(format!("{name}="));
            variable.push(value);
            command.arg(variable);
        }
        command.arg("/bin/sh").arg(script);
        container
    }

    /// The shared libraries of an image, in the cache: what a layer's files need comes from there.
    pub async fn libraries(
        &self,
        image: &EngineImage,
        cache: &Cache,
        reporter: &dyn Reporter,
    ) -> Result<PathBuf, EngineError> {
        let short = image.id.get(..16).unwrap_or(&image.id);
        let name = format!("{}-{short}-{}", self.kind, self.architecture);
        let make = async |content: &Path| self.copy_libraries(image, content).await;
        cache.get_or_make("roots", &name, reporter, make).await
    }

    async fn copy_libraries(&self, image: &EngineImage, into: &Path) -> Result<(), EngineError> {
        let mut container = self.script(&image.id, LIBRARIES);
        let command = &mut container.command;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut group = ProcessGroup::spawn(command)?;
        let (tarball, words) = (group.child.stdout.take(), group.child.stderr.take());
        let (Some(tarball), Some(mut words)) = (tarball, words) else {
            return Err(self.refused("run", "it has no output".to_owned()));
        };
        let tarball = blocking(tarball)?;
        let into = into.to_owned();
        let unpacking = tokio::task::spawn_blocking(move || {
            let mut unpacker = Unpacker::new(&into, Limits::default())?;
            Ok::<_, std::io::Error>(unpacker.layer(tarball))
        });
        let mut said = String::new();
        words.read_to_string(&mut said).await?;
        let unpacked = unpacking.await.map_err(std::io::Error::other)??;
        if !group.wait().await?.success() {
            return Err(self.refused("run", reason(&said)));
        }
        unpacked.map_err(|source| EngineError::Libraries {
            image: image.id.clone(),
            source,
        })
    }

    /// The beginning of every `run`.
    fn container(&self) -> Container {
        let name = format!("r-layer-{}", uuid::Uuid::new_v4());
        let mut command = Command::new(&self.program);
        command.args(["run", "--name", &name, "--stop-timeout", "1"]);
        command.args(self.platform());
        if self.kind != EngineKind::Finch {
            // SELinux would not let the container see this machine's folders.
            command.args(["--security-opt", "label=disable"]);
        }
        let program = self.program.clone();
        Container {
            command,
            guard: Guard { program, name },
        }
    }

    /// Who writes to the mounts. Root in a container is this user already if the engine is not root's own, and
    /// where the engine runs in a virtual machine.
    fn user(&self) -> String {
        let this_one = cfg!(target_os = "linux") && self.is_rootful;
        let user = this_one.then(crate::os::user_and_group).flatten();
        user.unwrap_or_else(|| "0".to_owned())
    }
}

impl Container {
    /// By which the engine knows it.
    pub(super) fn name(&self) -> &str {
        &self.guard.name
    }

    /// Runs it to its end without a word.
    pub(super) async fn quiet(&mut self) -> Result<ExitStatus, EngineError> {
        let command = &mut self.command;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(ProcessGroup::spawn(command)?.wait().await?)
    }

    /// Runs it to its end, with a log. The container is there until the value that is returned is dropped.
    pub async fn logged(
        self,
        what: &str,
        log: &Path,
        task: &dyn Task,
    ) -> Result<impl Drop + use<>, CommandFailed> {
        let Container { command, guard } = self;
        LoggedCommand { what, command, log }.run(task).await?;
        Ok(guard)
    }
}

fn mount_option(mount: &Mount) -> Vec<OsString> {
    let bind = |from: &Path, to: &Path, ending: &str| {
        let mut option = OsString::from("type=bind,source=");
        option.push(from);
        option.push(",target=");
        option.push(to);
        option.push(ending);
        vec!["--mount".into(), option]
    };
    match mount {
        Mount::ReadOnly { from, to } => bind(from, to, ",readonly"),
        Mount::Writable { from, to } => bind(from, to, ""),
        // A container can be written as it is, and goes.
        Mount::Temporary { .. } => Vec::new(),
    }
}

/// Options without those that give a network: it is for installing packages only.
fn without_network(options: &[String]) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut options = options.iter().map(String::as_str);
    while let Some(option) = options.next() {
        match option.split_once('=') {
            Some(("--network" | "--net", _)) => {}
            None if option == "--network" || option == "--net" => drop(options.next()),
            _ => kept.push(option),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compilation_has_no_network_whatever_the_options() {
        let options = [
            "--network=host",
            "--ulimit",
            "nofile=1024",
            "--net",
            "bridge",
            "--memory=4g",
        ];
        let options = options.map(str::to_owned);
        assert_eq!(
            without_network(&options),
            ["--ulimit", "nofile=1024", "--memory=4g"]
        );
    }

    #[test]
    fn mounts_are_told_as_every_engine_takes_them() {
        let mount = Mount::ReadOnly {
            from: "/a b".into(),
            to: "/sources".into(),
        };
        assert_eq!(
            mount_option(&mount),
            ["--mount", "type=bind,source=/a b,target=/sources,readonly"]
        );
    }
}
