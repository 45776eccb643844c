//! From the name of an image to a root file system in the cache. Everything is kept by its digest, so that what was
//! pulled once is not asked for again.

use std::path::{Path, PathBuf};

use oci_client::manifest::OciDescriptor;

use super::manifest::{Manifest, blob_name, size_of};
use super::registry::digest_of;
use super::{
    Blob, BlobContent, ImageError, ImageReference, Limits, PlatformImage, RegistryLogin,
    UnpackError, Unpacker, last_pull,
};
use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::http::Patience;
use crate::progress::Reporter;
use crate::root_path::has_shell;
use crate::target::Architecture;

/// Images, and the cache that they are kept in.
pub struct Images<'a> {
    /// Where blobs and roots are kept.
    pub cache: &'a Cache,
    /// How patiently registries are asked.
    pub patience: Patience,
    /// By what a registry knows us, where that is not what Docker's files say.
    pub login: Option<RegistryLogin>,
    /// Told of the steps.
    pub reporter: &'a dyn Reporter,
}

/// The root file system of an image.
#[derive(Clone, Debug)]
pub struct ImageRoot {
    /// Where it is.
    pub path: PathBuf,
    /// The digest of the manifest it comes from, which is one architecture's.
    pub digest: Sha256,
}

/// How much more room an image takes when it is unpacked, roughly.
const EXPANSION: u64 = 4;

