//! `renv.lock`: JSON, with the version of R, repositories, and a record a package.
//!
//! <https://rstudio.github.io/renv/articles/lockfile.html>. Until renv 1.0 a record has few fields; since 1.1 it has all
//! of the package's DESCRIPTION, with the same names for what is read here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::renv_record::Record;
use super::{Bound, FileRepository, FileRequest, Unmet};
use crate::package::RVersion;
use crate::package::is_base_package;

/// Why a `renv.lock` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RenvError {
    /// Not JSON, or not of this form.
    #[error("{} is not a lock of renv: {source}; type renv::snapshot() in R to write it anew", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What, and where.
        source: serde_json::Error,
    },
    /// From before renv 0.6.
    #[error("{} is in the format of renv before 0.6; type renv::snapshot() in R to write it anew", path.display())]
    Old {
        /// The file.
        path: PathBuf,
    },
    /// Without a version of R that is one.
    #[error("{} says nothing of R's version; type renv::snapshot() in R to write it anew", path.display())]
    NoR {
        /// The file.
        path: PathBuf,
    },
}

/// The runtime has an R of another minor version than the lock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the lock was made with R {locked}, and the runtime layer has R {runtime}: packages of one do not load in the other; \
     type --r-version {locked}, or set r-version = \"{locked}\" in [runtime] of r-layer.toml, or take renv to R {runtime} \
     and type renv::snapshot()"
)]
pub struct OtherR {
    /// The lock's.
    pub locked: String,
    /// The runtime's.
    pub runtime: String,
}

/// What a `renv.lock` asks for.
#[derive(Clone, Debug)]
pub struct RenvLock {
    /// The version of R that it was made with.
    pub r_version: RVersion,
    /// Its repositories in order.
    pub repositories: Vec<FileRepository>,
    /// Its release of Bioconductor.
    pub bioconductor: Option<String>,
    /// A request a package, sorted by name.
    pub requests: Vec<FileRequest>,
    /// The packages that cannot be had, each with the reason.
    pub unmet: Vec<Unmet>,
    /// What is not needed on Lambda: renv itself.
    pub left_out: Vec<String>,
}

#[derive(Deserialize)]
struct Contents {
    #[serde(rename = "R")]
    r: RSection,
    #[serde(rename = "Bioconductor")]
    bioconductor: Option<BioconductorSection>,
    #[serde(rename = "Packages", default)]
    packages: BTreeMap<String, Record>,
}

#[derive(Deserialize)]
struct RSection {
    #[serde(rename = "Version")]
    version: Option<String>,
    #[serde(rename = "Repositories", default)]
    repositories: Repositories,
}

#[derive(Deserialize)]
struct BioconductorSection {
    #[serde(rename = "Version")]
    version: Option<String>,
}

/// A list of names and URLs, or, as renv first wrote it, an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Repositories {
    List(Vec<NamedUrl>),
    Object(UrlsByName),
}

impl Default for Repositories {
    fn default() -> Self {
        Repositories::List(Vec::new())
    }
}

/// An object in the order of the file, which counts.
struct UrlsByName(Vec<(String, String)>);

impl<'de> Deserialize<'de> for UrlsByName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = UrlsByName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and URLs")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UrlsByName, A::Error> {
                let mut urls = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    urls.push(entry);
                }
                Ok(UrlsByName(urls))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[derive(Deserialize)]
struct NamedUrl {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "URL")]
    url: String,
}

impl Repositories {
    fn read(self) -> Vec<FileRepository> {
        let of = |name: &str, url: &str| FileRepository::new(name, url);
        match self {
            Repositories::List(list) => list
                .iter()
                .map(|named| of(&named.name, &named.url))
                .collect(),
            Repositories::Object(UrlsByName(urls)) => {
                urls.iter().map(|(name, url)| of(name, url)).collect()
            }
        }
    }
}

impl RenvLock {
    /// The name of the file.
    pub const NAME: &'static str = "renv.lock";

    /// Reads a lock's text; the path is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<RenvLock, RenvError> {
        let path = || path.to_owned();
        let text = text.trim_start_matches('\u{feff}');
        // Sections in brackets, which JSON has not: `[renv]`, `[R]`.
        if text.trim_start().starts_with("[renv]") || text.trim_start().starts_with("[R]") {
            return Err(RenvError::Old { path: path() });
        }
        let contents: Contents =
            serde_json::from_str(text).map_err(|source| RenvError::Malformed {
                path: path(),
                source,
            })?;
        let r_version = contents.r.version.and_then(|version| version.parse().ok());
        let mut lock = RenvLock {
            r_version: r_version.ok_or_else(|| RenvError::NoR { path: path() })?,
            repositories: contents.r.repositories.read(),
            bioconductor: contents.bioconductor.and_then(|section| section.version),
            requests: Vec::new(),
            unmet: Vec::new(),
            left_out: Vec::new(),
        };
        for (name, record) in contents.packages {
            lock.read_record(name, &record);
        }
        Ok(lock)
    }

    fn read_record(&mut self, package: String, record: &Record) {
        if is_base_package(&package) {
            return;
        }
        if package == "renv" {
            self.left_out.push(package);
            return;
        }
        let version = record
            .version
            .clone()
            .filter(|version| version.parse::<RVersion>().is_ok());
        let origin = record.origin(&self.repositories, self.bioconductor.as_deref());
        match (version, origin) {
            (Some(version), Ok(origin)) => {
                let bounds = vec![Bound {
                    operator: "==".to_owned(),
                    version,
                }];
                self.requests.push(FileRequest {
                    package,
                    bounds,
                    origin,
                });
            }
            (None, _) => {
                let reason = "its record has no version; type renv::snapshot() in R".to_owned();
                self.unmet.push(Unmet { package, reason });
            }
            (_, Err(reason)) => self.unmet.push(Unmet { package, reason }),
        }
    }

    /// Is the runtime's R of the lock's minor version, so that the packages of one load in the other?
    pub fn check_r(&self, runtime: &RVersion) -> Result<(), OtherR> {
        match self.r_version.minor() == runtime.minor() {
            true => Ok(()),
            false => Err(OtherR {
                locked: self.r_version.to_string(),
                runtime: runtime.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
