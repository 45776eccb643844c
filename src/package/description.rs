//! Debian control format, in which R writes DESCRIPTION files and repositories their PACKAGES index.

use deb822_fast::{Deb822, Paragraph};

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
    /// What it was built with and when, if it was built: `R 4.5.0; x86_64-pc-linux-gnu; 2025-01-01 00:00:00 UTC; unix`.
    pub built: Option<String>,
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
    fn what_is_no_description_is_an_error() {
        assert!(Description::parse("Package: a\n<html>").is_err());
        assert!(Description::parse("Package: a").is_err());
        assert!(Description::parse("").is_err());
    }
}
