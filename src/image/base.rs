//! The image that another is made from: its layers and its configuration, as OCI names them.

use serde_json::Value;

use super::config::diff_ids;
use super::{Blob, ImageError, ImageReference, PlatformImage};
use crate::checksum::Sha256;

/// The kinds of layers that are taken over, and what OCI calls them: Docker's are the same bytes.
///
/// <https://github.com/opencontainers/image-spec/blob/main/media-types.md>
const LAYER_KINDS: [(&str, &str); 5] = [
    (
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar",
    ),
    (
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
    (
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.oci.image.layer.v1.tar+zstd",
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.oci.image.layer.v1.tar",
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
];

/// A base, for one architecture.
#[derive(Clone, Debug)]
pub struct BaseImage {
    /// Its name, without a digest.
    pub reference: ImageReference,
    /// The digest of its manifest.
    pub digest: Sha256,
    /// Its configuration, with whatever is in it.
    pub config: Value,
    /// Its layers.
    pub layers: Vec<Blob>,
}

impl BaseImage {
    /// An image that was pulled, as a base.
    pub fn of(reference: &ImageReference, image: PlatformImage) -> Result<BaseImage, ImageError> {
        let malformed = |reason: String| ImageError::Malformed {
            reference: reference.to_string(),
            reason,
        };
        let content = image.config.read();
        let content = content.map_err(|error| malformed(error.to_string()))?;
        let config: Value = serde_json::from_slice(&content)
            .map_err(|error| malformed(format!("its configuration: {error}")))?;
        let ids = diff_ids(&config).len();
        if ids != image.layers.len() {
            return Err(malformed(format!(
                "its configuration names {ids} layers, and its manifest {}",
                image.layers.len()
            )));
        }
        let layers = image.layers.into_iter().map(|layer| {
            let kinds = LAYER_KINDS.iter();
            let kind = kinds
                .filter(|(kind, _)| *kind == layer.media_type)
                .map(|(_, oci)| (*oci).to_owned())
                .next();
            match kind {
                Some(media_type) => Ok(Blob {
                    media_type,
                    ..layer
                }),
                None => Err(malformed(format!(
                    "a layer of the kind {}; name a --base whose layers are tarballs",
                    layer.media_type
                ))),
            }
        });
        Ok(BaseImage {
            reference: reference.clone(),
            digest: image.manifest.digest,
            layers: layers.collect::<Result<_, _>>()?,
            config,
        })
    }
}
