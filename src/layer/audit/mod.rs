//! Would these layers load on Lambda? Answered from the zips alone: nothing is executed.

mod contents;
mod finding;
mod loader;
mod packages;
mod search_path;

use std::collections::HashMap;

use serde::Serialize;

pub use contents::heaviest_folders;
pub use finding::{Fault, Finding};

use super::{ExaminedLayer, LayerArchive};
use crate::target::{Architecture, Target};
use loader::Loader;

/// What counts as there on Lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// glibc, libgcc_s, libstdc++ and libz, which every sandbox has.
    Strict,
    /// Everything in the container image's /lib64.
    Image,
}

/// What layers are audited for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Where they are to run.
    pub target: &'a Target,
    /// On which processor.
    pub architecture: Architecture,
    /// What counts as there.
    pub policy: Policy,
    /// Must one of them have a bootstrap?
    pub wants_runtime: bool,
}

/// What an audit found.
#[derive(Clone, Debug, Serialize)]
pub struct AuditReport {
    /// Would the layers load?
    pub passed: bool,
    /// The target's name.
    pub target: String,
    /// The processor.
    pub architecture: Architecture,
    /// What counted as there.
    pub policy: Policy,
    /// How many programs and shared libraries were looked at.
    pub elf_files: usize,
    /// The highest glibc version asked for, as `2.29`.
    pub glibc: Option<String>,
    /// Sizes of the layers, in the order named.
    pub layers: Vec<LayerSize>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// How large a layer is.
#[derive(Clone, Debug, Serialize)]
pub struct LayerSize {
    /// The zip.
    pub name: String,
    /// How many files.
    pub files: usize,
    /// Bytes of the zip.
    pub zipped: u64,
    /// Bytes of its files.
    pub unzipped: u64,
}

/// Audits layers, each alone and all together as one function would have them, in that order.
pub fn audit(layers: &[ExaminedLayer], question: &Question<'_>) -> AuditReport {
    let mut findings = Vec::new();
    for layer in layers {
        contents::check(layer, &question.target.limits, &mut findings);
    }
    contents::check_together(layers, &question.target.limits, &mut findings);
    packages::check_together(layers, &mut findings);
    let loader = Loader::read(layers, question, &mut findings);
    loader.check(&mut findings);
    if question.wants_runtime && layers.iter().all(|layer| layer.bootstrap().is_none()) {
        let layer = layers
            .first()
            .map(|layer| layer.archive.name.clone())
            .unwrap_or_default();
        findings.push(Finding {
            layer,
            path: None,
            fault: Fault::NoBootstrap,
        });
    }
    AuditReport {
        passed: findings.iter().all(|finding| finding.fault.is_warning()),
        target: question.target.name.clone(),
        architecture: question.architecture,
        policy: question.policy,
        elf_files: loader.count(),
        glibc: loader.glibc_floor().map(|number| {
            number
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(".")
        }),
        layers: layers
            .iter()
            .map(|layer| size_of_layer(&layer.archive))
            .collect(),
        findings,
    }
}

fn size_of_layer(layer: &LayerArchive) -> LayerSize {
    LayerSize {
        name: layer.name.clone(),
        files: layer.files().count(),
        zipped: layer.zipped_size,
        unzipped: layer.unzipped_size(),
    }
}

/// The processor that most ELF files of the layers are for.
pub fn architecture_of(layers: &[ExaminedLayer]) -> Option<Architecture> {
    let mut counts: HashMap<Architecture, usize> = HashMap::new();
    for (_, elf) in layers.iter().flat_map(ExaminedLayer::elf_files) {
        if let Some(architecture) = elf.as_ref().ok().and_then(|elf| elf.architecture) {
            *counts.entry(architecture).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .max_by_key(|(architecture, count)| (*count, *architecture))
        .map(|(a, _)| a)
}
