//! SHA-256, by which everything fetched, built and published is known.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256 as Hasher};

/// A SHA-256 digest; 64 hexadecimal digits where people read it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Stands where a digest is not computed yet: no content has it.
    pub(crate) const UNKNOWN: Sha256 = Sha256([0; 32]);

    /// The digest of a content.
    pub fn of(content: &[u8]) -> Sha256 {
        Sha256(Hasher::digest(content).into())
    }

    /// The digest of a file's content.
    pub fn of_file(path: &Path) -> std::io::Result<Sha256> {
        let mut file = fs_err::File::open(path)?;
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 1 << 18];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Sha256(hasher.finalize().into())),
                read => hasher.update(&buffer[..read]),
            }
        }
    }

    /// The digest of several parts, none of which can run into the next.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Sha256 {
        let mut hasher = Hasher::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Sha256(hasher.finalize().into())
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As Lambda writes it, in base64.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// As OCI writes it: `sha256:…`.
    pub fn oci(&self) -> String {
        format!("sha256:{self}")
    }

    /// The first 16 digits, which is enough for names of folders.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..8])
    }
}

/// The digest of a content that comes piece by piece.
#[derive(Clone, Default)]
pub struct Sha256Stream(Hasher);

impl Sha256Stream {
    /// The next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// A text that is no SHA-256 digest.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a sha256 (64 hexadecimal digits)")]
pub struct NotSha256(String);

impl FromStr for Sha256 {
    type Err = NotSha256;

    fn from_str(text: &str) -> Result<Self, NotSha256> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text.trim(), &mut digest).map_err(|_| NotSha256(text.to_owned()))?;
        Ok(Sha256(digest))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_and_read() {
        let digest = Sha256::of(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse::<Sha256>().unwrap(), digest);
        assert!("ba78".parse::<Sha256>().is_err());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let one = Sha256::of_parts([&b"ab"[..], b"c"]);
        let other = Sha256::of_parts([&b"a"[..], b"bc"]);
        assert_ne!(one, other);
    }
}
