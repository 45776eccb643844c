//! The build record and the bill of materials of each part.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::contents::Contents;
use super::libraries::{origins, owners_of};
use super::parts::WrittenPart;
use super::plan::LayerPlan;
use crate::commands::packing;
use crate::layer::complete::AddedLibrary;
use crate::layer::layer_data::LayerData;
use crate::layer::library_rules::LibraryRules;
use crate::layer::record::{CheckState, PackageLayerRecord, PartRecord, SourceRecord};
use crate::layer::sbom::{Sbom, SbomSources};
use crate::layer::split::Part;
use crate::layer::system_package::SystemPackage;
use crate::layer::{BuildRecord, ExaminedLayer};
use crate::package::lacking;
use crate::repository::rpm_repository::Completed;

/// What records are made from.
pub struct Records<'a> {
    /// What was to be packed.
    pub plan: &'a LayerPlan<'a>,
    /// What was left out.
    pub contents: &'a Contents,
    /// What came along.
    pub completed: &'a Completed,
    /// The layer's own data.
    pub data: &'a LayerData,
    /// Were the packages loaded?
    pub state: CheckState,
}

impl Records<'_> {
    /// The record of a part: which it is, and of how many.
    pub fn record(&self, written: &WrittenPart, place: (usize, usize)) -> BuildRecord {
        let (plan, archive) = (self.plan, &written.examined.archive);
        let packages: BTreeSet<&str> = written.part.packages.iter().map(String::as_str).collect();
        BuildRecord {
            record_version: 1,
            name: written.part.name.clone(),
            description: self.description(place),
            zip: archive.name.clone(),
            sha256: archive.sha256,
            zipped_size: archive.zipped_size,
            unzipped_size: archive.unzipped_size(),
            needs_s3: archive.zipped_size >= plan.target.limits.zipped_in_request,
            target: plan.target.name.clone(),
            architecture: plan.architecture,
            r_version: plan.r_version.to_string(),
            glibc: written.examined.glibc_floor(),
            r_layer_version: env!("CARGO_PKG_VERSION").to_owned(),
            sources: self.sources(&written.part, &packages),
            packages: packing::package_records(&written.examined),
            added_libraries: packing::library_sizes(&self.added(&written.part)),
            savings: self.contents.savings.of(|name| packages.contains(name)),
            inputs: plan.inputs.clone(),
            of_packages: self.of_packages(&written.part, place),
        }
    }

    /// The bill of a part.
    pub fn bill_of_materials(&self, layer: &ExaminedLayer, record: &BuildRecord) -> Result<Sbom> {
        let epoch = std::env::var_os("SOURCE_DATE_EPOCH");
        Ok(Sbom::of(&SbomSources {
            layer,
            record,
            owners: &self.owners(),
            distributed: &self.plan.beside_packages.distributed,
            created: epoch.map(|_| self.plan.entry_time),
        })?)
    }

    fn description(&self, (number, of): (usize, usize)) -> String {
        match of {
            1 => self.plan.description.clone(),
            _ => format!("{} ({number} of {of})", self.plan.description),
        }
    }

    fn owners(&self) -> BTreeMap<String, SystemPackage> {
        owners_of(self.plan, self.completed, self.data)
    }

    /// The packages of a distribution that the layer's own data are from, and their licences.
    fn of_distribution(&self, part: &Part) -> Vec<SourceRecord> {
        let owners = self.owners();
        let files = self.data.files.iter().map(|file| &file.path);
        let there = files.filter(|path| part.libraries.contains(path));
        there
            .filter_map(|path| owners.get(path))
            .map(|owner| {
                let license = owner.license.as_deref().map(|text| format!(", {text}"));
                SourceRecord {
                    name: owner.name.clone(),
                    version: owner.version.clone(),
                    origin: format!(
                        "a package of {}{}",
                        owner.distribution,
                        license.unwrap_or_default()
                    ),
                    sha256: owner.fetched.as_ref().map(|(_, sha256)| *sha256),
                }
            })
            .collect()
    }

    fn sources(&self, part: &Part, packages: &BTreeSet<&str>) -> Vec<SourceRecord> {
        let members = self.plan.packages.iter();
        let mut sources: Vec<SourceRecord> = members
            .filter(|package| packages.contains(package.name.as_str()))
            .map(|package| package.source.clone())
            .collect();
        sources.extend(self.of_distribution(part));
        let beside = &self.plan.beside_packages;
        sources.extend(beside.r_sources.iter().cloned());
        sources.sort();
        sources.dedup();
        sources
    }

    /// The libraries that are in a part.
    fn added(&self, part: &Part) -> Vec<AddedLibrary> {
        let added = self.completed.added.iter();
        added
            .filter(|library| part.libraries.contains(&library.path))
            .cloned()
            .collect()
    }

    fn of_packages(&self, part: &Part, (number, of): (usize, usize)) -> PackageLayerRecord {
        let plan = self.plan;
        let owners = self.owners();
        let mut library_origins = origins(plan, self.completed, &owners);
        library_origins.retain(|path, _| part.libraries.contains(path));
        let others = plan.others.iter().map(|layer| &layer.archive);
        let mut requested = plan.requested.clone();
        requested.sort();
        requested.dedup();
        PackageLayerRecord {
            part: Some(PartRecord {
                layer: plan.name.to_owned(),
                number,
                of,
            }),
            requested,
            beside: others
                .map(|other| (other.name.clone(), other.sha256))
                .collect(),
            library_origins,
            library_data: self.completed.data.notes.clone(),
            lacking: lacking_of(&part.packages),
            keep: plan.keep.clone(),
            check: Some(self.state),
        }
    }
}

fn lacking_of(packages: &[String]) -> BTreeMap<String, String> {
    let rules = &LibraryRules::embedded().lacking;
    let mut lacks = BTreeMap::new();
    for package in packages {
        let what: Vec<&str> = lacking(rules, package)
            .iter()
            .map(|rule| rule.what.as_str())
            .collect();
        if !what.is_empty() {
            lacks.insert(package.clone(), what.join(", "));
        }
    }
    lacks
}
