//! Debian control format, in which R writes DESCRIPTION files and repositories their PACKAGES index.

use std::str::FromStr;

use deb822_fast::{Deb822, Paragraph};

use super::{Comparison, RVersion, Requirement, RequirementError, VersionError};
use crate::target::Architecture;

/// A text that says nothing of a package.
#[derive(Debug, thiserror::Error)]
pub enum DcfError {
    /// A line that is none of this format.
    #[error(
        "this is not a DESCRIPTION file: line {line} is neither a field (`Name: value`) nor, with a space before it, the \
         continuation of one: `{text}`"
    )]
    NotAField {
        /// Which, from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// Not in this format otherwise.
    #[error("this is not a DESCRIPTION file: {0}")]
    NotDcf(deb822_fast::Error),
    /// A field that a package must have.
    #[error("there is no field `{0}`")]
    NoField(&'static str),
}

/// The records of a text, as a repository's PACKAGES index has them.
pub fn parse_records(text: &str) -> Result<Deb822, DcfError> {
    text.parse()
        .map_err(|error| match line_without_field(text) {
            Some((line, text)) => DcfError::NotAField { line, text },
            None => DcfError::NotDcf(error),
        })
}

/// The first line that is neither a field nor a continuation, and its number.
fn line_without_field(text: &str) -> Option<(usize, String)> {
    /// Characters of a line that are worth showing.
    const SHOWN: usize = 60;
    let mut in_field = false;
    for (index, line) in text.lines().enumerate() {
        let is_continued = line.starts_with([' ', '\t']);
        let is_field = !is_continued && line.contains(':');
        match line.trim().is_empty() {
            true => in_field = false,
            false if line.starts_with('#') => {}
            false if is_field || (is_continued && in_field) => in_field = true,
            false => return Some((index + 1, line.chars().take(SHOWN).collect())),
        }
    }
    None
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
    /// `Depends`, as written.
    pub depends: Option<String>,
    /// `Imports`, as written.
    pub imports: Option<String>,
    /// `LinkingTo`, as written.
    pub linking_to: Option<String>,
    /// Has it code to compile? Nothing if it does not say; installed and binary packages and CRAN's say.
    pub needs_compilation: Option<bool>,
    /// What it needs of the system, in its author's words.
    pub system_requirements: Option<String>,
    /// `windows` or `unix`, if it is for one of them alone.
    pub os_type: Option<String>,
    /// `Remotes`: where development versions of what it requires are, as `r-lib/cli`; parted by commas.
    pub remotes: Option<String>,
    /// The repository that it came from, in that repository's words (`CRAN`).
    pub repository: Option<String>,
    /// Bioconductor's subjects, which its packages have and others mostly have not.
    pub bioconductor_views: Option<String>,
    /// Where it was installed from, if not from a repository.
    pub remote: Option<RemoteOrigin>,
}

/// Where `remotes`, `pak` and `renv` note that a package was installed from: the fields `Remote…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteOrigin {
    /// `github`, `gitlab`, `git2r`, `xgit`, `url`, `local`, `standard` (a repository)…
    pub kind: String,
    /// The server, as `api.github.com`.
    pub host: Option<String>,
    /// Who owns the repository.
    pub owner: Option<String>,
    /// The repository's name.
    pub repository: Option<String>,
    /// The branch or tag that was asked for.
    pub reference: Option<String>,
    /// The commit that it was.
    pub sha: Option<String>,
    /// The package's folder in the repository.
    pub subdirectory: Option<String>,
    /// The address, of kinds that have one.
    pub url: Option<String>,
}

/// What a package requires to be installed and loaded: the hard dependencies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// Bounds on R itself, which stand in `Depends`.
    pub r: Vec<Comparison>,
    /// Attached with it.
    pub depends: Vec<Requirement>,
    /// Loaded with it.
    pub imports: Vec<Requirement>,
    /// Their headers are needed to compile it.
    pub linking_to: Vec<Requirement>,
}

