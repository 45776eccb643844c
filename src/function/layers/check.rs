//! What must hold of the layers of a function together, so that it starts and answers.

use std::collections::{BTreeMap, BTreeSet};

use super::FunctionLayer;
use crate::publication::LayerArn;
use crate::target::{Architecture, Limits};

/// What the layers are for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The function's processor.
    pub architecture: Architecture,
    /// Bytes of the function's own files, where they are known.
    pub code_unzipped: Option<u64>,
    /// What Lambda takes.
    pub limits: &'a Limits,
}

/// Why a function cannot have these layers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayerFault {
    /// Nothing in them starts.
    #[error(
        "there is no runtime layer among its layers, and a layer of packages alone cannot start (Lambda would say \
         \"Couldn't find valid bootstrap(s)\"); add it with --layer runtime"
    )]
    NoRuntime,
    /// Two of them start.
    #[error(
        "it would have {} runtime layers, of which Lambda would start one: {}; take the others out with r-layer detach \
         --layer ARN, or their layer's new version in their place",
        .0.len(), .0.join(", ")
    )]
    SeveralRuntimes(Vec<String>),
    /// One for another processor.
    #[error(
        "{layer} is for {}, and the function is for {function}; publish it with --arch {function} and name that one, or \
         deploy the function for {}", layer_architectures.join(" and "), layer_architectures.join(" or ")
    )]
    Architecture {
        /// The layer version.
        layer: String,
        /// What it is for.
        layer_architectures: Vec<String>,
        /// What the function is for.
        function: Architecture,
    },
    /// More than Lambda takes.
    #[error(
        "it would have {} layers, and Lambda takes {limit}: {}; `r-layer build --merge` makes one layer of several, and \
         r-layer detach takes out what is not needed", layers.len(), layers.join(", ")
    )]
    TooMany {
        /// All of them.
        layers: Vec<String>,
        /// How many it takes.
        limit: usize,
    },
    /// Two versions of one layer.
    #[error("it would have {layer} twice, as versions {}; name one of them", versions.join(" and "))]
    TwoVersions {
        /// The layer.
        layer: String,
        /// Their numbers.
        versions: Vec<String>,
    },
    /// Packages for one R beside another.
    #[error(
        "its layers are for different versions of R: {}; packages work with the minor version of R that they were built \
         for: attach all for one of them",
        .0.iter().map(|(minor, layers)| format!("R {minor}: {}", layers.join(", "))).collect::<Vec<_>>().join("; ")
    )]
    DifferentR(BTreeMap<String, Vec<String>>),
    /// Too much to unpack.
    #[error(
        "layers and code together have {total} bytes unzipped, and Lambda takes {limit}: {}; leave packages out, or make a \
         container image, which takes 10 GB: r-layer image build",
        parts.iter().map(|(part, size)| format!("{part} {size}")).collect::<Vec<_>>().join(", ")
    )]
    TooLarge {
        /// Bytes.
        total: u64,
        /// Bytes.
        limit: u64,
        /// What of it is whose, the heaviest first.
        parts: Vec<(String, u64)>,
    },
    /// A package twice, and not the same.
    #[error(
        "the package {package} is in {}; the last one counts, and the others were tested without it: build these layers in \
         one project, with r-layer build --all",
        versions.iter().map(|(layer, version)| format!("{layer} ({version})")).collect::<Vec<_>>().join(" and in ")
    )]
    PackageTwice {
        /// The package.
        package: String,
        /// Layer, version.
        versions: Vec<(String, String)>,
    },
}

/// All that is wrong with the layers that a function is to have.
pub fn check(layers: &[FunctionLayer], question: &Question) -> Vec<LayerFault> {
    let mut faults = Vec::new();
    faults.extend(number_of_runtimes(layers));
    faults.extend(architectures(layers, question.architecture));
    if layers.len() > question.limits.layers {
        faults.push(LayerFault::TooMany {
            layers: layers.iter().map(name).collect(),
            limit: question.limits.layers,
        });
    }
    faults.extend(two_versions(layers));
    faults.extend(different_r(layers));
    faults.extend(too_large(layers, question));
    faults.extend(packages_twice(layers));
    faults
}

