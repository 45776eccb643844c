//! From the words of a DESCRIPTION's field SystemRequirements to the packages of a distribution, by rules that are data.
//!
//! The field is free text (`libcurl: libcurl-devel (rpm) or libcurl4-openssl-dev (deb)`), so that a rule is a pattern. The
//! same rules know what a failed compilation lacked.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};
use regex::{RegexSet, RegexSetBuilder};
use serde::Deserialize;

/// What installs a distribution's packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageManager {
    /// Debian's.
    Apt,
    /// Amazon Linux's, and Fedora's.
    Dnf,
}

impl PackageManager {
    /// Its command.
    pub fn command(self) -> &'static str {
        match self {
            PackageManager::Apt => "apt-get",
            PackageManager::Dnf => "dnf",
        }
    }
}

/// Something of the system that a source package needs to be compiled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemRequirement {
    /// What it is, for people.
    pub name: String,
    /// Regular expressions for the field SystemRequirements, whatever the letters' case.
    pub pattern: Vec<String>,
    /// The packages of Debian 11; none if it has none.
    pub apt: Vec<String>,
    /// The packages of Amazon Linux 2023 or, where it has none, of Fedora; none if neither has one.
    pub dnf: Vec<String>,
    /// Patterns of the headers that they have, as `#include` names them.
    #[serde(default)]
    pub headers: Vec<String>,
    /// The libraries that they have, as they stand behind `-l`.
    #[serde(default)]
    pub links: Vec<String>,
    /// Their names for pkg-config.
    #[serde(default)]
    pub modules: Vec<String>,
    /// The programs that they have.
    #[serde(default)]
    pub programs: Vec<String>,
}

impl SystemRequirement {
    /// The packages, as a package manager calls them.
    pub fn packages(&self, manager: PackageManager) -> &[String] {
        match manager {
            PackageManager::Apt => &self.apt,
            PackageManager::Dnf => &self.dnf,
        }
    }
}

/// A rule whose pattern is none.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Of a text.
    #[error(transparent)]
    Text(#[from] regex::Error),
    /// Of a header.
    #[error(transparent)]
    Header(#[from] globset::Error),
}

/// Rules that are ready to be asked.
#[derive(Debug)]
pub struct Requirements<'a> {
    rules: &'a [SystemRequirement],
    patterns: RegexSet,
    /// The place of each pattern's rule.
    of_pattern: Vec<usize>,
    headers: Vec<(GlobMatcher, usize)>,
}

impl<'a> Requirements<'a> {
    /// Makes rules ready, which takes some milliseconds: once a run.
    pub fn new(rules: &'a [SystemRequirement]) -> Result<Requirements<'a>, RuleError> {
        let all = || rules.iter().enumerate();
        let patterns: Vec<(&str, usize)> = all()
            .flat_map(|(place, rule)| rule.pattern.iter().map(move |text| (&text[..], place)))
            .collect();
        let headers = all()
            .flat_map(|(place, rule)| rule.headers.iter().map(move |header| (header, place)))
            .map(|(header, place)| {
                let glob = GlobBuilder::new(header).literal_separator(true).build()?;
                Ok((glob.compile_matcher(), place))
            })
            .collect::<Result<_, globset::Error>>()?;
        Ok(Requirements {
            rules,
            patterns: RegexSetBuilder::new(patterns.iter().map(|(text, _)| text))
                .case_insensitive(true)
                .build()?,
            of_pattern: patterns.iter().map(|(_, place)| *place).collect(),
            headers,
        })
    }

    /// What a field SystemRequirements asks for, in the order of the rules.
    pub fn of_field(&self, field: &str) -> Vec<&'a SystemRequirement> {
        let places: BTreeSet<usize> = self
            .patterns
            .matches(field)
            .iter()
            .map(|pattern| self.of_pattern[pattern])
            .collect();
        places.into_iter().map(|place| &self.rules[place]).collect()
    }

