//! Files that are known by their own hash, as downloads: there can be hundreds of them at once.
//!
//! Nobody waits until the disk has them. What a machine that lost its power then has under a name may be a part of the
//! file, or nothing: therefore a run that finds one compares it with its hash before the first use, and takes what differs
//! for absent. What comes in its place replaces it.

use std::path::{Path, PathBuf};

use super::{Cache, CacheError, not_writable};
use crate::checksum::Sha256;

impl Cache {
    /// The file of that hash, if it is there and whole. From now on it is in use.
    pub async fn get_by_hash(&self, kind: &str, sha256: Sha256) -> Option<PathBuf> {
        let path = self.get(kind, &sha256.to_string())?;
        if self.is_known_as_whole(sha256) {
            return Some(path);
        }
        let file = path.clone();
        let found = tokio::task::spawn_blocking(move || Sha256::of_file(&file)).await;
        if found.ok()?.ok()? != sha256 {
            return None;
        }
        self.note_as_whole(sha256);
        Some(path)
    }

    /// Moves a file of the cache's own disk, which has that hash, to its place.
    pub fn keep_by_hash(
        &self,
        kind: &str,
        sha256: Sha256,
        file: &Path,
    ) -> Result<PathBuf, CacheError> {
        let name = sha256.to_string();
        let folder = self.folder.join(kind);
        let path = folder.join(&name);
        fs_err::create_dir_all(&folder).map_err(|source| not_writable(&folder, source))?;
        // From before it is there, so that nobody cleans it away.
        self.hold(kind, &name);
        match fs_err::rename(file, &path) {
            // Some systems replace no file that another run has open; then that has just been made.
            Err(source) if !path.exists() => return Err(not_writable(&path, source)),
            _ => {}
        }
        self.note_as_whole(sha256);
        Ok(path)
    }

    fn is_known_as_whole(&self, sha256: Sha256) -> bool {
        let whole = self.whole.lock();
        whole.is_ok_and(|whole| whole.contains(&sha256))
    }

    fn note_as_whole(&self, sha256: Sha256) {
        if let Ok(mut whole) = self.whole.lock() {
            whole.insert(sha256);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cache: &Cache, content: &[u8]) -> (Sha256, PathBuf) {
        let (sha256, unfinished) = (Sha256::of(content), cache.unfinished().unwrap());
        let file = unfinished.path().join("file");
        fs_err::write(&file, content).unwrap();
        let path = cache.keep_by_hash("downloads", sha256, &file).unwrap();
        (sha256, path)
    }

    #[tokio::test]
    async fn what_lost_power_left_of_a_file_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let (sha256, path) = kept(&Cache::open(folder.path().to_owned()).unwrap(), b"whole");
        for left in [&b""[..], b"wh", b"other"] {
            fs_err::write(&path, left).unwrap();
            // Another run.
            let cache = Cache::open(folder.path().to_owned()).unwrap();
            assert_eq!(cache.get_by_hash("downloads", sha256).await, None);
            kept(&cache, b"whole");
            let found = cache.get_by_hash("downloads", sha256).await;
            assert_eq!(found.as_deref(), Some(path.as_path()));
            assert_eq!(fs_err::read(&path).unwrap(), b"whole");
        }
        let absent = Sha256::of(b"absent");
        let cache = Cache::open(folder.path().to_owned()).unwrap();
        assert_eq!(cache.get_by_hash("downloads", absent).await, None);
    }

    #[tokio::test]
    async fn what_is_kept_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned()).unwrap();
        let (sha256, path) = kept(&cache, b"whole");
        let other = Cache::open(folder.path().to_owned()).unwrap();
        for entry in other.entries().unwrap() {
            other.clean(&entry);
        }
        assert!(path.exists());
        drop(cache);
        for entry in other.entries().unwrap() {
            other.clean(&entry);
        }
        assert!(!path.exists());
        assert_eq!(other.get_by_hash("downloads", sha256).await, None);
    }
}
