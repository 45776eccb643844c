//! What was had from a place the last time: so that a server is only asked whether it is still the same, and so that
//! without a network the cache knows what it has.

use serde::{Deserialize, Serialize};

use crate::cache::{Cache, CacheError};
use crate::checksum::Sha256;
use crate::http::Validators;

/// The cache's entries of this: a file for each place, by the hash of its name.
const KIND: &str = "fetched";

/// What was had from a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The place: a URL without query, a path, or a commit.
    pub place: String,
    /// The hash by which the cache's `downloads` has it.
    pub sha256: Sha256,
    /// By what it is known to be the same.
    #[serde(flatten)]
    pub validators: Validators,
}

impl Kept {
    /// What is known of a place.
    pub fn of(place: &str, cache: &Cache) -> Option<Kept> {
        let kept: Kept = serde_json::from_slice(&cache.read(KIND, &name(place))?).ok()?;
        (kept.place == place).then_some(kept)
    }

    /// Notes it.
    pub fn keep(&self, cache: &Cache) -> Result<(), CacheError> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        cache.put(KIND, &name(&self.place), &text)
    }
}

fn name(place: &str) -> String {
    Sha256::of(place.as_bytes()).to_string()
}
