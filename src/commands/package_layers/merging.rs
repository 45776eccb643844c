//! `r-layer build NAME… --merge NAME`: one layer of several, as a function has at most five.

use anyhow::{Context, Result, bail};

use super::Changed;
use super::build::{as_locked, is_ready, known, ready};
use super::project::Project;
use crate::cli::PackageOptions;
use crate::lockfile::{LockDifference, LockedLayer};
use crate::manifest::{Compression, LayerName, LayerSection, ManifestDocument};
use crate::progress::Reporter;

/// Builds one layer with the packages of all that are named; each stays locked by itself.
pub async fn merge(
    names: &[String],
    merged: &str,
    options: PackageOptions,
    reporter: &dyn Reporter,
) -> Result<Changed> {
    let folder = std::env::current_dir().context("the current folder is gone")?;
    let document = ManifestDocument::read(&folder)?;
    let name: LayerName = merged.parse()?;
    if document.manifest().layers.contains_key(&name) || is_ready(&name) {
        bail!(
            "--merge {name}: there is a layer of that name; take another for the one that is made of several"
        );
    }
    let layers = names.iter().map(|name| known(name, &document));
    let layers = layers.collect::<Result<Vec<_>>>()?;
    let mut project = Project::open(document, options, false, reporter)?;
    let runtime = project.runtime_r().await?;
    let (mut section, mut locked) = (LayerSection::default(), LockedLayer::default());
    for layer in &layers {
        let its_section = project.section(layer, ready(layer));
        let its = as_locked(&mut project, layer, &its_section, &runtime).await?;
        add(&mut section, &mut locked, its_section, its);
    }
    section.description = Some(format!("R packages of the layers {}", names.join(", ")));
    let ready = project.ready_recipes(&layers);
    let built = project
        .pack_layer(&name, &section, &locked, &runtime, &ready)
        .await?;
    project.lock.write()?;
    Ok(Changed {
        lock: LockDifference::between(&project.lock_before, &project.lock),
        layers: built,
        ..Changed::default()
    })
}

/// Adds a layer to those that are merged. A package of several is the one that goes into the layer, if one of them has it
/// for more than compiling.
fn add(
    section: &mut LayerSection,
    locked: &mut LockedLayer,
    its_section: LayerSection,
    its: LockedLayer,
) {
    section.keep.extend(its_section.keep);
    if its_section.compression == Compression::Best {
        section.compression = Compression::Best;
    }
    section.system_packages.extend(its_section.system_packages);
    locked.inputs.requests.extend(its.inputs.requests);
    for (name, package) in its.packages {
        let is_packed = locked
            .packages
            .get(&name)
            .is_some_and(|one| !one.build_only);
        if !is_packed {
            locked.packages.insert(name, package);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::{LockedPackage, PackageOrigin};

    #[test]
    fn what_one_of_the_layers_packs_is_packed() {
        let layer = |build_only| {
            let package = LockedPackage {
                name: "Rcpp".to_owned(),
                version: "1.0.14".to_owned(),
                origin: PackageOrigin::WithR,
                dependencies: Vec::new(),
                build_only,
            };
            LockedLayer::new(Default::default(), [package])
        };
        for order in [[true, false], [false, true]] {
            let (mut section, mut locked) = (LayerSection::default(), LockedLayer::default());
            for build_only in order {
                add(
                    &mut section,
                    &mut locked,
                    LayerSection::default(),
                    layer(build_only),
                );
            }
            assert!(!locked.packages["Rcpp"].build_only);
        }
    }
}
