//! /opt of a function: its layers unpacked, in the cache by the hashes of their zips.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::layer::ExaminedLayer;
use crate::layer::unpack::unpack;
use crate::progress::Reporter;

/// The layers in that order, from the cache or unpacked now.
pub async fn unpacked(
    layers: &[ExaminedLayer],
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<PathBuf> {
    let hashes: Vec<String> = layers
        .iter()
        .map(|layer| layer.archive.sha256.to_string())
        .collect();
    let key = Sha256::of_parts(hashes.iter().map(|hash| hash.as_bytes())).short();
    cache
        .get_or_make("unpacked", &key, reporter, async |content: &Path| {
            let archives = layers.iter().map(|layer| &layer.archive);
            Ok(unpack(archives, content)?)
        })
        .await
}
