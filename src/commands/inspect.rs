//! `r-layer inspect`.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::settings;
use crate::cli::InspectArgs;
use crate::layer::ExaminedLayer;
use crate::layer::inspect::{Inspection, Part, Provenance, inspect};
use crate::layer::record::{CheckState, PackageLayerRecord, SourceRecord};
use crate::target::Limits;
use crate::terminal::{bar, human_size, width};

/// What is in the zips, as it is printed.
#[derive(Debug, Serialize)]
pub struct Inspected {
    target: String,
    limits: Limits,
    layers: Vec<InspectedLayer>,
    /// Several zips, as one function would have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    together: Option<Together>,
    #[serde(skip)]
    width: usize,
}

#[derive(Debug, Serialize)]
struct InspectedLayer {
    #[serde(flatten)]
    inspection: Inspection,
    zipped_percent: f64,
    unzipped_percent: f64,
    record: Provenance,
}

#[derive(Debug, Serialize)]
struct Together {
    zipped: u64,
    unzipped: u64,
    unzipped_percent: f64,
}

/// Looks into the zips that were named.
pub fn run(args: InspectArgs) -> Result<Inspected> {
    let target = settings::target(args.target.as_deref())?;
    let limits = target.limits;
    let layers = args
        .zips
        .iter()
        .map(|path| inspect_file(path, &limits))
        .collect::<Result<Vec<_>>>()?;
    let sum = |size: fn(&Inspection) -> u64| {
        let sizes = layers.iter().map(|layer| size(&layer.inspection));
        sizes.fold(0, u64::saturating_add)
    };
    let together = (layers.len() > 1).then(|| {
        let unzipped = sum(|layer| layer.unzipped);
        Together {
            zipped: sum(|layer| layer.zipped),
            unzipped,
            unzipped_percent: percent(unzipped, limits.unzipped),
        }
    });
    Ok(Inspected {
        target: target.name.clone(),
        limits,
        layers,
        together,
        width: width(),
    })
}

fn inspect_file(path: &Path, limits: &Limits) -> Result<InspectedLayer> {
    let layer = ExaminedLayer::open(path)
        .with_context(|| format!("{} cannot be inspected", path.display()))?;
    let inspection = inspect(&layer);
    Ok(InspectedLayer {
        zipped_percent: percent(inspection.zipped, limits.zipped_in_request),
        unzipped_percent: percent(inspection.unzipped, limits.unzipped),
        record: Provenance::beside(path, &inspection.sha256),
        inspection,
    })
}

/// With one digit behind the point.
fn percent(size: u64, limit: u64) -> f64 {
    (size as f64 * 1000.0 / limit as f64).round() / 10.0
}

impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for layer in &self.layers {
            self.write_layer(layer, f)?;
            writeln!(f)?;
        }
        if let Some(together) = &self.together {
            writeln!(f, "together, as one function has them")?;
            writeln!(f, "  zipped    {:>9}", human_size(together.zipped))?;
            let limit = self.limits.unzipped;
            self.write_limit("unzipped", together.unzipped, limit, FUNCTION, f)?;
        }
        Ok(())
    }
}

const REQUEST: &str = "a request's limit";
const FUNCTION: &str = "a function's limit";

impl Inspected {
    fn write_layer(&self, layer: &InspectedLayer, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &layer.inspection;
        writeln!(f, "{}", found.name)?;
        let r = found.r_version.as_deref();
        let mut facts: Vec<String> = r
            .map(|version| format!("R {version}"))
            .into_iter()
            .collect();
        facts.extend(found.architecture.map(|processor| processor.to_string()));
        let glibc = found.glibc.as_deref();
        facts.extend(glibc.map(|version| format!("glibc {version} or newer")));
        facts.push(format!("{} files", found.files));
        facts.push(format!("{} programs and libraries", found.elf_files));
        writeln!(f, "  {}", facts.join(", "))?;
        writeln!(f, "  sha256 {}", found.sha256)?;
        let (request, unzipped) = (self.limits.zipped_in_request, self.limits.unzipped);
        self.write_limit("zipped", found.zipped, request, REQUEST, f)?;
        self.write_limit("unzipped", found.unzipped, unzipped, FUNCTION, f)?;
        self.write_parts(&found.parts, f)?;
        writeln!(f, "\n  the largest files")?;
        for file in &found.largest {
            writeln!(f, "  {:>9}  {}", human_size(file.unzipped), file.path)?;
        }
        writeln!(f)?;
        write_provenance(&layer.record, f)
    }

