//! What is printed, and where.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors and warnings.
    Quiet,
    /// And what is done.
    Normal,
    /// And details.
    Verbose,
}

/// A text in which names from files cannot steer a terminal: control characters are shown, not sent.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => printable.push(c),
            c if c.is_control() => printable.extend(c.escape_default()),
            c => printable.push(c),
        }
    }
    printable
}

/// Prints results and messages.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    /// Results as JSON instead of text.
    pub json: bool,
    /// How much is said on stderr.
    pub verbosity: Verbosity,
    color: bool,
    colors_data: bool,
}

impl Printer {
    /// A printer with the user's choices.
    pub fn new(json: bool, verbosity: Verbosity, color: ColorChoice) -> Printer {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let wanted = |is_terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !no_color,
        };
        Printer {
            json,
            verbosity,
            color: wanted(io::stderr().is_terminal()),
            colors_data: wanted(io::stdout().is_terminal()),
        }
    }

    /// A command's result on stdout: as JSON, or as it displays itself.
    pub fn result<T: Display + Serialize>(&self, result: &T) -> io::Result<()> {
        let text = if self.json {
            serde_json::to_string_pretty(result)? + "\n"
        } else {
            printable(&result.to_string())
        };
        self.data(text.as_bytes())
    }

    /// Bytes on stdout, as they are. A reader that went away (`| head`) is no error.
    pub fn data(&self, bytes: &[u8]) -> io::Result<()> {
        self.more_data(bytes).map(drop)
    }

    /// The same for data without an end. False when nobody reads it any more.
    pub fn more_data(&self, bytes: &[u8]) -> io::Result<bool> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            written => written.map(|()| true),
        }
    }

    /// A line on stderr.
    pub fn line(&self, line: &str) {
        // There is nowhere left to say that stderr is closed.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// A word on stderr in a colour (an SGR number), where colours are used.
    pub fn paint(&self, sgr: &str, word: &str) -> String {
        painted(self.color, sgr, word)
    }

    /// The same on stdout.
    pub fn paint_data(&self, sgr: &str, word: &str) -> String {
        painted(self.colors_data, sgr, word)
    }
}

fn painted(wanted: bool, sgr: &str, word: &str) -> String {
    match wanted {
        true => format!("\x1b[{sgr}m{word}\x1b[0m"),
        false => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_shown() {
        assert_eq!(printable("R\t4.5\nlib/\x1b[2Jß"), "R\t4.5\nlib/\\u{1b}[2Jß");
    }
}
