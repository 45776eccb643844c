//! Layers of packages as data in the program: `layers/NAME/layer.toml`, and what all of them leave out,
//! `layers/packages.toml`.

use std::sync::OnceLock;

use serde::Deserialize;

use super::library_data::DataRule;
use super::prune::PruneRule;
use crate::embedded;
use crate::manifest::Compression;

/// A rule of what a layer of packages leaves out, if it is not to be kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepableRule {
    /// What it is called where it is to be kept: `help`.
    pub keep: String,
    /// Patterns of what is left out, as in [`PruneRule`].
    pub drop: Vec<String>,
    /// Patterns of what of it stays all the same.
    #[serde(default)]
    pub except: Vec<String>,
    /// Why, for people.
    pub reason: String,
}

/// A rule of which files are compressed better in their place, if they are not to be kept as they are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecompressRule {
    /// Patterns of the files.
    pub files: Vec<String>,
    /// Why, for people.
    pub reason: String,
}

/// A name that nothing can be kept by.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is nothing that can be kept; there are: {}", known.join(", "))]
pub struct UnknownKeep {
    /// The name.
    pub name: String,
    /// Those that there are.
    pub known: Vec<String>,
}

/// What layers of packages leave out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackagePruning {
    /// The rules, in order.
    pub prune: Vec<KeepableRule>,
    /// What is compressed better, if a layer is to be as small as can be.
    #[serde(default)]
    pub recompress: Vec<RecompressRule>,
}

impl PackagePruning {
    /// The rules in this program.
    #[expect(
        clippy::expect_used,
        reason = "embedded data, parsed by a test of this module"
    )]
    pub fn embedded() -> &'static PackagePruning {
        static PRUNING: OnceLock<PackagePruning> = OnceLock::new();
        PRUNING.get_or_init(|| {
            toml::from_str(embedded::text("packages.toml")).expect("the embedded rules parse")
        })
    }

    /// What can be kept, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.prune.iter().map(|rule| rule.keep.as_str())
    }

    /// The rules of what is left out, but for what is to be kept: `--keep help`.
    pub fn rules(&self, keep: &[String]) -> Result<Vec<PruneRule>, UnknownKeep> {
        let is_known = |name: &String| self.names().any(|keep| keep == name);
        if let Some(name) = keep.iter().find(|name| !is_known(name)) {
            return Err(UnknownKeep {
                name: name.clone(),
                known: self.names().map(str::to_owned).collect(),
            });
        }
        let left = self.prune.iter().filter(|rule| !keep.contains(&rule.keep));
        Ok(left
            .map(|rule| PruneRule {
                drop: rule.drop.clone(),
                except: rule.except.clone(),
                reason: rule.reason.clone(),
            })
            .collect())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    description: String,
    #[serde(default)]
    packages: Vec<String>,
    #[serde(default)]
    compression: Compression,
    #[serde(default)]
    r_files: Vec<String>,
    #[serde(default)]
    data: Vec<DataRule>,
    proof: Option<String>,
}

/// A layer of packages that can be built by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageLayerRecipe {
    /// Its name, which is that of its folder.
    pub name: &'static str,
    /// What it is, for people.
    pub description: String,
    /// The packages that are asked for; what they need comes with them.
    pub packages: Vec<String>,
    /// How hard is tried to make its zips small.
    pub compression: Compression,
    /// Patterns of files of R that the runtime layer leaves out and this one holds.
    pub r_files: Vec<String>,
    /// Data of a distribution, as fonts, and files of r-layer's own.
    pub data: Vec<DataRule>,
    /// A function in `layers/proof`, in the file of its name, that fails where the layer does not do what it is for.
    pub proof: Option<String>,
}

