//! `r-layer prune`: old versions of layers go, and only those that nobody would miss.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;
use futures_util::future::join_all;
use serde::Serialize;

use super::Outcome;
use super::aws_session::{Signed, is_not_enabled, open, signed};
use super::our_layers::{OurLayer, OurVersion, is_asked_for, our_layers};
use super::publish::grants::statements;
use super::regions::chosen_regions;
use crate::aws::Layers;
use crate::cli::PruneArgs;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::{PublicationRecord, Region, Timestamp};

/// What is to become of a version.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
enum Fate {
    /// It would go; without `--yes` it is still there.
    Goes,
    /// It is gone.
    Gone,
    /// It stays, for a reason that is not its age.
    Kept { because: String },
    /// It should go and does not.
    Failed { because: String },
}

/// A version, and what is to become of it.
#[derive(Clone, Debug, Serialize)]
struct Pruned {
    arn: String,
    published: Timestamp,
    #[serde(flatten)]
    fate: Fate,
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct AllPruned {
    versions: Vec<Pruned>,
    /// Regions that could not be looked at, and why.
    failed: BTreeMap<String, String>,
    is_dry: bool,
}

impl AllPruned {
    /// Done, partly done, or not at all.
    pub fn outcome(&self) -> Outcome {
        let stuck = |pruned: &Pruned| matches!(pruned.fate, Fate::Failed { .. });
        let is_well = self.failed.is_empty() && !self.versions.iter().any(stuck);
        match is_well {
            true => Outcome::Done,
            false if self.versions.is_empty() => Outcome::Fault,
            false => Outcome::PartlyDone,
        }
    }
}

/// Deletes what is old, or shows it.
pub async fn run(args: PruneArgs, reporter: &dyn Reporter) -> Result<AllPruned> {
    let manifest = Manifest::read(Path::new("."))?;
    let session = open(&args.aws, None, manifest.publish.profile.as_deref()).await?;
    let regions = chosen_regions(&args.regions, manifest.publish.regions.as_ref(), &session)?;
    let expected = args.aws.expect_account.as_ref();
    let signed = signed(session, &regions, expected, reporter).await?;
    let in_regions = regions
        .iter()
        .map(|region| prune_region(region, &signed, &args));
    let (mut versions, mut failed) = (Vec::new(), BTreeMap::new());
    for (region, pruned) in regions.iter().zip(join_all(in_regions).await) {
        match pruned {
            Ok(pruned) => versions.extend(pruned),
            Err(error) if regions.len() > 1 && is_not_enabled(&error) => {
                reporter.note(&format!("{region} is not enabled for this account"));
            }
            Err(error) => {
                failed.insert(region.to_string(), format!("{error:#}"));
            }
        }
    }
    Ok(AllPruned {
        versions,
        failed,
        is_dry: !args.yes,
    })
}

async fn prune_region(region: &Region, signed: &Signed, args: &PruneArgs) -> Result<Vec<Pruned>> {
    let layers = signed.layers(region);
    let ours = our_layers(&layers).await?;
    let mut old: Vec<(&OurLayer, &OurVersion)> = Vec::new();
    for layer in ours
        .iter()
        .filter(|layer| is_asked_for(layer, &args.layers))
    {
        // The newest never goes.
        let kept = args.keep.max(1);
        let candidates = layer.versions.iter().skip(kept);
        old.extend(
            candidates
                .filter(|version| is_old(version, args))
                .map(|version| (layer, version)),
        );
    }
    if old.is_empty() {
        return Ok(Vec::new());
    }
    let users = layers.users().await?;
    let mut pruned = Vec::new();
    for (layer, version) in old {
        let arn = &version.version.arn;
        let mut using = users.iter().filter(|user| user.layers.contains(arn));
        let because = match using.next() {
            Some(user) => Some(format!("{} uses it", user.function)),
            None => granted_to(&layers, layer, version, args).await?,
        };
        let fate = match because {
            Some(because) => Fate::Kept { because },
            None if !args.yes => Fate::Goes,
            None => delete(&layers, layer, version).await,
        };
        pruned.push(Pruned {
            arn: arn.clone(),
            published: version.version.published(),
            fate,
        });
    }
    Ok(pruned)
}

fn is_old(version: &OurVersion, args: &PruneArgs) -> bool {
    args.older_than.is_none_or(|age| {
        let earliest = SystemTime::now().checked_sub(age);
        earliest.is_some_and(|earliest| version.version.published() < Timestamp::from(earliest))
    })
}

/// Why a version stays that others may use.
async fn granted_to(
    layers: &Layers,
    layer: &OurLayer,
    version: &OurVersion,
    args: &PruneArgs,
) -> Result<Option<String>> {
    if args.even_granted {
        return Ok(None);
    }
    let statements = statements(layers, &layer.name, version.version.version).await?;
    let ids: Vec<&str> = statements
        .iter()
        .map(|statement| statement.id.as_str())
        .collect();
    Ok((!ids.is_empty()).then(|| {
        format!(
            "others were granted it ({}); --even-granted deletes it all the same",
            ids.join(", ")
        )
    }))
}

async fn delete(layers: &Layers, layer: &OurLayer, version: &OurVersion) -> Fate {
    let number = version.version.version;
    if let Err(error) = layers.delete(&layer.name, number).await {
        return Fate::Failed {
            because: error.to_string(),
        };
    }
    let forgotten = PublicationRecord::update(Path::new("."), |record| {
        let gone = |arn: &str| arn == version.version.arn;
        let keys: Vec<_> = record
            .publications()
            .filter(|publication| gone(&publication.arn.to_string()))
            .map(|publication| publication.key())
            .collect();
        for key in keys {
            record.remove(&key);
        }
    });
    match forgotten {
        Ok(()) => Fate::Gone,
        Err(error) => Fate::Failed {
            because: format!("it is deleted, but the record still has it: {error}"),
        },
    }
}

impl fmt::Display for AllPruned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut goes, mut kept) = (0, 0);
        for Pruned {
            arn,
            published,
            fate,
        } in &self.versions
        {
            let day = published.day();
            match fate {
                Fate::Goes => writeln!(f, "{arn}  {day}  would be deleted")?,
                Fate::Gone => writeln!(f, "{arn}  {day}  deleted")?,
                Fate::Kept { because } => writeln!(f, "{arn}  {day}  kept: {because}")?,
                Fate::Failed { because } => writeln!(f, "{arn}  {day}  FAILED: {because}")?,
            }
            match fate {
                Fate::Goes | Fate::Gone => goes += 1,
                _ => kept += 1,
            }
        }
        for (region, reason) in &self.failed {
            writeln!(f, "failed: {region}: {reason}")?;
        }
        match (goes, self.is_dry) {
            (0, _) => writeln!(f, "nothing to delete; {kept} old versions are kept"),
            (_, true) => writeln!(
                f,
                "{goes} would be deleted, {kept} kept; --yes deletes them"
            ),
            (_, false) => writeln!(f, "{goes} deleted, {kept} kept"),
        }
    }
}
