//! The requests that hold zips: each made once, for all regions, and only so much of them on the line at a time.

use std::collections::HashMap;

use anyhow::{Context, Result};
use tokio::sync::{Mutex, OnceCell, Semaphore, SemaphorePermit};

use super::zips::ReadyZip;
use crate::aws::ZipRequest;
use crate::checksum::Sha256;

/// Megabytes of requests on the line at once. More do not arrive sooner, and every one of them waits for the others.
const ON_THE_LINE: u32 = 256;

/// Requests with zips in them.
pub struct Bodies {
    requests: Mutex<HashMap<Sha256, std::sync::Arc<OnceCell<ZipRequest>>>>,
    line: Semaphore,
}

impl Default for Bodies {
    fn default() -> Bodies {
        Bodies {
            requests: Mutex::default(),
            line: Semaphore::new(ON_THE_LINE as usize),
        }
    }
}

impl Bodies {
    /// The request that publishes a zip: made by who needs it first.
    pub async fn of(&self, zip: &ReadyZip) -> Result<ZipRequest> {
        let cell = {
            let mut requests = self.requests.lock().await;
            requests.entry(zip.record.sha256).or_default().clone()
        };
        let request = cell.get_or_try_init(|| make(zip)).await?;
        Ok(request.clone())
    }

    /// A turn for so many bytes.
    pub async fn turn(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        let megabytes = u32::try_from(bytes.div_ceil(1_000_000)).unwrap_or(ON_THE_LINE);
        self.line
            .acquire_many(megabytes.min(ON_THE_LINE))
            .await
            .ok()
    }
}

async fn make(zip: &ReadyZip) -> Result<ZipRequest> {
    let (path, version, expected) = (zip.path.clone(), zip.version.clone(), zip.record.sha256);
    let made = tokio::task::spawn_blocking(move || {
        let content = fs_err::read(&path)?;
        // What is sent is what was audited, whatever happened to the file since.
        if Sha256::of(&content) != expected {
            anyhow::bail!("{} was changed while it was published", path.display());
        }
        Ok(ZipRequest::new(&version, &content))
    });
    made.await.context("the zip cannot be read")?
}
