//! From installed packages to zips: prune and strip → complete the shared libraries → compress → split → zip → audit
//! beside the function's other layers → load → record.
//!
//! Everything is compressed once, and which zip it goes into is decided by what it takes there.

mod contents;
mod libraries;
mod parts;
mod plan;
mod records;

use std::path::PathBuf;

use anyhow::{Context, Result};

pub use super::super::packing::Built;
pub use plan::{BesidePackages, LayerPackage, LayerPlan, LibrariesFrom, Proof};

use super::check::{Check, Checked};
use crate::cache::Cache;
use crate::commands::build_runtime::Steps;
use crate::commands::packing;
use crate::layer::audit::{Policy, Question};
use crate::layer::dist::remove_stale_parts;
use crate::layer::library_rules::LibraryRules;
use crate::layer::record::CheckState;
use crate::layer::split::Part;
use crate::layer::zip::Compressed;
use crate::layer::{ExaminedLayer, LayerTree};
use crate::package::lacking;
use crate::progress::Reporter;
use crate::repository::rpm_repository::{Completed, LockedRpm};
use crate::terminal::human_size;
use contents::Contents;
use libraries::Needs;
use parts::{Sized, WrittenPart};
use records::Records;

/// A layer that is packed and kept.
#[derive(Debug)]
pub struct PackedLayer {
    /// Its parts, in their order: what was kept.
    pub parts: Vec<Built>,
    /// The parts as layers that are built later have them beside them.
    pub examined: Vec<ExaminedLayer>,
    /// The system's packages that libraries came from, for r-layer.lock.
    pub locked: Vec<LockedRpm>,
    /// The zips of an earlier build that were removed: parts that there are no more.
    pub removed: Vec<PathBuf>,
}

/// Packs a layer of packages, proves that its packages load, and keeps it. What fails keeps nothing.
///
/// # Errors
/// Beside what cannot be read or written: [`crate::layer::split::SplitError`] where it is too large for Lambda,
/// [`super::check::CheckError`] where packages do not load; libraries that are nowhere; what the audit finds.
pub async fn pack(
    plan: &LayerPlan<'_>,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<PackedLayer> {
    let packing = reporter.begin(&format!("packing the layer {}", plan.name), None);
    warn_of_lacking(plan, reporter);
    let mut contents = contents::contents(plan)?;
    packing.step("completing libraries");
    let mut completed = libraries::complete(plan, &mut contents.tree).await?;
    let data = libraries::insert_data(plan, &mut contents.tree, &mut completed).await?;
    tell(&contents, &completed, reporter);
    packing.step("compressing");
    let mut steps = Steps::begin(reporter);
    let (parts, mut compressed) = divided(plan, &mut contents, &completed).await?;
    steps.done("compressed");
    tell_parts(plan, &parts, reporter);
    packing.step("writing");
    let mut written = Vec::with_capacity(parts.len());
    for part in parts {
        written.push(parts::write(plan, part, &mut compressed)?);
    }
    drop(compressed);
    packing.step("auditing");
    let layers = audited(plan, &written, reporter)?;
    packing.step("loading packages");
    let state = proven(plan, &layers, cache, reporter).await?;
    packing.step("recording");
    let records = Records {
        plan,
        contents: &contents,
        completed: &completed,
        data: &data,
        state,
    };
    let packed = keep(records, written)?;
    let names: Vec<String> = packed
        .parts
        .iter()
        .map(|part| part.path.display().to_string())
        .collect();
    packing.finish(&format!("packed {}", names.join(", ")));
    Ok(packed)
}

fn warn_of_lacking(plan: &LayerPlan<'_>, reporter: &dyn Reporter) {
    let rules = &LibraryRules::embedded().lacking;
    for package in &plan.packages {
        for rule in lacking(rules, &package.name) {
            reporter.warn(&rule.warning(&package.name));
        }
    }
}

fn tell(contents: &Contents, completed: &Completed, reporter: &dyn Reporter) {
    let savings = contents.savings.of(|_| true);
    packing::tell(&savings, &completed.added, reporter);
    for note in &completed.data.notes {
        reporter.detail(note);
    }
    for absent in &completed.data.absent {
        reporter.warn(absent);
    }
}

