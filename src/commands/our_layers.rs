//! The layers in a region that r-layer has published: known by the mark in their versions' descriptions, whatever they are
//! named.

use anyhow::Result;
use futures_util::future::join_all;

use crate::aws::{AwsError, LayerVersion, Layers};
use crate::publication::Described;

/// A layer of ours.
#[derive(Clone, Debug)]
pub struct OurLayer {
    /// Its name at AWS.
    pub name: String,
    /// Its versions that are ours, newest first.
    pub versions: Vec<OurVersion>,
}

/// A version of ours.
#[derive(Clone, Debug)]
pub struct OurVersion {
    /// As it is listed.
    pub version: LayerVersion,
    /// What its description tells.
    pub described: Described,
}

/// Those of a region's layers that are ours.
pub async fn our_layers(layers: &Layers) -> Result<Vec<OurLayer>, AwsError> {
    let names = layers.names().await?;
    let listed = names.into_iter().map(async |name| {
        let versions = layers.versions(&name).await?;
        let ours = versions.into_iter().filter_map(|version| {
            let described = Described::parse(&version.description)?;
            Some(OurVersion { version, described })
        });
        Ok::<_, AwsError>(OurLayer {
            versions: ours.collect(),
            name,
        })
    });
    let mut ours = Vec::new();
    for layer in join_all(listed).await {
        let layer = layer?;
        if !layer.versions.is_empty() {
            ours.push(layer);
        }
    }
    ours.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(ours)
}
