//! gzip without compression: what is written is a function of the content alone, and not of a compressor and its
//! version.

use std::io::{self, Write};

use flate2::Crc;

/// The longest that a block of deflate can hold as it is (RFC 1951, 3.2.4).
const LONGEST: usize = u16::MAX as usize;

/// Writes gzip (RFC 1952) whose blocks are stored.
pub struct StoredGzip<W: Write> {
    inner: W,
    block: Vec<u8>,
    sum: Crc,
}

impl<W: Write> StoredGzip<W> {
    /// Writes the header: no name, no time.
    pub fn new(mut inner: W) -> io::Result<StoredGzip<W>> {
        const UNKNOWN_SYSTEM: u8 = 255;
        inner.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, UNKNOWN_SYSTEM])?;
        Ok(StoredGzip {
            inner,
            block: Vec::with_capacity(LONGEST),
            sum: Crc::new(),
        })
    }

    fn write_block(&mut self, is_last: bool) -> io::Result<()> {
        let length = self.block.len() as u16;
        self.inner.write_all(&[u8::from(is_last)])?;
        self.inner.write_all(&length.to_le_bytes())?;
        self.inner.write_all(&(!length).to_le_bytes())?;
        self.inner.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    /// Writes what is left, and the checksum.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_block(true)?;
        self.inner.write_all(&self.sum.sum().to_le_bytes())?;
        self.inner.write_all(&self.sum.amount().to_le_bytes())?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for StoredGzip<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        if self.block.len() == LONGEST {
            self.write_block(false)?;
        }
        let taken = content.len().min(LONGEST - self.block.len());
        self.block.extend_from_slice(&content[..taken]);
        self.sum.update(&content[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_stored_is_read_by_others() {
        for length in [0, 1, LONGEST - 1, LONGEST, LONGEST + 1, 3 * LONGEST] {
            let content: Vec<u8> = (0..length).map(|number| number as u8).collect();
            let mut gzip = StoredGzip::new(Vec::new()).unwrap();
            gzip.write_all(&content).unwrap();
            let mut read = Vec::new();
            let packed = gzip.finish().unwrap();
            flate2::read::GzDecoder::new(&packed[..])
                .read_to_end(&mut read)
                .unwrap();
            assert!(read == content, "{length}");
        }
    }
}
