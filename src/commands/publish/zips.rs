//! The zips that are published: found, read, compared with their records, audited.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::settings::PublishSettings;
use crate::aws::NewVersion;
use crate::commands::packing::package_records;
use crate::layer::audit::{Fault, Policy, Question, architecture_of, audit};
use crate::layer::inspect::{Provenance, inspect};
use crate::layer::record::PackageLayerRecord;
use crate::layer::{BuildRecord, ExaminedLayer};
use crate::package::RVersion;
use crate::progress::Reporter;
use crate::publication::{
    LONGEST_LICENSE, PublishedName, TemplateValues, check_description, describe, logical_name,
};
use crate::target::{Architecture, Target};

/// A zip that can be published.
#[derive(Clone, Debug)]
pub struct ReadyZip {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub record: BuildRecord,
    /// R's version.
    pub r_version: RVersion,
    /// `r-models`.
    pub logical_name: String,
    /// Its name at AWS.
    pub layer: PublishedName,
    /// What it is published with.
    pub version: NewVersion,
    /// Is it too large for a request?
    pub needs_bucket: bool,
}

impl ReadyZip {
    /// What stands for placeholders of templates, but region and account.
    pub fn template_values(&self) -> TemplateValues<'_> {
        TemplateValues {
            logical_name: &self.logical_name,
            r_version: &self.r_version,
            architecture: self.record.architecture,
            target: &self.record.target,
            region: None,
            account: None,
        }
    }
}

/// The zips that were named, or those in `dist`: runtime layers first, then by name.
pub fn read(
    named: &[PathBuf],
    settings: &PublishSettings,
    reporter: &dyn Reporter,
) -> Result<Vec<ReadyZip>> {
    let paths = paths(named)?;
    let mut examined = BTreeMap::new();
    let mut ready = Vec::new();
    for path in &paths {
        let layer = ExaminedLayer::open(path)
            .with_context(|| format!("{} cannot be published", path.display()))?;
        let record = recorded(path, &layer)?;
        examined.insert(path.clone(), layer);
        ready.push(made_ready(path, record, settings)?);
    }
    for zip in &ready {
        audit_beside(zip, &mut examined, reporter)?;
    }
    ready.sort_by_key(|zip| (zip.record.of_packages.part.is_some(), zip.layer.clone()));
    check_names(&ready)?;
    Ok(ready)
}

/// Files as they are named, and the zips of folders, each once.
fn paths(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let dist = [PathBuf::from("dist")];
    let named = if named.is_empty() { &dist[..] } else { named };
    let mut paths = BTreeSet::new();
    for path in named {
        if !path.is_dir() {
            if !path.exists() && named == dist {
                bail!(NOTHING);
            }
            paths.insert(path.clone());
            continue;
        }
        for entry in fs_err::read_dir(path)? {
            let file = entry?.path();
            let hidden = file
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if file.extension().is_some_and(|extension| extension == "zip") && !hidden {
                paths.insert(file);
            }
        }
    }
    if paths.is_empty() {
        bail!(NOTHING);
    }
    Ok(paths.into_iter().collect())
}

const NOTHING: &str =
    "there is no zip to publish; type `r-layer build runtime` first, or name the zips";

/// The record beside a zip; without one, what can be read in the zip.
fn recorded(path: &Path, layer: &ExaminedLayer) -> Result<BuildRecord> {
    match Provenance::beside(path, &layer.archive.sha256) {
        Provenance::Recorded(record) => Ok(*record),
        Provenance::OfAnotherZip => bail!(
            "{zip} was changed after it was built: its record {record} is of another content. Build it anew; or, if \
             this zip is the one that is meant, remove the record",
            zip = path.display(),
            record = path.with_extension("json").display(),
        ),
        Provenance::Unreadable { reason } => bail!(
            "the record {} cannot be read ({reason}); build the layer anew, or remove the record",
            path.with_extension("json").display()
        ),
        Provenance::NoRecord => found_in(path, layer),
    }
}

fn found_in(path: &Path, layer: &ExaminedLayer) -> Result<BuildRecord> {
    let found = inspect(layer);
    let r_version = found.r_version.with_context(|| {
        format!(
            "{} has no build record, and neither R nor R packages in R/library that would say which R it is for; \
             r-layer publishes layers of R",
            path.display()
        )
    })?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    // A name as `build` makes them ends in R's version, target and processor.
    let name = stem
        .split(&format!("-{}", minor_of(&r_version)?))
        .next()
        .unwrap_or(&stem);
    let target = Target::named(Target::DEFAULT)?;
    Ok(BuildRecord {
        record_version: 1,
        name: name.to_owned(),
        description: String::new(),
        zip: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        sha256: found.sha256,
        zipped_size: found.zipped,
        unzipped_size: found.unzipped,
        needs_s3: found.zipped > target.limits.zipped_in_request,
        target: target.name.clone(),
        architecture: found
            .architecture
            .or_else(Architecture::of_this_machine)
            .unwrap_or(Architecture::X86_64),
        r_version,
        glibc: found.glibc,
        r_layer_version: String::new(),
        sources: Vec::new(),
        packages: package_records(layer),
        added_libraries: BTreeMap::new(),
        savings: Vec::new(),
        inputs: BTreeMap::new(),
        of_packages: PackageLayerRecord::default(),
    })
}

