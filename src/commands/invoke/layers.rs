//! The layers of a function that is invoked here: read, audited, unpacked.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::commands::unpacked::unpacked;
use crate::commands::{function_root, settings};
use crate::distribution::RVersionRequest;
use crate::layer::audit::{self, AuditReport, Policy, Question, architecture_of};
use crate::layer::{BuildRecord, ExaminedLayer, RuntimeRecipe};
use crate::package::RVersion;
use crate::progress::Reporter;
use crate::sandbox::check_runs;
use crate::target::{Architecture, Target};

/// Which runtime layer is meant where none is named.
pub struct Wanted {
    /// The processor that was typed.
    pub architecture: Option<Architecture>,
    /// The one that the manifest lists first.
    pub usual: Option<Architecture>,
    /// The version of R that the manifest lists first.
    pub r: Option<RVersionRequest>,
}

/// The layers of the function.
pub struct Layers {
    archives: Vec<ExaminedLayer>,
    /// What the audit found.
    pub(super) report: AuditReport,
}

impl Layers {
    /// Reads the named zips; none named, the runtime layer for a processor in `dist`.
    pub fn read(paths: &[PathBuf], wanted: &Wanted, target: &'static Target) -> Result<Layers> {
        let this = match wanted.architecture.or(wanted.usual) {
            Some(wanted) => wanted,
            None => settings::architecture(None)?,
        };
        let paths = match paths {
            [] => vec![built_runtime(Path::new("dist"), this, wanted.r.as_ref())?],
            named => named.to_vec(),
        };
        let archives = paths
            .iter()
            .map(|path| ExaminedLayer::open(path).context("--layer names a layer's zip"))
            .collect::<Result<Vec<_>>>()?;
        if archives.iter().all(|layer| layer.bootstrap().is_none()) {
            bail!(
                "none of these layers has a bootstrap; add the runtime layer with --layer (r-layer build runtime)"
            );
        }
        let architecture = architecture_of(&archives).unwrap_or(this);
        if wanted
            .architecture
            .is_some_and(|wanted| wanted != architecture)
        {
            bail!(
                "--arch {this}: these layers are for {architecture}; name others with --layer, or leave --arch out"
            );
        }
        check_runs(architecture).with_context(|| {
            format!("these layers are for {architecture}; build them with --arch, or let this machine run them")
        })?;
        let question = Question {
            target,
            architecture,
            policy: Policy::Strict,
            wants_runtime: true,
        };
        let report = audit::audit(&archives, &question);
        Ok(Layers { archives, report })
    }

    /// /opt, from the cache or unpacked now.
    pub async fn unpacked(&self, cache: &Cache, reporter: &dyn Reporter) -> Result<PathBuf> {
        for finding in &self.report.findings {
            reporter.warn(&finding.to_string());
        }
        unpacked(&self.archives, cache, reporter).await
    }

    /// What a root is wanted for.
    pub fn root<'a>(&'a self, name: &'a str, target: &'a Target) -> function_root::Wanted<'a> {
        function_root::Wanted {
            name,
            glibc: self.report.glibc.as_deref(),
            architecture: self.report.architecture,
            target,
        }
    }
}

/// The one runtime layer for a processor in a folder.
fn built_runtime(
    folder: &Path,
    architecture: Architecture,
    r: Option<&RVersionRequest>,
) -> Result<PathBuf> {
    let name = &RuntimeRecipe::embedded().name;
    let mut found: Vec<(RVersion, PathBuf)> = fs_err::read_dir(folder)
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path())
                .collect::<Vec<_>>()
        })
        .unwrap_or_default()
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .filter_map(|path| {
            let record: BuildRecord = serde_json::from_slice(&fs_err::read(&path).ok()?).ok()?;
            let zip = folder.join(&record.zip);
            let is_it = record.name == *name && record.architecture == architecture;
            let version = record.r_version.parse().ok()?;
            (is_it && zip.is_file()).then_some((version, zip))
        })
        .collect();
    // Of several, the one that the manifest names first.
    let versions: Vec<RVersion> = found.iter().map(|(version, _)| version.clone()).collect();
    if let Some(meant) = r.and_then(|r| r.choose(&versions))
        && versions.contains(&meant)
    {
        found.retain(|(version, _)| *version == meant);
    }
    let mut found: Vec<PathBuf> = found.into_iter().map(|(_, zip)| zip).collect();
    found.sort();
    match found.len() {
        0 => bail!(
            "there is no runtime layer for {architecture} in {}; type r-layer build runtime --arch {architecture}, or name \
             one with --layer",
            folder.display()
        ),
        1 => Ok(found.remove(0)),
        _ => bail!(
            "there are several runtime layers in {}; name one with --layer: {}",
            folder.display(),
            found
                .iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}
