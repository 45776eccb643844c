//! `--align`: the same version number in every region. Numbers only go up, one by one, so the regions that are behind
//! publish the same content until they have the highest.

use anyhow::{Result, bail};
use futures_util::future::join_all;

use super::result::{RegionEnd, RegionResult};
use super::survey::{Found, survey};
use super::{RegionLine, Run, Surveyed};
use crate::publication::Region;

/// What there is of every zip in a region, or how the region failed.
type Surveys = Result<Vec<Found>, Box<RegionResult>>;

impl Run<'_> {
    /// Looks at all regions, says how many versions it takes, and publishes.
    pub(super) async fn aligned(&self, regions: &[Region]) -> Result<Vec<RegionResult>> {
        let surveyed = join_all(regions.iter().map(|region| self.survey_all(region))).await;
        all_looked_at(&surveyed)?;
        let mut results = Vec::new();
        let mut reached = Vec::new();
        for (region, found) in regions.iter().zip(surveyed) {
            match found {
                Ok(found) => reached.push((region, found)),
                Err(result) => results.push(*result),
            }
        }
        let numbers = self.numbers(reached.iter().map(|(_, found)| found));
        for (zip, (index, number)) in self.zips.iter().zip(numbers.iter().enumerate()) {
            let to_make: u64 = reached
                .iter()
                .map(|(_, found)| found[index].to_publish(Some(*number)))
                .sum();
            self.reporter.note(&format!(
                "{}: version {number} in every region; {to_make} to publish",
                zip.logical_name
            ));
        }
        let places = reached.into_iter().map(|(region, found)| {
            let known: Vec<Surveyed> = found
                .into_iter()
                .zip(&numbers)
                .map(|(found, number)| (found, Some(*number)))
                .collect();
            self.region(region, Some(known))
        });
        results.extend(join_all(places).await);
        results.sort_by(|one, other| one.region.cmp(&other.region));
        Ok(results)
    }

    /// For every zip the number that its version is to have in all regions.
    pub(super) fn numbers<'f>(&self, found: impl Iterator<Item = &'f Vec<Found>>) -> Vec<u64> {
        let found: Vec<&Vec<Found>> = found.collect();
        (0..self.zips.len())
            .map(|index| highest(found.iter().map(|found| &found[index])))
            .collect()
    }

    /// What there is of every zip in a region, or how the region failed.
    pub(super) async fn survey_all(&self, region: &Region) -> Surveys {
        let line = RegionLine::begin(region.as_str(), self.reporter);
        let surveys = self
            .zips
            .iter()
            .map(|zip| survey(&self.publishing, &self.recorded, zip, region));
        let mut found = Vec::new();
        for survey in join_all(surveys).await {
            match survey {
                Ok(there) => found.push(there),
                Err(error) => {
                    let placed: Vec<Result<super::Placed>> = vec![Err(error.into())];
                    let result = self.result(region, placed);
                    line.finish(&result.line());
                    return Err(Box::new(result));
                }
            }
        }
        line.finish(&format!("{region}: looked at"));
        Ok(found)
    }
}

/// Refuses to find numbers without the regions that could not be looked at: they may have higher ones, and the others would
/// have been told others by then. Those that are not enabled have none.
pub(super) fn all_looked_at(surveyed: &[Surveys]) -> Result<()> {
    let failed: Vec<String> = surveyed
        .iter()
        .filter_map(|surveyed| surveyed.as_ref().err())
        .filter(|result| matches!(result.end, RegionEnd::Failed { .. }))
        .map(|result| result.line())
        .collect();
    if !failed.is_empty() {
        bail!(
            "nothing was published: --align wants the numbers of all regions, and not all could be looked at; type the same \
             again, or leave them out. {}",
            failed.join("; ")
        );
    }
    Ok(())
}

/// The number that every region can have: the highest that one has, or would get.
fn highest<'a>(found: impl Iterator<Item = &'a Found>) -> u64 {
    found
        .map(|found| match &found.taken {
            // Whatever was published after it, the next number is above that.
            Some(taken) if taken.version == found.newest => taken.version,
            _ => found.newest + 1,
        })
        .max()
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::LayerVersion;

    fn found(taken: Option<u64>, newest: u64) -> Found {
        let version = |version| LayerVersion {
            version,
            arn: String::new(),
            description: String::new(),
            created: String::new(),
            architectures: Vec::new(),
        };
        Found {
            taken: taken.map(version),
            newest,
            ..Found::default()
        }
    }

    #[test]
    fn every_region_goes_to_the_highest_number_that_one_has_or_would_get() {
        for (regions, number, to_make) in [
            (vec![found(None, 0), found(None, 0)], 1, vec![1, 1]),
            (vec![found(Some(3), 3), found(None, 0)], 3, vec![0, 3]),
            (
                vec![found(None, 4), found(Some(5), 5), found(Some(2), 2)],
                5,
                vec![1, 0, 3],
            ),
            // In the first, something else was published after it.
            (vec![found(Some(2), 3), found(Some(3), 3)], 4, vec![1, 1]),
        ] {
            assert_eq!(highest(regions.iter()), number);
            let made: Vec<u64> = regions
                .iter()
                .map(|found| found.to_publish(Some(number)))
                .collect();
            assert_eq!(made, to_make);
        }
    }
}
