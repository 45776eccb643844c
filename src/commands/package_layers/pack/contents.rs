//! The packages as a tree: what is left out, stripped and compressed better, package by package.

use std::collections::BTreeMap;

use anyhow::Result;

use super::plan::LayerPlan;
use crate::commands::packing::package_of;
use crate::layer::elf_files::elf_files;
use crate::layer::prune::{prune, prune_telling};
use crate::layer::recompress::recompress_databases;
use crate::layer::record::Saving;
use crate::layer::split::PossibleSaving;
use crate::layer::strip::strip;
use crate::layer::{LayerTree, PackagePruning};
use crate::manifest::Compression;

/// A tree of packages, and what was left out of it.
pub struct Contents {
    /// The tree.
    pub tree: LayerTree,
    /// What was left out of which package.
    pub savings: Savings,
    /// What more could be left out.
    pub possible: Vec<PossibleSaving>,
}

/// What was left out: (its rule's place, package) → files and bytes.
#[derive(Default)]
pub struct Savings {
    reasons: Vec<String>,
    left_out: BTreeMap<(usize, String), (usize, u64)>,
}

impl Savings {
    fn add(&mut self, reason: &str, path: &str, bytes: u64) {
        let place = self.reasons.iter().position(|known| known == reason);
        let place = place.unwrap_or_else(|| {
            self.reasons.push(reason.to_owned());
            self.reasons.len() - 1
        });
        let package = package_of(path).unwrap_or_default().to_owned();
        let (files, sum) = self.left_out.entry((place, package)).or_default();
        *files += 1;
        *sum += bytes;
    }

    /// What was left out of those packages, rule by rule.
    pub fn of(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<Saving> {
        let mut savings: BTreeMap<usize, Saving> = BTreeMap::new();
        let wanted = self.left_out.iter();
        for ((place, _), (files, bytes)) in wanted.filter(|((_, name), _)| is_wanted(name)) {
            let saving = savings.entry(*place).or_insert_with(|| Saving {
                reason: self.reasons[*place].clone(),
                files: 0,
                bytes: 0,
            });
            saving.files += files;
            saving.bytes += bytes;
        }
        savings.into_values().collect()
    }
}

/// Takes the packages in, and leaves out what nothing on Lambda needs.
pub fn contents(plan: &LayerPlan<'_>) -> Result<Contents> {
    let pruning = PackagePruning::embedded();
    let of_r = plan.beside_packages.of_r.as_ref();
    let mut tree = of_r.map_or_else(LayerTree::default, |(tree, _)| tree.clone());
    for package in &plan.packages {
        let place = format!("R/library/{}", package.name);
        tree.insert_tree(&place, package.files.clone());
    }
    let mut savings = Savings::default();
    let rules = pruning.rules(&plan.keep)?;
    prune_telling(&mut tree, &rules, |rule, path, bytes| {
        savings.add(&rule.reason, path, bytes);
    })?;
    let possible = possible_savings(&tree, &plan.keep)?;
    strip_telling(&mut tree, &mut savings)?;
    if plan.compression == Compression::Best {
        for rule in &pruning.recompress {
            recompress_databases(&mut tree, &rule.files)?;
        }
    }
    Ok(Contents {
        tree,
        savings,
        possible,
    })
}

fn strip_telling(tree: &mut LayerTree, savings: &mut Savings) -> Result<()> {
    let files = elf_files(tree)?;
    let sizes: Vec<(&String, u64)> = files
        .keys()
        .filter_map(|path| Some((path, tree.get(path)?.size)))
        .collect();
    strip(tree, &files)?;
    for (path, before) in sizes {
        let after = tree.get(path).map_or(before, |entry| entry.size);
        if after < before {
            let reason = "symbols and debug information, which only debuggers read";
            savings.add(reason, path, before - after);
        }
    }
    Ok(())
}

/// What leaving out would save that was kept because somebody said so.
fn possible_savings(tree: &LayerTree, keep: &[String]) -> Result<Vec<PossibleSaving>> {
    let pruning = PackagePruning::embedded();
    let mut possible = Vec::new();
    for name in keep {
        let others: Vec<String> = pruning.prune.iter().map(|rule| rule.keep.clone()).collect();
        let others: Vec<String> = others.into_iter().filter(|other| other != name).collect();
        let pruned = prune(&mut tree.clone(), &pruning.rules(&others)?)?;
        possible.push(PossibleSaving {
            how: format!("without `--keep {name}`"),
            unzipped: pruned.iter().map(|pruned| pruned.bytes).sum(),
        });
    }
    Ok(possible)
}
