//! `[layers.NAME]`: a layer of packages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The runtime layer is built by this name, from `[runtime]`.
const RUNTIME: &str = "runtime";

/// The name of a layer of packages: what AWS takes for a layer's name (letters, digits, `-` and `_`, at most 140).
/// <https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct LayerName(String);

/// A name that no layer of packages can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayerNameError {
    /// Not what AWS takes.
    #[error(
        "`{0}` is no name of a layer; AWS takes letters, digits, `-` and `_`, at most {LONGEST}"
    )]
    NotAtAws(String),
    /// The runtime's.
    #[error("`{RUNTIME}` is the layer with R itself; name a layer of packages otherwise")]
    Runtime,
}

const LONGEST: usize = 140;

impl LayerName {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LayerName {
    type Error = LayerNameError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name == RUNTIME {
            return Err(LayerNameError::Runtime);
        }
        // A name that begins with `-` would be taken for a flag where it is typed.
        let is_name = (1..=LONGEST).contains(&name.len()) && !name.starts_with('-');
        match is_name && name.chars().all(is_taken) {
            true => Ok(LayerName(name)),
            false => Err(LayerNameError::NotAtAws(name)),
        }
    }
}

impl FromStr for LayerName {
    type Err = LayerNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        name.to_owned().try_into()
    }
}

impl fmt::Display for LayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In which form packages are fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageType {
    /// Binaries where a repository has them for the target, else sources, which are compiled.
    #[default]
    Auto,
    /// Binaries; a package that has none is an error.
    Binary,
    /// Sources.
    Source,
}

impl PackageType {
    /// As the manifest has it.
    pub fn name(self) -> &'static str {
        match self {
            PackageType::Auto => "auto",
            PackageType::Binary => "binary",
            PackageType::Source => "source",
        }
    }
}

/// How hard is tried to make a layer's zips small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// As a zip is compressed mostly.
    #[default]
    Fast,
    /// What R has compressed in a package's files is compressed again, better: a twentieth smaller, several times as long.
    Best,
}

impl Compression {
    /// As the manifest has it.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Fast => "fast",
            Compression::Best => "best",
        }
    }
}

/// `[layers.NAME]`: what is not said is left to flags, the environment and defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LayerSection {
    /// What it is, for people.
    pub description: Option<String>,
    /// Requests: `Matrix`, `dplyr>=1.1`, `github::r-lib/cli@v3.6.0`. What they need comes with them.
    pub packages: Vec<String>,
    /// Names of repositories, tried in this order; none means all, in the order of the file.
    pub repositories: Vec<String>,
    /// Binaries or sources.
    pub package_type: PackageType,
    /// Packages that are compiled even if there is a binary.
    pub from_source: Vec<String>,
    /// Packages of the build root's distribution that are installed before packages are compiled.
    pub system_packages: Vec<String>,
    /// What is kept that layers leave out: `help`, `include`…
    pub keep: Vec<String>,
    /// How hard is tried to make its zips small.
    pub compression: Compression,
}

/// What of `[layers.NAME]` was typed as flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerOptions {
    /// Binaries or sources.
    pub package_type: Option<PackageType>,
    /// How hard is tried to make zips small.
    pub compression: Option<Compression>,
    /// What is kept beside what is listed.
    pub keep: Vec<String>,
    /// Packages of the build root's distribution beside those listed.
    pub system_packages: Vec<String>,
}

impl LayerOptions {
    /// A section with these.
    pub fn added_to(&self, section: &LayerSection) -> LayerSection {
        let mut section = section.clone();
        section.package_type = self.package_type.unwrap_or(section.package_type);
        section.compression = self.compression.unwrap_or(section.compression);
        let lists = [
            (&mut section.keep, &self.keep),
            (&mut section.system_packages, &self.system_packages),
        ];
        for (listed, typed) in lists {
            for name in typed {
                if !listed.contains(name) {
                    listed.push(name.clone());
                }
            }
        }
        section
    }

    /// The keys of a section that they change.
    pub fn other_than(&self, section: &LayerSection) -> Vec<&'static str> {
        let with = self.added_to(section);
        let keys = [
            ("package-type", with.package_type != section.package_type),
            ("compression", with.compression != section.compression),
            ("keep", with.keep != section.keep),
            (
                "system-packages",
                with.system_packages != section.system_packages,
            ),
        ];
        let changed = keys.iter().filter(|(_, is_other)| *is_other);
        changed.map(|(key, _)| *key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_aws_takes_and_not_the_runtimes() {
        let long = "x".repeat(140);
        for name in ["models", "a", "A_b-1", &long] {
            assert_eq!(name.parse::<LayerName>().unwrap().as_str(), name);
        }
        let too_long = "x".repeat(141);
        for name in ["", "a b", "a.b", "ä", "../x", "-x", &too_long] {
            let error = name.parse::<LayerName>().unwrap_err().to_string();
            assert!(error.contains("AWS takes letters"), "{error}");
        }
        assert_eq!("runtime".parse::<LayerName>(), Err(LayerNameError::Runtime));
    }
}
