//! What packing is for every kind of layer: telling what is left out and added, the audit, what records have in common.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::layer::audit::{self, AuditReport, Finding, Question};
use crate::layer::complete::AddedLibrary;
use crate::layer::record::{PackageRecord, Saving};
use crate::layer::{BuildRecord, ExaminedLayer};
use crate::progress::Reporter;
use crate::terminal::human_size;

/// What was built, as it is printed.
#[derive(Debug, Serialize)]
pub struct Built {
    /// The zip.
    pub path: PathBuf,
    /// Its build record.
    #[serde(flatten)]
    pub record: BuildRecord,
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = &self.record;
        writeln!(f, "{}", self.path.display())?;
        writeln!(f, "  {}", record.description)?;
        writeln!(
            f,
            "  {} zipped, {} unzipped, {}, {}",
            human_size(record.zipped_size),
            human_size(record.unzipped_size),
            match &record.glibc {
                Some(glibc) => format!("glibc {glibc} or newer"),
                None => "any glibc".to_owned(),
            },
            match record.packages.len() {
                1 => "1 R package".to_owned(),
                count => format!("{count} R packages"),
            }
        )?;
        if record.needs_s3 {
            writeln!(f, "  needs S3: too large for a request")?;
        }
        writeln!(f, "  sha256 {}", record.sha256)
    }
}

/// Tells what was left out and what came along.
pub fn tell(savings: &[Saving], added: &[AddedLibrary], reporter: &dyn Reporter) {
    for saving in savings {
        let (size, reason) = (human_size(saving.bytes), &saving.reason);
        reporter.detail(&format!("left out {size}: {reason}"));
    }
    for library in added {
        let size = human_size(library.size);
        reporter.detail(&format!(
            "added {} ({size}) from {}",
            library.path, library.from
        ));
    }
}

/// Audits finished zips, as one function would have them; what would not load is an error.
pub fn audited(layers: &[ExaminedLayer], question: &Question<'_>) -> Result<AuditReport> {
    let report = audit::audit(layers, question);
    if !report.passed {
        let faults = report.findings.iter().map(told);
        bail!(
            "the layer would not load on Lambda, so it is not kept:{}",
            faults.collect::<String>()
        );
    }
    Ok(report)
}

/// A finding in a line, with the package that it is of.
fn told(finding: &Finding) -> String {
    let path = finding.path.as_deref().unwrap_or_default();
    match package_of(path) {
        Some(package) => format!("\n  package {package}: {finding}"),
        None => format!("\n  {finding}"),
    }
}

/// The package that a file of a layer belongs to.
pub fn package_of(path: &str) -> Option<&str> {
    let (package, _) = path.strip_prefix("R/library/")?.split_once('/')?;
    Some(package)
}

/// The packages of a layer, for its record.
pub fn package_records(layer: &ExaminedLayer) -> BTreeMap<String, PackageRecord> {
    let packages = layer.packages().into_iter();
    let record = packages.map(|(name, found)| {
        let (version, license) = (found.version, found.license);
        (name, PackageRecord { version, license })
    });
    record.collect()
}

/// The libraries that were added to a layer, for its record: path → bytes.
pub fn library_sizes(added: &[AddedLibrary]) -> BTreeMap<String, u64> {
    let sizes = added.iter();
    sizes
        .map(|library| (library.path.clone(), library.size))
        .collect()
}
