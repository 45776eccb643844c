//! The cache: downloads, unpacked and compiled R, root file systems; what takes long, kept by its inputs.
//!
//! An entry appears under its name only when it is whole: it is made in a folder of its own and renamed.
//! A lock a name lets two runs at once share the work: whoever makes an entry has it alone, whoever uses it shares it,
//! and what is in use is not cleaned away. The locks are the system's, so a killed run leaves none behind, and what it
//! had begun is swept away by a later one.

mod by_hash;
mod replaced;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

pub use upkeep::{CacheEntry, CacheKind, Cleaned, Left};

use etcetera::BaseStrategy;

use crate::checksum::Sha256;
use crate::os;
use crate::progress::Reporter;

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// No home folder and no setting.
    #[error("no folder for the cache: set R_LAYER_CACHE to one that can be written to")]
    NoFolder,
    /// Too little room on its disk.
    #[error(
        "{what} needs {need} MB at {path}, and there are {free} MB; make room, or set R_LAYER_CACHE to a folder on a \
         larger disk"
    )]
    NoRoom {
        /// What needs it.
        what: String,
        /// The cache's folder.
        path: PathBuf,
        /// How much is needed, in MB.
        need: u64,
        /// How much there is, in MB.
        free: u64,
    },
    /// The folder, or something in it, cannot be written.
    #[error(
        "the cache at {path} cannot be written ({source}); set R_LAYER_CACHE to a folder with room for it"
    )]
    NotWritable {
        /// The path.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
}

/// A folder of finished entries.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    /// The locks of the entries that this run uses, held as long as it has the cache.
    used: Arc<Mutex<BTreeMap<PathBuf, File>>>,
    /// The hashes of the files of which this run has seen that they are whole.
    whole: Arc<Mutex<BTreeSet<Sha256>>>,
}

impl Cache {
    /// The cache in `$R_LAYER_CACHE`, else in the user's cache folder.
    pub fn from_environment() -> Result<Cache, CacheError> {
        let folder = match std::env::var_os("R_LAYER_CACHE") {
            Some(folder) if !folder.is_empty() => PathBuf::from(folder),
            _ => etcetera::choose_base_strategy()
                .map_err(|_| CacheError::NoFolder)?
                .cache_dir()
                .join("r-layer"),
        };
        Cache::open(folder)
    }

    /// The cache in a folder, which is made if need be; sweeps away what killed runs left.
    pub fn open(folder: PathBuf) -> Result<Cache, CacheError> {
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        let cache = Cache {
            folder,
            used: Arc::default(),
            whole: Arc::default(),
        };
        for part in ["locks", "unfinished"] {
            let path = cache.folder.join(part);
            fs_err::create_dir_all(&path).map_err(|source| not_writable(&path, source))?;
        }
        // A cache that cannot be written is said now, and not after an hour of compiling.
        let probe = cache.unfinished()?;
        drop(probe);
        cache.sweep();
        Ok(cache)
    }

    /// Where the cache is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many bytes there are left on the cache's disk, where the system says so.
    pub fn room(&self) -> Result<Option<u64>, CacheError> {
        os::room(&self.folder).map_err(|error| not_writable(&self.folder, error))
    }

    /// Makes sure that there are so many MB on the cache's disk before something begins that fills it.
    pub fn need_room(&self, what: &str, need: u64) -> Result<(), CacheError> {
        let free = self.room()?.map_or(u64::MAX, |bytes| bytes / 1_000_000);
        if free < need {
            let path = self.folder.clone();
            return Err(CacheError::NoRoom {
                what: what.to_owned(),
                path,
                need,
                free,
            });
        }
        Ok(())
    }

    /// The entry of that kind and name, if it is there. From now on it is in use.
    pub fn get(&self, kind: &str, name: &str) -> Option<PathBuf> {
        let path = self.folder.join(kind).join(name);
        if !path.exists() {
            return None;
        }
        self.hold(kind, name);
        // It may have been cleaned away before it was held.
        path.exists().then_some(path)
    }

