//! A line of the record.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::publication::{
    AccountId, Grant, LayerVersionArn, Partition, PublishedName, Region, Timestamp,
};
use crate::target::Architecture;

/// By what publications are told apart; the record has the newest of each. It sorts in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicationKey {
    /// The partition.
    pub partition: Partition,
    /// The account.
    pub account: AccountId,
    /// The layer's name at AWS.
    pub layer: PublishedName,
    /// The processor.
    pub architecture: Architecture,
    /// The region.
    pub region: Region,
}

/// A layer version that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The partition.
    pub partition: Partition,
    /// The account.
    pub account: AccountId,
    /// The layer's name at AWS.
    pub layer: PublishedName,
    /// What it is called whatever R, processor and region it is for: `r-runtime`, `r-models`.
    pub logical_name: String,
    /// The processor.
    pub architecture: Architecture,
    /// R's version.
    pub r_version: String,
    /// The region.
    pub region: Region,
    /// The version's number.
    pub version: u64,
    /// All of that, as AWS writes it.
    pub arn: LayerVersionArn,
    /// The hash of the zip.
    pub sha256: Sha256,
    /// Who may use it beside the account.
    pub grants: BTreeSet<Grant>,
    /// When it was published.
    pub published: Timestamp,
}

impl Publication {
    /// By what it is told apart.
    pub fn key(&self) -> PublicationKey {
        PublicationKey {
            partition: self.partition.clone(),
            account: self.account.clone(),
            layer: self.layer.clone(),
            architecture: self.architecture,
            region: self.region.clone(),
        }
    }

    /// Does the line say the same as its ARN?
    pub(super) fn agrees_with_arn(&self) -> bool {
        let LayerVersionArn { layer, version } = &self.arn;
        (&layer.partition, &layer.region, &layer.account)
            == (&self.partition, &self.region, &self.account)
            && (&layer.layer, *version) == (&self.layer, self.version)
    }
}
