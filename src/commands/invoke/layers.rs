//! The layers of a function that is invoked here: read, audited, unpacked.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::commands::built_layers::built_runtime;
use crate::commands::unpacked::unpacked;
use crate::commands::{function_root, settings};
use crate::distribution::RVersionRequest;
use crate::layer::ExaminedLayer;
use crate::layer::audit::{self, AuditReport, Policy, Question, architecture_of};
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
