//! Shares of a whole, drawn.

use std::io;

/// The width to write for: the terminal's where stdout is one, else 80.
pub fn width() -> usize {
    terminal_size::terminal_size_of(io::stdout())
        .map_or(80, |(width, _)| usize::from(width.0))
        .max(40)
}

/// A bar for a part of the greatest, in cells of the terminal, with an eighth of one as its smallest step.
pub fn bar(part: u64, greatest: u64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = if greatest == 0 {
        0.0
    } else {
        (part as f64 / greatest as f64).min(1.0)
    };
    let eighths = (share * (cells * 8) as f64).round() as usize;
    let eighths = eighths.max(usize::from(part > 0));
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_never_nothing_for_something() {
        assert_eq!(bar(100, 100, 4), "████");
        assert_eq!(bar(300, 100, 4), "████");
        assert_eq!(bar(50, 100, 3), "█▌");
        assert_eq!(bar(1, 1_000_000, 4), "▏");
        assert_eq!(bar(0, 100, 4), "");
        assert_eq!(bar(0, 0, 4), "");
    }
}
