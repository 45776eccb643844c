//! Progress on a terminal (bars and spinners) and elsewhere (plain lines): the only place that knows indicatif.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Printer, Verbosity};
use crate::progress::{Reporter, Task};

/// Reports to stderr.
pub struct TerminalReporter {
    printer: Printer,
    /// Nothing where stderr is no terminal, or quiet.
    bars: Option<MultiProgress>,
}

impl TerminalReporter {
    /// A reporter that prints as a printer does.
    pub fn new(printer: Printer) -> TerminalReporter {
        let live = std::io::stderr().is_terminal() && printer.verbosity > Verbosity::Quiet;
        TerminalReporter {
            printer,
            bars: live.then(MultiProgress::new),
        }
    }

    fn line(&self, least: Verbosity, line: &str) {
        if self.printer.verbosity < least {
            return;
        }
        match &self.bars {
            Some(bars) => bars.suspend(|| self.printer.line(line)),
            None => self.printer.line(line),
        }
    }
}

impl Reporter for TerminalReporter {
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task> {
        match &self.bars {
            Some(bars) => Box::new(BarTask::begin(self.printer, bars.clone(), what, total)),
            None => Box::new(PlainTask::begin(self.printer, what)),
        }
    }

    fn note(&self, line: &str) {
        self.line(Verbosity::Normal, line);
    }

    fn warn(&self, line: &str) {
        let title = self.printer.paint("1;33", "warning:");
        self.line(Verbosity::Quiet, &format!("{title} {line}"));
    }

    fn detail(&self, line: &str) {
        self.line(Verbosity::Verbose, line);
    }
}

/// How a bar looks whose end is known.
const COUNTED: &str = "{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {elapsed}";

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

/// A bar, or a spinner where the amount of work is not known.
struct BarTask {
    printer: Printer,
    bars: MultiProgress,
    bar: ProgressBar,
    what: String,
    started: Instant,
}

impl BarTask {
    fn begin(printer: Printer, bars: MultiProgress, what: &str, total: Option<u64>) -> BarTask {
        let (bar, template) = match total {
            Some(total) if total > 0 => (ProgressBar::new(total), COUNTED),
            Some(_) => (
                ProgressBar::no_length(),
                "{spinner} {msg} {decimal_bytes} {elapsed}",
            ),
            None => (ProgressBar::no_length(), "{spinner} {msg} {elapsed}"),
        };
        set_style(&bar, template);
        let bar = bars.add(bar);
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        BarTask {
            printer,
            bars,
            bar,
            what: what.to_owned(),
            started: Instant::now(),
        }
    }
}

impl Task for BarTask {
    fn advance(&self, amount: u64) {
        self.bar.inc(amount);
    }

    fn set_total(&self, total: u64) {
        self.bar.set_length(total);
        set_style(&self.bar, COUNTED);
    }

    fn set_done(&self, amount: u64) {
        self.bar.set_position(amount);
    }

    fn step(&self, step: &str) {
        self.bar.set_message(format!("{}: {step}", self.what));
    }

    fn finish(self: Box<Self>, line: &str) {
        self.bar.finish_and_clear();
        let line = format!("{line} ({})", seconds(self.started));
        self.bars.suspend(|| self.printer.line(&line));
    }
}

impl Drop for BarTask {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        self.bars.remove(&self.bar);
    }
}

/// A line when it begins, when a step begins, and when it is done.
struct PlainTask {
    printer: Printer,
    what: String,
    started: Instant,
    last_step: Mutex<String>,
}

impl PlainTask {
    fn begin(printer: Printer, what: &str) -> PlainTask {
        if printer.verbosity > Verbosity::Quiet {
            printer.line(&format!("{what} …"));
        }
        PlainTask {
            printer,
            what: what.to_owned(),
            started: Instant::now(),
            last_step: Mutex::default(),
        }
    }
}

impl Task for PlainTask {
    fn advance(&self, _amount: u64) {}

    fn set_total(&self, _total: u64) {}

    fn set_done(&self, _amount: u64) {}

    fn step(&self, step: &str) {
        let Ok(mut last) = self.last_step.lock() else {
            return;
        };
        if *last != step && self.printer.verbosity > Verbosity::Quiet {
            self.printer.line(&format!(
                "{}: {step} ({})",
                self.what,
                seconds(self.started)
            ));
            step.clone_into(&mut last);
        }
    }

    fn finish(self: Box<Self>, line: &str) {
        if self.printer.verbosity > Verbosity::Quiet {
            self.printer
                .line(&format!("{line} ({})", seconds(self.started)));
        }
    }
}

fn seconds(started: Instant) -> String {
    let elapsed = started.elapsed();
    match elapsed.as_secs() {
        0..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
