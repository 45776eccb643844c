//! `--dry-run`: looks, and says what would be done.

use std::fmt;

use anyhow::Result;
use futures_util::future::join_all;
use serde::Serialize;

use super::Run;
use super::align::all_looked_at;
use super::grants::statements;
use super::result::{RegionEnd, failed_or_off};
use super::survey::Found;
use super::zips::ReadyZip;
use crate::commands::Outcome;
use crate::publication::{Grant, GrantChanges, PublishedName, Region};

/// What would be done about a layer in a region.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedLayer {
    /// The layer.
    pub layer: PublishedName,
    /// The version that would count.
    pub version: u64,
    /// How many would be published; 0 if that version is there already.
    pub to_publish: u64,
    /// Whom it would be granted to, beside those who have it.
    pub to_grant: Vec<Grant>,
    /// The ids of the statements that would be removed.
    pub to_revoke: Vec<String>,
}

/// What would be done in a region.
#[derive(Clone, Debug, Serialize)]
pub struct RegionPlan {
    /// The region.
    pub region: Region,
    /// Could it be looked at?
    #[serde(flatten)]
    pub end: RegionEnd,
    /// Layer by layer.
    pub layers: Vec<PlannedLayer>,
}

/// What would be done.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The account.
    pub account: String,
    /// Region by region.
    pub regions: Vec<RegionPlan>,
}

impl Run<'_> {
    /// Looks at every region, and changes nothing.
    pub(super) async fn planned(&self, regions: &[Region]) -> Result<Plan> {
        let looked_at = join_all(regions.iter().map(|region| self.survey_all(region))).await;
        let numbers = match self.publishing.settings.align {
            true => {
                all_looked_at(&looked_at)?;
                self.numbers(looked_at.iter().flatten())
            }
            false => Vec::new(),
        };
        let plans = regions
            .iter()
            .zip(looked_at)
            .map(async |(region, found)| match found {
                Ok(found) => self.plan(region, &found, &numbers).await,
                Err(result) => RegionPlan {
                    region: result.region,
                    end: result.end,
                    layers: Vec::new(),
                },
            });
        Ok(Plan {
            account: self.publishing.signed.account.to_string(),
            regions: join_all(plans).await,
        })
    }

    async fn plan(&self, region: &Region, found: &[Found], numbers: &[u64]) -> RegionPlan {
        let layers = self.zips.iter().zip(found).enumerate();
        let layers = layers.map(async |(index, (zip, found))| {
            let number = numbers.get(index).copied();
            self.plan_layer(region, zip, found, number).await
        });
        let (mut planned, mut reasons) = (Vec::new(), Vec::new());
        for layer in join_all(layers).await {
            match layer {
                Ok(layer) => planned.push(layer),
                Err(error) => reasons.push(format!("{error:#}")),
            }
        }
        RegionPlan {
            region: region.clone(),
            end: match reasons.is_empty() {
                true => RegionEnd::Done,
                false => RegionEnd::Failed { reasons },
            },
            layers: planned,
        }
    }

    async fn plan_layer(
        &self,
        region: &Region,
        zip: &ReadyZip,
        found: &Found,
        number: Option<u64>,
    ) -> Result<PlannedLayer> {
        let settings = self.publishing.settings;
        let (version, existing) = match found.reaching(number) {
            Some(taken) => {
                let layers = self.publishing.signed.layers(region);
                let existing = statements(&layers, zip.layer.as_str(), taken.version).await?;
                (taken.version, existing)
            }
            None => (number.unwrap_or(found.newest + 1), Vec::new()),
        };
        let changes = GrantChanges::between(&settings.grants, &existing, settings.exact);
        Ok(PlannedLayer {
            layer: zip.layer.clone(),
            version,
            to_publish: found.to_publish(number),
            to_grant: changes.add.into_iter().map(|new| new.grant).collect(),
            to_revoke: changes.remove.into_iter().map(|old| old.id).collect(),
        })
    }
}

impl Plan {
    /// Done, if every region could be looked at.
    pub fn outcome(&self) -> Outcome {
        let failed = |plan: &&RegionPlan| matches!(plan.end, RegionEnd::Failed { .. });
        match self.regions.iter().filter(failed).count() {
            0 => Outcome::Done,
            count if count < self.regions.len() => Outcome::PartlyDone,
            _ => Outcome::Fault,
        }
    }
}

impl fmt::Display for PlannedLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version;
        write!(f, "{}: ", self.layer)?;
        match self.to_publish {
            0 => write!(f, "version {version} is there")?,
            1 => write!(f, "version {version} would be published")?,
            many => write!(f, "{many} versions would be published, up to {version}")?,
        }
        let grants: Vec<String> = self.to_grant.iter().map(ToString::to_string).collect();
        if !grants.is_empty() {
            write!(f, "; it would be granted to {}", grants.join(", "))?;
        }
        if !self.to_revoke.is_empty() {
            let revoked = self.to_revoke.join(", ");
            write!(f, "; of its policy {revoked} would be removed")?;
        }
        Ok(())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut to_publish = 0;
        for plan in &self.regions {
            for layer in &plan.layers {
                to_publish += layer.to_publish;
                writeln!(f, "{}: {layer}", plan.region)?;
            }
        }
        let ends = self.regions.iter().map(|plan| (&plan.region, &plan.end));
        failed_or_off(f, &self.account, ends)?;
        writeln!(
            f,
            "{to_publish} versions would be published; nothing was changed"
        )
    }
}
