//! `r-layer prune`: old versions of layers go, and only those that nobody would miss.

mod old;
mod result;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use futures_util::future::join_all;

use super::asked_layers::{Known, check_asked};
use super::aws_session::{Signed, expected_account, is_not_enabled, open, signed};
use super::our_layers::{OurLayer, OurVersion, our_layers};
use super::publish::grants::statements;
use super::regions::chosen_regions;
use crate::aws::Layers;
use crate::cli::PruneArgs;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::{PublicationRecord, Region};
use old::Old;
use result::{AllPruned, Fate, Pruned};

/// Deletes what is old, or shows it.
pub async fn run(args: PruneArgs, reporter: &dyn Reporter) -> Result<AllPruned> {
    let folder = Path::new(".");
    let manifest = Manifest::read(folder)?;
    let section = &manifest.publish;
    let target = section.chosen_target(args.to.as_deref())?;
    let session = open(&args.aws, target, section.profile.as_deref()).await?;
    let regions = chosen_regions(&args.regions, section.regions_for(target), &session)?;
    let expected = expected_account(&args.aws, target);
    let signed = signed(session, &regions, expected.as_ref(), reporter).await?;
    // What another run publishes meanwhile would be recorded after the record was read.
    let _alone = match args.yes {
        true => signed.alone(reporter).await?,
        false => None,
    };
    let record = PublicationRecord::read(folder)?;
    let publications = record.publications();
    let pruning = Pruning {
        signed: &signed,
        args: &args,
        recorded: publications.map(|one| one.arn.to_string()).collect(),
    };
    let looked_at = regions
        .iter()
        .map(async |region| anyhow::Ok(our_layers(&signed.layers(region)).await?));
    let mut there: Vec<(&Region, Vec<OurLayer>)> = Vec::new();
    let mut failed = BTreeMap::new();
    for (region, ours) in regions.iter().zip(join_all(looked_at).await) {
        match ours {
            Ok(ours) => there.push((region, ours)),
            Err(error) if regions.len() > 1 && is_not_enabled(&error) => {
                reporter.note(&format!("{region} is not enabled for this account"));
            }
            Err(error) => {
                failed.insert(region.to_string(), format!("{error:#}"));
            }
        }
    }
    // A region that failed may have it.
    if failed.is_empty() {
        let ours = there.iter().flat_map(|(_, ours)| ours);
        check_asked(&args.layers, &ours.flat_map(known).collect())?;
    }
    let pruned = there
        .iter()
        .map(|(region, ours)| pruning.region(region, ours));
    let (mut versions, mut regions_done) = (Vec::new(), 0);
    for ((region, _), pruned) in there.iter().zip(join_all(pruned).await) {
        match pruned {
            Ok(pruned) => {
                regions_done += 1;
                versions.extend(pruned);
            }
            Err(error) => {
                failed.insert(region.to_string(), format!("{error:#}"));
            }
        }
    }
    Ok(AllPruned {
        versions,
        regions_done,
        failed,
        is_dry: !args.yes,
    })
}

fn known(layer: &OurLayer) -> impl Iterator<Item = Known> {
    let versions = layer.versions.iter();
    versions.map(|version| Known {
        layer: layer.name.clone(),
        logical_name: version.described.logical_name.clone(),
    })
}

/// What all regions share.
struct Pruning<'a> {
    signed: &'a Signed,
    args: &'a PruneArgs,
    /// The ARNs that the record announces, whatever else there is by now: a content that is published again is taken in the
    /// version that it has, which need not be the newest.
    recorded: BTreeSet<String>,
}

impl Pruning<'_> {
    async fn region(&self, region: &Region, ours: &[OurLayer]) -> Result<Vec<Pruned>> {
        let layers = self.signed.layers(region);
        let old = Old::of(self.args);
        let old: Vec<(&OurLayer, &OurVersion)> = ours
            .iter()
            .flat_map(|layer| old.versions(layer).map(move |version| (layer, version)))
            .collect();
        if old.is_empty() {
            return Ok(Vec::new());
        }
        let users = layers.users().await?;
        let mut pruned = Vec::new();
        for (layer, version) in old {
            let arn = &version.version.arn;
            let mut using = users.iter().filter(|user| user.layers.contains(arn));
            let because = match using.next() {
                _ if self.recorded.contains(arn) => {
                    Some(format!("{} announces it", PublicationRecord::NAME))
                }
                Some(user) => Some(format!("{} uses it", user.function)),
                None => self.granted_to(&layers, layer, version).await?,
            };
            let fate = match because {
                Some(because) => Fate::Kept { because },
                None if !self.args.yes => Fate::Goes,
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

    /// Why a version stays that others may use.
    async fn granted_to(
        &self,
        layers: &Layers,
        layer: &OurLayer,
        version: &OurVersion,
    ) -> Result<Option<String>> {
        if self.args.even_granted {
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
}

async fn delete(layers: &Layers, layer: &OurLayer, version: &OurVersion) -> Fate {
    match layers.delete(&layer.name, version.version.version).await {
        Ok(()) => Fate::Gone,
        Err(error) => Fate::Failed {
            because: error.to_string(),
        },
    }
}
