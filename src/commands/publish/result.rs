//! What came out of publishing, region by region.

use std::fmt;

use serde::Serialize;

use super::dry_run::Plan;
use super::place::Placed;
use crate::commands::Outcome;
use crate::publication::{Publication, PublicationRecord, Region};

/// How a region ended.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum RegionEnd {
    /// Everything is there.
    Done,
    /// The account has not enabled it, and all regions were asked for.
    NotEnabled,
    /// Something is not there.
    Failed {
        /// Why, layer by layer.
        reasons: Vec<String>,
    },
}

/// A layer of a region, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct LayerEnd {
    /// As it is recorded.
    #[serde(flatten)]
    pub publication: Publication,
    /// How many versions were published now; 0 if it was there already.
    pub newly_published: u64,
    /// Were grants changed?
    pub grants_changed: bool,
}

impl From<Placed> for LayerEnd {
    fn from(placed: Placed) -> LayerEnd {
        LayerEnd {
            publication: placed.publication,
            newly_published: placed.published,
            grants_changed: placed.granted,
        }
    }
}

/// What came out of one region.
#[derive(Clone, Debug, Serialize)]
pub struct RegionResult {
    /// The region.
    pub region: Region,
    /// How it ended.
    #[serde(flatten)]
    pub end: RegionEnd,
    /// The layers that are there.
    pub layers: Vec<LayerEnd>,
}

impl RegionResult {
    /// One line for it, when it is done.
    pub fn line(&self) -> String {
        let region = &self.region;
        match &self.end {
            RegionEnd::NotEnabled => format!("{region}: not enabled for this account"),
            RegionEnd::Failed { reasons } => format!("{region}: failed: {}", reasons.join("; ")),
            RegionEnd::Done => {
                let new: u64 = self.layers.iter().map(|layer| layer.newly_published).sum();
                let granted = self.layers.iter().any(|layer| layer.grants_changed);
                let what = match (new, granted) {
                    (0, false) => "there already".to_owned(),
                    (0, true) => "there already, granted".to_owned(),
                    (1, _) => "1 version published".to_owned(),
                    (new, _) => format!("{new} versions published"),
                };
                format!("{region}: {what}")
            }
        }
    }
}

/// What came out, or what would.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum PublishResult {
    /// It was done.
    Published(Published),
    /// It was looked at.
    Planned(Plan),
}

impl PublishResult {
    /// Done, partly done, or not at all.
    pub fn outcome(&self) -> Outcome {
        match self {
            PublishResult::Published(published) => published.outcome(),
            PublishResult::Planned(plan) => plan.outcome(),
        }
    }
}

impl fmt::Display for PublishResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublishResult::Published(published) => published.fmt(f),
            PublishResult::Planned(plan) => plan.fmt(f),
        }
    }
}

/// What came out of publishing.
#[derive(Clone, Debug, Serialize)]
pub struct Published {
    /// The account.
    pub account: String,
    /// Region by region.
    pub regions: Vec<RegionResult>,
    /// What makes up for what failed, to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
}

impl Published {
    /// Done, partly done, or not at all.
    pub fn outcome(&self) -> Outcome {
        let failed = |result: &&RegionResult| matches!(result.end, RegionEnd::Failed { .. });
        let done = |result: &&RegionResult| !result.layers.is_empty();
        match self.regions.iter().find(failed) {
            None => Outcome::Done,
            Some(_) if self.regions.iter().any(|result| done(&result)) => Outcome::PartlyDone,
            Some(_) => Outcome::Fault,
        }
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut new, mut old) = (0, 0);
        for result in &self.regions {
            for layer in &result.layers {
                let publication = &layer.publication;
                let state = match layer.newly_published {
                    0 => "there already",
                    _ => "published",
                };
                new += layer.newly_published;
                old += u64::from(layer.newly_published == 0);
                let grants: Vec<String> =
                    publication.grants.iter().map(ToString::to_string).collect();
                let grants = match grants.as_slice() {
                    [] => String::new(),
                    grants => format!("  for {}", grants.join(", ")),
                };
                writeln!(f, "{}  {state}{grants}", publication.arn)?;
            }
        }
        let ends = self
            .regions
            .iter()
            .map(|result| (&result.region, &result.end));
        failed_or_off(f, &self.account, ends)?;
        if new + old > 0 {
            let file = PublicationRecord::NAME;
            writeln!(
                f,
                "{new} published, {old} there already; recorded in {file}"
            )?;
        }
        if let Some(retry) = &self.retry {
            writeln!(f, "what failed, again: {retry}")?;
        }
        Ok(())
    }
}

/// The regions that the account has not enabled, and those that failed, with the reasons.
pub fn failed_or_off<'a>(
    f: &mut fmt::Formatter<'_>,
    account: &str,
    ends: impl Iterator<Item = (&'a Region, &'a RegionEnd)>,
) -> fmt::Result {
    let (mut off, mut failed) = (Vec::new(), Vec::new());
    for (region, end) in ends {
        match end {
            RegionEnd::Done => {}
            RegionEnd::NotEnabled => off.push(region.as_str()),
            RegionEnd::Failed { reasons } => failed.push((region, reasons)),
        }
    }
    if !off.is_empty() {
        writeln!(f, "not enabled for account {account}: {}", off.join(", "))?;
    }
    for (region, reasons) in failed {
        writeln!(f, "failed: {region}")?;
        for reason in reasons {
            writeln!(f, "  {reason}")?;
        }
    }
    Ok(())
}
