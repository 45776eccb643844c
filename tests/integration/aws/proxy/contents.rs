//! What was published through the proxy: the zips, so that they can be fetched again, and when, so that lists can be late.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Zips by the hash that Lambda gives them (base64 of sha256), and versions of layers.
#[derive(Default)]
pub struct Contents {
    zips: HashMap<String, Bytes>,
    versions: HashMap<Version, Published>,
    /// Hash and size of what a stand-in is for, by the stand-in's own hash.
    stand_ins: HashMap<String, (String, usize)>,
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

    /// A few bytes that moto may have in place of a zip of that hash and size.
    pub fn stand_in(&mut self, hash: &str, size: usize) -> String {
        let stand_in = format!("in place of {hash}");
        self.stand_ins
            .insert(self::hash(stand_in.as_bytes()), (hash.to_owned(), size));
        stand_in
    }

    /// Puts the hash and the size of the zip into a `Content` that has those of its stand-in.
    pub fn name_the_real(&self, content: &mut Value) {
        let hash = content
            .get("CodeSha256")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if let Some((hash, size)) = self.stand_ins.get(hash) {
            content["CodeSha256"] = hash.as_str().into();
            content["CodeSize"] = (*size).into();
        }
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

/// As Lambda has it: base64 of the sha256.
pub fn hash(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(bytes))
}
