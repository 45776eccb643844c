//! How people name a function.

use std::fmt;
use std::str::FromStr;

use crate::publication::{AccountId, Region};

/// A function, by its name or its ARN.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html>, `FunctionName`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionReference {
    /// Its name: letters, digits, `-` and `_`, at most 64.
    pub name: String,
    /// The region that its ARN names.
    pub region: Option<Region>,
    /// The account that its ARN names.
    pub account: Option<AccountId>,
}

/// A text that names no function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FunctionNameError {
    /// Something else.
    #[error(
        "`{0}` is no name of a function: AWS takes letters, digits, `-` and `_`, at most 64; an ARN looks like \
         arn:aws:lambda:eu-central-1:123456789012:function:my-function"
    )]
    Form(String),
    /// A version or an alias, where the function itself is meant.
    #[error(
        "`{text}` names the version or alias `{qualifier}`, and only the function itself can be changed: leave `:{qualifier}` \
         out; --alias moves an alias"
    )]
    Qualified {
        /// What was given.
        text: String,
        /// The last part of it.
        qualifier: String,
    },
}

impl FromStr for FunctionReference {
    type Err = FunctionNameError;

    fn from_str(text: &str) -> Result<Self, FunctionNameError> {
        let form = || FunctionNameError::Form(text.to_owned());
        let qualified = |qualifier: &str| FunctionNameError::Qualified {
            text: text.to_owned(),
            qualifier: qualifier.to_owned(),
        };
        if !text.starts_with("arn:") {
            return match text.split_once(':') {
                Some((name, qualifier)) if is_function_name(name) => Err(qualified(qualifier)),
                None if is_function_name(text) => Ok(FunctionReference {
                    name: text.to_owned(),
                    region: None,
                    account: None,
                }),
                _ => Err(form()),
            };
        }
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            [
                _,
                _,
                "lambda",
                region,
                account,
                "function",
                name,
                ref qualifier @ ..,
            ] if is_function_name(name) => {
                if let Some(qualifier) = qualifier.first() {
                    return Err(qualified(qualifier));
                }
                Ok(FunctionReference {
                    name: name.to_owned(),
                    region: Some(region.parse().map_err(|_| form())?),
                    account: Some(account.parse().map_err(|_| form())?),
                })
            }
            _ => Err(form()),
        }
    }
}

/// Is it a name that AWS takes for a function?
pub fn is_function_name(text: &str) -> bool {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=64).contains(&text.len()) && text.chars().all(is_taken)
}

impl fmt::Display for FunctionReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_by_name_or_arn() {
        let plain: FunctionReference = "my_function-1".parse().unwrap();
        assert_eq!((plain.name.as_str(), plain.region), ("my_function-1", None));
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:f";
        let of_arn: FunctionReference = arn.parse().unwrap();
        assert_eq!(of_arn.name, "f");
        assert_eq!(of_arn.region.unwrap().as_str(), "eu-central-1");
        for (text, words) in [
            ("", "is no name of a function"),
            ("a b", "is no name of a function"),
            (
                "arn:aws:lambda:eu-central-1:123456789012:layer:f",
                "is no name of a function",
            ),
            ("f:live", "leave `:live` out"),
            (&format!("{arn}:7"), "leave `:7` out"),
        ] {
            let error = text.parse::<FunctionReference>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
