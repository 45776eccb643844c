//! A long command whose output goes to a log: its steps are shown, and the log's end if it fails.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use super::{BubblewrapError, bubblewrap_runs};
use crate::progress::Task;

/// A command that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommandFailed {
    /// It could not be started, or its log not written.
    #[error("{what} cannot be run: {source}")]
    Start {
        /// What it was to do.
        what: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// It ended with another status than 0.
    #[error("{what} failed ({status}). The last lines of {log}:\n{tail}", log = log.display())]
    Status {
        /// What it was to do.
        what: String,
        /// How it ended.
        status: ExitStatus,
        /// Where all it said is.
        log: PathBuf,
        /// The end of that.
        tail: String,
    },
    /// It was never begun.
    #[error(transparent)]
    Bubblewrap(#[from] BubblewrapError),
}

/// How many lines of a log an error shows.
const TAIL: usize = 25;

/// A command whose output goes to a file.
pub struct LoggedCommand<'a> {
    /// What it does, for messages.
    pub what: &'a str,
    /// The command.
    pub command: Command,
    /// The file.
    pub log: &'a Path,
}

impl LoggedCommand<'_> {
    /// Runs it to its end. Lines that begin with `==>` are told as steps.
    pub async fn run(mut self, task: &dyn Task) -> Result<(), CommandFailed> {
        let start = |source| CommandFailed::Start {
            what: self.what.to_owned(),
            source,
        };
        if let Some(folder) = self.log.parent() {
            fs_err::create_dir_all(folder).map_err(start)?;
        }
        let file = fs_err::tokio::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log)
            .await
            .map_err(start)?;
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut group = ProcessGroup::spawn(&mut self.command).map_err(start)?;
        let log = tokio::sync::Mutex::new(file);
        let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
        let (one, other) = tokio::join!(copy(stdout, &log, task), copy(stderr, &log, task));
        one.and(other).map_err(start)?;
        let status = group.wait().await.map_err(start)?;
        if status.success() {
            return Ok(());
        }
        let is_sandboxed = self.command.as_std().get_program().as_encoded_bytes();
        if is_sandboxed.ends_with(b"/bwrap") {
            bubblewrap_runs().await?;
        }
        Err(CommandFailed::Status {
            what: self.what.to_owned(),
            status,
            log: self.log.to_owned(),
            tail: tail(self.log),
        })
    }
}

async fn copy(
    output: Option<impl AsyncRead + Unpin>,
    log: &tokio::sync::Mutex<fs_err::tokio::File>,
    task: &dyn Task,
) -> std::io::Result<()> {
    let Some(output) = output else {
        return Ok(());
    };
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).await? > 0 {
        log.lock().await.write_all(&line).await?;
        if let Some(step) = line.strip_prefix(b"==>") {
            task.step(String::from_utf8_lossy(step).trim());
        }
        line.clear();
    }
    log.lock().await.flush().await
}

fn tail(log: &Path) -> String {
    let content = fs_err::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&content);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..]
        .iter()
        .map(|line| format!("    {}", shortened(line)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The beginning of a line that no terminal shows whole: some tools list hundreds of files in one.
fn shortened(line: &str) -> String {
    /// Characters.
    const LONGEST: usize = 400;
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// A child process and all its descendants, which end with this value.
pub struct ProcessGroup {
    /// The child itself.
    pub child: Child,
    finished: bool,
}

impl ProcessGroup {
    /// Starts a command as the leader of a group of its own, so that a Ctrl-C at the terminal reaches it
    /// through r-layer and not beside it.
    pub fn spawn(command: &mut Command) -> std::io::Result<ProcessGroup> {
        #[cfg(unix)]
        command.process_group(0);
        let child = command.kill_on_drop(true).spawn()?;
        Ok(ProcessGroup {
            child,
            finished: false,
        })
    }

    /// Waits for the child's end.
    pub async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.finished = true;
        Ok(status)
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        #[cfg(unix)]
        if let Some(pid) = self
            .child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(id as i32))
        {
            // Those that ended by themselves are no error.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_never_ends_is_shortened() {
        assert_eq!(shortened("short"), "short");
        let long = "ä".repeat(1000);
        assert_eq!(shortened(&long).chars().count(), 401);
        assert!(shortened(&long).ends_with('…'));
    }
}
