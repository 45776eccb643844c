//! Entries that change: what a server said last, which the next answer replaces.

use std::path::PathBuf;

use super::{Cache, CacheError, not_writable};

impl Cache {
    /// Keeps a content under a name, in the place of what was there. Who reads the former reads it to its end.
    pub fn put(&self, kind: &str, name: &str, content: &[u8]) -> Result<PathBuf, CacheError> {
        let path = self.folder.join(kind).join(name);
        let write = || -> std::io::Result<()> {
            let parent = self.folder.join(kind);
            fs_err::create_dir_all(&parent)?;
            let unfinished = self.unfinished().map_err(std::io::Error::other)?;
            let written = unfinished.path().join("content");
            fs_err::write(&written, content)?;
            fs_err::rename(&written, &path)
        };
        write().map_err(|source| not_writable(&path, source))?;
        self.hold(kind, name);
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::Cache;

    #[test]
    fn what_is_put_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("cache")).unwrap();
        assert_eq!(cache.get("indexes", "one"), None);
        for content in ["first", "second"] {
            let path = cache.put("indexes", "one", content.as_bytes()).unwrap();
            assert_eq!(fs_err::read_to_string(path).unwrap(), content);
        }
        assert!(cache.get("indexes", "one").is_some());
        let left = fs_err::read_dir(cache.folder().join("unfinished")).unwrap();
        assert_eq!(left.count(), 0);
    }
}