/// Compresses everything, and divides it into parts. The tree is used up.
async fn divided(
    plan: &LayerPlan<'_>,
    contents: &mut Contents,
    completed: &Completed,
) -> Result<(Vec<Part>, Compressed)> {
    let tree: LayerTree = std::mem::take(&mut contents.tree);
    let sizes: Vec<(String, u64)> = tree
        .iter()
        .map(|(path, entry)| (path.to_owned(), entry.size))
        .collect();
    let needs = Needs::of(&tree, completed)?;
    let compressed = tokio::task::spawn_blocking(move || Compressed::of(&tree)).await??;
    let sized = Sized::of(plan, &sizes, &compressed, (&needs, completed));
    let parts = sized.split(plan, &contents.possible)?;
    Ok((parts, compressed))
}

fn tell_parts(plan: &LayerPlan<'_>, parts: &[Part], reporter: &dyn Reporter) {
    if parts.len() > 1 {
        let sizes = parts.iter().map(|part| {
            let size = human_size(part.zipped);
            format!("\n  {} ({size}): {}", part.name, part.packages.join(", "))
        });
        let count = parts.len();
        reporter.note(&format!(
            "{} is more than a request takes, so that it becomes {count} layers; a function needs them all:{}",
            plan.name,
            sizes.collect::<String>()
        ));
    }
    for part in parts.iter().filter(|part| part.needs_s3) {
        reporter.warn(&format!(
            "{} ({}) is too large for a request and has to go through S3",
            part.name,
            human_size(part.zipped)
        ));
    }
}

/// The parts behind the function's other layers, if all of them together would load.
fn audited(
    plan: &LayerPlan<'_>,
    written: &[WrittenPart],
    reporter: &dyn Reporter,
) -> Result<Vec<ExaminedLayer>> {
    let parts = written.iter().map(|written| &written.examined);
    let layers: Vec<ExaminedLayer> = plan.others.iter().chain(parts).cloned().collect();
    let question = Question {
        target: plan.target,
        architecture: plan.architecture,
        policy: Policy::Strict,
        wants_runtime: true,
    };
    let report = packing::audited(&layers, &question)?;
    for finding in &report.findings {
        reporter.detail(&finding.to_string());
    }
    Ok(layers)
}

/// Loads what was asked for, where that is wanted and possible.
async fn proven(
    plan: &LayerPlan<'_>,
    layers: &[ExaminedLayer],
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<CheckState> {
    let Proof::In(root) = &plan.proof else {
        return Ok(CheckState::Skipped);
    };
    let check = Check {
        packages: &plan.requested,
        proofs: &plan.beside_packages.proofs,
        layers,
        target: plan.target,
        architecture: plan.architecture,
        root,
    };
    match check.run(cache, reporter).await? {
        Checked::Passed => Ok(CheckState::Passed),
        Checked::NotHere(reason) => {
            reporter.warn(&format!(
                "{}: whether its packages load was not tried, as this machine cannot: {reason}",
                plan.name
            ));
            Ok(CheckState::Skipped)
        }
    }
}

fn keep(records: Records<'_>, written: Vec<WrittenPart>) -> Result<PackedLayer> {
    let count = written.len();
    let mut described = Vec::with_capacity(count);
    // All of them are recorded before the first is kept.
    for (index, part) in written.into_iter().enumerate() {
        let record = records.record(&part, (index + 1, count));
        let sbom = records.bill_of_materials(&part.examined, &record)?;
        described.push((part, record, sbom));
    }
    let mut packed = PackedLayer {
        parts: Vec::with_capacity(count),
        examined: Vec::with_capacity(count),
        locked: records.completed.locked.clone(),
        removed: Vec::new(),
    };
    for (part, record, sbom) in described {
        let path = part.file.keep(&record, &sbom);
        let path = path.context("the zip cannot be kept")?;
        packed.examined.push(part.examined);
        packed.parts.push(Built { path, record });
    }
    let kept: Vec<_> = packed.parts.iter().map(|part| &part.record).collect();
    packed.removed = remove_stale_parts(records.plan.out, &kept)
        .context("parts of an earlier build cannot be removed")?;
    Ok(packed)
}
