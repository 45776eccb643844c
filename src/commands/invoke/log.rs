//! The log of a function, with Lambda's own lines in it: on its way to stderr, its end kept for callers who want it.

use std::io::ErrorKind;

use tokio::io::{AsyncWriteExt, Stderr};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Mutex;

use crate::terminal::Verbosity;

/// How much of an invocation's log its caller may have, in bytes.
const TAIL: usize = 4096;

/// How much a pipe holds, in bytes: one read takes all that was written before it.
const PIPE: usize = 65_536;

/// A log that one writer at a time adds to.
pub struct Log {
    quiet: bool,
    written: Mutex<Written>,
}

struct Written {
    stderr: Stderr,
    tail: Vec<u8>,
}

impl Log {
    /// A log on stderr; Lambda's own lines are not shown there if it is to be quiet.
    pub fn new(verbosity: Verbosity) -> Log {
        let written = Written {
            stderr: tokio::io::stderr(),
            tail: Vec::new(),
        };
        Log {
            quiet: verbosity == Verbosity::Quiet,
            written: Mutex::new(written),
        }
    }

    /// An invocation begins: what was written before is not of its log.
    pub async fn begin(&self) {
        self.written.lock().await.tail.clear();
    }

    /// Writes a line of Lambda's own.
    pub async fn line(&self, line: &str) {
        let line = format!("{line}\n");
        let mut written = self.written.lock().await;
        written.keep(line.as_bytes());
        if !self.quiet {
            written.show(line.as_bytes()).await;
        }
    }

    /// Writes what a function has printed up to now. False at its end.
    pub async fn take(&self, output: &Receiver) -> bool {
        // Locked first, so that what is read in order is written in order.
        let mut written = self.written.lock().await;
        let mut bytes = vec![0; PIPE];
        match output.try_read(&mut bytes) {
            Ok(0) => false,
            Ok(count) => {
                written.keep(&bytes[..count]);
                written.show(&bytes[..count]).await;
                true
            }
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }

    /// The end of the current invocation's log.
    pub async fn tail(&self) -> Vec<u8> {
        self.written.lock().await.tail.clone()
    }
}

impl Written {
    fn keep(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
    }

    /// Where stderr is closed, nobody reads it.
    async fn show(&mut self, bytes: &[u8]) {
        let _ = self.stderr.write_all(bytes).await;
        let _ = self.stderr.flush().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_tail_is_the_last_4_kb_of_one_invocation() {
        let log = Log::new(Verbosity::Quiet);
        log.line("of another invocation").await;
        log.begin().await;
        log.line("START").await;
        assert_eq!(log.tail().await, b"START\n");
        log.line(&"x".repeat(5000)).await;
        log.line("END").await;
        let tail = log.tail().await;
        assert_eq!(tail.len(), TAIL);
        assert!(tail.ends_with(b"xx\nEND\n"));
    }
}
