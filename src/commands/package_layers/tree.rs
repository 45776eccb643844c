//! `r-layer tree`: why a package is there, as the lock has it.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::assembling::requested as requested_of;
use super::requests::parse;
use crate::cli::TreeArgs;
use crate::commands::settings;
use crate::lockfile::{BuiltFor, LayerTarget, LockedLayer, Lockfile};
use crate::manifest::LayerName;
use crate::nearest::nearest_names;
use crate::package::{RVersion, Requirement};
use crate::resolve::{Dependency, Details, Holder, Origin, Resolution, ResolvedPackage, Role};

/// The trees of layers, as they are printed.
#[derive(Debug, Serialize)]
pub struct Trees {
    layers: Vec<LayerTree>,
}

#[derive(Debug, Serialize)]
struct LayerTree {
    /// `models (x86_64, R 4.5)`.
    layer: String,
    /// Name, version and needs of each package.
    packages: Vec<Node>,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Serialize)]
struct Node {
    name: String,
    version: String,
    requested: bool,
    build_only: bool,
    needs: Vec<String>,
}

impl fmt::Display for Trees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, tree) in self.layers.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{}", tree.layer)?;
            writeln!(f, "{}", tree.text.trim_end())?;
        }
        Ok(())
    }
}

/// Shows what the lock has.
pub fn tree(args: &TreeArgs) -> Result<Trees> {
    let folder = std::env::current_dir().context("the current folder is gone")?;
    let lock = Lockfile::read(&folder)?;
    let architecture = settings::architecture(args.arch.as_deref())?;
    let mut layers = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (name, target) in lock.layers() {
        let is_meant = args
            .layer
            .as_deref()
            .is_none_or(|layer| layer == name.as_str());
        let Some(locked) = lock.layer(name, target) else {
            continue;
        };
        if !is_meant || target.architecture != architecture {
            continue;
        }
        names.extend(locked.packages.keys().cloned());
        let resolution = as_resolution(locked, |package| held(&lock, name, target, package))?;
        let text = match &args.package {
            None => resolution.tree().to_string(),
            Some(package) => match resolution.why(package) {
                Some(why) => why.to_string(),
                None => continue,
            },
        };
        layers.push(LayerTree {
            layer: format!("{name} ({target})"),
            packages: nodes(locked, &resolution),
            text,
        });
    }
    if layers.is_empty() {
        match &args.package {
            Some(package) if !names.is_empty() => {
                let nearest = nearest_names(package, names.iter().map(String::as_str)).join(", ");
                bail!(
                    "no layer that is locked has {package}{}",
                    match nearest.is_empty() {
                        true => String::new(),
                        false => format!("; did you mean {nearest}?"),
                    }
                );
            }
            _ => bail!(
                "r-layer.lock has no such layer for {architecture}; type r-layer add-packages NAME, or r-layer lock"
            ),
        }
    }
    Ok(Trees { layers })
}

fn nodes(locked: &LockedLayer, resolution: &Resolution) -> Vec<Node> {
    let node = |package: &crate::lockfile::LockedPackage| Node {
        name: package.name.clone(),
        version: package.version.clone(),
        requested: resolution.requested.contains(&package.name),
        build_only: package.build_only,
        needs: package.dependencies.clone(),
    };
    locked.packages.values().map(node).collect()
}

/// Which other layer has a package, and at which version.
fn held(
    lock: &Lockfile,
    layer: &LayerName,
    target: &LayerTarget,
    package: &str,
) -> Option<(String, String)> {
    let others = lock
        .layers()
        .filter(|(name, its_target)| *name != layer && *its_target == target);
    let in_layers = others.filter_map(|(name, its_target)| {
        let found = lock.layer(name, its_target)?.packages.get(package)?;
        Some((name.to_string(), found.version.clone()))
    });
    let built_for = BuiltFor {
        architecture: target.architecture,
        r: Some(target.r.clone()),
    };
    let of_runtime = lock
        .versions(package, Some(&built_for))
        .chain(lock.versions(package, None))
        .map(|source| ("runtime".to_owned(), source.version.clone()));
    in_layers.chain(of_runtime).next()
}

/// A locked layer as it was resolved, as far as a tree needs it. `held` says who else has a package.
fn as_resolution(
    locked: &LockedLayer,
    held: impl Fn(&str) -> Option<(String, String)>,
) -> Result<Resolution> {
    let mut requested = requested_of(locked);
    for text in &locked.inputs.requests {
        // What other layers hold was asked for too.
        if let Some(name) = parse(text)?.package()
            && !requested.iter().any(|one| one == name)
        {
            requested.push(name.to_owned());
        }
    }
    let mut wanted_by: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in locked.packages.values() {
        for need in &package.dependencies {
            let wanters = wanted_by.entry(need).or_default();
            wanters.push(package.name.clone());
        }
    }
    // What other layers and R hold is shown by its name.
    let mut packages = BTreeMap::new();
    let elsewhere = wanted_by.keys().copied();
    let elsewhere = elsewhere.chain(requested.iter().map(String::as_str));
    for name in elsewhere.filter(|name| !locked.packages.contains_key(*name)) {
        if let Some((layer, version)) = held(name) {
            let package = resolved(
                name,
                version.parse()?,
                Role::Held,
                &[],
                &requested,
                &wanted_by,
            );
            let origin = Origin::Given(Holder::Layer(layer));
            packages.insert(name.to_owned(), ResolvedPackage { origin, ..package });
        }
    }
    for package in locked.packages.values() {
        let role = match package.build_only {
            true => Role::BuildOnly,
            false => Role::Packed,
        };
        let (name, version) = (package.name.as_str(), package.version.parse::<RVersion>()?);
        let needs = &package.dependencies;
        packages.insert(
            name.to_owned(),
            resolved(name, version, role, needs, &requested, &wanted_by),
        );
    }
    Ok(Resolution {
        packages,
        levels: Vec::new(),
        requested,
        vanished: Vec::new(),
    })
}

fn resolved(
    name: &str,
    version: RVersion,
    role: Role,
    needs: &[String],
    requested: &[String],
    wanted_by: &BTreeMap<&str, Vec<String>>,
) -> ResolvedPackage {
    ResolvedPackage {
        name: name.to_owned(),
        version,
        origin: Origin::Extra {
            index: 0,
            name: "r-layer.lock".to_owned(),
        },
        role,
        is_requested: requested.iter().any(|one| one == name),
        dependencies: needs
            .iter()
            .map(|need| Dependency {
                requirement: Requirement::any(need),
                is_loaded: true,
            })
            .collect(),
        wanted_by: wanted_by.get(name).cloned().unwrap_or_default(),
        details: Details::default(),
    }
}
