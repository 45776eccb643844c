//! The machine itself: its cache, its programs, what its kernel lets them do.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::Check;
use super::install::{BUBBLEWRAP, DEBOOTSTRAP, ENGINE, Installer, QEMU};
use crate::cache::Cache;
use crate::os::is_root;
use crate::sandbox::{BubblewrapError, bubblewrap_runs, check_runs, find_program};
use crate::target::Architecture;
use crate::terminal::human_size;

/// What packing needs on the cache's disk, and what compiling R in a root of its own does.
const ROOM_TO_PACK: u64 = 300_000_000;
const ROOM_TO_COMPILE: u64 = 1_500_000_000;

/// How long a program may take that is asked whether it works.
const PATIENCE: Duration = Duration::from_secs(15);

/// What was found on this machine.
pub struct Machine {
    cache: Check,
    room_to_pack: Check,
    room_to_compile: Check,
    bubblewrap: Check,
    build_root: Check,
    /// Roots like Lambda's, and the means to run them: one for each processor.
    foreign: Vec<(Architecture, Check, Check)>,
    /// Something that runs containers.
    pub engine: Check,
    /// What AWS's tools take credentials from.
    pub credentials: Check,
}

impl Machine {
    /// Looks at it.
    pub async fn look(installer: &Installer) -> Machine {
        let opened = Cache::from_environment();
        let cache = match &opened {
            Ok(cache) => Check::ok("cache", cache.folder().display().to_string()),
            Err(error) => Check::missing(
                "cache",
                error.to_string(),
                "export R_LAYER_CACHE=/a/folder/that/can/be/written",
            ),
        };
        let opened = opened.ok();
        let free = opened
            .as_ref()
            .and_then(|cache| cache.room().ok().flatten());
        let roots = opened.map_or_else(Vec::new, |cache| cache.names("roots"));
        let (bubblewrap, engine) = tokio::join!(bubblewrap(installer), engine(installer));
        let has_root = |name: &dyn Fn(&str) -> bool| roots.iter().any(|root| name(root));
        let this = Architecture::of_this_machine().map_or("", Architecture::aws_name);
        let is_build_root = |root: &str| root.starts_with("debian-") && root.contains(this);
        Machine {
            cache,
            room_to_pack: room("room to pack", free, ROOM_TO_PACK),
            room_to_compile: room("room to compile", free, ROOM_TO_COMPILE),
            bubblewrap,
            build_root: debian_root("build root", has_root(&is_build_root), installer),
            foreign: Architecture::ALL
                .map(|architecture| {
                    let of = architecture.aws_name();
                    let there = |root: &str| root.starts_with("lambda-") && root.contains(of);
                    let name = format!("root for {of}");
                    (
                        architecture,
                        debian_root(&name, has_root(&there), installer),
                        processor(architecture, installer),
                    )
                })
                .into(),
            engine,
            credentials: credentials(),
        }
    }

    /// What has to be there to fetch and to pack.
    pub fn needed_to_pack(&self) -> impl Iterator<Item = &Check> {
        [&self.cache, &self.room_to_pack].into_iter()
    }

    /// What has to be there to compile R.
    pub fn needed_to_compile(&self) -> impl Iterator<Item = &Check> {
        let needs = [
            &self.cache,
            &self.room_to_compile,
            &self.bubblewrap,
            &self.build_root,
        ];
        needs.into_iter()
    }

    /// What has to be there to run a layer's programs; a root of Debian only where Lambda's own image is not to be had.
    pub fn needed_to_invoke(
        &self,
        wanted: Architecture,
        has_images: bool,
    ) -> impl Iterator<Item = &Check> {
        let of_it = || self.foreign.iter().filter(move |(of, ..)| *of == wanted);
        let processors = of_it().map(|(_, _, processor)| processor);
        let roots = of_it()
            .filter(move |_| !has_images)
            .map(|(_, root, _)| root);
        [&self.cache, &self.bubblewrap]
            .into_iter()
            .chain(processors)
            .chain(roots)
    }

    /// Everything that was looked at.
    pub fn into_checks(self) -> impl Iterator<Item = Check> {
        let foreign = self.foreign.into_iter();
        [
            self.cache,
            self.room_to_pack,
            self.room_to_compile,
            self.bubblewrap,
            self.build_root,
        ]
        .into_iter()
        .chain(foreign.flat_map(|(_, root, processor)| [root, processor]))
        .chain([self.engine, self.credentials])
    }
}