    /// Shares the lock of an entry, and notes that it was used now.
    fn hold(&self, kind: &str, name: &str) {
        let lock_path = self.lock_path(kind, name);
        let Ok(mut used) = self.used.lock() else {
            return;
        };
        if used.contains_key(&lock_path) {
            return;
        }
        // Without a lock file the entry is as good; only that it is in use nobody can tell.
        if let Ok(lock) = open_lock(&lock_path)
            && lock.lock_shared().is_ok()
        {
            let _ = lock.set_modified(SystemTime::now());
            used.insert(lock_path, lock);
        }
    }

    fn lock_path(&self, kind: &str, name: &str) -> PathBuf {
        self.folder.join("locks").join(format!("{kind}-{name}"))
    }

    /// The entry of that kind and name; made by `make`, which gets an empty folder and the name of what to
    /// leave in it is `content`, if it is not there yet.
    pub async fn get_or_make<E, F>(
        &self,
        kind: &str,
        name: &str,
        reporter: &dyn Reporter,
        make: F,
    ) -> Result<PathBuf, E>
    where
        E: From<CacheError>,
        F: AsyncFnOnce(&Path) -> Result<(), E>,
    {
        if let Some(path) = self.get(kind, name) {
            return Ok(path);
        }
        self.forget(kind, name);
        let path = self.folder.join(kind).join(name);
        let Some(lock) = self.lock(kind, name, &path, reporter).await? else {
            self.hold(kind, name);
            return Ok(path);
        };
        if !path.exists() {
            let unfinished = self.unfinished()?;
            let content = unfinished.path().join("content");
            make(&content).await?;
            let parent = self.folder.join(kind);
            fs_err::create_dir_all(&parent).map_err(|source| not_writable(&parent, source))?;
            fs_err::rename(&content, &path).map_err(|source| not_writable(&path, source))?;
        }
        // Between the one lock and the other, nothing may be cleaned away.
        let _no_sweep = self.sweep_lock();
        drop(lock);
        self.hold(kind, name);
        Ok(path)
    }

    /// Lets go of an entry that is not there any more.
    fn forget(&self, kind: &str, name: &str) {
        if let Ok(mut used) = self.used.lock() {
            used.remove(&self.lock_path(kind, name));
        }
    }

    /// Waits until no other run works on that entry; nothing if another has made it meanwhile.
    async fn lock(
        &self,
        kind: &str,
        name: &str,
        entry: &Path,
        reporter: &dyn Reporter,
    ) -> Result<Option<File>, CacheError> {
        let told = format!("another r-layer is making {kind}/{name}; waiting for it");
        // Others use it already.
        let is_made = || entry.exists();
        wait_for(&self.lock_path(kind, name), &told, is_made, reporter).await
    }

    /// Waits until no other run on this machine does what has that name; until the file is dropped, none does.
    pub async fn alone(
        &self,
        name: &str,
        reporter: &dyn Reporter,
    ) -> Result<Option<File>, CacheError> {
        let path = self.folder.join("locks").join(name);
        let told = "another r-layer is at it; waiting for it";
        wait_for(&path, told, || false, reporter).await
    }

    /// A folder for work in progress on the cache's own disk; gone when dropped.
    pub fn unfinished(&self) -> Result<Unfinished, CacheError> {
        let parent = self.folder.join("unfinished");
        let make = || -> std::io::Result<Unfinished> {
            // Between making a folder and locking it, no other run may take it for an abandoned one.
            let _no_sweep = self.sweep_lock()?;
            let folder = tempfile::Builder::new()
                .prefix("run-")
                .tempdir_in(&parent)?;
            let lock = File::create(folder.path().join(".lock"))?;
            lock.lock()?;
            Ok(Unfinished {
                folder,
                _lock: lock,
            })
        };
        make().map_err(|source| not_writable(&parent, source))
    }

    fn sweep_lock(&self) -> std::io::Result<File> {
        let lock = File::create(self.folder.join("locks/sweep"))?;
        lock.lock()?;
        Ok(lock)
    }

