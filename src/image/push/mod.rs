//! Pushing an image: blobs that the registry lacks, several at once, then the manifests, and the tag last, so that it never
//! leads to anything half there.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

mod answer;
mod connection;
mod error;
mod progress;
mod upload;

use futures_util::stream::{self, StreamExt, TryStreamExt};

pub use error::PushError;

use super::assembled::Image;
use super::{Blob, ImageReference, RegistryLogin};
use crate::checksum::Sha256;
use crate::http::Patience;
use crate::progress::Reporter;
use answer::Tries;
use connection::Connection;
use progress::Progress;

/// How many blobs are on their way at once.
const AT_ONCE: usize = 4;

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Pushed {
    /// Under which name.
    pub reference: String,
    /// What the tag leads to.
    pub digest: String,
    /// How many blobs were sent.
    pub sent: usize,
    /// Their bytes.
    pub sent_bytes: u64,
    /// How many blobs the registry had already, in this repository or in another that they were taken over from.
    pub there: usize,
}

/// Whose image is pushed where.
pub struct Push<'a> {
    /// The name and the tag.
    pub reference: &'a ImageReference,
    /// How patiently the registry is asked.
    pub patience: Patience,
    /// By what the registry knows us.
    pub login: RegistryLogin,
    /// Told of the steps.
    pub reporter: &'a dyn Reporter,
}

/// What became of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    There,
    Sent,
}

impl Push<'_> {
    /// Pushes an image under its tag.
    pub async fn image(&self, image: &Image) -> Result<Pushed, PushError> {
        if self.reference.digest().is_some() {
            return Err(PushError::NamesDigest(self.reference.to_string()));
        }
        let connection = Connection::open(self).await?;
        let blobs = image.contents();
        let total = blobs.iter().map(|blob| blob.size).sum();
        let task = self
            .reporter
            .begin(&format!("pushing {}", self.reference), Some(total));
        let progress = Progress::new(&*task);
        // The repository of the base has the base's layers, and may be in the same registry.
        let base = image.base();
        let arrivals: Vec<Arrival> = stream::iter(&blobs)
            .map(|blob| self.blob(&connection, blob, base.as_ref(), &progress))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        // Each by its digest; what the tag leads to comes last.
        for platform in &image.platforms {
            if image.index.is_some() {
                let name = platform.manifest.digest.oci();
                self.manifest(&connection, &platform.manifest, &name)
                    .await?;
            }
        }
        let digest = match image.top() {
            Some(top) => {
                self.manifest(&connection, top, self.reference.tag())
                    .await?;
                top.digest
            }
            None => Sha256::UNKNOWN,
        };
        let sent_bytes = progress.sent();
        task.finish(&format!("pushed {}", self.reference));
        let sent = arrivals.iter().filter(|arrival| **arrival == Arrival::Sent);
        Ok(Pushed {
            reference: self.reference.to_string(),
            digest: digest.oci(),
            sent: sent.count(),
            sent_bytes,
            there: arrivals
                .iter()
                .filter(|arrival| **arrival == Arrival::There)
                .count(),
        })
    }

    /// Makes sure that the registry has a blob.
    async fn blob(
        &self,
        connection: &Connection,
        blob: &Blob,
        base: Option<&ImageReference>,
        progress: &Progress<'_>,
    ) -> Result<Arrival, PushError> {
        let what = format!("the blob {}", blob.digest.oci());
        let mut tries = Tries::new(connection, &what);
        let mut upload = upload::Upload::new(connection, blob, base, progress);
        loop {
            let before = upload.sent();
            match upload.attempt().await {
                Ok(arrival) => return Ok(arrival),
                Err(failure) => {
                    if upload.sent() > before {
                        // It went on: a large blob may break off more often than there are tries.
                        tries = Tries::new(connection, &what);
                    }
                    tries.after(failure).await?;
                }
            }
        }
    }

    async fn manifest(
        &self,
        connection: &Connection,
        blob: &Blob,
        name: &str,
    ) -> Result<(), PushError> {
        let what = format!("the manifest {name}");
        let mut tries = Tries::new(connection, &what);
        loop {
            match connection.put_manifest(blob, name).await {
                Ok(()) => return Ok(()),
                Err(failure) => tries.after(failure).await?,
            }
        }
    }
}
