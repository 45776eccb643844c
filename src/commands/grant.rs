//! `r-layer grant`: what was published is granted to others later, after it was tried.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};
use futures_util::future::join_all;
use serde::Serialize;

use super::Outcome;
use super::aws_session::{Signed, open, signed};
use super::publish::grants::{bring_grants, statements};
use crate::cli::GrantArgs;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::{
    Grant, GrantChanges, Listing, ListingFilter, Publication, PublicationRecord, Region,
};

/// What came out for one version.
#[derive(Debug, Serialize)]
pub struct VersionGranted {
    /// The version, and who may use it now.
    #[serde(flatten)]
    publication: Publication,
    /// Was anything changed?
    changed: bool,
    /// Why not all was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
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

/// Grants the versions of the record to whom the flags or the manifest name.
pub async fn run(args: GrantArgs, reporter: &dyn Reporter) -> Result<Granted> {
    let folder = Path::new(".");
    let manifest = Manifest::read(folder)?;
    let asked = args
        .grants
        .grants()
        .unwrap_or_else(|| manifest.publish.grants());
    if asked.is_empty() && !args.grants.exact {
        bail!(
            "for whom? Type --public, --organization o-… or --account 123456789012; --exact alone takes back what was \
             granted"
        );
    }
    let record = PublicationRecord::read(folder)?;
    let filter = ListingFilter {
        regions: args.regions.clone(),
        layers: args.layers.clone(),
        architectures: Vec::new(),
    };
    let chosen = Listing::of(&record, &filter).layers;
    let chosen: Vec<Publication> = chosen
        .into_iter()
        .flat_map(|layer| layer.publications)
        .collect();
    if chosen.is_empty() {
        bail!(
            "{} has nothing of that; `r-layer list` shows what it has",
            PublicationRecord::NAME
        );
    }
    let regions: BTreeSet<Region> = chosen
        .iter()
        .map(|publication| publication.region.clone())
        .collect();
    let session = open(&args.aws, None, manifest.publish.profile.as_deref()).await?;
    let signed = signed(
        session,
        &Vec::from_iter(regions),
        args.aws.expect_account.as_ref(),
        reporter,
    )
    .await?;
    if let Some(other) = chosen
        .iter()
        .find(|publication| publication.account != signed.account)
    {
        bail!(
            "{} is of account {}, and these credentials are of {}; nothing was changed",
            other.arn,
            other.account,
            signed.account
        );
    }
    let (args, asked) = (&args, &asked);
    let each = chosen
        .into_iter()
        .map(|publication| grant(publication, &signed, asked, args, folder, reporter));
    Ok(Granted {
        versions: join_all(each).await,
    })
}

async fn grant(
    mut publication: Publication,
    signed: &Signed,
    asked: &BTreeSet<Grant>,
    args: &GrantArgs,
    folder: &Path,
    reporter: &dyn Reporter,
) -> VersionGranted {
    let outcome = granted(&publication, signed, asked, args, reporter).await;
    let (changed, failed) = match outcome {
        Ok((grants, changed)) => {
            publication.grants = grants;
            let recorded = match args.dry_run {
                true => Ok(()),
                false => PublicationRecord::update(folder, |record| {
                    record.record(publication.clone());
                }),
            };
            (changed, recorded.err().map(|error| error.to_string()))
        }
        Err(error) => (false, Some(format!("{error:#}"))),
    };
    VersionGranted {
        publication,
        changed,
        failed,
    }
}

async fn granted(
    publication: &Publication,
    signed: &Signed,
    asked: &BTreeSet<Grant>,
    args: &GrantArgs,
    reporter: &dyn Reporter,
) -> Result<(BTreeSet<Grant>, bool)> {
    let layers = signed.layers(&publication.region);
    let (layer, version) = (publication.layer.as_str(), publication.version);
    if args.dry_run {
        let existing = statements(&layers, layer, version).await?;
        let changes = GrantChanges::between(asked, &existing, args.grants.exact);
        for statement in &changes.add {
            reporter.note(&format!(
                "{}: would be granted to {}",
                publication.arn, statement.grant
            ));
        }
        for statement in &changes.remove {
            reporter.note(&format!(
                "{}: {} would be removed",
                publication.arn, statement.id
            ));
        }
        return Ok((publication.grants.clone(), false));
    }
    bring_grants(&layers, layer, version, asked, args.grants.exact).await
}

impl fmt::Display for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for version in &self.versions {
            let arn = &version.publication.arn;
            if let Some(reason) = &version.failed {
                writeln!(f, "{arn}  failed: {reason}")?;
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
