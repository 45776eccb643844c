//! An image as a value: for each architecture its manifest, its configuration and its layers, and over several an index.

use std::collections::{BTreeMap, BTreeSet};

use oci_client::manifest::{
    IMAGE_CONFIG_MEDIA_TYPE, ImageIndexEntry, OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE,
    OciImageIndex, OciImageManifest, Platform,
};

use super::config::{AddedLayer, ImageSettings, configured};
use super::{BaseImage, Blob, ImageReference};
use crate::checksum::Sha256;
use crate::target::Architecture;

/// What OCI calls a gzipped layer.
pub const GZIPPED_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Names of annotations. <https://github.com/opencontainers/image-spec/blob/main/annotations.md>
const BASE_NAME: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
const CREATED: &str = "org.opencontainers.image.created";

/// An image for one architecture.
#[derive(Clone, Debug)]
pub struct PlatformImage {
    /// As OCI names it: `amd64`, `arm64`.
    pub architecture: String,
    /// Its manifest.
    pub manifest: Blob,
    /// Its configuration.
    pub config: Blob,
    /// Its layers, the lowest first.
    pub layers: Vec<Blob>,
}

/// A layer on top of the base.
#[derive(Clone, Debug)]
pub struct ImageLayer {
    /// Its file.
    pub blob: Blob,
    /// The digest of its tarball.
    pub diff_id: Sha256,
    /// What it is, for people.
    pub title: String,
}

impl PlatformImage {
    /// An image from a base and what comes on top of it.
    pub fn assemble(
        base: &BaseImage,
        architecture: Architecture,
        layers: &[ImageLayer],
        settings: &ImageSettings,
    ) -> serde_json::Result<PlatformImage> {
        let added = layers.iter().map(|layer| AddedLayer {
            diff_id: layer.diff_id,
            created_by: layer.title.clone(),
        });
        let added: Vec<AddedLayer> = added.collect();
        let mut settings = settings.clone();
        settings
            .labels
            .extend(of_base(base).map(|(name, value)| (name.to_owned(), value)));
        let config = configured(&base.config, architecture, &settings, &added);
        let config = Blob::of_bytes(IMAGE_CONFIG_MEDIA_TYPE, serde_json::to_vec(&config)?);
        let all = base
            .layers
            .iter()
            .chain(layers.iter().map(|layer| &layer.blob));
        let layers: Vec<Blob> = all.cloned().collect();
        let mut annotations = settings.labels;
        annotations.insert(CREATED.to_owned(), settings.created);
        let manifest = OciImageManifest {
            media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
            config: config.descriptor(),
            layers: layers.iter().map(Blob::descriptor).collect(),
            annotations: Some(annotations),
            ..OciImageManifest::default()
        };
        Ok(PlatformImage {
            architecture: architecture.oci_name().to_owned(),
            manifest: Blob::of_bytes(OCI_IMAGE_MEDIA_TYPE, serde_json::to_vec(&manifest)?),
            config,
            layers,
        })
    }
}

/// From what it was made.
fn of_base(base: &BaseImage) -> impl Iterator<Item = (&'static str, String)> {
    [
        (BASE_NAME, base.reference.to_string()),
        (BASE_DIGEST, base.digest.oci()),
    ]
    .into_iter()
}

/// An image for one architecture or several.
#[derive(Clone, Debug)]
pub struct Image {
    /// One for each architecture.
    pub platforms: Vec<PlatformImage>,
    /// What leads to them, if it is not the manifest of the only one itself.
    pub index: Option<Blob>,
}

impl Image {
    /// One image; of several, an index over them.
    pub fn of(
        platforms: Vec<PlatformImage>,
        settings: &ImageSettings,
    ) -> serde_json::Result<Image> {
        let index = match platforms.len() {
            1 => None,
            _ => {
                let mut annotations: BTreeMap<String, String> = settings.labels.clone();
                annotations.insert(CREATED.to_owned(), settings.created.clone());
                let index = OciImageIndex {
                    schema_version: 2,
                    media_type: Some(OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned()),
                    manifests: platforms.iter().map(index_entry).collect(),
                    artifact_type: None,
                    annotations: Some(annotations),
                };
                let bytes = serde_json::to_vec(&index)?;
                Some(Blob::of_bytes(OCI_IMAGE_INDEX_MEDIA_TYPE, bytes))
            }
        };
        Ok(Image { platforms, index })
    }

    /// What a tag leads to: the index, or the only manifest.
    pub fn top(&self) -> Option<&Blob> {
        let only = self.platforms.first().map(|platform| &platform.manifest);
        self.index.as_ref().or(only)
    }

    /// The name of the image that it was made from, as its manifest tells it.
    pub fn base(&self) -> Option<ImageReference> {
        let manifest = self.platforms.first()?.manifest.read().ok()?;
        let manifest: OciImageManifest = serde_json::from_slice(&manifest).ok()?;
        manifest.annotations?.get(BASE_NAME)?.parse().ok()
    }

    /// Layers and configurations, each once.
    pub fn contents(&self) -> Vec<&Blob> {
        let mut seen = BTreeSet::new();
        let platforms = self.platforms.iter();
        let blobs = platforms.flat_map(|platform| platform.layers.iter().chain([&platform.config]));
        blobs.filter(|blob| seen.insert(blob.digest)).collect()
    }

    /// Everything, each once: layers, configurations, manifests, index.
    pub fn blobs(&self) -> Vec<&Blob> {
        let manifests = self.platforms.iter().map(|platform| &platform.manifest);
        let mut blobs = self.contents();
        blobs.extend(manifests.chain(&self.index));
        let mut seen = BTreeSet::new();
        blobs.retain(|blob| seen.insert(blob.digest));
        blobs
    }
}

/// The entry of an index for an image.
pub(super) fn index_entry(image: &PlatformImage) -> ImageIndexEntry {
    let descriptor = image.manifest.descriptor();
    ImageIndexEntry {
        media_type: descriptor.media_type,
        digest: descriptor.digest,
        size: descriptor.size,
        platform: Some(Platform {
            architecture: image.architecture.as_str().into(),
            os: "linux".into(),
            os_version: None,
            os_features: None,
            variant: None,
            features: None,
        }),
        annotations: None,
        artifact_type: None,
    }
}
