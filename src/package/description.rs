//! Debian control format, in which R writes DESCRIPTION files and repositories their PACKAGES index.

use std::str::FromStr;

use deb822_fast::{Deb822, Paragraph};

use super::{RVersion, VersionError};
use crate::target::Architecture;

/// A text that says nothing of a package.
#[derive(Debug, thiserror::Error)]
pub enum DcfError {
    /// Not in this format.
    #[error("this is not a DESCRIPTION file: {0}")]
    NotDcf(#[from] deb822_fast::Error),
    /// A field that a package must have.
    #[error("there is no field `{0}`")]
    NoField(&'static str),
}

/// The records of a text, as a repository's PACKAGES index has them.
pub fn parse_records(text: &str) -> Result<Deb822, DcfError> {
    Ok(text.parse()?)
}

/// What a package says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub package: String,
    /// Its version, as written.
    pub version: String,
    /// Its licence.
    pub license: Option<String>,
    /// `Built`, which an installed or binary package has and a source has not.
    pub built: Option<String>,
}

/// The field `Built` taken apart: `R 4.5.0; x86_64-pc-linux-gnu; 2025-04-12 08:00:00 UTC; unix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltField {
    /// The R that built it.
    pub r: RVersion,
    /// Where; empty if nothing in it was compiled.
    pub platform: String,
}

impl BuiltField {
    /// The processor of its compiled code.
    pub fn architecture(&self) -> Option<Architecture> {
        let (machine, rest) = self.platform.split_once('-')?;
        machine.parse().ok().filter(|_| rest.contains("linux"))
    }
}

impl FromStr for BuiltField {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut parts = text.split(';').map(str::trim);
        let r = parts.next().unwrap_or_default();
        Ok(BuiltField {
            r: r.strip_prefix("R ").unwrap_or(r).parse()?,
            platform: parts.next().unwrap_or_default().to_owned(),
        })
    }
}

impl Description {
    /// Reads a DESCRIPTION file.
    pub fn parse(text: &str) -> Result<Description, DcfError> {
        let records = parse_records(text)?;
        Description::of_record(records.iter().next().ok_or(DcfError::NoField("Package"))?)
    }

    /// The version of the R that it was built with.
    pub fn built_with(&self) -> Option<&str> {
        let r = self.built.as_deref()?.split(';').next()?;
        r.trim().strip_prefix("R ")
    }

    /// Reads a record of an index.
    pub fn of_record(record: &Paragraph) -> Result<Description, DcfError> {
        let field = |name: &'static str| record.get(name).map(str::to_owned);
        Ok(Description {
            package: field("Package").ok_or(DcfError::NoField("Package"))?,
            version: field("Version").ok_or(DcfError::NoField("Version"))?,
            license: field("License"),
            built: field("Built"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_and_continuation_lines_are_read() {
        let text = "Package: a\nVersion: 1.0-2\nLicense: MIT +\n    file LICENSE\n\nPackage: b\nVersion: 2\n";
        assert_eq!(parse_records(text).unwrap().len(), 2);
        let description = Description::parse(text).unwrap();
        assert_eq!(
            (description.package.as_str(), description.version.as_str()),
            ("a", "1.0-2")
        );
        assert_eq!(description.license.as_deref(), Some("MIT +\nfile LICENSE"));
        assert_eq!(description.built_with(), None);
        let built = "Package: a\nVersion: 1\nBuilt: R 4.5.0; ; 2025-01-02 03:04:05 UTC; unix\n";
        let built = Description::parse(built).unwrap();
        assert_eq!(built.built_with(), Some("4.5.0"));
    }

    #[test]
    fn what_a_package_was_built_on_is_read() {
        let built = |text: &str| text.parse::<BuiltField>();
        let field = built("R 4.5.0; aarch64-unknown-linux-gnu; 2025-04-12 08:00:00 UTC; unix");
        let field = field.unwrap();
        assert_eq!(field.r.minor_text(), "4.5");
        assert_eq!(field.architecture(), Some(Architecture::Arm64));
        let field = built("R 4.4.2; ; 2025-04-12 08:00:00 UTC; unix").unwrap();
        assert_eq!((field.architecture(), field.platform.as_str()), (None, ""));
        let field = built("R 4.4.2; x86_64-apple-darwin20; 2025-04-12; unix").unwrap();
        assert_eq!(field.architecture(), None);
        assert!(built("yesterday").is_err());
    }

    #[test]
    fn what_is_no_description_is_an_error() {
        assert!(Description::parse("Package: a\n<html>").is_err());
        assert!(Description::parse("Package: a").is_err());
        assert!(Description::parse("").is_err());
    }
}
