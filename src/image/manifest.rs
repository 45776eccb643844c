//! From a name to the manifest and the configuration of one architecture, each kept by its digest.

use std::path::{Path, PathBuf};

use oci_client::manifest::{
    ImageIndexEntry, OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest, OciManifest,
};

use super::registry::{Registry, digest_of, malformed};
use super::{ImageError, ImageReference, Images};
use crate::checksum::Sha256;
use crate::progress::{Reporter, Silent};
use crate::target::Architecture;

/// What a reference leads to for an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolvedImage {
    /// The digest of the architecture's manifest.
    pub digest: Sha256,
    /// Did the reference lead to an index, which Lambda does not take?
    pub is_from_index: bool,
}

/// The manifest of one architecture.
pub(super) struct Manifest {
    pub(super) reference: ImageReference,
    pub(super) digest: Sha256,
    pub(super) media_type: String,
    pub(super) config: OciDescriptor,
    pub(super) layers: Vec<OciDescriptor>,
    pub(super) is_from_index: bool,
}

impl Manifest {
    fn of(
        reference: ImageReference,
        digest: Sha256,
        image: OciImageManifest,
        is_from_index: bool,
    ) -> Manifest {
        Manifest {
            reference,
            digest,
            media_type: image
                .media_type
                .unwrap_or_else(|| OCI_IMAGE_MEDIA_TYPE.to_owned()),
            config: image.config,
            layers: image.layers,
            is_from_index,
        }
    }
}

/// What the configuration of an image says of where it runs.
#[derive(serde::Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

/// What no configuration comes near to, in bytes.
const LARGEST_CONFIGURATION: u64 = 16 << 20;

impl Images<'_> {
    /// What a reference leads to for an architecture now.
    pub async fn resolve(
        &self,
        reference: &ImageReference,
        architecture: Architecture,
    ) -> Result<ResolvedImage, ImageError> {
        let manifest = self.manifest(reference, architecture).await?;
        Ok(ResolvedImage {
            digest: manifest.digest,
            is_from_index: manifest.is_from_index,
        })
    }

    /// The configuration of an image for an architecture, without its layers.
    pub async fn config(
        &self,
        reference: &ImageReference,
        architecture: Architecture,
    ) -> Result<serde_json::Value, ImageError> {
        let manifest = self.manifest(reference, architecture).await?;
        let path = self
            .config_file(&manifest.reference, &manifest.config)
            .await?;
        let text = fs_err::read(&path).map_err(|source| ImageError::Io { path, source })?;
        serde_json::from_slice(&text)
            .map_err(|error| malformed(reference, &format!("its configuration: {error}")))
    }

    pub(super) async fn registry(
        &self,
        reference: &ImageReference,
    ) -> Result<Registry, ImageError> {
        Registry::of(reference, self.patience, self.login.as_ref(), self.reporter).await
    }

    /// The manifest of an image for an architecture.
    pub(super) async fn manifest(
        &self,
        reference: &ImageReference,
        architecture: Architecture,
    ) -> Result<Manifest, ImageError> {
        let (digest, manifest) = self.any_manifest(reference).await?;
        match manifest {
            OciManifest::ImageIndex(index) => {
                let entry = entry_for(reference, architecture, &index.manifests)?;
                let named = reference.at(&digest_of(reference, &entry.digest)?);
                match self.any_manifest(&named).await? {
                    (digest, OciManifest::Image(image)) => {
                        Ok(Manifest::of(named, digest, image, true))
                    }
                    _ => Err(malformed(reference, "an index that leads to an index")),
                }
            }
            OciManifest::Image(image) => {
                let named = reference.at(&digest);
                self.check_architecture(&named, &image, architecture)
                    .await?;
                Ok(Manifest::of(named, digest, image, false))
            }
        }
    }

    /// A manifest of whatever kind, and its digest. One that is asked for by digest is looked for in the cache first.
    async fn any_manifest(
        &self,
        reference: &ImageReference,
    ) -> Result<(Sha256, OciManifest), ImageError> {
        let kept = reference
            .digest()
            .and_then(|digest| self.cache.get("blobs", &blob_name(&digest)));
        let content = match kept {
            Some(path) => fs_err::read(&path).map_err(|source| ImageError::Io { path, source })?,
            None => {
                let registry = self.registry(reference).await?;
                registry.manifest(reference).await?
            }
        };
        let digest = Sha256::of(&content);
        if let Some(expected) = reference.digest().filter(|expected| *expected != digest) {
            return Err(ImageError::OtherDigest {
                reference: reference.to_string(),
                what: "its manifest".to_owned(),
                expected: expected.oci(),
                found: digest.oci(),
            });
        }
        let manifest = serde_json::from_slice(&content)
            .map_err(|error| malformed(reference, &unknown_kind(&content, &error)))?;
        let write = async |path: &Path| {
            fs_err::write(path, &content).map_err(|source| ImageError::Io {
                path: path.to_owned(),
                source,
            })
        };
        self.cache
            .get_or_make("blobs", &blob_name(&digest), self.reporter, write)
            .await?;
        Ok((digest, manifest))
    }

    /// The configuration of an image, from the cache or pulled now.
    pub(super) async fn config_file(
        &self,
        reference: &ImageReference,
        config: &OciDescriptor,
    ) -> Result<PathBuf, ImageError> {
        if size_of(config) > LARGEST_CONFIGURATION {
            return Err(malformed(reference, "its configuration is far too large"));
        }
        let name = blob_name(&digest_of(reference, &config.digest)?);
        let make = async |content: &Path| {
            let registry = self.registry(reference).await?;
            let task = Silent.begin("", None);
            registry.blob(config, content, &*task).await
        };
        self.cache
            .get_or_make("blobs", &name, self.reporter, make)
            .await
    }

    /// An image without an index says in its configuration what it is for.
    async fn check_architecture(
        &self,
        reference: &ImageReference,
        image: &OciImageManifest,
        wanted: Architecture,
    ) -> Result<(), ImageError> {
        let path = self.config_file(reference, &image.config).await?;
        let content = fs_err::read(&path).map_err(|source| ImageError::Io { path, source })?;
        let config: Platform = serde_json::from_slice(&content)
            .map_err(|error| malformed(reference, &format!("its configuration: {error}")))?;
        if config.architecture == wanted.oci_name() {
            return Ok(());
        }
        Err(ImageError::NoArchitecture {
            reference: reference.to_string(),
            wanted,
            there: format!("{}/{}", config.os, config.architecture),
        })
    }
}

