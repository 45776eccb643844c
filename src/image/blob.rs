//! Blobs: what an image consists of, each by its digest. Their bytes stay on disk until somebody reads them.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use oci_client::manifest::OciDescriptor;

use crate::checksum::{Sha256, Sha256Stream};

/// Where the bytes of a blob are.
#[derive(Clone, Debug)]
pub enum BlobContent {
    /// In a file of their own.
    File(PathBuf),
    /// Within a file: the tarball of a layout.
    Part {
        /// The file.
        path: PathBuf,
        /// Where they begin in it.
        offset: u64,
    },
    /// In memory: manifests and configurations.
    Bytes(Bytes),
}

/// A blob: a layer, a configuration or a manifest.
#[derive(Clone, Debug)]
pub struct Blob {
    /// What it is, as manifests have it.
    pub media_type: String,
    /// Its digest.
    pub digest: Sha256,
    /// How many bytes it has.
    pub size: u64,
    /// Where they are.
    pub content: BlobContent,
}

impl Blob {
    /// A blob in memory.
    pub fn of_bytes(media_type: &str, bytes: impl Into<Bytes>) -> Blob {
        let bytes = bytes.into();
        Blob {
            media_type: media_type.to_owned(),
            digest: Sha256::of(&bytes),
            size: bytes.len() as u64,
            content: BlobContent::Bytes(bytes),
        }
    }

    /// Its bytes from the one of that number on.
    pub fn open_at(&self, start: u64) -> io::Result<Box<dyn Read + Send>> {
        let part = |path: &Path, offset: u64| -> io::Result<Box<dyn Read + Send>> {
            let mut file = fs_err::File::open(path)?;
            file.seek(SeekFrom::Start(offset + start))?;
            Ok(Box::new(file.take(self.size.saturating_sub(start))))
        };
        match &self.content {
            BlobContent::File(path) => part(path, 0),
            BlobContent::Part { path, offset } => part(path, *offset),
            BlobContent::Bytes(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                Ok(Box::new(Cursor::new(bytes.slice(start.min(bytes.len())..))))
            }
        }
    }

    /// Its bytes from the first on.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        self.open_at(0)
    }

    /// All its bytes, for manifests and configurations.
    pub fn read(&self) -> io::Result<Bytes> {
        if let BlobContent::Bytes(bytes) = &self.content {
            return Ok(bytes.clone());
        }
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    /// The digest that its bytes have: another one, if they were changed.
    pub fn found_digest(&self) -> io::Result<Sha256> {
        let (mut content, mut digest) = (self.open()?, Sha256Stream::default());
        let mut buffer = vec![0; 1 << 18];
        loop {
            match content.read(&mut buffer)? {
                0 => return Ok(digest.finish()),
                read => digest.update(&buffer[..read]),
            }
        }
    }

    /// As manifests name it.
    pub fn descriptor(&self) -> OciDescriptor {
        OciDescriptor {
            media_type: self.media_type.clone(),
            digest: self.digest.oci(),
            size: i64::try_from(self.size).unwrap_or(i64::MAX),
            ..OciDescriptor::default()
        }
    }
}
