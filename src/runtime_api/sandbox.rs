//! A bootstrap in a root like Lambda's: its environment, its start, its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{ErrorReport, FunctionIdentity, RuntimeApi};
use crate::sandbox::{BubblewrapError, Mount, ProcessGroup, Sandbox};
use crate::target::Target;

/// Why a bootstrap was not started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// bubblewrap.
    #[error(transparent)]
    Bubblewrap(#[from] BubblewrapError),
    /// The process.
    #[error("the bootstrap cannot be started: {0}")]
    Io(#[from] std::io::Error),
}

/// What a bootstrap is started with.
#[derive(Clone)]
pub struct FunctionSandbox<'a> {
    /// The root file system.
    pub root: PathBuf,
    /// Layers and code, or what the root has of its own.
    pub files: FunctionFiles,
    /// The handler.
    pub handler: String,
    /// Who the function is.
    pub identity: &'a FunctionIdentity,
    /// The function's own environment variables.
    pub environment: &'a [(String, String)],
    /// Where it runs.
    pub target: &'a Target,
}

/// Where a function's files are, and what starts them.
#[derive(Clone, Debug)]
pub enum FunctionFiles {
    /// As functions from zips have them; their bootstrap is in the layers.
    Folders {
        /// The unpacked layers: /opt.
        layers: PathBuf,
        /// The function's code: /var/task.
        code: PathBuf,
    },
    /// All of them are in the root, which is a container image's.
    Image(ImageStart),
}

/// How a container image is started.
#[derive(Clone, Debug)]
pub struct ImageStart {
    /// Entry point and command.
    pub command: Vec<String>,
    /// The image's own variables.
    pub environment: Vec<(String, String)>,
    /// The folder that it is started in.
    pub working_folder: String,
}

impl FunctionFiles {
    fn mounts(&self) -> Vec<Mount> {
        match self {
            FunctionFiles::Folders { layers, code } => vec![
                Mount::ReadOnly {
                    from: layers.clone(),
                    to: "/opt".into(),
                },
                Mount::ReadOnly {
                    from: code.clone(),
                    to: "/var/task".into(),
                },
            ],
            FunctionFiles::Image(_) => Vec::new(),
        }
    }

    /// What is started, and where.
    fn command(&self) -> (Vec<&str>, &str) {
        match self {
            FunctionFiles::Folders { .. } => (vec!["/opt/bootstrap"], "/var/task"),
            FunctionFiles::Image(image) => {
                let command = image.command.iter().map(String::as_str);
                (command.collect(), &image.working_folder)
            }
        }
    }
}

/// How a start ended.
#[derive(Debug)]
pub enum Init {
    /// The runtime asks for events.
    Ready(Duration),
    /// The runtime says that it cannot start.
    Error(ErrorReport),
    /// The process ended before it asked.
    Exited(ExitStatus),
    /// The time was over.
    TimedOut,
}

/// /tmp on Lambda, unless more is asked for.
const TMP_SIZE: u64 = 512 << 20;

