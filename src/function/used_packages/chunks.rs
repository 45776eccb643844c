//! The R code of a file: all of an R script; of R Markdown and Quarto the chunks and what is within lines, each on the line
//! that it has in the file, so that places are the file's.
//!
//! Source: knitr's `knit_patterns`, and CommonMark for fences.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;

/// The R code of a file, by the end of its name.
pub fn r_code<'a>(path: &str, text: &'a str) -> Cow<'a, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let end = path.rsplit_once('.').map_or("", |(_, end)| end);
    let is_markdown = ["rmd", "qmd"].contains(&end.to_lowercase().as_str());
    match is_markdown {
        true => Cow::Owned(code_of_markdown(text)),
        false if text.contains('\r') => Cow::Owned(text.replace("\r\n", "\n")),
        false => Cow::Borrowed(text),
    }
}

/// Lines between two fences.
struct Block<'a> {
    /// How many backticks or tildes begin it; as many end it.
    fence: &'a str,
    /// Its R code is run: the lines that it has in the result.
    chunk: Option<Vec<&'a str>>,
}

/// The code, and empty lines in the place of all others.
fn code_of_markdown(text: &str) -> String {
    let mut code: Vec<String> = Vec::new();
    let mut block: Option<Block<'_>> = None;
    for line in text.lines() {
        code.push(String::new());
        let (fence, info) = fence(line);
        match &mut block {
            Some(open) if fence.starts_with(open.fence) && info.is_empty() => {
                close(block.take(), &mut code);
            }
            Some(Block { chunk, .. }) => {
                if let Some(lines) = chunk {
                    lines.push(line);
                }
            }
            None if !fence.is_empty() => {
                block = Some(Block {
                    fence,
                    chunk: is_run(info).then(Vec::new),
                });
            }
            None => code
                .last_mut()
                .into_iter()
                .for_each(|last| *last = within(line)),
        }
    }
    // A chunk that nothing ends goes to the end of the file, as the closed ones to the line before their fence.
    if block.is_some() {
        code.push(String::new());
        close(block, &mut code);
    }
    code.join("\n")
}

/// Puts the lines of a chunk on those before the last, which is its fence.
fn close(block: Option<Block<'_>>, code: &mut [String]) {
    let lines = block.and_then(|block| block.chunk).unwrap_or_default();
    let is_off = |line: &&&str| off_in_comment().is_match(line);
    if lines.iter().any(|line| is_off(&line)) {
        return;
    }
    let first = code.len() - 1 - lines.len();
    for (place, line) in code[first..].iter_mut().zip(lines) {
        *place = line.to_owned();
    }
}

/// The backticks or tildes that a line begins with, three or more, and what follows them; nothing, if it is another line.
fn fence(line: &str) -> (&str, &str) {
    let line = line.trim_start_matches(['\t', ' ', '>']);
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'));
    let rest = mark.map_or(line, |mark| line.trim_start_matches(mark));
    let (fence, info) = line.split_at(line.len() - rest.len());
    match fence.len() >= 3 && !info.contains('`') {
        true => (fence, info.trim()),
        false => ("", ""),
    }
}

/// Does a fence begin R code that is run: `{r}`, `{r name, echo=FALSE}`, but not `{r, eval=FALSE}`?
fn is_run(info: &str) -> bool {
    let options = info
        .strip_prefix('{')
        .and_then(|info| info.strip_suffix('}'));
    let options = options.and_then(|options| options.strip_prefix(['r', 'R']));
    options.is_some_and(|options| {
        let is_r = options.is_empty() || options.starts_with([' ', ',', '\t']);
        is_r && !off_in_header().is_match(options)
    })
}

/// What is within a line of text: `` `r nrow(data)` ``.
fn within(line: &str) -> String {
    let found = inline().captures_iter(line);
    let found: Vec<&str> = found
        .filter_map(|captures| captures.get(1))
        .map(|code| code.as_str())
        .collect();
    found.join("; ")
}

fn off_in_header() -> &'static Regex {
    static PATTERN: OnceLock<Regex> = OnceLock::new();
    pattern(&PATTERN, r"\beval\s*=\s*(FALSE|F)\b")
}

fn off_in_comment() -> &'static Regex {
    static PATTERN: OnceLock<Regex> = OnceLock::new();
    pattern(&PATTERN, r"^\s*#\|\s*eval\s*[:=]\s*(false|FALSE|F)\s*$")
}

fn inline() -> &'static Regex {
    static PATTERN: OnceLock<Regex> = OnceLock::new();
    pattern(&PATTERN, r"(?:^|[^`])`r[ #]([^`]+)`")
}

#[expect(
    clippy::expect_used,
    reason = "the patterns of this module, each used by its tests"
)]
fn pattern(place: &'static OnceLock<Regex>, pattern: &str) -> &'static Regex {
    place.get_or_init(|| Regex::new(pattern).expect("the pattern is one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(markdown: &str) -> Vec<String> {
        let code = r_code("report.Rmd", markdown);
        let lines = code.lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    }

    #[test]
    fn chunks_of_r_are_code_on_their_lines() {
        let text = "# a\n\n```{r}\nb\n```\n\n> ```{R, echo=FALSE}\nc\n> ```\n";
        assert_eq!(r_code("a.qmd", text), "\n\n\nb\n\n\n\nc\n");
    }

    #[test]
    fn other_blocks_and_chunks_that_are_not_run_are_no_code() {
        for block in [
            "```r\na\n```",
            "```\na\n```",
            "```{python}\na\n```",
            "```{rust}\na\n```",
            "```{r, eval = FALSE}\na\n```",
            "```{r}\n#| eval: false\na\n```",
            "````markdown\n```{r}\na\n```\n````",
            "~~~\n```{r}\na\n```\n~~~",
            "a",
        ] {
            assert_eq!(
                lines(&format!("{block}\n\n```{{r}}\nb\n```\n")),
                ["b"],
                "{block}"
            );
        }
    }

    #[test]
    fn code_within_a_line_and_chunks_that_nothing_ends_count() {
        assert_eq!(
            lines("There are `r a` and `r b`, not `c` or ``r d``."),
            ["a; b"]
        );
        assert_eq!(lines("x\n```{r name}\na\nb"), ["a", "b"]);
        assert_eq!(lines("```{r}\r\na\r\n```\r\n"), ["a"]);
    }

    #[test]
    fn scripts_are_code_as_they_are() {
        assert_eq!(r_code("a.R", "\u{feff}a\r\nb"), "a\nb");
        assert!(matches!(r_code("a.r", "a\nb"), Cow::Borrowed(_)));
    }
}