impl Dependencies {
    /// Reads the fields, which `field` gives by name.
    pub fn parse(
        field: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Dependencies, RequirementError> {
        let read = |name| Requirement::parse_field(field(name).as_deref().unwrap_or_default());
        let mut dependencies = Dependencies {
            r: Vec::new(),
            depends: read("Depends")?,
            imports: read("Imports")?,
            linking_to: read("LinkingTo")?,
        };
        for list in [
            &mut dependencies.depends,
            &mut dependencies.imports,
            &mut dependencies.linking_to,
        ] {
            for r in list.extract_if(.., |one| one.package == "R") {
                dependencies.r.extend(r.comparisons);
            }
        }
        Ok(dependencies)
    }
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
            depends: field("Depends"),
            imports: field("Imports"),
            linking_to: field("LinkingTo"),
            needs_compilation: record.get("NeedsCompilation").and_then(|text| match text {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            }),
            system_requirements: field("SystemRequirements"),
            os_type: field("OS_type"),
            remotes: field("Remotes"),
            repository: field("Repository"),
            bioconductor_views: field("biocViews"),
            remote: RemoteOrigin::of_record(record),
        })
    }

    /// What it requires, taken apart.
    pub fn dependencies(&self) -> Result<Dependencies, RequirementError> {
        Dependencies::parse(|name| match name {
            "Depends" => self.depends.clone(),
            "Imports" => self.imports.clone(),
            _ => self.linking_to.clone(),
        })
    }
}

impl RemoteOrigin {
    fn of_record(record: &Paragraph) -> Option<RemoteOrigin> {
        let field = |name: &str| record.get(name).map(str::to_owned);
        Some(RemoteOrigin {
            kind: field("RemoteType")?,
            host: field("RemoteHost"),
            owner: field("RemoteUsername"),
            repository: field("RemoteRepo"),
            reference: field("RemoteRef"),
            sha: field("RemoteSha"),
            subdirectory: field("RemoteSubdir"),
            url: field("RemoteUrl"),
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
    fn hard_dependencies_are_read_and_r_is_told_from_packages() {
        let text = "Package: ab\nVersion: 1\nDepends: R (>= 4.1), methods,\n    R (< 5)\nImports: cli (>= 3.4.0), rlang\n\
                    LinkingTo: cpp11\nSuggests: nothing\nNeedsCompilation: yes\n";
        let description = Description::parse(text).unwrap();
        let dependencies = description.dependencies().unwrap();
        let texts = |list: &[Requirement]| -> Vec<String> {
            list.iter().map(Requirement::to_string).collect()
        };
        let r: Vec<String> = dependencies.r.iter().map(Comparison::to_string).collect();
        assert_eq!(r, [">= 4.1", "< 5"]);
        assert_eq!(texts(&dependencies.depends), ["methods"]);
        assert_eq!(texts(&dependencies.imports), ["cli (>= 3.4.0)", "rlang"]);
        assert_eq!(texts(&dependencies.linking_to), ["cpp11"]);
        assert_eq!(description.needs_compilation, Some(true));
    }

    #[test]
    fn where_a_package_was_installed_from_is_read() {
        let text = "Package: cli\nVersion: 3.6.0.9000\nRemoteType: github\nRemoteHost: api.github.com\n\
                    RemoteUsername: r-lib\nRemoteRepo: cli\nRemoteRef: HEAD\nRemoteSha: 0a1b\n";
        let remote = Description::parse(text).unwrap().remote.unwrap();
        assert_eq!(
            (remote.kind.as_str(), remote.sha.as_deref()),
            ("github", Some("0a1b"))
        );
        assert_eq!(remote.owner.as_deref(), Some("r-lib"));
        assert_eq!(
            Description::parse("Package: cli\nVersion: 3\n")
                .unwrap()
                .remote,
            None
        );
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
