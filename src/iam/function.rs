//! Names of functions, as policies have them.

use std::fmt;
use std::str::FromStr;

/// A function's name, or a pattern of such with `*`.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>, `FunctionName`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionPattern(String);

/// A text that is no such name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name of a function; AWS takes letters, digits, `-` and `_`, at most 64; `*` stands for any of them"
)]
pub struct FunctionPatternError(String);

impl FunctionPattern {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FunctionPattern {
    type Err = FunctionPatternError;

    fn from_str(name: &str) -> Result<Self, FunctionPatternError> {
        let is_taken = |c: char| c.is_ascii_alphanumeric() || "-_*".contains(c);
        match (1..=64).contains(&name.len()) && name.chars().all(is_taken) {
            true => Ok(FunctionPattern(name.to_owned())),
            false => Err(FunctionPatternError(name.to_owned())),
        }
    }
}

impl fmt::Display for FunctionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
