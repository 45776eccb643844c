//! `r-layer build NAME…`: layers of the manifest, and ready ones.

use anyhow::{Context, Result, bail};

use super::Changed;
use super::project::{Project, RuntimeR};
use crate::cli::PackageOptions;
use crate::commands::packing::Built;
use crate::layer::package_recipe::PackageLayerRecipe;
use crate::lockfile::{LockDifference, LockedLayer};
use crate::manifest::{LayerName, LayerSection, ManifestDocument};
use crate::nearest::nearest_names;
use crate::progress::Reporter;
use crate::resolve::Upgrade;

/// Builds layers by their names.
pub async fn build(
    names: &[String],
    options: PackageOptions,
    reporter: &dyn Reporter,
) -> Result<Changed> {
    let folder = std::env::current_dir().context("the current folder is gone")?;
    let document = ManifestDocument::read(&folder)?;
    let layers = names.iter().map(|name| known(name, &document));
    let layers = layers.collect::<Result<Vec<_>>>()?;
    let mut project = Project::open(document, options, false, reporter)?;
    let runtime = project.runtime_r().await?;
    let mut built = Vec::new();
    for layer in &layers {
        built.extend(build_one(&mut project, layer, &runtime).await?);
    }
    let lock = LockDifference::between(&project.lock_before, &project.lock);
    Ok(Changed {
        lock,
        layers: built,
        ..Changed::default()
    })
}

/// Builds every layer of the manifest; each ends by itself.
pub async fn build_all(
    options: PackageOptions,
    reporter: &dyn Reporter,
) -> Result<Vec<(LayerName, Result<Vec<Built>>)>> {
    let folder = std::env::current_dir().context("the current folder is gone")?;
    let document = ManifestDocument::read(&folder)?;
    let layers: Vec<LayerName> = document.manifest().layers.keys().cloned().collect();
    if layers.is_empty() {
        return Ok(Vec::new());
    }
    let mut project = Project::open(document, options, false, reporter)?;
    let runtime = project.runtime_r().await?;
    let mut outcomes = Vec::new();
    for layer in layers {
        let outcome = build_one(&mut project, &layer, &runtime).await;
        outcomes.push((layer, outcome));
    }
    Ok(outcomes)
}

async fn build_one(
    project: &mut Project<'_>,
    layer: &LayerName,
    runtime: &RuntimeR,
) -> Result<Vec<Built>> {
    let section = project.section(layer, ready(layer));
    project.tell_of_flags(layer);
    let locked = as_locked(project, layer, &section, runtime).await?;
    let built = project
        .pack_layer(
            layer,
            &section,
            &locked,
            runtime,
            &project.ready_recipes([layer]),
        )
        .await
        .with_context(|| format!("the layer {layer}"))?;
    if !project.options.locked {
        project.lock.write()?;
    }
    Ok(built)
}

/// A layer as it is locked, if it was locked for the same requests; else it is resolved, unless `--locked` forbids it.
pub(super) async fn as_locked(
    project: &mut Project<'_>,
    layer: &LayerName,
    section: &LayerSection,
    runtime: &RuntimeR,
) -> Result<LockedLayer> {
    let target = project.target(&runtime.r);
    let inputs = project.inputs(section);
    match project.lock.layer_as_locked(layer, &target, &inputs) {
        Ok(locked) => {
            let changed = project.changed_here(locked, runtime).await;
            if project.options.locked || changed.is_empty() {
                return Ok(locked.clone());
            }
            project.reporter().note(&format!(
                "{} changed since the layer {layer} was locked: it is locked anew",
                changed.join(", ")
            ));
        }
        Err(error) if project.options.locked => return Err(error.into()),
        Err(_) => {}
    }
    let resolved = project
        .resolve_layer(layer, section, runtime, Upgrade::Nothing)
        .await
        .with_context(|| format!("the layer {layer}"))?;
    project.lock.pin_layer(layer, &target, resolved.clone());
    Ok(resolved)
}

/// The section of a layer that is ready in this program.
pub(super) fn ready(layer: &LayerName) -> Option<LayerSection> {
    let recipe = PackageLayerRecipe::named(layer.as_str())?;
    Some(LayerSection {
        description: Some(recipe.description.clone()),
        packages: recipe.packages.clone(),
        compression: recipe.compression,
        ..LayerSection::default()
    })
}

/// Is it a layer that needs no manifest?
pub fn is_ready(layer: &LayerName) -> bool {
    PackageLayerRecipe::named(layer.as_str()).is_some()
}

/// The layer of that name, if there is one.
pub(super) fn known(name: &str, document: &ManifestDocument) -> Result<LayerName> {
    let layer: LayerName = name.parse()?;
    if document.manifest().layers.contains_key(&layer) || is_ready(&layer) {
        return Ok(layer);
    }
    let listed = document.manifest().layers.keys().map(LayerName::as_str);
    let ready = PackageLayerRecipe::all().iter().map(|recipe| recipe.name);
    let names: Vec<&str> = listed.chain(["runtime"]).chain(ready).collect();
    let nearest = nearest_names(name, names.iter().copied());
    let hint = match nearest.first() {
        Some(nearest) => format!("Did you mean {nearest}? "),
        None => String::new(),
    };
    bail!(
        "there is no layer {name}. {hint}There are: {}. r-layer add-packages PACKAGE --layer {name} makes one",
        names.join(", ")
    )
}