fn minor_of(r_version: &str) -> Result<String> {
    Ok(r_version.parse::<RVersion>()?.minor_text())
}

fn made_ready(path: &Path, record: BuildRecord, settings: &PublishSettings) -> Result<ReadyZip> {
    let r_version: RVersion = record.r_version.parse()?;
    let logical_name = logical_name(&record);
    let target = Target::named(&record.target)?;
    let values = TemplateValues {
        logical_name: &logical_name,
        r_version: &r_version,
        architecture: record.architecture,
        target: &record.target,
        region: None,
        account: None,
    };
    let layer = settings.name.name(&values)?;
    if let Some(text) = &settings.description {
        check_description(&record, text)?;
    }
    let version = NewVersion {
        description: describe(&record, settings.description.as_deref()),
        license: settings.license.clone().or_else(|| license(&record)),
        runtimes: vec![record.target.clone()],
        architectures: vec![record.architecture.aws_name().to_owned()],
    };
    let needs_bucket = record.zipped_size > target.limits.zipped_in_request;
    if needs_bucket && settings.bucket.is_none() {
        bail!(
            "{} has {} bytes, and a request takes {}; name a bucket in each region that it can go through: --s3-bucket \
             'NAME-{{region}}'",
            path.display(),
            record.zipped_size,
            target.limits.zipped_in_request
        );
    }
    Ok(ReadyZip {
        path: path.to_owned(),
        r_version,
        logical_name,
        layer,
        version,
        needs_bucket,
        record,
    })
}

/// The licences of the packages in a layer, each once; of a runtime layer R's, with those.
fn license(record: &BuildRecord) -> Option<String> {
    let is_runtime = record.of_packages.part.is_none();
    let of_r = is_runtime.then(|| "GPL-2 | GPL-3".to_owned());
    let packages = record.packages.values();
    let licenses: BTreeSet<String> = packages
        .filter_map(|package| package.license.clone())
        .filter(|license| !license.starts_with("Part of R"))
        .chain(of_r)
        .collect();
    let whole = Vec::from_iter(licenses).join("; ");
    match whole.len() {
        0 => None,
        1..=LONGEST_LICENSE => Some(whole),
        // Cut licences are worse than none: the bill of materials beside the zip has them.
        _ => Some("see the packages' DESCRIPTION files in the layer".to_owned()),
    }
}

/// Audits a zip together with the layers that it was built beside, as far as they are here.
fn audit_beside(
    zip: &ReadyZip,
    examined: &mut BTreeMap<PathBuf, ExaminedLayer>,
    reporter: &dyn Reporter,
) -> Result<()> {
    let folder = zip.path.parent().unwrap_or(Path::new(""));
    let mut beside = Vec::new();
    for (name, sha256) in &zip.record.of_packages.beside {
        let path = folder.join(name);
        if !examined.contains_key(&path) && path.exists() {
            examined.insert(path.clone(), ExaminedLayer::open(&path)?);
        }
        let same = |layer: &&ExaminedLayer| layer.archive.sha256 == *sha256;
        if examined.get(&path).filter(same).is_some() {
            beside.push(path);
        }
    }
    let is_alone = beside.len() < zip.record.of_packages.beside.len();
    // Moved out and in again: a layer holds much.
    let taken: Vec<(PathBuf, ExaminedLayer)> = beside
        .into_iter()
        .chain([zip.path.clone()])
        .filter_map(|path| examined.remove_entry(&path))
        .collect();
    let (paths, layers): (Vec<PathBuf>, Vec<ExaminedLayer>) = taken.into_iter().unzip();
    let question = Question {
        target: Target::named(&zip.record.target)?,
        architecture: architecture_of(&layers).unwrap_or(zip.record.architecture),
        policy: Policy::Strict,
        wants_runtime: false,
    };
    let report = audit(&layers, &question);
    examined.extend(paths.into_iter().zip(layers));
    let has_runtime = zip.record.of_packages.part.is_none();
    let mut faults = Vec::new();
    for finding in report.findings {
        let is_missing = matches!(finding.fault, Fault::MissingLibrary { .. });
        match finding.fault.is_warning() {
            true => reporter.detail(&finding.to_string()),
            // The runtime layer that has it is not here.
            false if is_missing && (is_alone || !has_runtime) => {
                reporter.detail(&finding.to_string())
            }
            false => faults.push(format!("\n  {finding}")),
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => bail!(
            "{} would not load on Lambda, and nothing is published:{}",
            zip.path.display(),
            faults.concat()
        ),
    }
}

/// Two zips for one layer would be two versions of it, of which the second hides the first.
fn check_names(zips: &[ReadyZip]) -> Result<()> {
    for (index, zip) in zips.iter().enumerate() {
        if let Some(other) = zips[..index].iter().find(|other| other.layer == zip.layer) {
            bail!(
                "{} and {} would both be versions of the layer {}; name the one that is meant, or give --name a template \
                 that tells them apart ({{r_version}}, {{arch}})",
                other.path.display(),
                zip.path.display(),
                zip.layer
            );
        }
    }
    Ok(())
}