impl PackageLayerRecipe {
    /// All that there are in this program, by name.
    #[expect(
        clippy::expect_used,
        reason = "embedded data, parsed by a test of this module"
    )]
    pub fn all() -> &'static [PackageLayerRecipe] {
        static RECIPES: OnceLock<Vec<PackageLayerRecipe>> = OnceLock::new();
        RECIPES.get_or_init(|| {
            let names = embedded::layers()
                .into_iter()
                .filter(|&name| name != "runtime");
            names
                .map(|name| {
                    let text = embedded::text(&format!("{name}/layer.toml"));
                    let contents: Contents = toml::from_str(text).expect("embedded recipes parse");
                    PackageLayerRecipe {
                        name,
                        description: contents.description,
                        packages: contents.packages,
                        compression: contents.compression,
                        r_files: contents.r_files,
                        data: contents.data,
                        proof: contents.proof,
                    }
                })
                .collect()
        })
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<&'static PackageLayerRecipe> {
        PackageLayerRecipe::all()
            .iter()
            .find(|recipe| recipe.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::layer::prune::{patterns, prune};
    use crate::layer::{Entry, LayerTree};
    use crate::manifest::LayerName;
    use crate::package::is_package_name;

    #[test]
    fn every_layer_has_a_name_a_description_and_contents() {
        let names: Vec<&str> = PackageLayerRecipe::all()
            .iter()
            .map(|recipe| recipe.name)
            .collect();
        for name in [
            "aws",
            "database",
            "graphics",
            "modelling",
            "recommended",
            "spatial",
            "tidyverse",
        ] {
            assert!(names.contains(&name), "{names:?}");
        }
        for recipe in PackageLayerRecipe::all() {
            assert!(recipe.name.parse::<LayerName>().is_ok(), "{}", recipe.name);
            // A layer's description has at most 256 characters at AWS.
            assert!(
                (1..=256).contains(&recipe.description.len()),
                "{}",
                recipe.name
            );
            let distinct: BTreeSet<&String> = recipe.packages.iter().collect();
            assert_eq!(distinct.len(), recipe.packages.len());
            assert_ne!(distinct.is_empty(), recipe.r_files.is_empty());
            patterns(&recipe.r_files).unwrap();
            for rule in &recipe.data {
                assert!(rule.library.is_empty() && !rule.reason.is_empty());
                rule.insert_files(&mut LayerTree::default());
            }
            if let Some(proof) = &recipe.proof {
                let script = embedded::text(&format!("proof/{proof}.R"));
                assert!(script.contains(&format!("{proof} <- function(event)")));
            }
            assert!(
                recipe
                    .packages
                    .iter()
                    .all(|package| is_package_name(package))
            );
        }
        assert_eq!(
            PackageLayerRecipe::named("recommended")
                .unwrap()
                .packages
                .len(),
            15
        );
        assert_eq!(PackageLayerRecipe::named("runtime"), None);
    }

    fn left(keep: &[&str]) -> Vec<String> {
        let mut tree = LayerTree::default();
        for path in [
            "DESCRIPTION",
            "INDEX",
            "LICENSE",
            "COPYRIGHTS",
            "NAMESPACE",
            "NEWS.md",
            "CITATION",
            "Meta/package.rds",
            "Meta/Rd.rds",
            "Meta/nsInfo.rds",
            "Meta/data.rds",
            "Meta/vignette.rds",
            "R/a.rdb",
            "R/sysdata.rdb",
            "data/Rdata.rdb",
            "doc/a.pdf",
            "examples/x.R",
            "help/a.rdb",
            "html/00Index.html",
            "include/a/b.h",
            "libs/a.so",
            "libs/liba.a",
            "libs/.libs/libz-1.so",
            "po/de/LC_MESSAGES/R-a.mo",
            "proj/proj.db",
            "tests/x.R",
            "extdata/tests.csv",
            "lib/pkgconfig/a.pc",
        ] {
            tree.insert(
                format!("R/library/a/{path}"),
                Entry::bytes(&b"1"[..], false),
            );
        }
        tree.insert(
            "R/library/tests/R/tests.rdb",
            Entry::bytes(&b"1"[..], false),
        );
        let keep: Vec<String> = keep.iter().map(|&name| name.to_owned()).collect();
        let rules = PackagePruning::embedded().rules(&keep).unwrap();
        prune(&mut tree, &rules).unwrap();
        tree.iter()
            .map(|(path, _)| path.trim_start_matches("R/library/").to_owned())
            .collect()
    }

    #[test]
    fn what_a_package_runs_with_stays_and_the_rest_goes() {
        let stays = [
            "a/COPYRIGHTS",
            "a/DESCRIPTION",
            "a/INDEX",
            "a/LICENSE",
            "a/Meta/data.rds",
            "a/Meta/nsInfo.rds",
            "a/Meta/package.rds",
            "a/NAMESPACE",
            "a/R/a.rdb",
            "a/R/sysdata.rdb",
            "a/data/Rdata.rdb",
            "a/extdata/tests.csv",
            "a/libs/.libs/libz-1.so",
            "a/libs/a.so",
            "a/proj/proj.db",
            "tests/R/tests.rdb",
        ];
        assert_eq!(left(&[]), stays);
        assert!(left(&["help"]).contains(&"a/help/a.rdb".to_owned()));
        let with_headers = left(&["include", "static"]);
        assert_eq!(with_headers.len(), stays.len() + 3, "{with_headers:?}");
    }

    #[test]
    fn rules_have_a_reason_and_a_name_of_their_own() {
        let rules = &PackagePruning::embedded().prune;
        assert!(
            rules
                .iter()
                .all(|rule| !rule.reason.is_empty() && !rule.drop.is_empty())
        );
        let names: BTreeSet<&String> = rules.iter().map(|rule| &rule.keep).collect();
        assert_eq!(names.len(), rules.len());
        for rule in rules {
            assert!(
                rule.drop
                    .iter()
                    .all(|pattern| pattern.starts_with("R/library/"))
            );
        }
        let error = PackagePruning::embedded()
            .rules(&["hlep".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`hlep`") && error.contains("help, doc, tests"),
            "{error}"
        );
    }
}
