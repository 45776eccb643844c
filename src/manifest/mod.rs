//! `r-layer.toml`: what a project wants. Every command works without one.

mod edit;
mod function;
mod layer;
mod package_list;
mod publish;
mod repository;
mod requested;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};

pub use edit::{EditError, ManifestChange, ManifestDocument};
pub use function::FunctionSection;
pub use layer::{Compression, LayerName, LayerNameError, LayerOptions, LayerSection, PackageType};
pub use publish::{PublishSection, PublishTarget, RegionChoice};
pub use repository::{InOrder, RepositorySection, SnapshotDate, part_snapshot};
pub use requested::requested_package;

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
    /// A layer that wants a repository that is not there.
    #[error(
        "{path}, [layers.{layer}]: there is no repository `{repository}`; {}",
        listed(known)
    )]
    NoRepository {
        /// The manifest.
        path: PathBuf,
        /// The layer.
        layer: LayerName,
        /// The name.
        repository: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

fn listed(known: &[String]) -> String {
    match known {
        [] => "add [repositories.NAME] with its url".to_owned(),
        _ => format!("there are: {}", known.join(", ")),
    }
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

/// A project's manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// The runtime layer.
    pub runtime: RuntimeSection,
    /// Layers of packages.
    pub layers: BTreeMap<LayerName, LayerSection>,
    /// Where packages are fetched, tried in this order.
    pub repositories: InOrder<RepositorySection>,
    /// Where layers are published.
    pub publish: PublishSection,
    /// How functions are deployed.
    pub functions: BTreeMap<String, FunctionSection>,
}

impl Manifest {
    /// The name of the file.
    pub const NAME: &'static str = "r-layer.toml";

    /// Reads the manifest in a folder; none is an empty one.
    pub fn read(folder: &Path) -> Result<Manifest, ManifestError> {
        let path = folder.join(Manifest::NAME);
        match fs_err::read_to_string(&path) {
            Ok(text) => Manifest::parse(&text, &path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Manifest::default()),
            Err(source) => Err(ManifestError::Io { path, source }),
        }
    }

    /// Reads a manifest's text; the path is for messages.
    fn parse(text: &str, path: &Path) -> Result<Manifest, ManifestError> {
        let manifest: Manifest =
            toml::from_str(text).map_err(|source| ManifestError::Malformed {
                path: path.to_owned(),
                source: Box::new(source),
            })?;
        for (layer, section) in &manifest.layers {
            let is_absent = |name: &&String| manifest.repositories.get(name).is_none();
            if let Some(absent) = section.repositories.iter().find(is_absent) {
                let known = manifest.repositories.0.iter();
                return Err(ManifestError::NoRepository {
                    path: path.to_owned(),
                    layer: layer.clone(),
                    repository: absent.clone(),
                    known: known.map(|(name, _)| name.clone()).collect(),
                });
            }
        }
        Ok(manifest)
    }

    /// The repositories of a layer in the order in which they are tried: those that it names, else all.
    pub fn repositories_of(&self, layer: &LayerName) -> Vec<(&str, &RepositorySection)> {
        let all = self
            .repositories
            .0
            .iter()
            .map(|(name, section)| (name.as_str(), section));
        match self.layers.get(layer).map(|section| &section.repositories) {
            None => all.collect(),
            Some(named) if named.is_empty() => all.collect(),
            Some(named) => named
                .iter()
                .filter_map(|name| Some((name.as_str(), self.repositories.get(name)?)))
                .collect(),
        }
    }

    /// A layer that has the name of one of the parts that another is split into (`models-2` beside `models`).
    pub fn layer_named_as_part<'a>(
        &'a self,
        layer: &LayerName,
        mut parts: impl Iterator<Item = &'a str>,
    ) -> Option<&'a LayerName> {
        let mut others = self.layers.keys().filter(|other| *other != layer);
        let others: Vec<&LayerName> = others.by_ref().collect();
        parts.find_map(|part| others.iter().find(|other| other.as_str() == part).copied())
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

    fn parsed(text: &str) -> Result<Manifest, String> {
        Manifest::parse(text, Path::new(Manifest::NAME)).map_err(|error| error.to_string())
    }

    #[test]
    fn layers_and_repositories_are_read_in_the_order_of_the_file() {
        let manifest = parsed(
            "[repositories.zeta]\nurl = \"https://z.example\"\nsnapshot = 2025-04-01\nbinaries = true\n\
             [repositories.alpha]\nurl = \"https://a.example\"\nsnapshot = \"2025-04-02\"\n\
             [layers.models]\npackages = [\"dplyr\"]\npackage-type = \"source\"\nkeep = [\"include\"]\n\
             [layers.data]\nrepositories = [\"alpha\"]\nsystem-packages = [\"libpq-dev\"]\n",
        )
        .unwrap();
        let names = |layer: &str| -> Vec<&str> {
            let layer = layer.parse().unwrap();
            let repositories = manifest.repositories_of(&layer);
            repositories.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names("models"), ["zeta", "alpha"]);
        assert_eq!(names("data"), ["alpha"]);
        assert_eq!(names("other"), ["zeta", "alpha"]);
        let zeta = manifest.repositories.get("zeta").unwrap();
        assert_eq!(zeta.snapshot_url(), "https://z.example/2025-04-01");
        assert_eq!(zeta.binaries, Some(true));
        let models = &manifest.layers[&"models".parse().unwrap()];
        assert_eq!(models.package_type, PackageType::Source);
    }

    #[test]
    fn what_cannot_be_is_named_with_its_line() {
        for (text, words) in [
            (
                "[layers.runtime]\n",
                &["line 1", "the layer with R itself"][..],
            ),
            ("\n[layers.\"a b\"]\n", &["line 2", "AWS takes letters"]),
            (
                "[layers.a]\npackges = []\n",
                &["line 2", "unknown field `packges`"],
            ),
            (
                "[layers.a]\npackages = \"x\"\n",
                &["line 2", "expected a sequence"],
            ),
            (
                "[layers.a]\npackage-type = \"bin\"\n",
                &["line 2", "`auto`, `binary`, `source`"],
            ),
            ("[repositories.a]\n", &["line 1", "missing field `url`"]),
            (
                "[repositories.a]\nurl = \"u\"\nsnapshot = \"yesterday\"\n",
                &["line 3", "as 2025-04-01"],
            ),
            (
                "[repositories.a]\nurl = \"u\"\nsnapshot = 2025\n",
                &["line 3", "`2025` is no date"],
            ),
            (
                "[repositories.\"1\"]\nurl = \"u\"\n",
                &["line 1", "no name of a repository"],
            ),
            (
                "[repositories.a-b]\nurl = \"u\"\n[repositories.A_b]\nurl = \"u\"\n",
                &["`a-b` and `A_b`", "R_LAYER_REPO_A_B_TOKEN"],
            ),
            (
                "[repositories.cran]\nurl = \"u\"\n[layers.a]\nrepositories = [\"carn\"]\n",
                &[
                    "r-layer.toml, [layers.a]",
                    "no repository `carn`",
                    "there are: cran",
                ],
            ),
        ] {
            let error = parsed(text).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{word}: {error}");
            }
        }
    }

    #[test]
    fn a_part_of_a_layer_does_not_take_the_name_of_another() {
        let manifest = parsed("[layers.models]\n[layers.models-2]\n").unwrap();
        let models: LayerName = "models".parse().unwrap();
        let taken = |parts: &[&'static str]| {
            let taken = manifest.layer_named_as_part(&models, parts.iter().copied());
            taken.map(ToString::to_string)
        };
        assert_eq!(
            taken(&["models-1", "models-2"]),
            Some("models-2".to_owned())
        );
        assert_eq!(taken(&["models"]), None);
    }
}
