//! Several downloads at once: each with a bar of its own, and one for all of them together.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::progress::{Reporter, Task};

/// All downloads of a run together. It begins when the first of them does, so that nothing is said of what is there
/// already.
pub struct Total<'a> {
    reporter: &'a dyn Reporter,
    wanted: usize,
    task: OnceLock<Box<dyn Task>>,
    done: AtomicU64,
    length: AtomicU64,
    fetched: AtomicUsize,
}

impl<'a> Total<'a> {
    /// Of so many packages.
    pub fn of(wanted: usize, reporter: &'a dyn Reporter) -> Total<'a> {
        Total {
            reporter,
            wanted,
            task: OnceLock::new(),
            done: AtomicU64::new(0),
            length: AtomicU64::new(0),
            fetched: AtomicUsize::new(0),
        }
    }

    /// One of them begins. A single one has its own bar only.
    pub fn begin(&self, what: &str) -> Part<'_> {
        let all = (self.wanted > 1).then(|| {
            let begin = || {
                self.reporter
                    .begin(&format!("fetching {} packages", self.wanted), Some(0))
            };
            &**self.task.get_or_init(begin)
        });
        Part {
            own: self.reporter.begin(&format!("fetching {what}"), Some(0)),
            all,
            total: self,
            done: AtomicU64::new(0),
            length: AtomicU64::new(0),
        }
    }

    /// All are done.
    pub fn finish(self) {
        let (count, bytes) = (self.fetched.into_inner(), self.done.into_inner());
        if let Some(task) = self.task.into_inner() {
            let size = bytes as f64 / 1e6;
            task.finish(&format!("fetched {count} packages, {size:.1} MB"));
        }
    }
}

/// One download among others.
pub struct Part<'a> {
    own: Box<dyn Task>,
    all: Option<&'a dyn Task>,
    total: &'a Total<'a>,
    done: AtomicU64,
    length: AtomicU64,
}

impl Part<'_> {
    /// It is there.
    pub fn finish(self, line: &str) {
        self.total.fetched.fetch_add(1, Ordering::Relaxed);
        self.own.finish(line);
    }
}

impl Task for Part<'_> {
    fn advance(&self, amount: u64) {
        self.own.advance(amount);
        self.done.fetch_add(amount, Ordering::Relaxed);
        self.total.done.fetch_add(amount, Ordering::Relaxed);
        if let Some(all) = self.all {
            all.advance(amount);
        }
    }

    fn set_total(&self, total: u64) {
        self.own.set_total(total);
        let before = self.length.swap(total, Ordering::Relaxed);
        // In two steps that wrap around: what is added less what was there.
        let difference = total.wrapping_sub(before);
        let sum = self.total.length.fetch_add(difference, Ordering::Relaxed);
        if let Some(all) = self.all {
            all.set_total(sum.wrapping_add(difference));
        }
    }

    fn set_done(&self, amount: u64) {
        self.own.set_done(amount);
        let before = self.done.swap(amount, Ordering::Relaxed);
        let difference = amount.wrapping_sub(before);
        let sum = self.total.done.fetch_add(difference, Ordering::Relaxed);
        if let Some(all) = self.all {
            all.set_done(sum.wrapping_add(difference));
        }
    }

    fn step(&self, step: &str) {
        self.own.step(step);
    }

    fn finish(self: Box<Self>, line: &str) {
        Part::finish(*self, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Remembers what it was told, in order.
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<String>>>);

    struct HeardTask(Heard, String);

    impl Heard {
        fn say(&self, line: String) {
            self.0.lock().unwrap().push(line);
        }
    }

    impl Reporter for Heard {
        fn begin(&self, what: &str, _total: Option<u64>) -> Box<dyn Task> {
            self.say(format!("begin {what}"));
            Box::new(HeardTask(self.clone(), what.to_owned()))
        }
        fn note(&self, _line: &str) {}
        fn warn(&self, _line: &str) {}
        fn detail(&self, _line: &str) {}
    }

    impl Task for HeardTask {
        fn advance(&self, amount: u64) {
            self.0.say(format!("{} +{amount}", self.1));
        }
        fn set_total(&self, total: u64) {
            self.0.say(format!("{} of {total}", self.1));
        }
        fn set_done(&self, amount: u64) {
            self.0.say(format!("{} at {amount}", self.1));
        }
        fn step(&self, _step: &str) {}
        fn finish(self: Box<Self>, line: &str) {
            self.0.say(line.to_owned());
        }
    }

    #[test]
    fn the_total_is_the_sum_of_its_parts_also_when_one_begins_anew() {
        let heard = Heard::default();
        let total = Total::of(2, &heard);
        let (one, other) = (total.begin("one"), total.begin("other"));
        one.set_total(100);
        other.set_total(50);
        one.advance(60);
        other.advance(50);
        one.set_done(0);
        one.advance(100);
        one.finish("one is there");
        other.finish("other is there");
        total.finish();
        let said = heard.0.lock().unwrap();
        let of_all: Vec<&str> = said
            .iter()
            .filter_map(|line| line.strip_prefix("fetching 2 packages "))
            .collect();
        assert_eq!(of_all, ["of 100", "of 150", "+60", "+50", "at 50", "+100"]);
        assert_eq!(said.last().unwrap(), "fetched 2 packages, 0.0 MB");
    }

    #[test]
    fn nothing_is_said_where_nothing_is_fetched_and_one_has_one_bar() {
        let heard = Heard::default();
        Total::of(30, &heard).finish();
        assert!(heard.0.lock().unwrap().is_empty());
        let total = Total::of(1, &heard);
        total.begin("one").finish("one is there");
        total.finish();
        assert_eq!(
            *heard.0.lock().unwrap(),
            ["begin fetching one", "one is there"]
        );
    }
}
