//! From an R home to a zip that is kept: assemble, compress, audit, record.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::assemble::{Assembled, assemble};
use super::settings::Settings;
use super::steps::Steps;
use super::{Builder, PackageFolder};
use crate::commands::packing::{self, Built};
use crate::distribution::R;
use crate::layer::audit::{self, AuditReport, Policy, Question};
use crate::layer::complete::AddedLibrary;
use crate::layer::dist::UnfinishedZip;
use crate::layer::record::PackageLayerRecord;
use crate::layer::sbom::{self, Sbom, SbomSources};
use crate::layer::system_package::owners;
use crate::layer::zip;
use crate::layer::{BuildRecord, ExaminedLayer};
use crate::package::RVersion;
use crate::terminal::human_size;

impl Builder<'_> {
    /// Builds, audits and keeps the zip.
    pub async fn build(
        &self,
        r: &R,
        packages: &[PackageFolder],
        steps: &mut Steps<'_>,
    ) -> Result<Built> {
        let packing = self.reporter.begin("packing the runtime layer", None);
        let mut assembled = assemble(r, packages, &self.settings, self.recipe, steps)?;
        packing::tell(&assembled.savings, &assembled.added, self.reporter);
        packing.step("compressing");
        let zip_name = self.zip_name(&r.version);
        // The file stays with this function, so that it goes when the command is interrupted.
        let zip_file =
            UnfinishedZip::create(&self.settings.out).context("the zip cannot be written")?;
        let mut output = zip_file.output()?;
        let time = self.settings.entry_time;
        let tree = std::mem::take(&mut assembled.tree);
        let (output, buffers) = tokio::task::spawn_blocking(move || {
            zip::write(&tree, time, &mut output).map(|buffers| (output, buffers))
        })
        .await?
        .with_context(|| {
            let out = self.settings.out.display();
            format!("the zip cannot be written to {out}; make room there, or name another folder with --out")
        })?;
        steps.done("compressed");
        self.reporter.detail(&format!(
            "compression's buffers at their most: {buffers} bytes"
        ));
        packing.step("auditing");
        // While the zip is on its way to the disk, it is looked into.
        let synced = tokio::task::spawn_blocking(move || output.sync_all());
        let mut examined = ExaminedLayer::open(zip_file.path())?;
        examined.archive.name = zip_name;
        steps.done("zip read again");
        let report = self.audit(&examined)?;
        steps.done("audited");
        let record = self.record(r, &examined, &report, &assembled)?;
        let sbom = self.bill_of_materials(r, &examined, &record, &assembled.added)?;
        steps.done("recorded");
        synced.await??;
        let path = zip_file
            .keep(&record, &sbom)
            .context("the zip cannot be kept")?;
        steps.done("kept");
        packing.finish(&format!("packed {}", path.display()));
        Ok(Built { path, record })
    }

    fn bill_of_materials(
        &self,
        r: &R,
        layer: &ExaminedLayer,
        record: &BuildRecord,
        added: &[AddedLibrary],
    ) -> Result<Sbom> {
        let distributed = match distributed_bill(layer, &r.home.path)? {
            Some(bill) => sbom::distributed_components(&bill).unwrap_or_else(|error| {
                self.reporter.warn(&error.to_string());
                Vec::new()
            }),
            None => Vec::new(),
        };
        let epoch = std::env::var_os("SOURCE_DATE_EPOCH");
        Ok(Sbom::of(&SbomSources {
            layer,
            record,
            owners: &r
                .root
                .as_ref()
                .map_or_else(Default::default, |root| owners(root, added)),
            distributed: &distributed,
            created: epoch.map(|_| self.settings.entry_time),
        })?)
    }

    /// Where the zip of an R's runtime layer is, or will be.
    pub fn zip_path(&self, version: &RVersion) -> PathBuf {
        self.settings.out.join(self.zip_name(version))
    }

    fn zip_name(&self, version: &RVersion) -> String {
        let Settings {
            target,
            architecture,
            ..
        } = &self.settings;
        format!(
            "{}-{version}-{}-{architecture}.zip",
            self.recipe.name, target.short_name
        )
    }

    /// Audits a finished zip; one that would not load is an error.
    fn audit(&self, layer: &ExaminedLayer) -> Result<AuditReport> {
        let limit = self.settings.target.limits.zipped_in_request;
        let question = Question {
            target: self.settings.target,
            architecture: self.settings.architecture,
            policy: Policy::Strict,
            wants_runtime: true,
        };
        let report = packing::audited(std::slice::from_ref(layer), &question)?;
        let zipped_size = layer.archive.zipped_size;
        if zipped_size >= limit && self.settings.s3_bucket.is_none() {
            let heaviest: Vec<String> = audit::heaviest_folders(std::slice::from_ref(layer))
                .iter()
                .map(|(folder, bytes)| format!("\n  {:>10}  {folder}", human_size(*bytes)))
                .collect();
            bail!(
                "the zip has {} bytes; without S3 Lambda takes less than {limit}. Name a bucket with --s3-bucket or leave \
                 something out (a compiled R, --r-source cran, is smaller than Posit's, and --blas reference than openblas). The heaviest folders:{}",
                zipped_size,
                heaviest.concat()
            );
        }
        Ok(report)
    }

    fn record(
        &self,
        r: &R,
        layer: &ExaminedLayer,
        report: &AuditReport,
        assembled: &Assembled,
    ) -> Result<BuildRecord> {
        let Settings {
            target,
            architecture,
            ..
        } = &self.settings;
        let archive = &layer.archive;
        Ok(BuildRecord {
            record_version: 1,
            name: self.recipe.name.clone(),
            description: self.recipe.describe(
                &r.version.to_string(),
                &target.description,
                architecture.aws_name(),
            ),
            zip: archive.name.clone(),
            sha256: archive.sha256,
            zipped_size: archive.zipped_size,
            unzipped_size: archive.unzipped_size(),
            needs_s3: archive.zipped_size >= target.limits.zipped_in_request,
            target: target.name.clone(),
            architecture: *architecture,
            r_version: r.version.to_string(),
            glibc: report.glibc.clone(),
            r_layer_version: env!("CARGO_PKG_VERSION").to_owned(),
            packages: packing::package_records(layer),
            sources: assembled.sources.clone(),
            added_libraries: packing::library_sizes(&assembled.added),
            savings: assembled.savings.clone(),
            inputs: r.inputs.clone(),
            of_packages: PackageLayerRecord::default(),
        })
    }
}

/// The bill of materials that a prebuilt R brings, in the layer or in R's home.
fn distributed_bill(layer: &ExaminedLayer, home: &Path) -> Result<Option<Vec<u8>>> {
    if let Some(entry) = layer.archive.get(sbom::DISTRIBUTED) {
        return Ok(Some(entry.content()?));
    }
    let bill = home.join("sbom.cdx.json");
    Ok(bill.is_file().then(|| fs_err::read(bill)).transpose()?)
}
