//! `layers/runtime/layer.toml`: what the runtime layer is made of, as data in the program.

use std::sync::OnceLock;

use serde::Deserialize;

use super::bundled::OptionalRule;
use super::prune::PruneRule;
use crate::checksum::Sha256;

/// R itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RSource {
    /// The version built when none is asked for.
    pub version: String,
    /// The versions that r-layer was proven with.
    pub proven: Vec<String>,
    /// The hash of its source tarball.
    pub sha256: Sha256,
}

/// Posit's servers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posit {
    /// Base URL of the portable builds of R.
    pub builds: String,
    /// Their kind.
    pub builds_platform: String,
    /// Base URL of the package repository.
    pub packages: String,
    /// The kind of its binaries.
    pub packages_platform: String,
}

/// The source of libcurl.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurlSource {
    /// The version.
    pub version: String,
    /// The hash of its source tarball.
    pub sha256: Sha256,
    /// Where it can be had.
    pub urls: Vec<String>,
}

impl CurlSource {
    /// The tarball's own name.
    pub fn file_name(&self) -> String {
        format!("curl-{}.tar.gz", self.version)
    }
}

/// CRAN's servers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cran {
    /// Base URLs, tried in order.
    pub mirrors: Vec<String>,
}

/// The R packages that are part of the runtime layer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// Those that the runtime itself needs.
    pub runtime: Vec<String>,
}

/// What R is compiled in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildRoot {
    /// The root taken when none is named.
    pub default: String,
    /// Packages to install where there is apt.
    pub apt: Vec<String>,
    /// Packages to install where there is dnf.
    pub dnf: Vec<String>,
    /// More of them for OpenBLAS.
    pub apt_openblas: Vec<String>,
    /// More of them for OpenBLAS.
    pub dnf_openblas: Vec<String>,
}

/// What of the runtime is read when it starts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The files of R code that every start needs, in the folder `r-layer`.
    pub files: Vec<String>,
}

/// The runtime layer's recipe.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeRecipe {
    /// The layer's name.
    pub name: String,
    /// What it is, for people; `{r_version}`, `{target}` and `{architecture}` are filled in.
    pub description: String,
    /// R itself.
    pub r: RSource,
    /// Posit's servers.
    pub posit: Posit,
    /// What of a prebuilt R is left out when it lacks a library.
    pub optional: Vec<OptionalRule>,
    /// The source of libcurl.
    pub curl: CurlSource,
    /// CRAN's servers.
    pub cran: Cran,
    /// The R packages in it.
    pub packages: Packages,
    /// What of the runtime is read when it starts.
    pub start: Start,
    /// What R is compiled in.
    pub build_root: BuildRoot,
    /// What is left out.
    pub prune: Vec<PruneRule>,
}

impl RuntimeRecipe {
    /// What a layer built from it is, for people.
    pub fn describe(&self, r_version: &str, target: &str, architecture: &str) -> String {
        self.description
            .replace("{r_version}", r_version)
            .replace("{target}", target)
            .replace("{architecture}", architecture)
    }

    /// The recipe in this program.
    #[expect(
        clippy::expect_used,
        reason = "embedded data, parsed by a test of this module"
    )]
    pub fn embedded() -> &'static RuntimeRecipe {
        static RECIPE: OnceLock<RuntimeRecipe> = OnceLock::new();
        RECIPE.get_or_init(|| {
            toml::from_str(crate::embedded::text("runtime/layer.toml"))
                .expect("the embedded recipe parses")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerTree;
    use crate::layer::prune::prune;

    #[test]
    fn the_recipe_parses_and_its_patterns_are_patterns() {
        let recipe = RuntimeRecipe::embedded();
        prune(&mut LayerTree::default(), &recipe.prune).unwrap();
        assert!(recipe.prune.iter().all(|rule| !rule.reason.is_empty()));
        assert!(recipe.r.proven.contains(&recipe.r.version));
    }
}
