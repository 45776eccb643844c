//! A zip of which only some bytes are here: what its directory and a few entries need is fetched when it is missed, and the
//! rest never is.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rawzip::ReaderAt;

/// Bytes that are fetched at once: the directory of a zip with a thousand entries.
const PIECE: u64 = 128 * 1024;

/// A zip whose bytes come when they are asked for. Reading what is not here fails, and [`SparseZip::missing`] then tells
/// which bytes to fetch before reading again.
#[derive(Clone, Debug)]
pub struct SparseZip {
    size: u64,
    pieces: Arc<Mutex<Pieces>>,
}

#[derive(Debug, Default)]
struct Pieces {
    /// Where each begins → what is there.
    present: BTreeMap<u64, Vec<u8>>,
    missing: Option<Range<u64>>,
}

impl SparseZip {
    /// A zip of so many bytes, of which the last are here.
    pub fn with_end(size: u64, end: Vec<u8>) -> SparseZip {
        let zip = SparseZip {
            size,
            pieces: Arc::default(),
        };
        zip.insert(size.saturating_sub(end.len() as u64), end);
        zip
    }

    /// How many bytes it has in all.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many of its last bytes it is best begun with.
    pub const FIRST: u64 = PIECE;

    /// The bytes that were missed last, if any were.
    pub fn missing(&self) -> Option<Range<u64>> {
        self.locked().missing.take()
    }

    /// Puts bytes where they belong.
    pub fn insert(&self, at: u64, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.locked().present.insert(at, bytes);
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Pieces> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReaderAt for SparseZip {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if buffer.is_empty() || offset >= self.size {
            return Ok(0);
        }
        let mut pieces = self.locked();
        // Of several that hold it, the one that begins last.
        for (at, bytes) in pieces.present.range(..=offset).rev() {
            let skipped = usize::try_from(offset - at).map_err(io::Error::other)?;
            if let Some(here) = bytes.get(skipped..).filter(|here| !here.is_empty()) {
                let length = here.len().min(buffer.len());
                buffer[..length].copy_from_slice(&here[..length]);
                return Ok(length);
            }
        }
        let length = (buffer.len() as u64).max(PIECE);
        // Not what is here already: the next piece ends the gap.
        let next = pieces.present.range(offset..).next().map(|(at, _)| *at);
        let end = (offset + length).min(next.unwrap_or(self.size));
        pieces.missing = Some(offset..end);
        Err(io::Error::other("these bytes are not here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Entry, LayerArchive, LayerTree, zip};

    /// A zip with a file that does not get smaller.
    fn written() -> Vec<u8> {
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let mut tree = LayerTree::default();
        tree.insert("a", Entry::bytes(&b"xxx"[..], false));
        let large: Vec<u8> = noise.take(1_000_000).collect();
        tree.insert("b", Entry::bytes(large, false));
        let (mut written, time) = (Vec::new(), zip::entry_time(None).unwrap());
        zip::write(&tree, time, &mut written).unwrap();
        written
    }

    #[test]
    fn only_the_directory_and_the_entry_that_is_read_are_fetched() {
        let zip = written();
        let size = zip.len() as u64;
        let end = zip[zip.len() - 100..].to_vec();
        let sparse = SparseZip::with_end(size, end);
        let mut fetched = 0;
        let mut fetch = |sparse: &SparseZip| {
            let range = sparse.missing().expect("something was missed");
            fetched += range.end - range.start;
            let bytes = &zip[range.start as usize..range.end as usize];
            sparse.insert(range.start, bytes.to_vec());
        };
        let archive = loop {
            match LayerArchive::open_sparse("z.zip", &sparse) {
                Ok(archive) => break archive,
                Err(_) => fetch(&sparse),
            }
        };
        assert_eq!(archive.unzipped_size(), 1_000_003);
        let small = archive
            .entries
            .iter()
            .find(|entry| entry.path == "a")
            .unwrap();
        let content = loop {
            match small.content() {
                Ok(content) => break content,
                Err(_) => fetch(&sparse),
            }
        };
        assert_eq!(content, b"xxx");
        assert!(fetched < size / 2, "{fetched} of {size}");
    }

    #[test]
    fn what_is_no_zip_is_said_and_nothing_is_missed() {
        let sparse = SparseZip::with_end(100, vec![b'<'; 100]);
        assert!(LayerArchive::open_sparse("z.zip", &sparse).is_err());
        assert_eq!(sparse.missing(), None);
    }
}
