//! How people name a layer that a function is to have.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::arn::{ArnError, LayerVersionArn};

/// A layer, as it is typed: an ARN, a name, a name and a version's number, or a zip that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerReference {
    /// A version, whoever's it is.
    Arn(LayerVersionArn),
    /// By its name at AWS, by `r-models` or by `models`.
    Named {
        /// The name.
        name: String,
        /// The version's number; nothing means the newest.
        version: Option<u64>,
    },
    /// What was published of this zip.
    Zip(PathBuf),
}

/// A text that names no layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// An ARN that is none.
    #[error(transparent)]
    Arn(#[from] ArnError),
    /// A version's number that is none.
    #[error("`{0}`: what follows `:` is the number of a version, from 1, as in models:3")]
    Version(String),
    /// Neither name nor file.
    #[error(
        "`{0}` names no layer; name it as models, models:3, by the ARN of its version, or by its zip"
    )]
    Form(String),
}

impl FromStr for LayerReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.starts_with("arn:") {
            return Ok(LayerReference::Arn(text.parse()?));
        }
        if text.ends_with(".zip") || text.contains(['/', '\\']) {
            return Ok(LayerReference::Zip(PathBuf::from(text)));
        }
        let (name, version) = match text.split_once(':') {
            None => (text, None),
            Some((name, number)) => {
                let version = number.parse().ok().filter(|number| *number > 0);
                let version = version.ok_or_else(|| ReferenceError::Version(text.to_owned()))?;
                (name, Some(version))
            }
        };
        let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match !name.is_empty() && name.chars().all(is_taken) {
            true => Ok(LayerReference::Named {
                name: name.to_owned(),
                version,
            }),
            false => Err(ReferenceError::Form(text.to_owned())),
        }
    }
}

impl fmt::Display for LayerReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerReference::Arn(arn) => arn.fmt(f),
            LayerReference::Named { name, version } => match version {
                Some(version) => write!(f, "{name}:{version}"),
                None => f.write_str(name),
            },
            LayerReference::Zip(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_in_four_ways() {
        for (text, is_it) in [
            (
                "arn:aws:lambda:eu-central-1:123456789012:layer:r:7",
                "an ARN",
            ),
            ("models", "a name"),
            ("r-models-4_5-x86_64:3", "a version"),
            ("dist/r-models-4.5-al2023-x86_64.zip", "a zip"),
        ] {
            let reference: LayerReference = text.parse().unwrap();
            let kind = match &reference {
                LayerReference::Arn(_) => "an ARN",
                LayerReference::Named { version: None, .. } => "a name",
                LayerReference::Named { .. } => "a version",
                LayerReference::Zip(_) => "a zip",
            };
            assert_eq!((kind, reference.to_string().as_str()), (is_it, text));
        }
        for (text, words) in [
            ("models:x", "the number of a version"),
            ("models:0", "the number of a version"),
            ("", "names no layer"),
            ("a b", "names no layer"),
            (
                "arn:aws:lambda:eu-central-1:123456789012:layer:r",
                "add the version's number",
            ),
        ] {
            let error = text.parse::<LayerReference>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
