//! What the cache holds, how large it is and when it was last used; and removing of it what nobody uses.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{Cache, open_lock};

/// The folders that are not kinds of entries.
const OWN: [&str; 2] = ["locks", "unfinished"];
/// What compilations and the like said; a file each, and none of them finished for good.
const LOGS: &str = "logs";

/// Something that the cache keeps.
#[derive(Clone, Debug, Serialize)]
pub struct CacheEntry {
    /// What it is: `downloads`, `compiled`, `roots`, …
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// When it was last used, else made, as far as the system knows.
    #[serde(skip)]
    pub last_used: Option<SystemTime>,
    /// The same, for how many whole days ago.
    pub days_unused: Option<u64>,
}

/// What the cache keeps of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CacheKind {
    /// The kind.
    pub kind: String,
    /// How many entries.
    pub entries: usize,
    /// Their bytes.
    pub size: u64,
}

impl CacheKind {
    /// Sums up entries by their kind, the largest first.
    pub fn of(entries: &[CacheEntry]) -> Vec<CacheKind> {
        let mut kinds: Vec<CacheKind> = Vec::new();
        for entry in entries {
            match kinds.iter_mut().find(|kind| kind.kind == entry.kind) {
                Some(kind) => {
                    kind.entries += 1;
                    kind.size += entry.size;
                }
                None => kinds.push(CacheKind {
                    kind: entry.kind.clone(),
                    entries: 1,
                    size: entry.size,
                }),
            }
        }
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.size));
        kinds
    }
}

/// What became of an entry that was to be removed.
#[derive(Debug)]
pub enum Cleaned {
    /// It is gone.
    Removed,
    /// It is there still.
    Left(Left),
}

/// Why an entry was not removed.
#[derive(Debug, thiserror::Error)]
pub enum Left {
    /// Another run works with it.
    #[error("another r-layer is using it")]
    InUse,
    /// The system did not let it be removed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Left {
    /// Is it there because another run works with it?
    pub fn is_in_use(&self) -> bool {
        matches!(self, Left::InUse)
    }
}

impl Cache {
    /// Everything that the cache keeps, the largest first.
    pub fn entries(&self) -> io::Result<Vec<CacheEntry>> {
        let mut found = Vec::new();
        for kind in fs_err::read_dir(&self.folder)? {
            let kind = kind?;
            let Ok(name) = kind.file_name().into_string() else {
                continue;
            };
            // A kind may be a link to a folder elsewhere.
            if !kind.path().is_dir() || OWN.contains(&name.as_str()) {
                continue;
            }
            for entry in fs_err::read_dir(kind.path())? {
                found.extend(self.entry(&name, &entry?));
            }
        }
        found.sort_by(|one, other| {
            let key = |entry: &CacheEntry| (entry.kind.clone(), entry.name.clone());
            other.size.cmp(&one.size).then(key(one).cmp(&key(other)))
        });
        Ok(found)
    }

    fn entry(&self, kind: &str, entry: &fs_err::DirEntry) -> Option<CacheEntry> {
        let name = entry.file_name().into_string().ok()?;
        let made = entry.metadata().and_then(|data| data.modified()).ok();
        let lock = std::fs::metadata(self.lock_path(kind, &name));
        let used = lock.and_then(|data| data.modified()).ok();
        let last_used = used.max(made);
        let unused = last_used.and_then(|time| SystemTime::now().duration_since(time).ok());
        Some(CacheEntry {
            kind: kind.to_owned(),
            size: size_of(&entry.path()),
            name,
            last_used,
            days_unused: unused.map(|unused| unused.as_secs() / DAY),
        })
    }

    /// Removes an entry, unless a run is using it or making it.
    pub fn clean(&self, entry: &CacheEntry) -> Cleaned {
        match self.try_clean(entry) {
            Ok(()) => Cleaned::Removed,
            Err(left) => Cleaned::Left(left),
        }
    }

    /// What [`Cache::clean`] would do.
    pub fn would_clean(&self, entry: &CacheEntry) -> Cleaned {
        match self.lock_for_cleaning(entry) {
            Ok(_) => Cleaned::Removed,
            Err(left) => Cleaned::Left(left),
        }
    }