    fn write_limit(
        &self,
        what: &str,
        size: u64,
        limit: u64,
        of: &str,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let cells = self.width.saturating_sub(66).clamp(8, 30);
        let (size_text, percent) = (human_size(size), percent(size, limit));
        let bar = bar(size, limit, cells);
        let limit = human_size(limit);
        writeln!(
            f,
            "  {what:<8}  {size_text:>9}  {bar:<cells$}  {percent:>5.1}% of {limit}, {of}"
        )
    }

    /// Packages and folders: name, version, bar, size, licence.
    fn write_parts(&self, parts: &[Part], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |part: &Part| {
            part.package
                .clone()
                .unwrap_or_else(|| part.path.clone() + "/")
        };
        let longest = |text: &dyn Fn(&Part) -> usize| parts.iter().map(text).max().unwrap_or(0);
        let names = longest(&|part| name(part).chars().count()).min(30);
        let versions = longest(&|part| part.version.as_deref().unwrap_or("").len()).min(16);
        let licenses = 26;
        let taken = 2 + names + 2 + versions + 2 + 2 + 9 + 2 + licenses;
        let cells = self.width.saturating_sub(taken).clamp(6, 40);
        let greatest = parts.first().map_or(0, |part| part.room.unzipped);
        writeln!(f, "\n  R packages and other folders/, unzipped")?;
        for part in parts {
            let (size, version) = (part.room.unzipped, part.version.as_deref().unwrap_or(""));
            let license = part.license.as_deref().unwrap_or("");
            let line = format!(
                "  {:<names$}  {version:<versions$}  {:<cells$}  {:>9}  {}",
                name(part),
                bar(size, greatest, cells),
                human_size(size),
                license.split_whitespace().collect::<Vec<_>>().join(" ")
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// What came from where.
fn write_provenance(record: &Provenance, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let record = match record {
        Provenance::Recorded(record) => record,
        Provenance::NoRecord => {
            return writeln!(
                f,
                "  there is no build record beside it, which would say what it was made from"
            );
        }
        Provenance::OfAnotherZip => {
            return writeln!(
                f,
                "  the build record beside it is that of another zip (another sha256)"
            );
        }
        Provenance::Unreadable { reason } => {
            return writeln!(f, "  the build record beside it cannot be read: {reason}");
        }
    };
    let version = &record.r_layer_version;
    writeln!(f, "  made by r-layer {version} for {} from", record.target)?;
    let name_width = record.sources.iter().map(|source| source.name.len()).max();
    for source in &record.sources {
        let SourceRecord {
            name,
            version,
            origin,
            ..
        } = source;
        let width = name_width.unwrap_or(0);
        writeln!(f, "    {name:<width$}  {version}  {origin}")?;
    }
    writeln!(f, "  what decided how it came out")?;
    let longest = record.inputs.keys().map(String::len).max().unwrap_or(0);
    for (name, mark) in &record.inputs {
        writeln!(f, "    {name:<longest$}  {mark}")?;
    }
    if !record.added_libraries.is_empty() {
        writeln!(f, "  libraries that Lambda lacks, added")?;
        for (path, size) in &record.added_libraries {
            let origin = record.of_packages.library_origins.get(path);
            let origin = origin.map(|origin| format!("  from {origin}"));
            let origin = origin.unwrap_or_default();
            writeln!(f, "  {:>9}  {path}{origin}", human_size(*size))?;
        }
    }
    write_of_packages(&record.of_packages, f)
}

/// What only layers of packages say of themselves.
fn write_of_packages(record: &PackageLayerRecord, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for line in &record.library_data {
        writeln!(f, "    {line}")?;
    }
    if let Some(part) = record.part.as_ref().filter(|part| part.of > 1) {
        let (number, of, layer) = (part.number, part.of, &part.layer);
        writeln!(
            f,
            "  part {number} of {of} of {layer}: a function needs them all"
        )?;
    }
    if !record.requested.is_empty() {
        writeln!(f, "  requested: {}", record.requested.join(", "))?;
    }
    if !record.beside.is_empty() {
        let beside: Vec<&str> = record.beside.keys().map(String::as_str).collect();
        writeln!(f, "  made to be beside {}", beside.join(", "))?;
    }
    if !record.keep.is_empty() {
        writeln!(f, "  not left out: {}", record.keep.join(", "))?;
    }
    for (package, what) in &record.lacking {
        writeln!(f, "  {package} needs {what}, which Lambda lacks")?;
    }
    match record.check {
        Some(CheckState::Passed) => writeln!(
            f,
            "  each of the requested packages was loaded in a root like Lambda's"
        ),
        Some(CheckState::Skipped) => writeln!(f, "  whether its packages load was not tried"),
        None => Ok(()),
    }
}