fn room(name: &str, free: Option<u64>, need: u64) -> Check {
    match free {
        Some(free) if free < need => Check::missing(
            name,
            format!(
                "{} free on the cache's disk, {} needed",
                human_size(free),
                human_size(need)
            ),
            "make room (r-layer cache clean --older-than 30), or set R_LAYER_CACHE to a folder on a larger disk",
        ),
        Some(free) => Check::ok(
            name,
            format!("{} free on the cache's disk", human_size(free)),
        ),
        None => Check::skipped(name),
    }
}

/// Is it there, and does the kernel let it make namespaces?
async fn bubblewrap(installer: &Installer) -> Check {
    let name = "bubblewrap";
    match bubblewrap_runs().await {
        Ok(()) => Check::ok(name, "there, and able to make namespaces"),
        Err(BubblewrapError::Unusable { reason, hint }) => {
            Check::missing(name, format!("it cannot make namespaces: {reason}"), hint)
        }
        Err(_) => Check::missing(
            name,
            "bwrap is not installed",
            installer.command(&BUBBLEWRAP),
        ),
    }
}

/// A root that is in the cache, or can be made.
fn debian_root(name: &str, is_cached: bool, installer: &Installer) -> Check {
    if is_cached {
        return Check::ok(name, "in the cache");
    }
    if find_program("debootstrap").is_none() {
        return Check::missing(
            name,
            "debootstrap is not installed",
            installer.command(&DEBOOTSTRAP),
        );
    }
    if !is_root() {
        return Check::missing(
            name,
            "not in the cache yet, and only root may make it",
            "once: type the command that needs it behind `sudo env R_LAYER_CACHE=FOLDER`",
        );
    }
    Check::ok(name, "debootstrap makes it")
}

/// Does this machine run programs of that processor?
fn processor(wanted: Architecture, installer: &Installer) -> Check {
    let name = format!("{wanted} programs");
    if Architecture::of_this_machine() == Some(wanted) {
        return Check::ok(name, "this machine's own");
    }
    match check_runs(wanted) {
        Ok(()) => Check::ok(name, "emulated by qemu-user"),
        Err(error) => Check::missing(name, error.reason(), installer.command(&QEMU)),
    }
}

/// The first engine that answers; else what is wrong with the first that is there.
async fn engine(installer: &Installer) -> Check {
    let name = "container engine";
    let mut silent = None;
    for (engine, start) in [
        ("docker", "sudo systemctl start docker"),
        ("podman", "podman machine start"),
        ("finch", "finch vm start"),
    ] {
        let Some(program) = find_program(engine) else {
            continue;
        };
        let mut command = Command::new(&program);
        command.arg("info");
        match works(command).await {
            Ok(()) => return Check::ok(name, program.display().to_string()),
            Err(reason) => {
                let found = format!("{engine} does not answer: {reason}");
                silent.get_or_insert(Check::missing(name, found, start));
            }
        }
    }
    silent.unwrap_or_else(|| {
        let remedy = installer.command(&ENGINE);
        Check::missing(
            name,
            "neither docker, podman nor finch is installed",
            remedy,
        )
    })
}

/// Runs a command to see whether it works; else its last word.
async fn works(mut command: Command) -> Result<(), String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("nothing in {} seconds", PATIENCE.as_secs())),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    Err(last.map_or_else(|| output.status.to_string(), |line| line.trim().to_owned()))
}

/// Where AWS's tools look for credentials. None is read.
fn credentials() -> Check {
    let name = "AWS credentials";
    let is_set =
        |variable: &&str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    let variables = [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    if let Some(variable) = variables.iter().find(|variable| is_set(variable)) {
        return Check::ok(name, format!("{variable} is set"));
    }
    let file = |variable: &str, usual: &str| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .or_else(|| etcetera::home_dir().ok().map(|home| home.join(usual)))
    };
    let files = [
        file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
        file("AWS_CONFIG_FILE", ".aws/config"),
    ];
    match files.into_iter().flatten().find(|file| file.is_file()) {
        Some(file) => Check::ok(name, format!("{} is there", file.display())),
        None => Check::missing(
            name,
            "neither in the environment nor in ~/.aws",
            "aws configure (or aws configure sso)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_says_how_to_make_some() {
        let check = room("room", Some(1), 2);
        assert!(check.is_missing() && check.remedy.unwrap().contains("cache clean"));
        assert!(!room("room", Some(2), 2).is_missing());
    }
}
