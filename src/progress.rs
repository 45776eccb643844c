//! How long work tells of its progress, without knowing who listens: a terminal, a log, nobody.

/// Where work is announced.
pub trait Reporter: Send + Sync {
    /// A piece of work begins. With a total it is counted (in bytes), without it only time passes.
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task>;
    /// A line that a person should see once.
    fn note(&self, line: &str);
    /// Something that is probably not wanted, but does not stop the work.
    fn warn(&self, line: &str);
    /// Something for those who asked for detail (`-v`).
    fn detail(&self, line: &str);
}

/// A piece of work under way. Dropped without [`Task::finish`] it failed, or was stopped.
pub trait Task: Send + Sync {
    /// So much more is done.
    fn advance(&self, amount: u64);
    /// How much there is to do in all, once that is known.
    fn set_total(&self, total: u64);
    /// So much is done in all, for work that is resumed or begins again.
    fn set_done(&self, amount: u64);
    /// The step that is under way now.
    fn step(&self, step: &str);
    /// It is done; the line says what came out.
    fn finish(self: Box<Self>, line: &str);
}

/// A reporter that nobody listens to.
pub struct Silent;

struct SilentTask;

impl Reporter for Silent {
    fn begin(&self, _what: &str, _total: Option<u64>) -> Box<dyn Task> {
        Box::new(SilentTask)
    }
    fn note(&self, _line: &str) {}
    fn warn(&self, _line: &str) {}
    fn detail(&self, _line: &str) {}
}

impl Task for SilentTask {
    fn advance(&self, _amount: u64) {}
    fn set_total(&self, _total: u64) {}
    fn set_done(&self, _amount: u64) {}
    fn step(&self, _step: &str) {}
    fn finish(self: Box<Self>, _line: &str) {}
}
