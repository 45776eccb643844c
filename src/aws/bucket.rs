//! Zips that are too large for a request go through a bucket of the region: in parts, checked, and removed afterwards.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;

use super::{AwsError, Call, Session};
use crate::checksum::Sha256;
use crate::progress::Task;
use crate::publication::{Partition, Region};

/// Bytes of a part: S3 takes 5 MiB or more of all but the last
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const PART: u64 = 8 << 20;

/// Parts of one zip under way at once.
const AT_ONCE: usize = 3;

/// An upload that began so long ago was broken off.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A zip in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedObject {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key: the content's hash is in it, so that two runs put the same there.
    pub key: String,
}

impl StagedObject {
    /// Its ARN, which IAM's policies name it by.
    pub fn arn(&self, partition: &Partition) -> String {
        format!("arn:{partition}:s3:::{}/{}", self.bucket, self.key)
    }
}

/// A bucket that zips go through.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: aws_sdk_s3::Client,
    name: String,
    region: Region,
    partition: Partition,
    /// Limits the parts in memory, of all regions together.
    parts: Arc<Semaphore>,
}

impl Bucket {
    /// A bucket of a region. `parts` is shared by all regions.
    pub fn new(session: &Session, region: &Region, name: &str, parts: Arc<Semaphore>) -> Bucket {
        Bucket {
            client: session.s3(region),
            name: name.to_owned(),
            region: region.clone(),
            partition: Partition::of(region),
            parts,
        }
    }

    fn call(&self, action: &'static str, key: &str) -> Call {
        let resource = match key {
            "" => format!("arn:{}:s3:::{}", self.partition, self.name),
            _ => format!("arn:{}:s3:::{}/{key}", self.partition, self.name),
        };
        Call::new(action, resource, &self.region)
    }

    /// Uploads a zip; the task is told how many bytes are sent.
    pub async fn stage(
        &self,
        zip: &Path,
        sha256: &Sha256,
        task: &Arc<dyn Task>,
    ) -> Result<StagedObject, AwsError> {
        let key = format!("r-layer/{sha256}.zip");
        self.abort_abandoned(&key).await;
        let begun = self
            .client
            .create_multipart_upload()
            .bucket(&self.name)
            .key(&key)
            .content_type("application/zip")
            .checksum_algorithm(aws_sdk_s3::types::ChecksumAlgorithm::Sha256)
            .send()
            .await
            .map_err(|error| AwsError::of(self.call("s3:PutObject", &key), error))?;
        let upload = begun.upload_id.unwrap_or_default();
        let staged = match self.upload_parts(zip, &key, &upload, task).await {
            Ok(parts) => self.complete(&key, &upload, parts).await,
            Err(error) => Err(error),
        };
        if let Err(error) = staged {
            // Parts of an upload that nobody completes cost money. What is said is why it failed.
            let _ = self.abort(&key, &upload).await;
            return Err(error);
        }
        Ok(StagedObject {
            bucket: self.name.clone(),
            key,
        })
    }

    async fn upload_parts(
        &self,
        zip: &Path,
        key: &str,
        upload: &str,
        task: &Arc<dyn Task>,
    ) -> Result<Vec<CompletedPart>, AwsError> {
        let unreadable = |source| AwsError::Unreadable {
            path: zip.to_owned(),
            source,
        };
        let size = fs_err::tokio::metadata(zip)
            .await
            .map_err(unreadable)?
            .len();
        let offsets = (0..size.div_ceil(PART).max(1)).map(|index| index * PART);
        let mut parts: Vec<CompletedPart> = stream::iter(offsets.enumerate())
            .map(async |(index, offset)| {
                let _permit = self.parts.acquire().await;
                let content = read_part(zip, offset).await.map_err(unreadable)?;
                let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
                let length = content.len() as u64;
                let part = self
                    .client
                    .upload_part()
                    .bucket(&self.name)
                    .key(key)
                    .upload_id(upload)
                    .part_number(number)
                    .checksum_algorithm(aws_sdk_s3::types::ChecksumAlgorithm::Sha256)
                    .body(ByteStream::from(content))
                    .send()
                    .await
                    .map_err(|error| AwsError::of(self.call("s3:PutObject", key), error))?;
                task.advance(length);
                Ok::<_, AwsError>(
                    CompletedPart::builder()
                        .part_number(number)
                        .set_e_tag(part.e_tag)
                        .set_checksum_sha256(part.checksum_sha256)
                        .build(),
                )
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        parts.sort_by_key(|part| part.part_number);
        Ok(parts)
    }

    async fn complete(
        &self,
        key: &str,
        upload: &str,
        parts: Vec<CompletedPart>,
    ) -> Result<(), AwsError> {
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let answer = self
            .client
            .complete_multipart_upload()
            .bucket(&self.name)
            .key(key)
            .upload_id(upload)
            .multipart_upload(parts)
            .send()
            .await;
        let call = self.call("s3:PutObject", key);
        answer.map(drop).map_err(|error| AwsError::of(call, error))
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<(), AwsError> {
        let answer = self
            .client
            .abort_multipart_upload()
            .bucket(&self.name)
            .key(key)
            .upload_id(upload)
            .send()
            .await;
        let call = self.call("s3:AbortMultipartUpload", key);
        answer.map(drop).map_err(|error| AwsError::of(call, error))
    }

    /// Ends uploads of the same zip that a run which was broken off has left. Who may not, leaves them: the bucket's
    /// lifecycle rules do it as well.
    async fn abort_abandoned(&self, key: &str) {
        let uploads = self.client.list_multipart_uploads();
        let Ok(uploads) = uploads.bucket(&self.name).prefix(key).send().await else {
            return;
        };
        for upload in uploads.uploads() {
            let begun = upload
                .initiated
                .and_then(|begun| SystemTime::try_from(begun).ok());
            let age = begun.and_then(|begun| begun.elapsed().ok());
            if let (Some(id), Some(true)) = (upload.upload_id(), age.map(|age| age > ABANDONED)) {
                let _ = self.abort(key, id).await;
            }
        }
    }

    /// Removes a zip that is published.
    pub async fn remove(&self, object: &StagedObject) -> Result<(), AwsError> {
        let request = self.client.delete_object();
        let answer = request.bucket(&object.bucket).key(&object.key).send().await;
        let call = self.call("s3:DeleteObject", &object.key);
        answer.map(drop).map_err(|error| AwsError::of(call, error))
    }
}

async fn read_part(zip: &Path, offset: u64) -> std::io::Result<Vec<u8>> {
    use tokio::io::{AsyncReadExt, AsyncSeekExt};
    let mut file = fs_err::tokio::File::open(zip).await?;
    file.seek(std::io::SeekFrom::Start(offset)).await?;
    let mut part = Vec::new();
    file.take(PART).read_to_end(&mut part).await?;
    Ok(part)
}
