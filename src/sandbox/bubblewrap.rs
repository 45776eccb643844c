//! A command in a root file system by bubblewrap (`bwrap`), which needs no daemon and, where user namespaces
//! are allowed, no privileges.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

/// Something that is put into the root.
#[derive(Clone, Debug)]
pub enum Mount {
    /// A folder or file that can be read.
    ReadOnly {
        /// Where it is on this machine.
        from: PathBuf,
        /// Where the command finds it.
        to: PathBuf,
    },
    /// A folder that can be written.
    Writable {
        /// Where it is on this machine.
        from: PathBuf,
        /// Where the command finds it.
        to: PathBuf,
    },
    /// An empty folder that is gone afterwards.
    Temporary {
        /// Where the command finds it.
        to: PathBuf,
        /// How much it holds, in bytes.
        size: Option<u64>,
    },
}

impl Mount {
    fn to(&self) -> &Path {
        match self {
            Mount::ReadOnly { to, .. }
            | Mount::Writable { to, .. }
            | Mount::Temporary { to, .. } => to,
        }
    }
}

/// Why nothing can be run in a root.
#[derive(Debug, thiserror::Error)]
pub enum BubblewrapError {
    /// No `bwrap`.
    #[error(
        "bubblewrap (`bwrap`) is not installed; type: apt-get install bubblewrap (or dnf, brew …)"
    )]
    NotInstalled,
    /// The root could not be looked at.
    #[error("the root file system {root} cannot be read: {source}")]
    Root {
        /// The root.
        root: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// It cannot run anything.
    #[error("bubblewrap (`bwrap`) cannot run a command on this machine ({reason}). {hint}")]
    Unusable {
        /// Its word.
        reason: String,
        /// Why that is, and what to type.
        hint: String,
    },
}

/// A root file system, with what is put into it, and the environment of the commands that run there.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The root on this machine.
    pub root: PathBuf,
    /// May the root itself be written? For installing packages in it.
    pub writable_root: bool,
    /// What is put into it, in order.
    pub mounts: Vec<Mount>,
    /// The whole environment of the command.
    pub environment: BTreeMap<String, OsString>,
    /// The folder that the command starts in.
    pub working_folder: PathBuf,
    /// Does the command keep its capabilities? Only for installing packages.
    pub privileged: bool,
    /// May the command reach this machine's network?
    pub network: bool,
}

impl Sandbox {
    /// A root that cannot be written, with nothing in it but itself, /proc, /dev and an empty /tmp, and with this
    /// machine's network.
    pub fn new(root: impl Into<PathBuf>) -> Sandbox {
        Sandbox {
            root: root.into(),
            writable_root: false,
            mounts: vec![Mount::Temporary {
                to: "/tmp".into(),
                size: None,
            }],
            environment: BTreeMap::new(),
            working_folder: "/".into(),
            privileged: false,
            network: true,
        }
    }

    /// The command that runs a program in this root. It dies with the process that started it.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Result<Command, BubblewrapError> {
        let bwrap = find_program("bwrap").ok_or(BubblewrapError::NotInstalled)?;
        let mut command = Command::new(bwrap);
        command.args(NAMESPACES);
        command.args(["--die-with-parent", "--new-session", "--clearenv"]);
        if !self.network {
            command.arg("--unshare-net");
        }
        if !self.privileged {
            command.args(["--cap-drop", "ALL"]);
        } else if !crate::os::is_root() {
            // Package managers want to be root; in a namespace of its own everybody is.
            command.args([
                "--unshare-user",
                "--uid",
                "0",
                "--gid",
                "0",
                "--cap-add",
                "ALL",
            ]);
        }
        for argument in self.file_system()? {
            command.arg(argument);
        }
        for (name, value) in &self.environment {
            command.arg("--setenv").arg(name).arg(value);
        }
        command.arg("--chdir").arg(&self.working_folder);
        command.arg("--").arg(program).args(arguments);
        command.kill_on_drop(true);
        Ok(command)
    }

    fn file_system(&self) -> Result<Vec<OsString>, BubblewrapError> {
        let mut arguments: Vec<OsString> = Vec::new();
        if self.writable_root {
            arguments.extend(["--bind".into(), self.root.clone().into(), "/".into()]);
        } else {
            arguments.extend(["--tmpfs".into(), "/".into()]);
            self.bind_level(Path::new("/"), &mut arguments)?;
        }
        arguments.extend(["--proc", "/proc", "--dev", "/dev"].map(OsString::from));
        for mount in &self.mounts {
            let to = mount.to().as_os_str().to_owned();
            match mount {
                Mount::ReadOnly { from, .. } => {
                    arguments.extend(["--ro-bind".into(), from.into(), to])
                }
                Mount::Writable { from, .. } => {
                    arguments.extend(["--bind".into(), from.into(), to])
                }
                Mount::Temporary { size, .. } => {
                    if let Some(size) = size {
                        arguments.extend(["--size".into(), size.to_string().into()]);
                    }
                    arguments.extend(["--tmpfs".into(), to]);
                }
            }
        }
        if !self.writable_root {
            arguments.extend(["--remount-ro", "/"].map(OsString::from));
        }
        Ok(arguments)
    }

    /// Binds what is in a folder of the root. A folder that lacks a place where something is to be put is
    /// made anew with its contents bound one by one, so that a root need not be written to.
    fn bind_level(
        &self,
        level: &Path,
        arguments: &mut Vec<OsString>,
    ) -> Result<(), BubblewrapError> {
        let failed = |source| BubblewrapError::Root {
            root: self.root.clone(),
            source,
        };
        let on_host = self.on_host(level);
        let mut entries: Vec<_> = fs_err::read_dir(&on_host)
            .map_err(failed)?
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        entries.sort_by_key(fs_err::DirEntry::file_name);
        for entry in entries {
            let inside = level.join(entry.file_name());
            if ["/proc", "/dev", "/tmp", "/sys"]
                .iter()
                .any(|own| inside == Path::new(own))
            {
                continue;
            }
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_symlink() {
                let target = fs_err::read_link(entry.path()).map_err(failed)?;
                arguments.extend(["--symlink".into(), target.into(), inside.into()]);
            } else if kind.is_dir() && self.lacks_a_mount_point(&inside) {
                arguments.extend(["--dir".into(), inside.clone().into()]);
                self.bind_level(&inside, arguments)?;
            } else {
                arguments.extend(["--ro-bind".into(), entry.path().into(), inside.into()]);
            }
        }
        Ok(())
    }

    fn lacks_a_mount_point(&self, folder: &Path) -> bool {
        self.mounts
            .iter()
            .map(Mount::to)
            .any(|to| to != folder && to.starts_with(folder) && !self.on_host(to).exists())
    }

    fn on_host(&self, inside: &Path) -> PathBuf {
        self.root.join(inside.strip_prefix("/").unwrap_or(inside))
    }
}

/// What every sandbox has of its own.
pub(super) const NAMESPACES: [&str; 2] = ["--unshare-pid", "--unshare-ipc"];

/// A program on this machine's PATH, or where administrators' programs are.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}
