//! AWS's regions, as data: `layers/regions.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::arn::{PlaceError, Region};
use crate::embedded;
use crate::nearest::nearest_names;

/// The regions of the commercial partition that have Lambda.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Known {
    /// Those that every account has.
    by_default: Vec<Region>,
    /// Those that an account has to enable.
    opt_in: Vec<Region>,
}

impl Known {
    fn all(&self) -> impl Iterator<Item = &Region> {
        self.by_default.iter().chain(&self.opt_in)
    }
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is part of the program")]
    toml::from_str(embedded::text("regions.toml")).expect("layers/regions.toml is read by a test")
});

/// A text that is no region's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source}{}", nearest.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
pub struct RegionError {
    source: PlaceError,
    nearest: Option<Region>,
}

impl Region {
    /// A region's name that somebody typed. One that r-layer does not know is taken: there are more every year.
    pub fn typed(name: &str) -> Result<Region, RegionError> {
        name.parse().map_err(|source| RegionError {
            source,
            nearest: nearest(name).cloned(),
        })
    }

    /// All that have Lambda, of the commercial partition, sorted.
    pub fn all() -> Vec<Region> {
        let mut all: Vec<Region> = KNOWN.all().cloned().collect();
        all.sort();
        all
    }

    /// Does r-layer know it?
    pub fn is_known(&self) -> bool {
        KNOWN.all().any(|region| region == self)
    }

    /// Has every account got it?
    pub fn is_enabled_by_default(&self) -> bool {
        KNOWN.by_default.contains(self)
    }

    /// The known region whose name is nearest, where this is none of them.
    pub fn nearest_other(&self) -> Option<&'static Region> {
        (!self.is_known()).then(|| nearest(self.as_str())).flatten()
    }
}

fn nearest(name: &str) -> Option<&'static Region> {
    let near = nearest_names(name, KNOWN.all().map(Region::as_str));
    let near = near.first()?;
    KNOWN.all().find(|region| region.as_str() == *near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_four_regions_are_known_of_which_half_are_enabled_by_default() {
        assert_eq!(Region::all().len(), 34);
        let all = Region::all();
        let by_default = all.iter().filter(|region| region.is_enabled_by_default());
        assert_eq!(by_default.count(), 17);
    }

    #[test]
    fn a_misspelt_region_has_a_nearest_one_and_a_new_one_is_taken() {
        let error = Region::typed("eu-central").unwrap_err().to_string();
        assert!(error.contains("did you mean eu-central-1?"), "{error}");
        assert!(Region::typed("Frankfurt").is_err());
        let new = Region::typed("eu-cental-1").unwrap();
        assert_eq!(new.nearest_other().unwrap().as_str(), "eu-central-1");
    }
}
