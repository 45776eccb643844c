//! `r-layer remove-packages`.

use anyhow::{Context, Result};

use super::Changed;
use super::project::Project;
use crate::cli::RemovePackagesArgs;
use crate::lockfile::LockDifference;
use crate::manifest::{LayerName, ManifestDocument};
use crate::progress::Reporter;
use crate::resolve::Upgrade;

/// Takes packages out of a layer, and builds what is left of it.
pub async fn remove(args: RemovePackagesArgs, reporter: &dyn Reporter) -> Result<Changed> {
    let layer: LayerName = args.layer.parse()?;
    let folder = std::env::current_dir().context("the current folder is gone")?;
    let mut document = ManifestDocument::read(&folder)?;
    let manifest = document.remove_packages(&layer, &args.packages)?;
    let is_left = document.manifest().layers.contains_key(&layer);
    let mut project = Project::open(document, args.options, args.dry_run, reporter)?;
    let mut layers = Vec::new();
    if is_left {
        let runtime = project.runtime_r().await?;
        let section = project.section(&layer, None);
        let resolved = project
            .resolve_layer(&layer, &section, &runtime, Upgrade::Nothing)
            .await?;
        let target = project.target(&runtime.r);
        project.lock.pin_layer(&layer, &target, resolved.clone());
        if !args.dry_run {
            layers = project
                .pack_layer(&layer, &section, &resolved, &runtime, &[])
                .await?;
        }
    } else {
        project.lock.retain_layers(|name, _| *name != layer);
    }
    let lock = LockDifference::between(&project.lock_before, &project.lock);
    if !args.dry_run {
        project.document.write()?;
        project.lock.write()?;
        if !is_left {
            project.remove_built(|record| record.layer_of_packages() == Some(layer.as_str()))?;
        }
    }
    project.warn_of_dangling();
    Ok(Changed {
        dry_run: args.dry_run,
        manifest,
        lock,
        layers,
    })
}
