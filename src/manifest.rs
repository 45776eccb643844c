//! `r-layer.toml`: what a project wants. Every command works without one.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not read.
    #[error("{path}: {source}")]
    Io {
        /// The manifest.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// Something in it that is not understood.
    #[error("{path} is not understood: {source}")]
    Malformed {
        /// The manifest.
        path: PathBuf,
        /// What, and where.
        source: Box<toml::de::Error>,
    },
}

/// `"4.5"` or `["4.4", "4.5"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OneOrMany(pub Vec<String>);

impl OneOrMany {
    /// The first.
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in quotes, or a list of such")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<OneOrMany, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = texts.next_element()? {
                    all.push(text);
                }
                Ok(OneOrMany(all))
            }
        }

        deserializer.deserialize_any(Texts)
    }
}

/// `[runtime]`: the runtime layer. What is not said is left to flags, the environment and defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuntimeSection {
    /// R's version, `4.5.0`, `4.5` or `release`; of several, `build --all` makes each, and the first is meant elsewhere.
    pub r_version: OneOrMany,
    /// `posit`, `cran`, `auto` or `dir:PATH`.
    pub r_source: Option<String>,
    /// URLs or paths of R's tarball, tried before the mirrors.
    pub r_tarball: Vec<String>,
    /// URL or folder laid out as Posit's portable builds are.
    pub posit: Option<String>,
    /// URL or folder laid out as a repository of Posit Package Manager is.
    pub p3m: Option<String>,
    /// URLs or folders laid out as CRAN is, tried in order.
    pub cran: Vec<String>,
    /// Folders with tarballs that were downloaded before.
    pub sources: Vec<PathBuf>,
    /// `debian:SUITE`, `oci:IMAGE` or `dir:PATH`.
    pub build_root: Option<String>,
    /// `docker`, `podman` or `finch`, instead of a build root.
    pub engine: Option<String>,
    /// The image that the engine makes containers from.
    pub build_image: Option<String>,
    /// `reference` or `openblas`.
    pub blas: Option<String>,
    /// `x86_64` or `arm64`; of both, `build --all` makes each, and the first is meant elsewhere.
    pub arch: OneOrMany,
    /// `provided.al2023`.
    pub target: Option<String>,
}

/// `[publish]`, as far as building needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublishSection {
    /// The bucket that zips go through that are too large for a request.
    pub s3_bucket: Option<String>,
}

/// A project's manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// The runtime layer.
    pub runtime: RuntimeSection,
    /// Where layers are published.
    pub publish: PublishSection,
}

impl Manifest {
    /// The name of the file.
    pub const NAME: &'static str = "r-layer.toml";

    /// Reads the manifest in a folder; none is an empty one.
    pub fn read(folder: &Path) -> Result<Manifest, ManifestError> {
        let path = folder.join(Manifest::NAME);
        match fs_err::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|source| ManifestError::Malformed {
                path,
                source: Box::new(source),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Manifest::default()),
            Err(source) => Err(ManifestError::Io { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_and_none_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), Manifest::default());
        fs_err::write(
            folder.path().join(Manifest::NAME),
            "[runtime]\nr-version = \"4.4.3\"\ncran = [\"https://cran.example\"]\n",
        )
        .unwrap();
        let manifest = Manifest::read(folder.path()).unwrap();
        assert_eq!(manifest.runtime.r_version.first(), Some("4.4.3"));
    }

    #[test]
    fn versions_and_processors_are_one_or_several() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Manifest::NAME);
        let text =
            "[runtime]\nr-version = [\"4.4\", \"release\"]\narch = [\"x86_64\", \"arm64\"]\n";
        fs_err::write(&path, text).unwrap();
        let runtime = Manifest::read(folder.path()).unwrap().runtime;
        assert_eq!(runtime.r_version.0, ["4.4", "release"]);
        assert_eq!(runtime.arch.first(), Some("x86_64"));
        fs_err::write(&path, "[runtime]\nr-version = 4.5\n").unwrap();
        let error = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("a text in quotes"),
            "{error}"
        );
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(
            folder.path().join(Manifest::NAME),
            "[runtime]\nr-versoin = \"4.4\"\n",
        )
        .unwrap();
        let error = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("r-versoin"),
            "{error}"
        );
    }
}
