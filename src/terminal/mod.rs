//! The terminal: the only place that prints. Data goes to stdout, everything else to stderr.

mod errors;
mod printer;
mod progress;
mod size;

pub use errors::print_error;
pub use printer::{ColorChoice, Printer, Verbosity};
pub use progress::TerminalReporter;
pub use size::human_size;