    /// The packages to install for the fields of several R packages, sorted.
    pub fn packages<'f>(
        &self,
        fields: impl IntoIterator<Item = &'f str>,
        manager: PackageManager,
    ) -> BTreeSet<String> {
        let rules = fields.into_iter().flat_map(|field| self.of_field(field));
        rules
            .flat_map(|rule| rule.packages(manager).iter().cloned())
            .collect()
    }

    /// What has a header, as `#include` names it. One whose folder was left out (`parser.h` for `libxml/parser.h`) is not
    /// known.
    pub fn of_header(&self, header: &str) -> Option<&'a SystemRequirement> {
        let (_, place) = self
            .headers
            .iter()
            .find(|(pattern, _)| pattern.is_match(header))?;
        Some(&self.rules[*place])
    }

    /// What has a library, as it stands behind `-l`.
    pub fn of_link(&self, link: &str) -> Option<&'a SystemRequirement> {
        self.rule(link, |rule| &rule.links)
    }

    /// What pkg-config knows by a name.
    pub fn of_module(&self, module: &str) -> Option<&'a SystemRequirement> {
        self.rule(module, |rule| &rule.modules)
    }

    /// What has a program.
    pub fn of_program(&self, program: &str) -> Option<&'a SystemRequirement> {
        self.rule(program, |rule| &rule.programs)
    }

    fn rule(
        &self,
        name: &str,
        names: impl Fn(&SystemRequirement) -> &Vec<String>,
    ) -> Option<&'a SystemRequirement> {
        let has_it = |rule: &&SystemRequirement| names(rule).iter().any(|other| other == name);
        self.rules.iter().find(has_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::library_rules::LibraryRules;

    fn packages(field: &str, manager: PackageManager) -> Vec<String> {
        let rules = &LibraryRules::embedded().system_requirements;
        let requirements = Requirements::new(rules).unwrap();
        requirements
            .packages([field], manager)
            .into_iter()
            .collect()
    }

    /// Fields as packages on CRAN have them.
    #[test]
    fn the_words_of_packages_lead_to_the_packages_of_distributions() {
        let cases: [(&str, &[&str], &[&str]); 14] = [
            (
                "libxml2: libxml2-dev (deb), libxml2-devel (rpm)",
                &["libxml2-dev"],
                &["libxml2-devel"],
            ),
            (
                "libcurl (>= 7.73): libcurl-devel (rpm) or\n libcurl4-openssl-dev (deb)",
                &["libcurl4-openssl-dev"],
                &["libcurl-devel"],
            ),
            ("OpenSSL >= 1.0.2", &["libssl-dev"], &["openssl-devel"]),
            (
                "C++17, GDAL (>= 2.0.1), GEOS (>= 3.4.0), PROJ (>= 4.8.0), sqlite3",
                &[
                    "libgdal-dev",
                    "libgeos-dev",
                    "libproj-dev",
                    "libsqlite3-dev",
                ],
                &["gdal-devel", "geos-devel", "proj-devel", "sqlite-devel"],
            ),
            ("udunits-2", &["libudunits2-dev"], &["udunits2-devel"]),
            (
                "gmp (>= 4.2.3), mpfr (>= 3.0.0), GNU make",
                &["libgmp-dev", "libmpfr-dev", "make"],
                &["gmp-devel", "make", "mpfr-devel"],
            ),
            (
                "freetype2, libpng, libtiff, libjpeg, libwebp",
                &[
                    "libfreetype6-dev",
                    "libjpeg-dev",
                    "libpng-dev",
                    "libtiff-dev",
                    "libwebp-dev",
                ],
                &[
                    "freetype-devel",
                    "libjpeg-turbo-devel",
                    "libpng-devel",
                    "libtiff-devel",
                    "libwebp-devel",
                ],
            ),
            (
                "ICU4C (>= 61, optional)",
                &["libicu-dev"],
                &["libicu-devel"],
            ),
            (
                "PostgreSQL client library: libpq",
                &["libpq-dev"],
                &["libpq-devel"],
            ),
            (
                "An ODBC3 driver manager and drivers. unixODBC",
                &["unixodbc-dev"],
                &["unixODBC-devel"],
            ),
            ("cmake (>= 3.2)", &["cmake"], &["cmake"]),
            (
                "GNU Scientific Library version >= 1.8",
                &["libgsl-dev"],
                &["gsl-devel"],
            ),
            (
                "ImageMagick++: ImageMagick-c++-devel (rpm) or libmagick++-dev (deb)",
                &["libmagick++-dev"],
                &["ImageMagick-c++-devel"],
            ),
            ("C++11", &[], &[]),
        ];
        for (field, apt, dnf) in cases {
            assert_eq!(packages(field, PackageManager::Apt), apt, "{field}");
            assert_eq!(packages(field, PackageManager::Dnf), dnf, "{field}");
        }
    }

    #[test]
    fn headers_and_libraries_lead_there_too() {
        let rules = &LibraryRules::embedded().system_requirements;
        let requirements = Requirements::new(rules).unwrap();
        let name = |found: Option<&SystemRequirement>| found.map(|rule| rule.name.clone());
        for (header, expected) in [
            ("libxml/parser.h", "libxml2"),
            ("curl/curl.h", "libcurl"),
            ("google/protobuf/message.h", "Protocol Buffers"),
            ("zlib.h", "zlib"),
            ("sqlite3.h", "SQLite"),
            ("magic.h", "libmagic"),
            ("gsl/gsl_rng.h", "GSL"),
        ] {
            assert_eq!(
                name(requirements.of_header(header)).as_deref(),
                Some(expected)
            );
        }
        assert_eq!(name(requirements.of_header("mine.h")), None);
        assert_eq!(name(requirements.of_link("z")).as_deref(), Some("zlib"));
        assert_eq!(
            name(requirements.of_module("libxml-2.0")).as_deref(),
            Some("libxml2")
        );
        assert_eq!(
            name(requirements.of_program("gdal-config")).as_deref(),
            Some("GDAL")
        );
    }
}
