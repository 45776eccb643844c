//! A function, or a version or an alias of it, as they are invoked and looked into.

use std::fmt;
use std::str::FromStr;

use super::{FunctionNameError, FunctionReference};
use crate::publication::{AccountId, Partition, Region};

/// A function, and which version of it, where somebody says that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QualifiedFunction {
    /// The function.
    pub function: FunctionReference,
    /// A version (`3`, `$LATEST`) or an alias.
    pub qualifier: Option<String>,
}

/// A text that names no function, no version and no alias.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QualifiedFunctionError {
    /// No function.
    #[error(transparent)]
    Name(#[from] FunctionNameError),
    /// No version or alias.
    #[error("`{0}` is neither a version of a function (3, $LATEST) nor an alias")]
    Qualifier(String),
}

impl QualifiedFunction {
    /// The function's name.
    pub fn name(&self) -> &str {
        &self.function.name
    }

    /// What Lambda's API takes for the function: its name, or its ARN where that was typed.
    pub fn for_api(&self, region: &Region) -> String {
        match self.function.account {
            Some(_) => self.function_arn(region),
            None => self.function.name.clone(),
        }
    }

    /// What is invoked, as policies have it: an account that nobody said is `*`.
    pub fn arn(&self, region: &Region) -> String {
        let arn = self.function_arn(region);
        match &self.qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    }

    fn function_arn(&self, region: &Region) -> String {
        let account = self.function.account.as_ref();
        let account = account.map_or("*", AccountId::as_str);
        let (partition, name) = (Partition::of(region), &self.function.name);
        format!("arn:{partition}:lambda:{region}:{account}:function:{name}")
    }
}

impl FromStr for QualifiedFunction {
    type Err = QualifiedFunctionError;

    fn from_str(text: &str) -> Result<Self, QualifiedFunctionError> {
        match text.parse() {
            Ok(function) => Ok(QualifiedFunction {
                function,
                qualifier: None,
            }),
            Err(FunctionNameError::Qualified { qualifier, .. }) => {
                if !is_qualifier(&qualifier) {
                    return Err(QualifiedFunctionError::Qualifier(qualifier));
                }
                let name = text.strip_suffix(&qualifier).unwrap_or(text);
                Ok(QualifiedFunction {
                    function: name.trim_end_matches(':').parse()?,
                    qualifier: Some(qualifier),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Display for QualifiedFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.function.fmt(f)?;
        match &self.qualifier {
            Some(qualifier) => write!(f, ":{qualifier}"),
            None => Ok(()),
        }
    }
}

/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>, `Qualifier`.
fn is_qualifier(text: &str) -> bool {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text == "$LATEST" || (1..=128).contains(&text.len()) && text.chars().all(is_taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, Option<String>) {
        let parsed: QualifiedFunction = text.parse().unwrap();
        (parsed.name().to_owned(), parsed.qualifier)
    }

    #[test]
    fn a_version_or_an_alias_stands_behind_a_name_or_an_arn() {
        let some = |text: &str| Some(text.to_owned());
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        for (text, qualifier) in [
            ("f".to_owned(), None),
            ("f:live".to_owned(), some("live")),
            (arn.to_owned(), None),
            (format!("{arn}:$LATEST"), some("$LATEST")),
            (format!("{arn}:3"), some("3")),
        ] {
            assert_eq!(parts(&text), ("f".to_owned(), qualifier), "{text}");
        }
        for text in [
            "",
            "a b",
            "f:",
            "f:a:b",
            "f:$OLDEST",
            "arn:aws:iam::1:role/r",
        ] {
            assert!(text.parse::<QualifiedFunction>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_api_gets_an_arn_where_an_account_was_typed() {
        let region = "eu-west-1".parse().unwrap();
        let function: QualifiedFunction = "f:live".parse().unwrap();
        assert_eq!(function.for_api(&region), "f");
        assert_eq!(
            function.arn(&region),
            "arn:aws:lambda:eu-west-1:*:function:f:live"
        );
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        let function: QualifiedFunction = format!("{arn}:3").parse().unwrap();
        assert_eq!(function.for_api(&region), arn);
        assert_eq!(function.arn(&region), format!("{arn}:3"));
    }
}
