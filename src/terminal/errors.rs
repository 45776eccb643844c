//! An error for people: what happened, then why, each cause on a line of its own.

use super::Printer;

/// Prints an error and its causes on stderr.
pub fn print_error(printer: &Printer, error: &anyhow::Error) {
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Errors that wrap another often repeat it; once is enough.
        if lines.iter().all(|line| !line.contains(&text)) {
            lines.push(text);
        }
    }
    let title = printer.paint("1;31", "error:");
    for (index, line) in lines.iter().enumerate() {
        match index {
            0 => printer.line(&format!("{title} {line}")),
            _ => printer.line(&format!("  because: {line}")),
        }
    }
}
