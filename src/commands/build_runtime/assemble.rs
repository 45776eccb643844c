//! From R and its packages to a layer tree: what is left out, what comes along.

use anyhow::Result;

use super::PackageFolder;
use super::settings::Settings;
use super::steps::Steps;
use crate::distribution::R;
use crate::elf::LibraryFolders;
use crate::layer::bundled::{leave_out_optional, leave_out_unneeded};
use crate::layer::complete::{AddedLibrary, complete};
use crate::layer::elf_files::{ElfFiles, elf_files};
use crate::layer::prune::{Pruned, prune};
use crate::layer::record::{Saving, SourceRecord};
use crate::layer::runtime::{insert_description, insert_r, insert_runtime};
use crate::layer::strip::strip;
use crate::layer::zoneinfo::{TIME_ZONES, insert_zoneinfo};
use crate::layer::{LayerTree, RuntimeRecipe};

/// A tree that is ready to be zipped, and how it came about.
pub struct Assembled {
    /// The tree.
    pub tree: LayerTree,
    /// What was left out.
    pub savings: Vec<Saving>,
    /// Libraries that came along.
    pub added: Vec<AddedLibrary>,
    /// What it was made from.
    pub sources: Vec<SourceRecord>,
}

/// Puts the runtime layer together.
pub fn assemble(
    r: &R,
    packages: &[PackageFolder],
    settings: &Settings,
    recipe: &RuntimeRecipe,
    steps: &mut Steps<'_>,
) -> Result<Assembled> {
    let (target, architecture) = (settings.target, settings.architecture);
    let mut tree = take_in(r, packages, settings, recipe)?;
    steps.done("folders taken in");
    let (files, left_out) = leave_out(&mut tree, settings, recipe, steps)?;
    let folders = match &r.root {
        Some(root) => LibraryFolders::of_root(root, architecture, &[]),
        None => LibraryFolders::none(),
    };
    let added = complete(&mut tree, &files, target, architecture, &folders)?;
    steps.done("libraries completed");
    let mut sources = r.sources.clone();
    sources.extend(packages.iter().map(|package| package.source.clone()));
    if let Some(release) = insert_zoneinfo(&mut tree) {
        sources.push(SourceRecord {
            name: TIME_ZONES.to_owned(),
            version: release.to_owned(),
            origin: "IANA's, in this r-layer".to_owned(),
            sha256: None,
        });
    }
    sources.sort();
    Ok(Assembled {
        tree,
        savings: left_out
            .into_iter()
            .filter(|rule| rule.files > 0)
            .map(Saving::from)
            .collect(),
        added,
        sources,
    })
}

/// Everything that there is: R, its packages, the runtime.
fn take_in(
    r: &R,
    packages: &[PackageFolder],
    settings: &Settings,
    recipe: &RuntimeRecipe,
) -> Result<LayerTree> {
    let mut tree = LayerTree::default();
    insert_r(&mut tree, &r.home)?;
    for package in packages {
        let place = format!("R/library/{}", package.name);
        tree.insert_folder(&place, &package.folder)?;
    }
    insert_runtime(&mut tree);
    insert_description(
        &mut tree,
        &recipe.name,
        &r.version.to_string(),
        &settings.target.name,
        settings.architecture.aws_name(),
    );
    Ok(tree)
}

/// Leaves out what nothing on Lambda needs. Returns the ELF files that stay, and what was left out.
fn leave_out(
    tree: &mut LayerTree,
    settings: &Settings,
    recipe: &RuntimeRecipe,
    steps: &mut Steps<'_>,
) -> Result<(ElfFiles, Vec<Pruned>)> {
    let mut left_out = prune(tree, &recipe.prune)?;
    steps.done("pruned");
    let mut files = elf_files(tree)?;
    steps.done("ELF headers read");
    let provided = |soname: &str| settings.target.guarantees(soname, settings.architecture);
    left_out.extend(leave_out_optional(
        tree,
        &mut files,
        &recipe.optional,
        provided,
    )?);
    left_out.push(leave_out_unneeded(tree, &mut files));
    let stripped = strip(tree, &files)?;
    left_out.push(Pruned {
        reason: "symbols and debug information, which only debuggers read".to_owned(),
        files: stripped.files,
        bytes: stripped.bytes,
    });
    steps.done("stripped");
    Ok((files, left_out))
}
