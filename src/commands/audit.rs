//! `r-layer audit`.

use std::fmt;

use anyhow::{Context, Result};
use serde::Serialize;

use super::settings;
use crate::cli::AuditArgs;
use crate::layer::ExaminedLayer;
use crate::layer::audit::{AuditReport, Question, architecture_of, audit};
use crate::target::Architecture;
use crate::terminal::human_size;

/// An audit's report, as it is printed.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Audited {
    /// What was found.
    pub report: AuditReport,
}

/// Audits the zips that were named.
pub fn run(args: AuditArgs) -> Result<Audited> {
    let target = settings::target(args.target.as_deref())?;
    let layers = args
        .zips
        .iter()
        .map(|path| {
            ExaminedLayer::open(path)
                .with_context(|| format!("{} cannot be audited", path.display()))
        })
        .collect::<Result<Vec<_>>>()?;
    let architecture = match &args.arch {
        Some(name) => name.parse()?,
        None => architecture_of(&layers)
            .or_else(Architecture::of_this_machine)
            .unwrap_or(Architecture::X86_64),
    };
    let question = Question {
        target,
        architecture,
        policy: args.policy.into(),
        wants_runtime: args.runtime,
    };
    Ok(Audited {
        report: audit(&layers, &question),
    })
}

impl fmt::Display for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.report;
        for layer in &report.layers {
            writeln!(
                f,
                "{}: {} files, {} zipped, {} unzipped",
                layer.name,
                layer.files,
                human_size(layer.zipped),
                human_size(layer.unzipped)
            )?;
        }
        for finding in &report.findings {
            let kind = if finding.fault.is_warning() {
                "warning"
            } else {
                "fault"
            };
            writeln!(f, "{kind}: {finding}")?;
        }
        let glibc = report
            .glibc
            .as_deref()
            .map(|version| format!(", glibc {version} or newer"))
            .unwrap_or_default();
        let verdict = if report.passed {
            "would load"
        } else {
            "would NOT load"
        };
        writeln!(
            f,
            "{verdict} on {} ({}): {} programs and libraries{glibc}",
            report.target, report.architecture, report.elf_files
        )
    }
}