impl FunctionSandbox<'_> {
    /// Starts the bootstrap, or the image, against a Runtime API. What it and the handler print, their log, goes to `output`.
    pub fn start(&self, api: &RuntimeApi, output: OwnedFd) -> Result<ProcessGroup, SandboxError> {
        let mut sandbox = Sandbox::new(&self.root);
        sandbox.mounts = vec![Mount::Temporary {
            to: "/tmp".into(),
            size: Some(TMP_SIZE),
        }];
        sandbox.mounts.extend(self.files.mounts());
        // Names are looked up as this machine does.
        if std::path::Path::new("/etc/resolv.conf").exists() {
            let file = PathBuf::from("/etc/resolv.conf");
            sandbox.mounts.push(Mount::ReadOnly {
                from: file.clone(),
                to: file,
            });
        }
        let (command, folder) = self.files.command();
        let (program, arguments) = command
            .split_first()
            .ok_or_else(|| std::io::Error::other("there is nothing to start"))?;
        sandbox.working_folder = folder.into();
        sandbox.environment = self.environment(&api.address());
        let mut command = sandbox.command(program, arguments)?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        Ok(ProcessGroup::spawn(&mut command)?)
    }

    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
    fn environment(&self, api: &str) -> BTreeMap<String, OsString> {
        let identity = self.identity;
        let of_lambda: [(&str, String); 20] = [
            ("AWS_LAMBDA_RUNTIME_API", api.to_owned()),
            ("_HANDLER", self.handler.clone()),
            ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", identity.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            (
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                identity.memory.to_string(),
            ),
            ("AWS_LAMBDA_LOG_GROUP_NAME", identity.log_group()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_REGION", identity.region.clone()),
            ("AWS_DEFAULT_REGION", identity.region.clone()),
            ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
            ("AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129:2000".to_owned()),
            ("_AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129".to_owned()),
            ("_AWS_XRAY_DAEMON_PORT", "2000".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".to_owned()),
            ("LD_LIBRARY_PATH", self.target.library_path.join(":")),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
        ];
        let mut environment: BTreeMap<String, OsString> = of_lambda
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into();
        if let FunctionFiles::Image(image) = &self.files {
            // The image's entry point has it from its command.
            environment.remove("_HANDLER");
            let own = image.environment.iter();
            // What Lambda itself sets stays.
            let own = own.filter(|(name, _)| !name.starts_with("AWS_") && !name.starts_with('_'));
            environment.extend(own.map(|(name, value)| (name.clone(), value.into())));
        }
        for (name, value) in self.environment {
            environment.insert(name.clone(), value.into());
        }
        environment
    }
}

/// Waits for the end of the start.
pub async fn initialize(
    process: &mut ProcessGroup,
    api: &RuntimeApi,
    limit: Duration,
) -> std::io::Result<Init> {
    let started = Instant::now();
    tokio::select! {
        biased;
        error = api.initialized() => Ok(error.map_or_else(|| Init::Ready(started.elapsed()), Init::Error)),
        status = process.wait() => Ok(Init::Exited(status?)),
        () = tokio::time::sleep(limit) => Ok(Init::TimedOut),
    }
}

/// The most memory that the processes of a function had: the kernel's high-water mark of each, added up for those
/// that were there at one time, looked at every few milliseconds.
pub struct PeakMemory {
    pid: u32,
    bytes: u64,
}

impl PeakMemory {
    /// Of a process and its descendants.
    pub fn of(pid: u32) -> PeakMemory {
        PeakMemory { pid, bytes: 0 }
    }

    /// In bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Looks at the processes now.
    pub fn sample(&mut self) {
        let resident: u64 = descendants(self.pid).into_iter().map(resident_bytes).sum();
        self.bytes = self.bytes.max(resident);
    }

    /// Samples while something is done.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(Duration::from_millis(25), &mut work).await {
                Ok(done) => return done,
                Err(_) => self.sample(),
            }
        }
    }
}

/// Sends SIGTERM to the bootstrap below a sandbox's own processes, as Lambda does when it ends a function with an
/// extension.
pub fn announce_end(pid: u32) {
    let bootstrap = descendants(pid)
        .into_iter()
        .find(|pid| !is_bubblewrap(&status_of(*pid)))
        .and_then(|pid| rustix::process::Pid::from_raw(pid as i32));
    if let Some(pid) = bootstrap {
        // One that has ended meanwhile is no error.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

/// The processes below one, which is the sandbox itself and does not count.
fn descendants(pid: u32) -> Vec<u32> {
    let children =
        fs_err::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .flat_map(|child| std::iter::once(child).chain(descendants(child)))
        .collect()
}

/// The kernel's own high-water mark; bubblewrap's processes are not the function's.
fn resident_bytes(pid: u32) -> u64 {
    let status = status_of(pid);
    if is_bubblewrap(&status) {
        return 0;
    }
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

fn status_of(pid: u32) -> String {
    fs_err::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()
}

fn is_bubblewrap(status: &str) -> bool {
    status.starts_with("Name:\tbwrap")
}
