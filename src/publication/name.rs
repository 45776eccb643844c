//! Names that layers have at AWS.

use std::fmt;
use std::str::FromStr;

use super::text::serde_as_text;

const LONGEST_NAME: usize = 140;

/// The name that a layer has at AWS: 1 to 140 letters, digits, `-` and `_`.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html>, `LayerName`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishedName(String);

/// A text that no layer can be named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name of a layer; AWS takes letters, digits, `-` and `_`, at most {LONGEST_NAME}"
)]
pub struct NameError(pub String);

impl PublishedName {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Is a layer meant by a name that is typed: its name at AWS, its logical name, or that of the manifest
/// (`r-models-4_5-arm64`, `r-models`, `models`)?
pub fn is_named(layer: &str, logical_name: &str, typed: &str) -> bool {
    layer == typed || is_called(logical_name, typed)
}

/// Does a name that is typed mean that logical name: `r-models`, or `models`?
pub fn is_called(logical_name: &str, typed: &str) -> bool {
    logical_name == typed || logical_name.strip_prefix("r-") == Some(typed)
}

impl FromStr for PublishedName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_taken) {
            true => Ok(PublishedName(name.to_owned())),
            false => Err(NameError(name.to_owned())),
        }
    }
}

impl fmt::Display for PublishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PublishedName {
    /// A name that was checked.
    pub(super) fn checked(name: String) -> PublishedName {
        PublishedName(name)
    }
}

serde_as_text!(PublishedName);