/// The entry of an index for an architecture.
fn entry_for<'a>(
    reference: &ImageReference,
    wanted: Architecture,
    entries: &'a [ImageIndexEntry],
) -> Result<&'a ImageIndexEntry, ImageError> {
    let platform = |entry: &ImageIndexEntry| {
        let platform = entry.platform.as_ref()?;
        Some(format!("{}/{}", platform.os, platform.architecture))
    };
    let name = format!("linux/{}", wanted.oci_name());
    if let Some(entry) = entries
        .iter()
        .find(|entry| platform(entry).as_ref() == Some(&name))
    {
        return Ok(entry);
    }
    // Attestations are entries too, for a platform `unknown`.
    let there: Vec<String> = entries
        .iter()
        .filter_map(platform)
        .filter(|name| !name.contains("unknown"))
        .collect();
    Err(ImageError::NoArchitecture {
        reference: reference.to_string(),
        wanted,
        there: match there.is_empty() {
            true => "no platform that it names".to_owned(),
            false => there.join(", "),
        },
    })
}

/// What a manifest says of its kind that is none that is known.
fn unknown_kind(content: &[u8], error: &serde_json::Error) -> String {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        schema_version: u32,
        media_type: Option<String>,
    }
    match serde_json::from_slice::<Kind>(content) {
        Ok(kind) => format!(
            "it is of the kind {}, version {}; images of OCI and of Docker's version 2 are understood",
            kind.media_type.as_deref().unwrap_or("without a name"),
            kind.schema_version
        ),
        Err(_) => error.to_string(),
    }
}

pub(super) fn size_of(layer: &OciDescriptor) -> u64 {
    u64::try_from(layer.size).unwrap_or(0)
}

pub(super) fn blob_name(digest: &Sha256) -> String {
    format!("sha256-{digest}")
}