    /// Removes the folders and files of runs that are no more: their lock can be had.
    fn sweep(&self) {
        let Ok(_lock) = self.sweep_lock() else {
            return;
        };
        let Ok(entries) = fs_err::read_dir(self.folder.join("unfinished")) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let lock = match path.is_dir() {
                true => path.join(".lock"),
                false => path.clone(),
            };
            // No other run is making one now: a folder without a lock is one whose removal was cut short.
            let abandoned = match File::open(lock) {
                Ok(lock) => lock.try_lock().is_ok(),
                Err(error) => error.kind() == std::io::ErrorKind::NotFound,
            };
            if abandoned {
                // What cannot be removed now, the next run tries again.
                let _ = upkeep::remove(&path);
            }
        }
    }
}

/// Waits for a lock, and says so once; nothing if it is not needed any more.
async fn wait_for(
    path: &Path,
    told: &str,
    is_needless: impl Fn() -> bool,
    reporter: &dyn Reporter,
) -> Result<Option<File>, CacheError> {
    let lock = open_lock(path).map_err(|source| not_writable(path, source))?;
    let mut was_told = false;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::WouldBlock) if is_needless() => return Ok(None),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut was_told, true) {
                    reporter.note(told);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(TryLockError::Error(source)) => return Err(not_writable(path, source)),
        }
    }
}

/// Opens the file of a lock as it is: its time is that of the last use.
fn open_lock(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}

fn not_writable(path: &Path, source: std::io::Error) -> CacheError {
    CacheError::NotWritable {
        path: path.to_owned(),
        source,
    }
}

/// A folder for work in progress.
#[derive(Debug)]
pub struct Unfinished {
    folder: tempfile::TempDir,
    _lock: File,
}

impl Unfinished {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it now; what cannot be removed is an error.
    fn close(self) -> std::io::Result<()> {
        self.folder.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("cache")).unwrap();
        (folder, cache)
    }

    #[tokio::test]
    async fn an_entry_is_made_once_and_only_when_whole() {
        let (_folder, cache) = cache();
        let failed = cache
            .get_or_make("r", "one", &Silent, async |content: &Path| {
                fs_err::write(content, "half").unwrap();
                Err::<(), CacheError>(CacheError::NoFolder)
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(cache.get("r", "one"), None);

        for expected in ["first", "first"] {
            let path = cache
                .get_or_make("r", "one", &Silent, async |content: &Path| {
                    fs_err::write(content, "first").unwrap();
                    Ok::<(), CacheError>(())
                })
                .await
                .unwrap();
            assert_eq!(fs_err::read_to_string(path).unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn two_runs_at_once_share_the_work() {
        let (_folder, cache) = cache();
        let made = std::sync::atomic::AtomicUsize::new(0);
        let make = async |content: &Path| {
            made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            fs_err::write(content, "whole").unwrap();
            Ok::<(), CacheError>(())
        };
        let (one, other) = tokio::join!(
            cache.get_or_make("r", "shared", &Silent, make),
            cache.get_or_make("r", "shared", &Silent, make),
        );
        assert_eq!(one.unwrap(), other.unwrap());
        assert_eq!(made.load(std::sync::atomic::Ordering::SeqCst), 1);
    }

    #[test]
    fn what_a_killed_run_left_is_swept_away_and_what_runs_is_not() {
        let (_folder, cache) = cache();
        let running = cache.unfinished().unwrap();
        let killed = cache.folder().join("unfinished/run-killed");
        fs_err::create_dir(&killed).unwrap();
        fs_err::write(killed.join(".lock"), "").unwrap();
        let file = cache.folder().join("unfinished/file-killed");
        fs_err::write(&file, "half").unwrap();
        Cache::open(cache.folder().to_owned()).unwrap();
        assert!(running.path().exists());
        assert!(!killed.exists() && !file.exists());
    }

    #[test]
    fn a_cache_that_cannot_be_made_names_its_path() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("file"), "").unwrap();
        let error = Cache::open(folder.path().join("file/cache"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("file/cache"), "{error}");
        assert!(error.contains("R_LAYER_CACHE"), "{error}");
    }
}
