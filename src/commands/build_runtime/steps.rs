//! How long each step of a build took, for those who asked for detail; `scripts/bench build` reads it.

use std::time::Instant;

use crate::progress::Reporter;

/// Steps that follow each other.
pub struct Steps<'a> {
    reporter: &'a dyn Reporter,
    begun: Instant,
}

impl<'a> Steps<'a> {
    /// The first begins now.
    pub fn begin(reporter: &'a dyn Reporter) -> Steps<'a> {
        Steps {
            reporter,
            begun: Instant::now(),
        }
    }

    /// One is done, and the next begins.
    pub fn done(&mut self, step: &str) {
        let milliseconds = self.begun.elapsed().as_secs_f64() * 1000.0;
        self.reporter
            .detail(&format!("step: {milliseconds:.1} ms {step}"));
        self.begun = Instant::now();
    }
}
