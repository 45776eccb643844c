//! `r-layer publish`: layers as versions in every region, the same everywhere, once.
//!
//! Each layer of each region is a piece of work of its own: it is looked for, published if it is not there, granted, and
//! recorded. What fails, fails alone; a second run does what is left.

mod align;
mod bodies;
mod dry_run;
mod duplicates;
pub mod grants;
mod place;
mod region_line;
mod result;
mod retry;
mod settings;
mod survey;
mod zips;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::aws_session::{expected_account, is_not_enabled, open, signed};
use super::regions::chosen_regions;
use crate::cli::PublishArgs;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::{PublicationRecord, Region};
use bodies::Bodies;
use place::{Placed, Publishing};
use region_line::RegionLine;
pub use result::PublishResult;
use result::{Published, RegionEnd, RegionResult};
use settings::{PublishSettings, folder};
use survey::{Found, survey};
use zips::ReadyZip;

/// Parts of zips for buckets in memory at once, of all regions together: 8 MiB each.
const PARTS: usize = 16;

/// Publishes the zips that were named, or those in `dist`.
pub async fn run(args: PublishArgs, reporter: &dyn Reporter) -> Result<PublishResult> {
    let manifest = Manifest::read(folder())?;
    let section = &manifest.publish;
    let target = section.chosen_target(args.to.as_deref())?;
    let settings = PublishSettings::of(&args, section, target)?;
    let zips = zips::read(&args.zips, &settings, reporter)?;
    let session = open(&args.aws, target, section.profile.as_deref()).await?;
    let regions = chosen_regions(&args.regions, section.regions_for(target), &session)?;
    for region in regions.iter().filter(|region| !region.is_known()) {
        reporter.warn(&format!(
            "r-layer does not know the region {region}; it is tried all the same"
        ));
    }
    let expected = expected_account(&args.aws, target);
    let signed = signed(session, &regions, expected.as_ref(), reporter).await?;
    let _alone = signed.alone(reporter).await?;
    let bodies = Bodies::default();
    let publishing = Publishing {
        signed: &signed,
        settings: &settings,
        bodies: &bodies,
        parts: Arc::new(Semaphore::new(PARTS)),
        reporter,
    };
    let recorded = PublicationRecord::read(folder())?;
    let run = Run {
        publishing,
        recorded,
        zips,
        reporter,
    };
    if settings.dry_run {
        return Ok(PublishResult::Planned(run.planned(&regions).await?));
    }
    let results = match settings.align {
        true => run.aligned(&regions).await?,
        false => join_all(regions.iter().map(|region| run.region(region, None))).await,
    };
    Ok(PublishResult::Published(Published {
        account: signed.account.to_string(),
        retry: retry::command(&args, &results),
        regions: results,
    }))
}

/// A run of `publish`.
struct Run<'a> {
    publishing: Publishing<'a>,
    recorded: PublicationRecord,
    zips: Vec<ReadyZip>,
    reporter: &'a dyn Reporter,
}

/// What is known of a zip in a region, and the number that its version is to get.
type Surveyed = (Found, Option<u64>);

impl Run<'_> {
    /// Does what is to be done in a region, all layers at once.
    async fn region(&self, region: &Region, surveyed: Option<Vec<Surveyed>>) -> RegionResult {
        let line = RegionLine::begin(region.as_str(), self.reporter);
        let mut surveyed = surveyed.map(Vec::into_iter);
        let places = self.zips.iter().map(|zip| {
            let known = surveyed.as_mut().and_then(Iterator::next);
            self.layer(zip, region, known, &line)
        });
        let placed = join_all(places).await;
        let result = self.result(region, recorded(placed));
        line.finish(&result.line());
        result
    }

    async fn layer(
        &self,
        zip: &ReadyZip,
        region: &Region,
        known: Option<Surveyed>,
        line: &RegionLine,
    ) -> Result<Placed> {
        let (found, number) = match known {
            Some(known) => known,
            None => (
                survey(&self.publishing, &self.recorded, zip, region).await?,
                None,
            ),
        };
        self.publishing
            .place(zip, region, found, number, line)
            .await
    }

    /// Done, or why not.
    fn result<T: Into<result::LayerEnd>>(
        &self,
        region: &Region,
        placed: Vec<Result<T>>,
    ) -> RegionResult {
        let (mut layers, mut reasons) = (Vec::new(), BTreeMap::new());
        let mut not_enabled = !placed.is_empty();
        for (zip, placed) in self.zips.iter().zip(placed) {
            match placed {
                Ok(placed) => {
                    not_enabled = false;
                    layers.push(placed.into());
                }
                Err(error) => {
                    not_enabled &= is_not_enabled(&error);
                    let reason = format!("{error:#}");
                    let of = reasons.entry(reason).or_insert_with(Vec::new);
                    of.push(zip.logical_name.clone());
                }
            }
        }
        let is_opt_in = !region.is_enabled_by_default();
        let end = match reasons.is_empty() {
            true => RegionEnd::Done,
            false if not_enabled && is_opt_in && self.publishing.settings.all_regions => {
                RegionEnd::NotEnabled
            }
            false => RegionEnd::Failed {
                reasons: reasons
                    .into_iter()
                    .map(|(reason, layers)| format!("{}: {reason}", layers.join(", ")))
                    .collect(),
            },
        };
        RegionResult {
            region: region.clone(),
            end,
            layers,
        }
    }
}

/// Records what was placed in a region, in one step. What is not recorded is not told of: a later run finds it there.
fn recorded(placed: Vec<Result<Placed>>) -> Vec<Result<Placed>> {
    let publications = placed
        .iter()
        .flatten()
        .map(|placed| placed.publication.clone());
    let publications: Vec<_> = publications.collect();
    let written = PublicationRecord::update(folder(), |record| {
        for publication in publications {
            record.record(publication);
        }
    });
    match written {
        Ok(()) => placed,
        Err(error) => {
            let reason = error.to_string();
            let unrecorded = |placed: Result<Placed>| placed.and_then(|_| bail!(reason.clone()));
            placed.into_iter().map(unrecorded).collect()
        }
    }
}
