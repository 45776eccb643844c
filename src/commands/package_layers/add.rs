//! `r-layer add-packages`.

use anyhow::{Context, Result};

use super::Changed;
use super::build::is_ready;
use super::from_file::FromFile;
use super::project::{Project, layer_options, typed_repositories};
use super::requests::parse;
use crate::cli::AddPackagesArgs;
use crate::lockfile::LockDifference;
use crate::manifest::{LayerName, ManifestChange, ManifestDocument};
use crate::progress::Reporter;
use crate::resolve::Upgrade;

/// Adds packages to a layer of the manifest, resolves, locks and builds it. The manifest and the lock are written when the
/// layer is there: what fails changes nothing.
pub async fn add(args: AddPackagesArgs, reporter: &dyn Reporter) -> Result<Changed> {
    let layer: LayerName = args.layer.parse()?;
    let folder = std::env::current_dir().context("the current folder is gone")?;
    let mut document = ManifestDocument::read(&folder)?;
    let file = args.from.as_deref().map(FromFile::read).transpose()?;
    let mut requests = args.packages.clone();
    let mut manifest = Vec::new();
    // So that the next build finds what this one locks. What is typed counts before what a file has by the same name.
    for (name, base) in typed_repositories(&args.options)? {
        manifest.extend(document.add_repository(&name, &base, None)?);
    }
    if let Some(file) = &file {
        manifest.extend(file.add_repositories(&mut document)?);
        requests.extend(file.requests.iter().cloned());
    }
    for request in &requests {
        parse(request)?;
    }
    manifest.extend(document.add_packages(&layer, &requests)?);
    manifest.extend(document.set_options(&layer, &layer_options(&args.options))?);
    tell_of_ready(&layer, &manifest, reporter);
    let mut project = Project::open(document, args.options, args.dry_run, reporter)?;
    let runtime = project.runtime_r().await?;
    if let Some(file) = &file {
        file.check_r(&runtime.r.version)?;
    }
    let section = project.section(&layer, None);
    let resolved = project
        .resolve_layer(&layer, &section, &runtime, Upgrade::Nothing)
        .await?;
    let target = project.target(&runtime.r);
    project.lock.pin_layer(&layer, &target, resolved.clone());
    let mut changed = Changed {
        dry_run: args.dry_run,
        manifest,
        lock: LockDifference::between(&project.lock_before, &project.lock),
        layers: Vec::new(),
    };
    if args.dry_run {
        return Ok(changed);
    }
    changed.layers = project
        .pack_layer(&layer, &section, &resolved, &runtime, &[])
        .await?;
    project.document.write()?;
    project.lock.write()?;
    Ok(changed)
}

/// A layer of the manifest goes before a ready one of its name.
fn tell_of_ready(layer: &LayerName, changes: &[ManifestChange], reporter: &dyn Reporter) {
    let is_new = |change: &ManifestChange| matches!(change, ManifestChange::LayerAdded { .. });
    if is_ready(layer) && changes.iter().any(is_new) {
        reporter.warn(&format!(
            "r-layer has a ready layer {layer}; from now on [layers.{layer}] of r-layer.toml is built in its place, with its \
             own packages alone. Another name (--layer NAME) leaves the ready one as it is"
        ));
    }
}
