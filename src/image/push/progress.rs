//! How far a push is: several blobs at once, some of which are sent again.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::progress::Task;

/// The bytes that are done, of all blobs together.
pub struct Progress<'a> {
    task: &'a dyn Task,
    done: AtomicU64,
    sent: AtomicU64,
}

impl<'a> Progress<'a> {
    /// Nothing is done.
    pub fn new(task: &'a dyn Task) -> Progress<'a> {
        Progress {
            task,
            done: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// A blob is there; `was_sent`: because it was sent.
    pub fn arrived(&self, bytes: u64, was_sent: bool) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.task.set_done(done);
        if was_sent {
            self.sent.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Bytes of the blobs that were sent.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}
