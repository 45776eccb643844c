//! `r-layer grant`: what was published is granted to others later, after it was tried.

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};
use futures_util::future::join_all;
use serde::Serialize;

use super::Outcome;
use super::aws_session::Signed;
use super::publish::grants::{Asked, bring_grants, statements};
use super::recorded::Selection;
use crate::cli::GrantArgs;
use crate::manifest::{Manifest, PublishTarget};
use crate::progress::Reporter;
use crate::publication::{Grant, GrantChanges, Publication, PublicationRecord};

/// What came out for one version.
#[derive(Debug, Serialize)]
pub struct VersionGranted {
    /// The version, and who may use it now.
    #[serde(flatten)]
    publication: Publication,
    /// Was anything changed?
    changed: bool,
    /// What would be changed, with `--dry-run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    planned: Option<Planned>,
    /// Why not all was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

/// What would bring a version's grants to what is asked.
#[derive(Debug, Serialize)]
struct Planned {
    to_grant: Vec<Grant>,
    /// Ids of statements.
    to_revoke: Vec<String>,
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct Granted {
    versions: Vec<VersionGranted>,
}

impl Granted {
    /// Done, partly done, or not at all.
    pub fn outcome(&self) -> Outcome {
        let failed = self
            .versions
            .iter()
            .filter(|version| version.failed.is_some());
        match failed.count() {
            0 => Outcome::Done,
            count if count < self.versions.len() => Outcome::PartlyDone,
            _ => Outcome::Fault,
        }
    }
}

/// Grants the versions of the record to whom the flags, the target or the manifest name.
pub async fn run(args: GrantArgs, reporter: &dyn Reporter) -> Result<Granted> {
    let folder = Path::new(".");
    let manifest = Manifest::read(folder)?;
    let section = &manifest.publish;
    let target = section.chosen_target(args.to.as_deref())?;
    let asked = args
        .grants
        .grants()
        .or_else(|| target.and_then(PublishTarget::grants))
        .unwrap_or_else(|| section.grants());
    if asked.is_empty() && !args.grants.exact {
        bail!(
            "for whom? Type --public, --organization o-… or --account 123456789012; --exact alone takes back what was \
             granted"
        );
    }
    let selection = Selection {
        layers: &args.layers,
        regions: &args.regions,
        aws: &args.aws,
        target,
    };
    let (signed, own) = selection.own(section, reporter).await?;
    let (signed, asked) = (
        &signed,
        Asked {
            grants: &asked,
            exact: args.grants.exact,
        },
    );
    let each = own.into_iter().map(async |publication| match args.dry_run {
        true => plan(publication, signed, asked).await,
        false => grant(publication, signed, asked, folder).await,
    });
    Ok(Granted {
        versions: join_all(each).await,
    })
}

async fn grant(
    mut publication: Publication,
    signed: &Signed,
    asked: Asked<'_>,
    folder: &Path,
) -> VersionGranted {
    let layers = signed.layers(&publication.region);
    let (layer, version) = (publication.layer.as_str(), publication.version);
    let outcome = bring_grants(&layers, layer, version, false, &asked).await;
    let (changed, failed) = match outcome {
        Ok((grants, changed)) => {
            publication.grants = grants;
            let recorded = PublicationRecord::update(folder, |record| {
                record.record(publication.clone());
            });
            (changed, recorded.err().map(|error| error.to_string()))
        }
        Err(error) => (false, Some(format!("{error:#}"))),
    };
    VersionGranted {
        publication,
        changed,
        planned: None,
        failed,
    }
}

async fn plan(publication: Publication, signed: &Signed, asked: Asked<'_>) -> VersionGranted {
    let layers = signed.layers(&publication.region);
    let existing = statements(&layers, publication.layer.as_str(), publication.version).await;
    let planned = existing.map(|existing| {
        let changes = GrantChanges::between(asked.grants, &existing, asked.exact);
        Planned {
            to_grant: changes.add.into_iter().map(|new| new.grant).collect(),
            to_revoke: changes.remove.into_iter().map(|old| old.id).collect(),
        }
    });
    let (planned, failed) = match planned {
        Ok(planned) => (Some(planned), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    VersionGranted {
        publication,
        changed: false,
        planned,
        failed,
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grants: Vec<String> = self.to_grant.iter().map(ToString::to_string).collect();
        let mut changes = Vec::new();
        if !grants.is_empty() {
            changes.push(format!("would be granted to {}", grants.join(", ")));
        }
        if !self.to_revoke.is_empty() {
            changes.push(format!("{} would be removed", self.to_revoke.join(", ")));
        }
        match changes.is_empty() {
            true => f.write_str("nothing to change"),
            false => f.write_str(&changes.join("; ")),
        }
    }
}

impl fmt::Display for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for version in &self.versions {
            let arn = &version.publication.arn;
            if let Some(reason) = &version.failed {
                writeln!(f, "{arn}  failed: {reason}")?;
                continue;
            }
            if let Some(planned) = &version.planned {
                writeln!(f, "{arn}  {planned}")?;
                continue;
            }
            let grants = version.publication.grants.iter();
            let grants: Vec<String> = grants.map(ToString::to_string).collect();
            let whom = match grants.is_empty() {
                true => "nobody else".to_owned(),
                false => grants.join(", "),
            };
            let changed = if version.changed { "" } else { " (unchanged)" };
            writeln!(f, "{arn}  for {whom}{changed}")?;
        }
        Ok(())
    }
}
