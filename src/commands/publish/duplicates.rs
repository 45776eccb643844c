//! Versions with the same content: of two runs at once, of runs that were broken off, of answers that were lost. The oldest
//! stays; who has made a younger one removes it, and nobody has been told of it.

use std::time::{Duration, SystemTime};

use super::place::Publishing;
use super::zips::ReadyZip;
use crate::aws::{AwsError, LayerVersion, Layers, Refusal};
use crate::publication::{Timestamp, policy_statements};

/// A version that is younger than this may be of a run that was broken off.
const YOUNG: Duration = Duration::from_secs(3600);

/// How many numbers below a new version's are looked at, where lists do not have them.
const UNLISTED: u64 = 10;

impl Publishing<'_> {
    /// The version that counts, after `own` was published where `newest` was the layer's highest number before.
    ///
    /// Of two runs that publish the same at once, each finds the other's version here. Lists may be late, but numbers are
    /// given one by one: what stands between `newest` and `own` is asked for by its number.
    pub async fn settled(
        &self,
        zip: &ReadyZip,
        layers: &Layers,
        own: LayerVersion,
        newest: u64,
    ) -> Result<LayerVersion, AwsError> {
        let layer = zip.layer.as_str();
        let mut versions = layers.versions(layer).await?;
        let earliest = newest.max(own.version.saturating_sub(UNLISTED + 1)) + 1;
        for number in earliest..own.version {
            if versions.iter().all(|version| version.version != number) {
                versions.extend(layers.version(layer, number).await?);
            }
        }
        let is_same = |version: &LayerVersion| zip.is_published_as(version);
        versions.retain(|version| version.version != own.version && is_same(version));
        versions.sort_by_key(|version| version.version);
        for older in versions.iter().filter(|other| other.version < own.version) {
            if zip.is_content_of(older, layers).await? {
                self.remove_duplicate(layers, layer, own.version).await?;
                return Ok(older.clone());
            }
        }
        for duplicate in leftovers(layers, zip, &versions, &own).await? {
            self.remove_duplicate(layers, layer, duplicate.version)
                .await?;
        }
        Ok(own)
    }

    /// Removes a version that nobody was told of. Who may not delete leaves it, and is told so.
    pub async fn remove_duplicate(
        &self,
        layers: &Layers,
        layer: &str,
        version: u64,
    ) -> Result<(), AwsError> {
        match layers.delete(layer, version).await {
            Err(error) if error.refusal() == Some(Refusal::Denied) => {
                self.reporter.warn(&format!(
                    "{layer}:{version} has the same content as the version that counts, and could not be deleted: {error}"
                ));
                Ok(())
            }
            removed => removed,
        }
    }

    /// Removes a version that has another content than its description says, unless somebody was granted it; what is left of
    /// them is told.
    pub async fn remove_wrong(
        &self,
        layers: &Layers,
        zip: &ReadyZip,
        wrong: &LayerVersion,
    ) -> Result<(), AwsError> {
        let why = match is_granted(layers, zip, wrong).await? {
            true => "others were granted it".to_owned(),
            false => match layers.delete(zip.layer.as_str(), wrong.version).await {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            },
        };
        self.reporter.warn(&format!(
            "{} has another content than its description says. It is not used, and was not deleted: {why}",
            wrong.arn
        ));
        Ok(())
    }
}

/// Of versions with the same content those that were published after the one that counts, not long ago, and that nobody
/// was granted.
pub async fn leftovers(
    layers: &Layers,
    zip: &ReadyZip,
    same: &[LayerVersion],
    taken: &LayerVersion,
) -> Result<Vec<LayerVersion>, AwsError> {
    let mut leftovers = Vec::new();
    let earliest: Timestamp = (SystemTime::now() - YOUNG).into();
    for version in same
        .iter()
        .filter(|version| version.version > taken.version)
    {
        if version.published() > earliest && !is_granted(layers, zip, version).await? {
            leftovers.push(version.clone());
        }
    }
    Ok(leftovers)
}

async fn is_granted(
    layers: &Layers,
    zip: &ReadyZip,
    version: &LayerVersion,
) -> Result<bool, AwsError> {
    let policy = layers.policy(zip.layer.as_str(), version.version).await?;
    // A policy that is not understood is somebody's.
    Ok(policy.is_some_and(|policy| {
        policy_statements(&policy).map_or(true, |statements| !statements.is_empty())
    }))
}
