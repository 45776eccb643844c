//! What there is of a layer in a region, before anything is done: one request that reads.

use super::duplicates::leftovers;
use super::place::Publishing;
use super::zips::ReadyZip;
use crate::aws::{AwsError, LayerVersion, Layers};
use crate::publication::{
    Described, PublicationKey, PublicationRecord, Region, grants_of, policy_statements,
};

/// What there is of a zip.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The version that has its content, and counts.
    pub taken: Option<LayerVersion>,
    /// Versions with the same content that runs which were broken off have left: younger, and told to nobody.
    pub leftovers: Vec<LayerVersion>,
    /// Versions that say they have the content, and have another one: a run that published them was broken off before it
    /// could take them back, or was not allowed to.
    pub of_other_content: Vec<LayerVersion>,
    /// The number of the layer's newest version, whatever its content; 0 if there is none.
    pub newest: u64,
}

impl Found {
    /// The version that counts, if there is one, and if its number is not below the one that is wanted.
    pub fn reaching(&self, number: Option<u64>) -> Option<LayerVersion> {
        let taken = self.taken.as_ref();
        let reaches = |taken: &&LayerVersion| number.is_none_or(|number| taken.version >= number);
        taken.filter(reaches).cloned()
    }

    /// How many versions it takes to have one, or to get that number.
    pub fn to_publish(&self, number: Option<u64>) -> u64 {
        match self.reaching(number) {
            Some(_) => 0,
            None => number.map_or(1, |number| number.saturating_sub(self.newest)),
        }
    }
}

impl ReadyZip {
    /// Has a version this zip's content, and was it published under this logical name?
    pub fn is_published_as(&self, version: &LayerVersion) -> bool {
        Described::parse(&version.description).is_some_and(|described| {
            described.sha256 == self.record.sha256 && described.logical_name == self.logical_name
        })
    }

    /// Has Lambda got this zip for a version whose description says so?
    pub async fn is_content_of(
        &self,
        version: &LayerVersion,
        layers: &Layers,
    ) -> Result<bool, AwsError> {
        let layer = self.layer.as_str();
        let code_sha256 = layers.code_sha256(layer, version.version).await?;
        Ok(code_sha256.is_some_and(|code_sha256| code_sha256 == self.record.sha256.base64()))
    }
}

/// Looks for a zip in a region. Where several versions have its content, the one in the record counts, else the newest that
/// somebody was granted, else the oldest (with `--align` the newest, which its numbers lead to). One that is not in the record
/// is asked for its content: descriptions are written before it is known what Lambda has got.
pub async fn survey(
    publishing: &Publishing<'_>,
    recorded: &PublicationRecord,
    zip: &ReadyZip,
    region: &Region,
) -> Result<Found, AwsError> {
    let layers = publishing.signed.layers(region);
    let versions = layers.versions(zip.layer.as_str()).await?;
    let mut found = Found {
        newest: versions.first().map_or(0, |version| version.version),
        ..Found::default()
    };
    // Newest first.
    let mut same: Vec<LayerVersion> = versions
        .into_iter()
        .filter(|version| zip.is_published_as(version))
        .collect();
    let announced = announced(publishing, recorded, zip, region);
    while let Some(taken) = counting(publishing, &layers, zip, &same, announced).await? {
        let is_recorded = Some(taken.version) == announced;
        if is_recorded || zip.is_content_of(&taken, &layers).await? {
            found.leftovers = leftovers(&layers, zip, &same, &taken).await?;
            found.taken = Some(taken);
            break;
        }
        same.retain(|version| version.version != taken.version);
        found.of_other_content.push(taken);
    }
    Ok(found)
}

/// Of versions with the same content, newest first, the one that counts.
async fn counting(
    publishing: &Publishing<'_>,
    layers: &Layers,
    zip: &ReadyZip,
    same: &[LayerVersion],
    announced: Option<u64>,
) -> Result<Option<LayerVersion>, AwsError> {
    if same.len() <= 1 {
        return Ok(same.first().cloned());
    }
    let in_record = same
        .iter()
        .find(|version| Some(version.version) == announced);
    if let Some(version) = in_record {
        return Ok(Some(version.clone()));
    }
    if let Some(version) = newest_granted(layers, zip, same).await? {
        return Ok(Some(version));
    }
    let version = match publishing.settings.align {
        true => same.first(),
        false => same.last(),
    };
    Ok(version.cloned())
}

fn announced(
    publishing: &Publishing<'_>,
    recorded: &PublicationRecord,
    zip: &ReadyZip,
    region: &Region,
) -> Option<u64> {
    let key = PublicationKey {
        partition: publishing.signed.identity.partition().parse().ok()?,
        account: publishing.signed.account.clone(),
        layer: zip.layer.clone(),
        architecture: zip.record.architecture,
        region: region.clone(),
    };
    let recorded = recorded.get(&key)?;
    (recorded.sha256 == zip.record.sha256).then_some(recorded.version)
}

async fn newest_granted(
    layers: &Layers,
    zip: &ReadyZip,
    same: &[LayerVersion],
) -> Result<Option<LayerVersion>, AwsError> {
    for version in same {
        let policy = layers.policy(zip.layer.as_str(), version.version).await?;
        let statements = policy.and_then(|policy| policy_statements(&policy).ok());
        if statements.is_some_and(|statements| !grants_of(&statements).is_empty()) {
            return Ok(Some(version.clone()));
        }
    }
    Ok(None)
}
