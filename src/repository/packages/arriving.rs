//! Where files lie while they are fetched: hundreds of them share one folder, which is gone with the last.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cache::{Cache, CacheError, Unfinished};

/// The folder of files that are on their way, made when there is one.
#[derive(Default)]
pub struct Arriving {
    folder: OnceLock<Unfinished>,
    begun: AtomicUsize,
}

impl Arriving {
    /// A place for another file.
    pub fn another(&self, cache: &Cache) -> Result<PathBuf, CacheError> {
        let folder = match self.folder.get() {
            Some(folder) => folder,
            None => {
                let made = cache.unfinished()?;
                self.folder.get_or_init(|| made)
            }
        };
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        Ok(folder.path().join(format!("tarball-{number}")))
    }
}
