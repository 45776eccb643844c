//! What a repository was when it was last asked, for when it cannot be asked (`--offline`). Not a pin: those are in the
//! lock, and name packages.

use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::target::Architecture;

/// A repository at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its base, which a list of mirrors led to.
    pub base: String,
    /// The hash of its list of packages, by which the cache has the index made of it.
    pub primary: Sha256,
}

fn file(cache: &Cache, place: &str, architecture: Architecture) -> PathBuf {
    let name = format!("{place} {architecture}");
    let short = Sha256::of(name.as_bytes()).short();
    cache.folder().join("repositories").join(short)
}

/// Remembers what a place led to.
pub fn remember(
    cache: &Cache,
    place: &str,
    architecture: Architecture,
    known: &Known,
) -> std::io::Result<()> {
    let folder = cache.folder().join("repositories");
    fs_err::create_dir_all(&folder)?;
    let mut written = tempfile::NamedTempFile::new_in(folder)?;
    written.write_all(&serde_json::to_vec(known)?)?;
    written.persist(file(cache, place, architecture))?;
    Ok(())
}

/// What a place led to when it was last asked.
pub fn recall(cache: &Cache, place: &str, architecture: Architecture) -> Option<Known> {
    let text = fs_err::read(file(cache, place, architecture)).ok()?;
    serde_json::from_slice(&text).ok()
}