impl Images<'_> {
    /// An image for an architecture, all of it in the cache.
    pub async fn pull(
        &self,
        reference: &ImageReference,
        architecture: Architecture,
    ) -> Result<PlatformImage, ImageError> {
        let manifest = self.manifest(reference, architecture).await?;
        let size: u64 = manifest.layers.iter().map(size_of).sum();
        let what = reference.to_string();
        self.cache.need_room(&what, size / 1_000_000)?;
        let paths = self.layers(&manifest, size).await?;
        let blob = |descriptor: &OciDescriptor, path: PathBuf| {
            Ok::<Blob, ImageError>(Blob {
                media_type: descriptor.media_type.clone(),
                digest: digest_of(reference, &descriptor.digest)?,
                size: size_of(descriptor),
                content: BlobContent::File(path),
            })
        };
        let layers = manifest.layers.iter().zip(paths);
        let layers = layers.map(|(layer, path)| blob(layer, path));
        let config = self
            .config_file(&manifest.reference, &manifest.config)
            .await?;
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| ImageError::Io { path, source }
        };
        let name = blob_name(&manifest.digest);
        let path = self.cache.get("blobs", &name).unwrap_or_default();
        let size = fs_err::metadata(&path).map_err(io(&path))?.len();
        Ok(PlatformImage {
            architecture: architecture.oci_name().to_owned(),
            manifest: Blob {
                media_type: manifest.media_type.clone(),
                digest: manifest.digest,
                size,
                content: BlobContent::File(path),
            },
            config: blob(&manifest.config, config)?,
            layers: layers.collect::<Result<_, _>>()?,
        })
    }

    /// The root of an image that is there already: of a layout. `what` is for messages.
    pub async fn root_of(&self, image: &PlatformImage, what: &str) -> Result<PathBuf, ImageError> {
        let name = match image.architecture.parse() {
            Ok(architecture) => root_name(&image.manifest.digest, architecture),
            Err(_) => format!("oci-{}", image.manifest.digest.short()),
        };
        let layers = image.layers.clone();
        let size: u64 = layers.iter().map(|layer| layer.size).sum();
        let make = async |content: &Path| {
            self.cache
                .need_room(what, size.saturating_mul(EXPANSION) / 1_000_000)?;
            self.unpack_blobs(layers, what, content).await
        };
        self.cache
            .get_or_make("roots", &name, self.reporter, make)
            .await
    }

    /// The root of an image: from the cache if its name says the digest, else what its tag leads to now.
    pub async fn root(
        &self,
        reference: &ImageReference,
        architecture: Architecture,
    ) -> Result<ImageRoot, ImageError> {
        if let Some(digest) = reference.digest()
            && let Some(root) = self.with_digest(digest, architecture)
        {
            return Ok(root);
        }
        let manifest = self.manifest(reference, architecture).await?;
        let digest = manifest.digest;
        let name = root_name(&digest, architecture);
        let make = async |content: &Path| self.unpack_manifest(&manifest, content).await;
        let path = self
            .cache
            .get_or_make("roots", &name, self.reporter, make)
            .await?;
        // Without it the registry is asked again, and nothing else.
        let _ = last_pull::remember(self.cache, reference, architecture, &digest);
        Ok(ImageRoot { path, digest })
    }

    /// The root of an image as it was pulled before, without asking the registry.
    pub fn kept(
        &self,
        reference: &ImageReference,
        architecture: Architecture,
    ) -> Option<ImageRoot> {
        let digest = reference
            .digest()
            .or_else(|| last_pull::recall(self.cache, reference, architecture))?;
        self.with_digest(digest, architecture)
    }

    fn with_digest(&self, digest: Sha256, architecture: Architecture) -> Option<ImageRoot> {
        let path = self.cache.get("roots", &root_name(&digest, architecture))?;
        Some(ImageRoot { path, digest })
    }

    /// Unpacks an image into a folder that does not exist yet.
    pub async fn unpack(
        &self,
        reference: &ImageReference,
        architecture: Architecture,
        folder: &Path,
    ) -> Result<(), ImageError> {
        let manifest = self.manifest(reference, architecture).await?;
        self.unpack_manifest(&manifest, folder).await
    }

    async fn unpack_manifest(&self, manifest: &Manifest, folder: &Path) -> Result<(), ImageError> {
        let reference = &manifest.reference;
        let size: u64 = manifest.layers.iter().map(size_of).sum();
        let what = reference.to_string();
        self.cache
            .need_room(&what, size.saturating_mul(EXPANSION) / 1_000_000)?;
        let paths = self.layers(manifest, size).await?;
        let layers = manifest.layers.iter().zip(paths).map(|(layer, path)| {
            Ok::<Blob, ImageError>(Blob {
                media_type: layer.media_type.clone(),
                digest: digest_of(reference, &layer.digest)?,
                size: size_of(layer),
                content: BlobContent::File(path),
            })
        });
        let layers = layers.collect::<Result<_, _>>()?;
        self.unpack_blobs(layers, &what, folder).await
    }

    async fn unpack_blobs(
        &self,
        layers: Vec<Blob>,
        what: &str,
        folder: &Path,
    ) -> Result<(), ImageError> {
        let task = self.reporter.begin(&format!("unpacking {what}"), None);
        let root = folder.to_owned();
        // In a thread of its own, so that an interruption is heard while it unpacks.
        tokio::task::spawn_blocking(move || unpack_layers(&layers, &root))
            .await
            .map_err(|error| ImageError::Malformed {
                reference: what.to_owned(),
                reason: error.to_string(),
            })?
            .map_err(|source| ImageError::Unpack {
                reference: what.to_owned(),
                source,
            })?;
        if !has_shell(folder) {
            return Err(ImageError::NoShell(what.to_owned()));
        }
        task.finish(&format!("unpacked {what}"));
        Ok(())
    }

    /// The layers' files, from the cache or pulled now.
    async fn layers(&self, manifest: &Manifest, size: u64) -> Result<Vec<PathBuf>, ImageError> {
        let reference = &manifest.reference;
        let digests = manifest
            .layers
            .iter()
            .map(|layer| digest_of(reference, &layer.digest))
            .collect::<Result<Vec<_>, _>>()?;
        let names: Vec<String> = digests.iter().map(blob_name).collect();
        if let Some(kept) = names
            .iter()
            .map(|name| self.cache.get("blobs", name))
            .collect()
        {
            return Ok(kept);
        }
        let task = self
            .reporter
            .begin(&format!("pulling {reference}"), Some(size));
        let registry = self.registry(reference).await?;
        let mut paths = Vec::new();
        for (layer, name) in manifest.layers.iter().zip(&names) {
            let make = async |content: &Path| registry.blob(layer, content, &*task).await;
            let path = self.cache.get_or_make("blobs", name, self.reporter, make);
            paths.push(path.await?);
        }
        task.finish(&format!("pulled {reference}"));
        Ok(paths)
    }
}

/// Unpacks layers that are what their digests say: a root is kept under a digest, and may not hold anything else.
fn unpack_layers(layers: &[Blob], root: &Path) -> Result<(), UnpackError> {
    let damaged = UnpackError::Damaged;
    for layer in layers {
        let found = layer.found_digest().map_err(damaged)?;
        if found != layer.digest {
            return Err(UnpackError::OtherDigest {
                expected: layer.digest.oci(),
                found: found.oci(),
            });
        }
    }
    let mut unpacker = Unpacker::new(root, Limits::default()).map_err(damaged)?;
    for layer in layers {
        unpacker.layer(layer.open().map_err(damaged)?)?;
    }
    Ok(())
}

fn root_name(digest: &Sha256, architecture: Architecture) -> String {
    format!("oci-{}-{architecture}", digest.short())
}