/// What could not be looked at, for people: a line for each. `question` is the one of [`check`].
pub fn unknowns(layers: &[FunctionLayer], question: &Question) -> Vec<String> {
    let without_size = layers
        .iter()
        .filter(|layer| layer.content.unzipped.is_none());
    let mut unknown: Vec<String> = without_size.map(name).collect();
    if question.code_unzipped.is_none() {
        unknown.push("the function's code".to_owned());
    }
    let mut lines = Vec::new();
    if !unknown.is_empty() {
        lines.push(format!(
            "how large it is unzipped is not known of {}, so that Lambda's limit of {} bytes is not checked for it",
            unknown.join(", "),
            question.limits.unzipped
        ));
    }
    let unseen = layers
        .iter()
        .filter(|layer| !layer.is_ours() && layer.content.has_bootstrap.is_none());
    let unseen: Vec<String> = unseen.map(name).collect();
    if !unseen.is_empty() {
        lines.push(format!(
            "what is in {} could not be looked at: whether it has a bootstrap or R packages of its own",
            unseen.join(", ")
        ));
    }
    lines
}

fn name(layer: &FunctionLayer) -> String {
    format!("{}:{}", layer.arn.layer.layer, layer.arn.version)
}

fn number_of_runtimes(layers: &[FunctionLayer]) -> Option<LayerFault> {
    let runtimes: Vec<String> = layers
        .iter()
        .filter(|layer| layer.is_runtime())
        .map(name)
        .collect();
    // One that nobody could look into may have it.
    let may_start = layers
        .iter()
        .any(|layer| !layer.is_ours() && layer.content.has_bootstrap.is_none());
    match runtimes.len() {
        0 if !may_start => Some(LayerFault::NoRuntime),
        0 | 1 => None,
        _ => Some(LayerFault::SeveralRuntimes(runtimes)),
    }
}

fn architectures(layers: &[FunctionLayer], function: Architecture) -> Vec<LayerFault> {
    let for_others = layers.iter().filter(|layer| {
        let known = &layer.content.architectures;
        !known.is_empty() && !known.iter().any(|name| name == function.aws_name())
    });
    let fault = |layer: &FunctionLayer| LayerFault::Architecture {
        layer: name(layer),
        layer_architectures: layer.content.architectures.clone(),
        function,
    };
    for_others.map(fault).collect()
}

fn two_versions(layers: &[FunctionLayer]) -> Vec<LayerFault> {
    let mut versions: BTreeMap<&LayerArn, Vec<String>> = BTreeMap::new();
    for layer in layers {
        let known = versions.entry(&layer.arn.layer).or_default();
        known.push(layer.arn.version.to_string());
    }
    let several = versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1);
    let fault = |(layer, versions): (&LayerArn, Vec<String>)| LayerFault::TwoVersions {
        layer: layer.layer.to_string(),
        versions,
    };
    several.map(fault).collect()
}

fn different_r(layers: &[FunctionLayer]) -> Option<LayerFault> {
    let mut minors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for layer in layers.iter().filter(|layer| layer.is_ours()) {
        if let Some(minor) = &layer.content.r_minor {
            minors.entry(minor.clone()).or_default().push(name(layer));
        }
    }
    (minors.len() > 1).then_some(LayerFault::DifferentR(minors))
}

fn too_large(layers: &[FunctionLayer], question: &Question) -> Option<LayerFault> {
    let sizes = layers.iter();
    let mut parts: Vec<(String, u64)> = sizes
        .filter_map(|layer| Some((name(layer), layer.content.unzipped?)))
        .collect();
    parts.extend(
        question
            .code_unzipped
            .map(|size| ("the function's code".to_owned(), size)),
    );
    parts.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let total = parts.iter().map(|(_, size)| size).sum();
    (total > question.limits.unzipped).then_some(LayerFault::TooLarge {
        total,
        limit: question.limits.unzipped,
        parts,
    })
}

fn packages_twice(layers: &[FunctionLayer]) -> Vec<LayerFault> {
    let mut places: BTreeMap<&str, Vec<(String, &str)>> = BTreeMap::new();
    for layer in layers {
        for (package, version) in &layer.content.packages {
            if let Some(version) = version {
                let known = places.entry(package).or_default();
                known.push((name(layer), version));
            }
        }
    }
    let mut faults = Vec::new();
    for (package, places) in places {
        let versions: BTreeSet<&str> = places.iter().map(|(_, version)| *version).collect();
        if versions.len() > 1 {
            let owned = |(layer, version): (String, &str)| (layer, version.to_owned());
            faults.push(LayerFault::PackageTwice {
                package: package.to_owned(),
                versions: places.into_iter().map(owned).collect(),
            });
        }
    }
    faults
}

#[cfg(test)]
mod tests;
