//! From the name of an image to a root file system in the cache. Everything is kept by its digest, so that what was
//! pulled once is not asked for again.

use std::path::{Path, PathBuf};

use oci_client::manifest::{
    ImageIndexEntry, OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest, OciManifest,
};

use super::registry::{Registry, digest_of, malformed};
use super::{
    Blob, BlobContent, ImageError, ImageReference, Limits, PlatformImage, RegistryLogin, Unpacker,
    last_pull,
};
use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::http::Patience;
use crate::progress::{Reporter, Silent};
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

/// What a reference leads to for an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolvedImage {
    /// The digest of the architecture's manifest.
    pub digest: Sha256,
    /// Did the reference lead to an index, which Lambda does not take?
    pub is_from_index: bool,
}

/// The manifest of one architecture.
struct Manifest {
    reference: ImageReference,
    digest: Sha256,
    media_type: String,
    config: OciDescriptor,
    layers: Vec<OciDescriptor>,
    is_from_index: bool,
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

/// How much more room an image takes when it is unpacked, roughly.
const EXPANSION: u64 = 4;

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

    /// The root of an image that is there already: of a layout. `what` is for messages.
    pub async fn root_of(&self, image: &PlatformImage, what: &str) -> Result<PathBuf, ImageError> {
        let name = format!(
            "oci-{}-{}",
            image.manifest.digest.short(),
            image.architecture
        );
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

    async fn registry(&self, reference: &ImageReference) -> Result<Registry, ImageError> {
        Registry::of(reference, self.patience, self.login.as_ref(), self.reporter).await
    }

    async fn unpack_manifest(&self, manifest: &Manifest, folder: &Path) -> Result<(), ImageError> {
        let reference = &manifest.reference;
        let size: u64 = manifest.layers.iter().map(size_of).sum();
        let what = reference.to_string();
        self.cache
            .need_room(&what, size.saturating_mul(EXPANSION) / 1_000_000)?;
        let paths = self.layers(manifest, size).await?;
        let layers = manifest.layers.iter().zip(paths).map(|(layer, path)| Blob {
            media_type: layer.media_type.clone(),
            digest: Sha256::UNKNOWN,
            size: size_of(layer),
            content: BlobContent::File(path),
        });
        self.unpack_blobs(layers.collect(), &what, folder).await
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

    /// The manifest of an image for an architecture.
    async fn manifest(
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
            .map_err(|error| malformed(reference, &error.to_string()))?;
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
    async fn config_file(
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

fn unpack_layers(layers: &[Blob], root: &Path) -> Result<(), super::UnpackError> {
    let damaged = super::UnpackError::Damaged;
    let mut unpacker = Unpacker::new(root, Limits::default()).map_err(damaged)?;
    for layer in layers {
        unpacker.layer(layer.open().map_err(damaged)?)?;
    }
    Ok(())
}

fn size_of(layer: &OciDescriptor) -> u64 {
    u64::try_from(layer.size).unwrap_or(0)
}

fn blob_name(digest: &Sha256) -> String {
    format!("sha256-{digest}")
}

fn root_name(digest: &Sha256, architecture: Architecture) -> String {
    format!("oci-{}-{architecture}", digest.short())
}
