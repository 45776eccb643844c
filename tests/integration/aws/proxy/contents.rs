//! What was published through the proxy: the zips, so that they can be fetched again, and when, so that lists can be late.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

/// Zips by the hash that Lambda gives them (base64 of sha256), and versions of layers.
#[derive(Default)]
pub struct Contents {
    zips: HashMap<String, Bytes>,
    versions: HashMap<Version, Published>,
}

/// Region, layer and number.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Version(String, String, u64);

struct Published {
    at: Instant,
    missed: usize,
}

impl Contents {
    /// Keeps a zip.
    pub fn keep(&mut self, sha256: &str, zip: Bytes) {
        self.zips.entry(sha256.to_owned()).or_insert(zip);
    }

    /// A zip that was kept.
    pub fn zip(&self, sha256: &str) -> Option<Bytes> {
        self.zips.get(sha256).cloned()
    }

    /// Notes that a version exists since now.
    pub fn note(&mut self, region: &str, layer: &str, version: u64) {
        let version = Version(region.to_owned(), layer.to_owned(), version);
        self.versions.insert(
            version,
            Published {
                at: Instant::now(),
                missed: 0,
            },
        );
    }

    /// Takes out of a `ListLayerVersions` what is not to be in so many lists yet, or not for so long.
    pub fn make_late(
        &mut self,
        region: &str,
        layer: &str,
        list: &mut Value,
        lists: usize,
        time: Duration,
    ) {
        let Some(versions) = list.get_mut("LayerVersions").and_then(Value::as_array_mut) else {
            return;
        };
        versions.retain(|version| {
            let number = version["Version"].as_u64().unwrap_or_default();
            let key = Version(region.to_owned(), layer.to_owned(), number);
            let Some(published) = self.versions.get_mut(&key) else {
                return true;
            };
            published.missed += 1;
            published.missed > lists && published.at.elapsed() >= time
        });
    }
}
