//! A zip at AWS, of which only the directory and what is asked for is fetched.

use anyhow::{Context, Result};

use crate::http::{Http, HttpError, without_query};
use crate::layer::{LayerArchive, SparseZip};

/// Pieces that are fetched of one zip before it is given up: a directory has ten of them at most.
const PIECES: usize = 32;

/// A zip at a URL.
pub struct RemoteZip {
    http: Http,
    url: String,
    bytes: SparseZip,
    /// Its directory.
    pub archive: LayerArchive,
}

impl RemoteZip {
    /// Fetches the directory of a zip.
    pub async fn open(http: &Http, url: &str) -> Result<RemoteZip> {
        let end = format!("-{}", SparseZip::FIRST);
        let (end, size) = http.range(url, &end).await?;
        let bytes = SparseZip::with_end(size, end);
        let name = without_query(url);
        let read = || LayerArchive::open_sparse(name, &bytes);
        let archive = fetching(http, url, &bytes, read).await?;
        Ok(RemoteZip {
            http: http.clone(),
            url: url.to_owned(),
            archive,
            bytes,
        })
    }

    /// The content of an entry; nothing if there is none of that path.
    pub async fn content(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let entries = &self.archive.entries;
        let Some(entry) = entries.iter().find(|entry| entry.path == path) else {
            return Ok(None);
        };
        let read = || entry.content();
        let content = fetching(&self.http, &self.url, &self.bytes, read).await?;
        Ok(Some(content))
    }
}

/// Reads, and fetches what was missed, until nothing is.
async fn fetching<T, E>(
    http: &Http,
    url: &str,
    bytes: &SparseZip,
    read: impl Fn() -> Result<T, E>,
) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    for _ in 0..PIECES {
        let error = match read() {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(missing) = bytes.missing() else {
            return Err(error).context("what AWS has is no zip that can be read");
        };
        let range = format!("{}-{}", missing.start, missing.end - 1);
        let (piece, _) = http.range(url, &range).await?;
        bytes.insert(missing.start, piece);
    }
    Err(HttpError::NotUnderstood {
        url: without_query(url).to_owned(),
        reason: "its directory is larger than any layer's".to_owned(),
    }
    .into())
}
