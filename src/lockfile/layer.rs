//! `[[layer]]`: what a layer of packages was resolved from, and for what.
//!
//! In the program each target of a layer has packages of its own. In the file a source that is the same for all targets
//! of its layer stands once.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::package::{LockedPackage, PackageEntry, PackageKind};
use crate::manifest::{LayerName, PackageType};
use crate::target::Architecture;

/// What a layer of packages is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LayerTarget {
    /// The processor.
    pub architecture: Architecture,
    /// The minor version of R, `4.5`.
    pub r: String,
}

impl fmt::Display for LayerTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, R {}", self.architecture, self.r)
    }
}

/// What decides which packages a layer is made of, as the manifest has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerInputs {
    /// The requests: `Matrix`, `dplyr>=1.1`; their order makes no difference.
    pub requests: Vec<String>,
    /// The repositories in order: name and URL, with the day of its snapshot, parted by a space.
    pub repositories: Vec<String>,
    /// Binaries or sources.
    pub package_type: PackageType,
    /// Packages that are compiled all the same; their order makes no difference.
    pub from_source: Vec<String>,
}

impl LayerInputs {
    fn canonical(mut self) -> LayerInputs {
        for list in [&mut self.requests, &mut self.from_source] {
            list.sort();
            list.dedup();
        }
        self
    }

    /// What is different, for people: `+ dplyr>=1.1`, `- readr`; nothing if they mean the same.
    pub fn changes(&self, new: &LayerInputs) -> Vec<String> {
        let (old, new) = (self.clone().canonical(), new.clone().canonical());
        let mut changes = Vec::new();
        for (before, now, what) in [
            (&old.requests, &new.requests, ""),
            (&old.repositories, &new.repositories, "repository "),
            (&old.from_source, &new.from_source, "from source: "),
        ] {
            let lacking = |list: &Vec<String>, item: &String| !list.contains(item);
            let gone = before.iter().filter(|item| lacking(now, item));
            let came = now.iter().filter(|item| lacking(before, item));
            changes.extend(gone.map(|item| format!("- {what}{item}")));
            changes.extend(came.map(|item| format!("+ {what}{item}")));
        }
        if changes.is_empty() && old.repositories != new.repositories {
            changes.push("the repositories are in another order".to_owned());
        }
        if old.package_type != new.package_type {
            changes.push("another package-type".to_owned());
        }
        changes
    }
}

/// A layer as it was resolved for a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedLayer {
    /// What it was resolved from.
    pub inputs: LayerInputs,
    /// Its packages, by name.
    pub packages: BTreeMap<String, LockedPackage>,
}

impl LockedLayer {
    /// A layer of these packages.
    pub fn new(inputs: LayerInputs, packages: impl IntoIterator<Item = LockedPackage>) -> Self {
        let packages = packages.into_iter().map(|mut package| {
            package.dependencies.sort();
            package.dependencies.dedup();
            (package.name.clone(), package)
        });
        LockedLayer {
            inputs: inputs.canonical(),
            packages: packages.collect(),
        }
    }
}

/// Why a build cannot take what is locked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAsLocked {
    /// Never resolved for the target.
    #[error("the layer {layer} is not locked for {target}; type r-layer lock")]
    NotLocked {
        /// The layer.
        layer: LayerName,
        /// The target.
        target: LayerTarget,
    },
    /// Resolved from something else.
    #[error(
        "the manifest has changed since the layer {layer} was locked for {target}: {}; type r-layer lock", changes.join(", ")
    )]
    Changed {
        /// The layer.
        layer: LayerName,
        /// The target.
        target: LayerTarget,
        /// What is different.
        changes: Vec<String>,
    },
}

pub(super) type Layers = BTreeMap<(LayerName, LayerTarget), LockedLayer>;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerEntry {
    name: LayerName,
    architecture: Architecture,
    r: String,
    #[serde(default)]
    requests: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    repositories: Vec<String>,
    #[serde(default, rename = "package-type", skip_serializing_if = "is_default")]
    package_type: PackageType,
    #[serde(default, rename = "from-source", skip_serializing_if = "Vec::is_empty")]
    from_source: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_default(package_type: &PackageType) -> bool {
    *package_type == PackageType::default()
}

/// The layers as the file has them, in canonical order.
pub(super) fn to_entries(layers: &Layers) -> (Vec<LayerEntry>, Vec<PackageEntry>) {
    let layer_entries = layers.iter().map(|((name, target), layer)| LayerEntry {
        name: name.clone(),
        architecture: target.architecture,
        r: target.r.clone(),
        requests: layer.inputs.requests.clone(),
        repositories: layer.inputs.repositories.clone(),
        package_type: layer.inputs.package_type,
        from_source: layer.inputs.from_source.clone(),
    });
    let mut packages = Vec::new();
    for ((name, target), layer) in layers {
        for package in layer.packages.values() {
            let is_shared = package.kind() != PackageKind::Binary
                && of_layer(layers, name)
                    .all(|other| other.packages.get(&package.name) == Some(package));
            let target = if is_shared { None } else { Some(target) };
            packages.push(PackageEntry::new(name, target, package));
        }
    }
    packages.sort();
    packages.dedup();
    (layer_entries.collect(), packages)
}

fn of_layer<'a>(layers: &'a Layers, name: &'a LayerName) -> impl Iterator<Item = &'a LockedLayer> {
    layers
        .iter()
        .filter(move |((other, _), _)| other == name)
        .map(|(_, layer)| layer)
}

/// The layers that entries tell of; what makes no sense together, as after a merge by hand, is an error.
pub(super) fn from_entries(
    entries: Vec<LayerEntry>,
    packages: Vec<PackageEntry>,
) -> Result<Layers, String> {
    let mut layers = Layers::new();
    for entry in entries {
        let target = LayerTarget {
            architecture: entry.architecture,
            r: entry.r,
        };
        let inputs = LayerInputs {
            requests: entry.requests,
            repositories: entry.repositories,
            package_type: entry.package_type,
            from_source: entry.from_source,
        };
        let twice = format!("the layer {} is there twice for {target}", entry.name);
        let layer = LockedLayer::new(inputs, []);
        if layers.insert((entry.name, target), layer).is_some() {
            return Err(twice);
        }
    }
    for entry in packages {
        let (name, target) = (entry.layer.clone(), entry.target());
        let package = entry.package()?;
        let of_targets = layers.iter_mut().filter(|((other, of), _)| {
            *other == name && target.as_ref().is_none_or(|target| of == target)
        });
        let mut is_alone = true;
        for (_, layer) in of_targets {
            is_alone = false;
            if layer
                .packages
                .insert(package.name.clone(), package.clone())
                .is_some()
            {
                return Err(format!(
                    "the package {} is there twice in {name}",
                    package.name
                ));
            }
        }
        if is_alone {
            return Err(format!(
                "the package {} is of {name}, which is no layer of the lock",
                package.name
            ));
        }
    }
    Ok(layers)
}
