//! The terminal: the only place that prints. Data goes to stdout, everything else to stderr.

mod bar;
mod errors;
mod printer;
mod progress;
mod size;

pub use bar::{bar, width};
pub use errors::print_error;
pub(crate) use printer::printable;
pub use printer::{ColorChoice, Printer, Verbosity};
pub use progress::TerminalReporter;
pub use size::human_size;
