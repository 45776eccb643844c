//! AWS's regions, as data: `layers/regions.toml`.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::AwsError;
use crate::embedded;

/// The name of a region: `eu-central-1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(String);

/// The regions of the commercial partition that have Lambda.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Known {
    /// Those that every account has.
    by_default: Vec<Region>,
    /// Those that an account has to enable.
    opt_in: Vec<Region>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    toml::from_str(embedded::text("regions.toml")).expect("layers/regions.toml is read by a test")
});

/// The partition of a region by its name: its ARNs begin with `arn:PARTITION:`.
///
/// Source: AWS General Reference, "Amazon Resource Names"; the SDK's partitions.json.
pub fn partition_of(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
        Some("us") if region.starts_with("us-iso-") => "aws-iso",
        Some("us") if region.starts_with("us-isob-") => "aws-iso-b",
        Some("eusc") => "aws-eusc",
        _ => "aws",
    }
}

impl Region {
    /// All that have Lambda, of the commercial partition.
    pub fn all() -> Vec<Region> {
        let mut all: Vec<Region> = KNOWN
            .by_default
            .iter()
            .chain(&KNOWN.opt_in)
            .cloned()
            .collect();
        all.sort();
        all
    }

    /// Does r-layer know it?
    pub fn is_known(&self) -> bool {
        KNOWN.by_default.contains(self) || KNOWN.opt_in.contains(self)
    }

    /// Has every account got it?
    pub fn is_enabled_by_default(&self) -> bool {
        KNOWN.by_default.contains(self)
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that its ARNs begin with.
    pub fn partition(&self) -> &'static str {
        partition_of(&self.0)
    }

    /// The known region whose name is nearest, where this is none of them.
    pub fn nearest_other(&self) -> Option<&'static Region> {
        (!self.is_known()).then(|| nearest(&self.0)).flatten()
    }
}

fn nearest(name: &str) -> Option<&'static Region> {
    KNOWN
        .by_default
        .iter()
        .chain(&KNOWN.opt_in)
        .map(|region| (strsim::damerau_levenshtein(region.as_str(), name), region))
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, region)| region)
}

impl FromStr for Region {
    type Err = AwsError;

    /// Any name of the right form: there are more regions every year.
    fn from_str(name: &str) -> Result<Region, AwsError> {
        let parts: Vec<&str> = name.split('-').collect();
        let (number, words) = parts.split_last().unwrap_or((&"", &[]));
        let is_word =
            |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        if words.len() >= 2 && words.iter().all(is_word) && is_number {
            return Ok(Region(name.to_owned()));
        }
        Err(AwsError::NotARegion {
            name: name.to_owned(),
            nearest: nearest(name).map(ToString::to_string),
        })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_four_regions_are_known_of_which_half_are_enabled_by_default() {
        assert_eq!(Region::all().len(), 34);
        let by_default = Region::all();
        let by_default = by_default
            .iter()
            .filter(|region| region.is_enabled_by_default());
        assert_eq!(by_default.count(), 17);
        for region in Region::all() {
            assert_eq!(region.as_str().parse::<Region>().unwrap(), region);
        }
    }

    #[test]
    fn a_misspelt_region_has_a_nearest_one_and_a_new_one_is_taken() {
        let error = "eu-central".parse::<Region>().unwrap_err().to_string();
        assert!(error.contains("did you mean eu-central-1?"), "{error}");
        assert!("Frankfurt".parse::<Region>().is_err());
        let new: Region = "eu-cental-1".parse().unwrap();
        assert_eq!(new.nearest_other().unwrap().as_str(), "eu-central-1");
        assert_eq!(
            "us-gov-west-1".parse::<Region>().unwrap().partition(),
            "aws-us-gov"
        );
        assert_eq!(
            "cn-north-1".parse::<Region>().unwrap().partition(),
            "aws-cn"
        );
    }
}
