//! What makes the runtime's start short: the code that every start needs, in one file without comments, and an index
//! of the other files, by which each is read when one of its functions is first used. Parsing all of the runtime's R
//! code takes as long as the rest of its start.

use std::fmt::Write;

/// The code of files, one after the other, without empty lines and the comments that begin at the margin.
pub fn bundle<'a>(files: impl IntoIterator<Item = &'a str>) -> String {
    let lines = files.into_iter().flat_map(str::lines);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// A line for each file: its name, and the names that it assigns.
pub fn index<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    files
        .into_iter()
        .fold(String::new(), |mut text, (file, code)| {
            text.push_str(file);
            for name in code.lines().filter_map(assigned) {
                let _ = write!(text, " {name}");
            }
            text + "\n"
        })
}

/// What a line assigns, if it is one at the margin.
fn assigned(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(" <- ")?;
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str =
        "# Why.\n\nf <- function(x) {\n    # Because.\n    y <- \"# x\"\n}\nbase64 <- 1\n";

    #[test]
    fn a_bundle_is_the_code_without_what_is_only_read() {
        assert_eq!(
            bundle([CODE, "g <- 2\n"]),
            "f <- function(x) {\n    # Because.\n    y <- \"# x\"\n}\nbase64 <- 1\ng <- 2\n"
        );
    }

    #[test]
    fn an_index_names_what_is_assigned_at_the_margin() {
        let files = [("a.R", CODE), ("b.R", "x$y <- 1\n")];
        assert_eq!(index(files), "a.R f base64\nb.R\n");
    }
}
