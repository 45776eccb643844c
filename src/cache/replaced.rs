//! Small entries that change, as what a server said last: they are read and written whole, and nobody holds them, so that
//! hundreds of them take no open files.

use std::io::{Read, Write};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::{Cache, CacheError, not_writable};
use crate::os::set_mode;

impl Cache {
    /// The content of an entry, if it is there; it was used now.
    pub fn read(&self, kind: &str, name: &str) -> Option<Vec<u8>> {
        let mut file = fs_err::File::open(self.folder.join(kind).join(name)).ok()?;
        let length = file.metadata().ok()?.len();
        let mut content = Vec::with_capacity(usize::try_from(length).ok()?);
        file.read_to_end(&mut content).ok()?;
        // That it is in use is worth nothing if it cannot be noted.
        let _ = file.file().set_modified(SystemTime::now());
        Some(content)
    }

    /// Keeps a content under a name, in the place of what was there. Who reads the former reads it to its end.
    pub fn put(&self, kind: &str, name: &str, content: &[u8]) -> Result<(), CacheError> {
        let path = self.folder.join(kind).join(name);
        let write = || -> std::io::Result<()> {
            fs_err::create_dir_all(self.folder.join(kind))?;
            let mut unfinished = self.unfinished_file()?;
            unfinished.write_all(content)?;
            unfinished.persist(&path)?;
            Ok(())
        };
        write().map_err(|source| not_writable(&path, source))
    }

    /// A file on the cache's own disk that is locked as long as it is written, so that no other run sweeps it away.
    fn unfinished_file(&self) -> std::io::Result<NamedTempFile> {
        let _no_sweep = self.sweep_lock()?;
        let file = tempfile::Builder::new()
            .prefix("file-")
            .tempfile_in(self.folder.join("unfinished"))?;
        set_mode(file.path(), 0o644)?;
        file.as_file().lock()?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::Cache;

    #[test]
    fn what_is_put_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("cache")).unwrap();
        assert_eq!(cache.read("indexes", "one"), None);
        for content in ["first", "second"] {
            cache.put("indexes", "one", content.as_bytes()).unwrap();
            assert_eq!(cache.read("indexes", "one").unwrap(), content.as_bytes());
        }
        assert!(
            cache.used.lock().unwrap().is_empty(),
            "no lock is held for it"
        );
        let left = fs_err::read_dir(cache.folder().join("unfinished")).unwrap();
        assert_eq!(left.count(), 0);
    }
}