    /// The names of the entries of a kind.
    pub fn names(&self, kind: &str) -> Vec<String> {
        let entries = fs_err::read_dir(self.folder.join(kind));
        let names = entries.into_iter().flatten().flatten();
        names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    /// An entry disappears at once, and is removed then: a run that is killed leaves no half of it.
    fn try_clean(&self, entry: &CacheEntry) -> Result<(), Left> {
        let path = self.folder.join(&entry.kind).join(&entry.name);
        let unfinished = self.unfinished().map_err(io::Error::other)?;
        let no_sweep = self.sweep_lock()?;
        let locks = self.lock_for_cleaning(entry)?;
        match fs_err::rename(&path, unfinished.path().join("cleaned")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // A kind of entries may be kept on another disk, behind a link.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => remove(&path)?,
            moved => moved?,
        }
        drop((locks, no_sweep));
        unfinished.close()?;
        Ok(())
    }

    fn lock_for_cleaning(&self, entry: &CacheEntry) -> Result<Vec<File>, Left> {
        let mut paths = vec![self.lock_path(&entry.kind, &entry.name)];
        if entry.kind == LOGS {
            // A log is written by whoever makes what it is named after.
            let made = entry.name.trim_end_matches(".log");
            paths = fs_err::read_dir(self.folder.join("locks"))?
                .flatten()
                .filter(|lock| lock.file_name().to_string_lossy().ends_with(made))
                .map(|lock| lock.path())
                .collect();
        }
        let mut locks = Vec::new();
        for path in paths {
            let lock = open_lock(&path)?;
            match lock.try_lock() {
                Ok(()) => locks.push(lock),
                Err(TryLockError::WouldBlock) => return Err(Left::InUse),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        Ok(locks)
    }
}

const DAY: u64 = 24 * 60 * 60;

impl CacheEntry {
    /// Has nobody used it for so many days?
    pub fn is_unused_for(&self, days: u64) -> bool {
        let limit = Duration::from_secs(days.saturating_mul(DAY));
        let unused = self
            .last_used
            .map(|time| time.elapsed().unwrap_or_default());
        unused.is_some_and(|unused| unused >= limit)
    }
}

fn size_of(path: &Path) -> u64 {
    let Ok(data) = fs_err::symlink_metadata(path) else {
        return 0;
    };
    if !data.is_dir() {
        return data.len();
    }
    let entries = fs_err::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size_of(&entry.path())).sum()
}

/// Removes a file, or a folder with all that is in it.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    if fs_err::symlink_metadata(path)?.is_dir() {
        fs_err::remove_dir_all(path)
    } else {
        fs_err::remove_file(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::CacheError;
    use crate::progress::Silent;

    async fn make(cache: &Cache, kind: &str, name: &str) {
        let make = async |content: &Path| {
            fs_err::create_dir(content).unwrap();
            fs_err::write(content.join("file"), "12345").unwrap();
            Ok::<(), CacheError>(())
        };
        cache.get_or_make(kind, name, &Silent, make).await.unwrap();
    }

    #[tokio::test]
    async fn what_a_run_uses_is_left_and_the_rest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Cache::open(folder.path().to_owned()).unwrap();
        let (one, other, cleaner) = (open(), open(), open());
        make(&one, "roots", "made").await;
        make(&one, "roots", "alone").await;
        // Two runs may use an entry at once.
        make(&other, "roots", "made").await;
        drop(one);
        let entries = cleaner.entries().unwrap();
        let kinds = CacheKind::of(&entries);
        assert_eq!((kinds[0].entries, kinds[0].size), (2, 10));
        for entry in &entries {
            assert_eq!(entry.days_unused, Some(0));
            match cleaner.clean(entry) {
                Cleaned::Removed => assert_eq!(entry.name, "alone"),
                Cleaned::Left(left) => {
                    assert!(entry.name == "made" && matches!(left, Left::InUse));
                }
            }
        }
        assert!(other.get("roots", "made").is_some());
        assert_eq!(other.get("roots", "alone"), None);
        drop(other);
        assert!(matches!(
            cleaner.clean(&cleaner.entries().unwrap()[0]),
            Cleaned::Removed
        ));
        // What was cleaned away is made again.
        make(&cleaner, "roots", "made").await;
        assert!(cleaner.get("roots", "made").is_some());
    }

    #[tokio::test]
    async fn a_log_that_is_being_written_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned()).unwrap();
        fs_err::create_dir(folder.path().join("logs")).unwrap();
        for name in ["r-1.log", "r-2.log"] {
            fs_err::write(folder.path().join("logs").join(name), "checking …").unwrap();
        }
        let cleaner = Cache::open(folder.path().to_owned()).unwrap();
        let making = async |content: &Path| {
            for entry in cleaner.entries().unwrap() {
                let is_left = matches!(cleaner.clean(&entry), Cleaned::Left(Left::InUse));
                assert_eq!(is_left, entry.name == "r-1.log");
            }
            fs_err::write(content, "").unwrap();
            Ok::<(), CacheError>(())
        };
        cache
            .get_or_make("compiled", "r-1", &Silent, making)
            .await
            .unwrap();
    }

    #[test]
    fn age_is_counted_from_the_last_use() {
        let ago = |days| CacheEntry {
            kind: "downloads".into(),
            name: "a".into(),
            size: 1,
            last_used: Some(SystemTime::now() - Duration::from_secs(days * DAY + 60)),
            days_unused: Some(days),
        };
        assert!(ago(30).is_unused_for(30) && !ago(29).is_unused_for(30));
    }
}
