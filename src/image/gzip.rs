//! Gzip on all cores: one member, as every reader takes it, of blocks that are compressed each by itself. The same bytes for
//! the same content, however many cores there are.
//!
//! <https://www.rfc-editor.org/rfc/rfc1952>, <https://www.rfc-editor.org/rfc/rfc1951>

use std::io::{self, Write};

use flate2::{Compress, Compression, FlushCompress};
use libdeflater::Crc;
use rayon::prelude::*;

use crate::checksum::{Sha256, Sha256Stream};

/// How much is compressed by itself. It decides what the bytes are: another number makes other digests.
const BLOCK: usize = 1 << 20;

/// Deflate, no flags, no time, no level told, from a system that is not told.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// An empty block that says that it is the last.
const END: [u8; 2] = [3, 0];

/// Compresses what is written to it, and computes the digest of what was written.
pub struct ParallelGzip<W> {
    output: W,
    waiting: Vec<u8>,
    room: usize,
    crc: Crc,
    digest: Sha256Stream,
    length: u64,
}

impl<W: Write> ParallelGzip<W> {
    /// A compressor that writes to `output`.
    pub fn new(mut output: W) -> io::Result<ParallelGzip<W>> {
        output.write_all(&HEADER)?;
        // Two blocks a core, so that none waits for the slowest.
        let room = 2 * BLOCK * rayon::current_num_threads().max(1);
        Ok(ParallelGzip {
            output,
            waiting: Vec::with_capacity(room),
            room,
            crc: Crc::new(),
            digest: Sha256Stream::default(),
            length: 0,
        })
    }

    /// Writes what is left. Returns the output, and the digest of all that was compressed.
    pub fn finish(mut self) -> io::Result<(W, Sha256)> {
        self.compress()?;
        self.output.write_all(&END)?;
        self.output.write_all(&self.crc.sum().to_le_bytes())?;
        // The length modulo 2^32, as the format has it.
        self.output.write_all(&(self.length as u32).to_le_bytes())?;
        Ok((self.output, self.digest.finish()))
    }

    fn compress(&mut self) -> io::Result<()> {
        let (waiting, crc, digest) = (&self.waiting, &mut self.crc, &mut self.digest);
        let (blocks, ()) = rayon::join(
            || -> io::Result<Vec<Vec<u8>>> { waiting.par_chunks(BLOCK).map(deflated).collect() },
            || {
                crc.update(waiting);
                digest.update(waiting);
            },
        );
        for block in blocks? {
            self.output.write_all(&block)?;
        }
        self.length += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

impl<W: Write> Write for ParallelGzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        if self.waiting.len() == self.room {
            self.compress()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        // What is compressed together must not depend on who flushes.
        Ok(())
    }
}

/// A block that ends at a whole byte, so that the next can follow.
fn deflated(block: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = Compress::new(Compression::new(6), false);
    let mut output = Vec::with_capacity(block.len() / 2 + 1024);
    loop {
        let done = compressor.total_in() as usize;
        compressor
            .compress_vec(&block[done..], &mut output, FlushCompress::Sync)
            .map_err(io::Error::other)?;
        // Only where there is room left, all of the flush is written.
        if compressor.total_in() as usize == block.len() && output.len() < output.capacity() {
            return Ok(output);
        }
        output.reserve(block.len() / 2 + 1024);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Text that can be compressed, and noise that cannot.
    fn content(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let noise = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u8
        });
        let text = b"some text that comes again and again. "
            .iter()
            .copied()
            .cycle();
        let mixed = noise.zip(text).enumerate();
        mixed
            .map(|(at, (noise, text))| {
                if (at / BLOCK).is_multiple_of(2) {
                    text
                } else {
                    noise
                }
            })
            .take(length)
            .collect()
    }

    /// Images have one digest on every machine. Where another version of the compressor makes other bytes, they have
    /// another from then on, which is to be seen in the changelog.
    #[test]
    fn the_bytes_are_those_of_every_machine() {
        let mut gzip = ParallelGzip::new(Vec::new()).unwrap();
        gzip.write_all(&content(2 * BLOCK + 1)).unwrap();
        let (bytes, _) = gzip.finish().unwrap();
        let expected = "ff7d01b4915e8c0e3f570613df313fe280eee0beeb6d7ff229d20de37c9aabda";
        assert_eq!(Sha256::of(&bytes).to_string(), expected);
    }

    #[test]
    fn what_is_written_in_whatever_pieces_is_read_back_by_gzip() {
        for length in [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 17] {
            let content = content(length);
            let compressed = |piece: usize| {
                let mut gzip = ParallelGzip::new(Vec::new()).unwrap();
                for piece in content.chunks(piece) {
                    gzip.write_all(piece).unwrap();
                    gzip.flush().unwrap();
                }
                gzip.finish().unwrap()
            };
            let (bytes, digest) = compressed(70_000);
            assert_eq!(digest, Sha256::of(&content));
            assert_eq!(bytes, compressed(BLOCK).0);
            // A reader of one member, which is what Lambda and registries need to be no more than.
            let mut decoder = flate2::read::GzDecoder::new(bytes.as_slice());
            let mut read = Vec::new();
            decoder.read_to_end(&mut read).unwrap();
            assert!(read == content, "{length}");
            assert!(decoder.into_inner().is_empty());
        }
    }
}
