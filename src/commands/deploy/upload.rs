//! How code gets to AWS: in the request, or through a bucket where it is too large for that.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;

use super::Deployment;
use super::goal::Goal;
use super::source::Source;
use crate::aws::{Bucket, Code, StagedObject};
use crate::commands::function_change::FunctionChange;
use crate::progress::{Reporter, Silent, Task};
use crate::publication::Placeholder;
use crate::target::Target;

/// Parts of the zip in memory at once.
const PARTS: usize = 4;

/// Code on its way.
pub struct Upload {
    /// What AWS is told.
    pub code: Code,
    staged: Option<(Bucket, StagedObject)>,
}

impl Upload {
    /// Puts code where AWS can take it from.
    pub async fn begin(
        deployment: &Deployment<'_>,
        change: &FunctionChange<'_>,
        goal: &Goal,
    ) -> Result<Upload> {
        let code = match (deployment.source, &goal.image) {
            (Source::Code(code), _) => code,
            (Source::Image(_), Some(image)) => {
                return Ok(Upload {
                    code: Code::Image(image.uri.clone()),
                    staged: None,
                });
            }
            (Source::Image(image), None) => bail!("{image} was not resolved"),
        };
        let limits = &Target::named(Target::DEFAULT)?.limits;
        let size = code.zip.len() as u64;
        if size <= limits.zipped_in_request {
            return Ok(Upload {
                code: Code::Zip(code.zip.clone()),
                staged: None,
            });
        }
        let (signed, region) = (deployment.signed, deployment.region);
        let Some(template) = &deployment.settings.bucket else {
            bail!(
                "the code has {size} bytes zipped, and a request takes {}; leave out what the function does not need (lines \
                 in {}), or name a bucket that it can go through: --s3-bucket 'NAME-{{region}}'",
                limits.zipped_in_request,
                crate::function::code::IGNORE_FILE
            );
        };
        let name = template.pattern(|placeholder| match placeholder {
            Placeholder::Region => Some(region.to_string()),
            Placeholder::Account => Some(signed.account.to_string()),
            _ => None,
        });
        change.step("uploading its code");
        let mut file = NamedTempFile::new().context("the code cannot be written for the upload")?;
        file.write_all(&code.zip)?;
        let bucket = Bucket::new(
            &signed.session,
            region,
            &name,
            Arc::new(Semaphore::new(PARTS)),
        );
        let task: Arc<dyn Task> = Arc::from(Silent.begin("", None));
        let staged = bucket.stage(file.path(), &code.sha256, &task).await?;
        Ok(Upload {
            code: Code::InBucket(staged.clone()),
            staged: Some((bucket, staged)),
        })
    }

    /// Removes what was only there to be taken.
    pub async fn finish(self, reporter: &dyn Reporter) {
        if let Some((bucket, staged)) = self.staged
            && let Err(error) = bucket.remove(&staged).await
        {
            reporter.warn(&format!(
                "the code stays in the bucket, as s3://{}/{}: {error}",
                staged.bucket, staged.key
            ));
        }
    }
}
