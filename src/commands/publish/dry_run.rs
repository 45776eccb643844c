//! `--dry-run`: looks, and says what would be done.

use futures_util::future::join_all;

use super::Run;
use super::result::{RegionEnd, RegionResult};
use crate::publication::Region;

impl Run<'_> {
    /// Looks at every region, and changes nothing.
    pub(super) async fn dry(&self, regions: &[Region]) -> Vec<RegionResult> {
        join_all(regions.iter().map(|region| self.dry_region(region))).await
    }

    async fn dry_region(&self, region: &Region) -> RegionResult {
        let found = match self.survey_all(region).await {
            Ok(found) => found,
            Err(result) => return *result,
        };
        for (zip, found) in self.zips.iter().zip(found) {
            let what = match found.taken {
                Some(taken) => format!("is there as version {}", taken.version),
                None => format!("would be published as version {}", found.newest + 1),
            };
            self.reporter
                .note(&format!("{region}: {} {what}", zip.layer));
        }
        RegionResult {
            region: region.clone(),
            end: RegionEnd::Done,
            layers: Vec::new(),
        }
    }
}
