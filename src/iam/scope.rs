//! Where a policy holds: partition, account, regions.

use super::IamStatement;
use crate::publication::{AccountId, Partition, Region};

/// Where a policy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    partition: Partition,
    account: Option<AccountId>,
    regions: Vec<Region>,
}

/// Regions that no one policy can name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{first} and {second} are of two partitions of AWS; print a policy for each")]
pub struct ScopeError {
    first: Region,
    second: Region,
}

impl Scope {
    /// These regions of an account; without regions all of the partition `aws`, without an account any.
    ///
    /// # Errors
    /// If the regions are of several partitions: those have accounts of their own.
    pub fn new(account: Option<AccountId>, regions: Vec<Region>) -> Result<Scope, ScopeError> {
        let other = |region: &&Region| Partition::of(region) != Partition::of(&regions[0]);
        if let Some(second) = regions.iter().find(other) {
            return Err(ScopeError {
                first: regions[0].clone(),
                second: second.clone(),
            });
        }
        Ok(Scope {
            partition: regions
                .first()
                .map_or_else(Partition::default, Partition::of),
            account,
            regions,
        })
    }

    /// The account, or any.
    pub(super) fn account(&self) -> &str {
        self.account.as_ref().map_or("*", AccountId::as_str)
    }

    /// The regions' names; `*` for all.
    pub(super) fn region_names(&self) -> Vec<&str> {
        match self.regions.is_empty() {
            true => vec!["*"],
            false => self.regions.iter().map(Region::as_str).collect(),
        }
    }

    /// The ARN of a resource that is in a region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let region = match self.regions.as_slice() {
            [region] => region.as_str(),
            _ => "*",
        };
        let (partition, account) = (&self.partition, self.account());
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// The ARN of a resource of the account that is in no region.
    pub(super) fn global_arn(&self, service: &str, resource: &str) -> String {
        let (partition, account) = (&self.partition, self.account());
        format!("arn:{partition}:{service}::{account}:{resource}")
    }

    /// The ARN of AWS's own managed policy.
    pub(super) fn managed_policy(&self, name: &str) -> String {
        format!("arn:{}:iam::aws:policy/{name}", self.partition)
    }

    /// The ARNs of objects in a bucket; they name neither region nor account.
    pub(super) fn objects(&self, bucket: &str) -> String {
        format!("arn:{}:s3:::{bucket}/*", self.partition)
    }

    /// A statement in the regions, where its ARNs do not tell them: several are one condition, which is shorter than an ARN
    /// for each.
    pub(super) fn in_regions(&self, statement: IamStatement) -> IamStatement {
        let is_told = self.regions.len() == 1 && !statement.resource.iter().any(|arn| arn == "*");
        if self.regions.is_empty() || is_told {
            return statement;
        }
        let regions = self.regions.iter().map(ToString::to_string).collect();
        statement.with("StringEquals", "aws:RequestedRegion", regions)
    }

    /// A statement on resources of the account, where their ARNs do not tell it.
    pub(super) fn of_account(&self, statement: IamStatement) -> IamStatement {
        match &self.account {
            Some(account) => {
                let account = vec![account.to_string()];
                statement.with("StringEquals", "aws:ResourceAccount", account)
            }
            None => statement,
        }
    }

    /// What is put through a bucket on its way to Lambda, which reads it in the caller's name.
    pub(super) fn through_bucket(&self, bucket: &str) -> IamStatement {
        self.of_account(IamStatement::allow(
            "PassZipsThroughBucket",
            [
                "s3:PutObject",
                "s3:GetObject",
                "s3:DeleteObject",
                "s3:AbortMultipartUpload",
            ],
            [self.objects(bucket)],
        ))
    }

    /// Versions of layers are listed; the action knows no resources.
    pub(super) fn list_layer_versions(&self) -> IamStatement {
        self.in_regions(IamStatement::allow(
            "ListLayerVersions",
            ["lambda:ListLayerVersions"],
            ["*".to_owned()],
        ))
    }
}
