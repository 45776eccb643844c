//! `r-layer build --all`: every R version and processor that the manifest lists, one after the other.

use std::fmt;

use anyhow::{Context, Result};
use serde::Serialize;

use super::Outcome;
use super::build_runtime;
use super::built_runtime;
use super::package_layers;
use super::packing::Built;
use crate::cli::{BuildRuntimeArgs, PackageOptions};
use crate::manifest::Manifest;
use crate::progress::Reporter;

/// What was built and what was not, as it is printed.
#[derive(Debug, Serialize)]
pub struct BuiltAll {
    built: Vec<Built>,
    failed: Vec<Failure>,
}

/// A layer that was not built.
#[derive(Debug, Serialize)]
struct Failure {
    /// Which.
    layer: String,
    /// The version of R, as it was asked for.
    r_version: Option<String>,
    /// The processor.
    architecture: Option<String>,
    /// Why.
    error: String,
}

impl BuiltAll {
    /// How the command ends.
    pub fn outcome(&self) -> Outcome {
        match (self.built.is_empty(), self.failed.is_empty()) {
            (_, true) => Outcome::Done,
            (false, false) => Outcome::PartlyDone,
            (true, false) => Outcome::Fault,
        }
    }
}

impl fmt::Display for BuiltAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for built in &self.built {
            built.fmt(f)?;
        }
        for failure in &self.failed {
            let what = describe(&failure.layer, &failure.r_version, &failure.architecture);
            writeln!(f, "not built: {what}: {}", failure.error)?;
        }
        Ok(())
    }
}

/// Builds them; one that fails does not keep the others from being built.
pub async fn run(
    upgrade: bool,
    options: PackageOptions,
    reporter: &dyn Reporter,
) -> Result<BuiltAll> {
    let project = std::env::current_dir().context("the current folder is gone")?;
    let manifest = Manifest::read(&project)?.runtime;
    let versions = listed(
        options.runtime.r_version.clone(),
        manifest.r_version.0.clone(),
    );
    let architectures = listed(options.runtime.arch.clone(), manifest.arch.0.clone());
    let mut all = BuiltAll {
        built: Vec::new(),
        failed: Vec::new(),
    };
    for version in &versions {
        for architecture in &architectures {
            let mut options = options.clone();
            options.runtime.r_version.clone_from(version);
            options.runtime.arch.clone_from(architecture);
            built_runtime::take_over(&mut options.runtime, &manifest);
            let failure = |layer: &str, error: anyhow::Error| {
                let what = describe(layer, version, architecture);
                reporter.warn(&format!("{what} was not built"));
                Failure {
                    layer: layer.to_owned(),
                    r_version: version.clone(),
                    architecture: architecture.clone(),
                    error: format!("{error:#}"),
                }
            };
            let args = BuildRuntimeArgs {
                upgrade,
                options: options.runtime.clone(),
            };
            match build_runtime::run(args, reporter).await {
                Ok(built) => all.built.push(built),
                Err(error) => {
                    // Layers of packages are made for a runtime that is there.
                    all.failed.push(failure("runtime", error));
                    continue;
                }
            }
            match package_layers::build_all(options, reporter).await {
                Ok(outcomes) => {
                    for (layer, outcome) in outcomes {
                        match outcome {
                            Ok(built) => all.built.extend(built),
                            Err(error) => all.failed.push(failure(layer.as_str(), error)),
                        }
                    }
                }
                Err(error) => all.failed.push(failure("packages", error)),
            }
        }
    }
    Ok(all)
}

/// The one of the flag, else those of the manifest, else the default.
fn listed(flag: Option<String>, manifest: Vec<String>) -> Vec<Option<String>> {
    match flag {
        Some(flag) => vec![Some(flag)],
        None if manifest.is_empty() => vec![None],
        None => manifest.into_iter().map(Some).collect(),
    }
}

fn describe(layer: &str, version: &Option<String>, architecture: &Option<String>) -> String {
    let version = version.as_deref().unwrap_or("default");
    let what = match layer {
        "runtime" => String::new(),
        layer => format!("the layer {layer} for "),
    };
    match architecture {
        Some(architecture) => format!("{what}R {version} for {architecture}"),
        None => format!("{what}R {version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_stands_for_the_list() {
        let text = |text: &str| text.to_owned();
        assert_eq!(listed(None, Vec::new()), [None]);
        assert_eq!(
            listed(None, vec![text("4.4"), text("4.5")]),
            [Some(text("4.4")), Some(text("4.5"))]
        );
        assert_eq!(
            listed(Some(text("4.3")), vec![text("4.4")]),
            [Some(text("4.3"))]
        );
    }

    #[test]
    fn the_outcome_says_whether_all_some_or_none_were_built() {
        let failed = || Failure {
            layer: "runtime".to_owned(),
            r_version: None,
            architecture: None,
            error: String::new(),
        };
        let none = BuiltAll {
            built: Vec::new(),
            failed: vec![failed()],
        };
        assert_eq!(none.outcome(), Outcome::Fault);
        let nothing_to_do = BuiltAll {
            built: Vec::new(),
            failed: Vec::new(),
        };
        assert_eq!(nothing_to_do.outcome(), Outcome::Done);
    }
}
