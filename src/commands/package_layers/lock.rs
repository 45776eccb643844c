//! `r-layer lock`.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use super::Changed;
use super::project::Project;
use crate::cli::LockArgs;
use crate::lockfile::{LockDifference, Lockfile};
use crate::manifest::{LayerName, ManifestDocument};
use crate::nearest::nearest_names;
use crate::progress::Reporter;
use crate::resolve::Upgrade;

/// Resolves every layer of the manifest.
pub async fn lock(args: LockArgs, reporter: &dyn Reporter) -> Result<Changed> {
    let folder = std::env::current_dir().context("the current folder is gone")?;
    let document = ManifestDocument::read(&folder)?;
    let layers: Vec<LayerName> = document.manifest().layers.keys().cloned().collect();
    if layers.is_empty() {
        bail!("r-layer.toml has no layer of packages; type r-layer add-packages NAME");
    }
    let mut project = Project::open(document, args.options, args.dry_run, reporter)?;
    let runtime = project.runtime_r().await?;
    let target = project.target(&runtime.r);
    let upgrade = upgrade_of(&args.upgrade);
    match &upgrade {
        Upgrade::Nothing => {}
        // What one package's upgrade needs of the system's is looked for when it is built; the rest stays.
        Upgrade::Named(names) => check_locked(names, &project.lock)?,
        Upgrade::All => project.lock.forget_rpms(),
    }
    for layer in &layers {
        let section = project.section(layer, None);
        let upgrade = upgrade.clone();
        let resolved = project
            .resolve_layer(layer, &section, &runtime, upgrade)
            .await
            .with_context(|| format!("the layer {layer}"))?;
        project.lock.pin_layer(layer, &target, resolved);
    }
    let manifest = project.document.manifest().clone();
    project.lock.retain_layers(|name, _| {
        manifest.layers.contains_key(name) || super::build::is_ready(name)
    });
    let lock = LockDifference::between(&project.lock_before, &project.lock);
    if !args.dry_run {
        project.lock.write()?;
    }
    Ok(Changed {
        dry_run: args.dry_run,
        lock,
        ..Changed::default()
    })
}

/// `--upgrade` alone means all; with names, these.
fn upgrade_of(flags: &[String]) -> Upgrade {
    match flags {
        [] => Upgrade::Nothing,
        flags if flags.iter().any(String::is_empty) => Upgrade::All,
        flags => Upgrade::Named(flags.iter().cloned().collect()),
    }
}

/// What is to be upgraded is locked, in some layer.
fn check_locked(names: &BTreeSet<String>, lock: &Lockfile) -> Result<()> {
    let layers = lock
        .layers()
        .filter_map(|(name, target)| lock.layer(name, target));
    let locked: BTreeSet<&str> = layers
        .flat_map(|layer| layer.packages.keys().map(String::as_str))
        .collect();
    let Some(unknown) = names.iter().find(|name| !locked.contains(name.as_str())) else {
        return Ok(());
    };
    let nearest = nearest_names(unknown, locked.iter().copied());
    let hint = match nearest.is_empty() {
        true => "r-layer tree shows what is".to_owned(),
        false => format!("did you mean {}?", nearest.join(", ")),
    };
    bail!("--upgrade {unknown}: no layer has that package locked; {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upgrade_without_a_name_means_all() {
        let flags = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(upgrade_of(&[]), Upgrade::Nothing);
        assert_eq!(upgrade_of(&flags(&[""])), Upgrade::All);
        assert_eq!(upgrade_of(&flags(&["cli", ""])), Upgrade::All);
        let named = Upgrade::Named(["cli".to_owned()].into());
        assert_eq!(upgrade_of(&flags(&["cli"])), named);
    }
}
