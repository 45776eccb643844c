//! The line that tells how far a region is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::progress::{Reporter, Task};

/// What is told of a region while it is worked on.
pub struct RegionLine {
    shared: Arc<Shared>,
}

struct Shared {
    task: Box<dyn Task>,
    total: AtomicU64,
    done: AtomicU64,
}

/// A zip on its way, as a part of a region's line.
struct Upload {
    shared: Arc<Shared>,
    what: String,
    size: u64,
    sent: AtomicU64,
}

impl RegionLine {
    /// A region begins.
    pub fn begin(region: &str, reporter: &dyn Reporter) -> RegionLine {
        let shared = Shared {
            task: reporter.begin(region, None),
            total: AtomicU64::new(0),
            done: AtomicU64::new(0),
        };
        RegionLine {
            shared: Arc::new(shared),
        }
    }

    /// What is done now.
    pub fn step(&self, step: &str) {
        self.shared.task.step(step);
    }

    /// A zip is to be sent; what it returns counts its bytes.
    pub fn upload(&self, what: &str, size: u64) -> Arc<dyn Task> {
        if size > 0 {
            let total = self.shared.total.fetch_add(size, Ordering::Relaxed) + size;
            self.shared.task.set_total(total);
            self.shared.task.step(&format!("{what}: uploading"));
        } else {
            self.shared.task.step(&format!("{what}: publishing"));
        }
        Arc::new(Upload {
            shared: self.shared.clone(),
            what: what.to_owned(),
            size,
            sent: AtomicU64::new(0),
        })
    }

    /// It is done; the line says what came out.
    pub fn finish(self, line: &str) {
        if let Some(shared) = Arc::into_inner(self.shared) {
            shared.task.finish(line);
        }
    }
}

impl Task for Upload {
    fn advance(&self, amount: u64) {
        let sent = self.sent.fetch_add(amount, Ordering::Relaxed) + amount;
        let done = self.shared.done.fetch_add(amount, Ordering::Relaxed) + amount;
        self.shared.task.set_done(done);
        if self.size > 0 && sent >= self.size {
            // Lambda unpacks what it got before it answers.
            self.shared.task.step(&format!("{}: publishing", self.what));
        }
    }

    fn set_total(&self, _total: u64) {}

    fn set_done(&self, amount: u64) {
        let before = self.sent.swap(amount, Ordering::Relaxed);
        let done = &self.shared.done;
        done.fetch_sub(before, Ordering::Relaxed);
        let done = done.fetch_add(amount, Ordering::Relaxed) + amount;
        self.shared.task.set_done(done);
    }

    fn step(&self, step: &str) {
        self.shared.task.step(step);
    }

    fn finish(self: Box<Self>, _line: &str) {}
}

impl Drop for Upload {
    fn drop(&mut self) {
        // One that failed is sent again, and counted again.
        let rest = self.size.saturating_sub(self.sent.load(Ordering::Relaxed));
        if rest > 0 {
            self.shared.total.fetch_sub(rest, Ordering::Relaxed);
        }
    }
}
