//! What a tag led to when it was last pulled, for when its registry cannot be asked. Not a pin: those are in the lock.

use std::io::Write;
use std::path::PathBuf;

use super::ImageReference;
use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::target::Architecture;

fn file(cache: &Cache, reference: &ImageReference, architecture: Architecture) -> PathBuf {
    let name = format!("{reference} {architecture}");
    let short = Sha256::of(name.as_bytes()).short();
    cache.folder().join("tags").join(short)
}

/// Remembers what a tag led to.
pub fn remember(
    cache: &Cache,
    reference: &ImageReference,
    architecture: Architecture,
    digest: &Sha256,
) -> std::io::Result<()> {
    let path = file(cache, reference, architecture);
    let folder = cache.folder().join("tags");
    fs_err::create_dir_all(&folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    write!(file, "{digest}")?;
    file.persist(path)?;
    Ok(())
}

/// What a tag led to when it was last pulled.
pub fn recall(
    cache: &Cache,
    reference: &ImageReference,
    architecture: Architecture,
) -> Option<Sha256> {
    let path = file(cache, reference, architecture);
    fs_err::read_to_string(path).ok()?.parse().ok()
}
