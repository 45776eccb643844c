//! R code as tokens, as far as calls of functions by their names need it.
//!
//! Source: the lexer in R's `src/main/gram.y`, and `?Quotes` for strings and names.

/// A piece of R code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A name, plain or in backticks.
    Name(String),
    /// A string's content; escapes in it stay as they are written.
    Text(String),
    /// `::` or `:::`.
    Namespace,
    /// `=`, which names an argument.
    Equals,
    /// A line's end where it ends an expression: not within parentheses and brackets.
    LineEnd,
    /// Another character, or the first one of an operator or a number.
    Other(char),
}

/// A token and its line, from 1.
pub type Placed = (Token, usize);

/// The tokens of R code without white space and comments. What is no R gives tokens, too: it is R that refuses it.
pub fn tokens(code: &str) -> Vec<Placed> {
    let mut lexer = Lexer {
        rest: code,
        line: 1,
        open: Vec::new(),
    };
    let mut tokens = Vec::new();
    while !lexer.rest.is_empty() {
        let line = lexer.line;
        if let Some(token) = lexer.token() {
            tokens.push((token, line));
        }
    }
    tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    /// The brackets that are open.
    open: Vec<char>,
}

impl Lexer<'_> {
    /// What comes next; nothing for white space and comments.
    fn token(&mut self) -> Option<Token> {
        let mut characters = self.rest.chars();
        let first = characters.next()?;
        let second = characters.next().unwrap_or('\0');
        match first {
            '\n' => self.line_end(),
            c if c.is_whitespace() => self.skip(c.len_utf8()),
            '#' => self.skip(self.rest.find('\n').unwrap_or(self.rest.len())),
            'r' | 'R' if matches!(second, '"' | '\'') => Some(self.raw_string(second)),
            '"' | '\'' => Some(Token::Text(self.quoted(first))),
            '`' => Some(Token::Name(self.quoted(first))),
            c if c.is_ascii_digit() || c == '.' && second.is_ascii_digit() => {
                self.word();
                Some(Token::Other(c))
            }
            c if c.is_alphabetic() || c == '.' => Some(Token::Name(self.word())),
            '%' => self.special(),
            ':' if second == ':' => {
                let length = self.rest.len() - self.rest.trim_start_matches(':').len();
                self.skip(length.min(3));
                Some(Token::Namespace)
            }
            '=' if second != '=' => self.taken(1, Token::Equals),
            '=' | '!' | '<' | '>' if second == '=' => self.taken(2, Token::Other(first)),
            _ => self.character(first),
        }
    }

    /// Leaves bytes out.
    fn skip(&mut self, bytes: usize) -> Option<Token> {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
        None
    }

    fn taken(&mut self, bytes: usize, token: Token) -> Option<Token> {
        self.skip(bytes);
        Some(token)
    }

    fn line_end(&mut self) -> Option<Token> {
        self.skip(1);
        let ends = !matches!(self.open.last(), Some('(' | '['));
        ends.then_some(Token::LineEnd)
    }

    /// A name or a number.
    fn word(&mut self) -> String {
        let is_part = |c: char| c.is_alphanumeric() || c == '.' || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let word = self.rest[..end].to_owned();
        self.skip(end);
        word
    }

    /// What is in quotes, in which a backslash takes the next character along.
    fn quoted(&mut self, quote: char) -> String {
        let content = &self.rest[1..];
        let mut escaped = false;
        let end = content.find(|c| match (escaped, c) {
            (true, _) => {
                escaped = false;
                false
            }
            (false, '\\') => {
                escaped = true;
                false
            }
            (false, c) => c == quote,
        });
        let length = end.unwrap_or(content.len());
        let text = content[..length].to_owned();
        // The quotes themselves; at the end of the text the second is missing.
        self.skip(1 + length + usize::from(end.is_some()));
        text
    }

    /// `r"(…)"`, also with `[` or `{`, and with dashes between quote and bracket. One without a bracket is no R, and is
    /// taken for the name and a string.
    fn raw_string(&mut self, quote: char) -> Token {
        let after = &self.rest[2..];
        let dashes = after.len() - after.trim_start_matches('-').len();
        let close = match after[dashes..].chars().next() {
            Some('(') => ')',
            Some('[') => ']',
            Some('{') => '}',
            _ => return Token::Name(self.word()),
        };
        let content = &after[dashes + 1..];
        let end = format!("{close}{}{quote}", "-".repeat(dashes));
        let length = content.find(&end);
        let text = content[..length.unwrap_or(content.len())].to_owned();
        let closing = length.map_or(0, |_| end.len());
        self.skip(2 + dashes + 1 + text.len() + closing);
        Token::Text(text)
    }

    /// `%in%` and the like, in which anything may be, a quote or `#`, too.
    fn special(&mut self) -> Option<Token> {
        let line = self.rest[1..].split('\n').next().unwrap_or_default();
        let length = line.find('%').map_or(1, |end| end + 2);
        self.taken(length, Token::Other('%'))
    }

    fn character(&mut self, c: char) -> Option<Token> {
        match c {
            '(' | '[' | '{' => self.open.push(c),
            ')' | ']' | '}' => {
                self.open.pop();
            }
            _ => {}
        }
        self.taken(c.len_utf8(), Token::Other(c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(code: &str) -> Vec<(String, usize)> {
        let tokens = tokens(code).into_iter();
        let names = tokens.filter_map(|(token, line)| match token {
            Token::Name(name) => Some((name, line)),
            _ => None,
        });
        names.collect()
    }

    #[test]
    fn strings_comments_and_operators_hide_what_is_in_them() {
        for code in [
            "\"a\"",
            "'a \\' a'",
            "\"a \\\\\"",
            "# a",
            "r\"(a \" a)\"",
            "R'--[a ]' ]-' a]--'",
            "r\"{a}\"",
            "1L",
            ".5e3",
            "0xAFp3",
            "%a \"%",
            "%#%",
        ] {
            assert_eq!(
                names(&format!("{code}\nb")),
                [("b".to_owned(), 2)],
                "{code}"
            );
        }
    }

    #[test]
    fn names_are_plain_or_in_backticks() {
        let found = names("a.b_c; `d e`; .f; größe; rr\"x\"; r; ...");
        let found: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found, ["a.b_c", "d e", ".f", "größe", "rr", "r", "..."]);
    }

    #[test]
    fn a_line_ends_an_expression_but_not_within_parentheses() {
        let line_ends = |code: &str| {
            let tokens = tokens(code).into_iter();
            tokens.filter(|(token, _)| *token == Token::LineEnd).count()
        };
        assert_eq!(line_ends("f(a,\n b[1,\n 2])\n"), 1);
        assert_eq!(line_ends("f({\n a\n}\n)"), 2);
    }

    #[test]
    fn what_is_not_closed_ends_with_the_text() {
        for code in [
            "\"a", "'a\\", "r\"(a", "r\"a", "`a", "%a", "a::", "(", ")", "\\", "r'", "r\"-",
        ] {
            let tokens = tokens(code);
            let last = tokens.last().map(|(_, line)| *line);
            assert_eq!(last, Some(1), "{code}");
        }
    }
}
