//! The LD_LIBRARY_PATH that a bootstrap leaves to R, read from its text.
//!
//! A bootstrap is a shell script that Lambda starts with its own LD_LIBRARY_PATH, in which /lib64 stands
//! before /opt/lib. Whether a layer's libraries are found first is decided by what the script makes of it:
//! so its assignments are followed, as a shell would, without running it.

use std::collections::HashMap;

/// The folders in which the loader looks after a bootstrap has run, in order.
pub fn library_path(bootstrap: &str, lambdas_own: &[String]) -> Vec<String> {
    let mut variables = HashMap::from([
        ("LD_LIBRARY_PATH".to_owned(), lambdas_own.join(":")),
        ("LAMBDA_TASK_ROOT".to_owned(), "/var/task".to_owned()),
    ]);
    for line in bootstrap.lines() {
        for (name, value) in assignments(line) {
            let value = expand(&value, &variables, 0);
            variables.insert(name, value);
        }
    }
    variables["LD_LIBRARY_PATH"]
        .split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| folder.trim_end_matches('/').to_owned())
        .collect()
}

/// The assignments at the beginning of a line, with or without `export`.
fn assignments(line: &str) -> Vec<(String, String)> {
    let line = line.trim_start();
    let mut rest = line.strip_prefix("export ").unwrap_or(line);
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        let Some(value) = rest[name.len()..]
            .strip_prefix('=')
            .filter(|_| !name.is_empty())
        else {
            return found;
        };
        let (word, behind) = word(value);
        found.push((name, word));
        rest = behind;
    }
}

/// The first word of a text, without its double quotes, and what is behind it. In single quotes nothing is
/// expanded: a `$` there is left out, for it does not name a variable.
fn word(text: &str) -> (String, &str) {
    let mut word = String::new();
    let mut quote = None;
    for (position, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, c) if c.is_whitespace() || c == ';' || c == '&' => {
                return (word, text[position..].trim_start_matches([';', ' ', '\t']));
            }
            (Some('\''), '$') => {}
            _ => word.push(c),
        }
    }
    (word, "")
}

/// The longest value that the kernel takes for a variable (MAX_ARG_STRLEN of execve(2)).
const LONGEST: usize = 131_072;
/// How deep `${A:-${B:-…}}` may nest: deeper than anybody writes.
const DEEPEST: usize = 32;

/// Replaces `$NAME`, `${NAME}`, `${NAME:-text}` and `${NAME:+text}`. A text made to exhaust memory or the stack is cut.
fn expand(text: &str, variables: &HashMap<String, String>, depth: usize) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    if depth == DEEPEST {
        return expanded;
    }
    while expanded.len() <= LONGEST
        && let Some(position) = rest.find('$')
    {
        expanded.push_str(&rest[..position]);
        rest = &rest[position + 1..];
        if let Some(braced) = rest.strip_prefix('{') {
            let end = closing_brace(braced);
            expanded.push_str(&expand_braced(&braced[..end], variables, depth));
            rest = braced.get(end + 1..).unwrap_or("");
        } else {
            let length = name_length(rest);
            expanded.push_str(variables.get(&rest[..length]).map_or("", String::as_str));
            rest = &rest[length..];
        }
    }
    expanded + rest
}

fn expand_braced(inner: &str, variables: &HashMap<String, String>, depth: usize) -> String {
    let length = name_length(inner);
    let value = variables
        .get(&inner[..length])
        .filter(|value| !value.is_empty());
    let operator = inner[length..].trim_start_matches(':');
    match (value, operator.chars().next()) {
        (Some(_), Some('+')) => expand(&operator[1..], variables, depth + 1),
        (None, Some('-')) => expand(&operator[1..], variables, depth + 1),
        (Some(value), _) => value.clone(),
        (None, _) => String::new(),
    }
}

fn closing_brace(text: &str) -> usize {
    let mut open = 1;
    for (position, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return position;
        }
    }
    text.len()
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(bootstrap: &str) -> Vec<String> {
        library_path(bootstrap, &["/lib64".to_owned(), "/opt/lib".to_owned()])
    }

    #[test]
    fn a_bootstrap_without_a_word_of_it_leaves_lambdas_order() {
        assert_eq!(path_of("#!/bin/sh\nexec R\n"), ["/lib64", "/opt/lib"]);
    }

    #[test]
    fn assignments_are_followed() {
        let bootstrap =
            "R_HOME=/opt/R\nexport LD_LIBRARY_PATH=\"$R_HOME/lib:/opt/lib:$LD_LIBRARY_PATH\"";
        assert_eq!(
            path_of(bootstrap),
            ["/opt/R/lib", "/opt/lib", "/lib64", "/opt/lib"]
        );
        let bootstrap = "export R_HOME=/opt/R LD_LIBRARY_PATH=${R_HOME}/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}";
        assert_eq!(path_of(bootstrap), ["/opt/R/lib", "/lib64", "/opt/lib"]);
        assert_eq!(
            path_of("A=${B:-/opt/x} ; LD_LIBRARY_PATH=$A/lib exec R"),
            ["/opt/x/lib"]
        );
        assert_eq!(
            path_of("# LD_LIBRARY_PATH=/nowhere"),
            ["/lib64", "/opt/lib"]
        );
    }

    #[test]
    fn nothing_in_a_bootstrap_makes_it_fail() {
        for text in ["A=${", "A=$", "A='", "=x", "A=${B:+${C}", "é=ü", "A=\"$é\""] {
            path_of(text);
        }
    }

    #[test]
    fn a_bootstrap_that_would_exhaust_memory_or_the_stack_is_cut() {
        let doubled = format!("A=xx\n{}LD_LIBRARY_PATH=$A", "A=$A$A\n".repeat(40));
        assert!(path_of(&doubled)[0].len() <= 4 * LONGEST);
        path_of(&format!("LD_LIBRARY_PATH={}", "${B:-".repeat(200_000)));
    }

    #[test]
    fn the_runtimes_own_bootstrap_puts_its_libraries_first() {
        let path = path_of(crate::embedded::text("runtime/bootstrap"));
        assert_eq!(path[..2], ["/opt/R/lib", "/opt/lib"]);
    }
}
