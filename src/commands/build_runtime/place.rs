//! Where R is compiled: what was asked for, and the image of it pinned to the content that it had first.

use anyhow::{Result, bail};

use super::Builder;
use super::settings::parsed;
use crate::checksum::Sha256;
use crate::distribution::BuildPlace;
use crate::http::Patience;
use crate::image::{ImageReference, Images};
use crate::lockfile::{LockedImage, Lockfile};
use crate::sandbox::{Engine, EngineKind, RootSpec};

/// What flags, or the manifest, say of the place.
pub struct Named {
    /// `--build-root`.
    pub root: Option<String>,
    /// `--engine`.
    pub engine: Option<String>,
    /// `--build-image`.
    pub image: Option<String>,
    /// `--build-on-host`.
    pub is_host: bool,
}

/// The place: flags and environment before the manifest before the default.
pub fn resolve(flags: Named, mut section: Named, default: &str) -> Result<BuildPlace> {
    if flags.is_host {
        return Ok(BuildPlace::Host);
    }
    // A root that was typed stands against an engine of the manifest, and the other way round.
    if flags.root.is_some() {
        (section.engine, section.image) = (None, None);
    } else if flags.engine.is_some() {
        section.root = None;
    }
    if section.root.is_some() && section.engine.is_some() {
        bail!(
            "r-layer.toml has both build-root and engine in [runtime]; R is compiled in one place: take one out"
        );
    }
    let engine_of = |text: &str| Ok(text.parse::<EngineKind>()?);
    let image_of = |text: &str| Ok(text.parse::<ImageReference>()?);
    let root_of = |text: &str| Ok(text.parse::<RootSpec>()?);
    let engine = parsed(flags.engine, section.engine, "engine", engine_of)?;
    let image = parsed(flags.image, section.image, "build-image", image_of)?;
    let root = parsed(flags.root, section.root, "build-root", root_of)?;
    match (engine, image, root) {
        (Some(engine), Some(image), _) => Ok(BuildPlace::Engine(engine, image)),
        (Some(engine), None, _) => bail!(
            "--engine {engine} needs an image to make containers from; type for example \
             --build-image public.ecr.aws/amazonlinux/amazonlinux:2023"
        ),
        (None, Some(image), _) => bail!(
            "--build-image is for a container engine; name it with --engine docker, podman or finch, or do without one: \
             --build-root oci:{image}"
        ),
        (None, None, Some(root)) => Ok(BuildPlace::Root(root)),
        (None, None, None) => Ok(BuildPlace::Root(default.parse()?)),
    }
}

impl Builder<'_> {
    /// The place, with its image pinned to the content that the lock has for it, or that it has now.
    pub async fn pinned_place(&self, lock: &mut Lockfile) -> Result<BuildPlace> {
        let mut place = self.settings.place.clone();
        let Some(image) = place.image().cloned() else {
            return Ok(place);
        };
        let (reference, architecture) = (image.to_string(), self.settings.architecture);
        let digest = match lock.image(&reference, architecture) {
            Some(digest) => Some(digest),
            None => self.digest_now(&image).await?,
        };
        if let Some(digest) = digest {
            place.pin(&digest);
            lock.pin_image(LockedImage {
                reference,
                architecture,
                digest,
            });
        }
        Ok(place)
    }

    /// The digest by which a registry has the image; nothing for an image that was never pushed.
    async fn digest_now(&self, image: &ImageReference) -> Result<Option<Sha256>> {
        let architecture = self.settings.architecture;
        if let BuildPlace::Engine(kind, _) = self.settings.place {
            let engine = Engine::open(kind, architecture).await?;
            return Ok(engine.image(image, self.reporter).await?.digest);
        }
        let images = Images {
            cache: &self.cache,
            patience: Patience::default(),
            login: None,
            reporter: self.reporter,
        };
        Ok(Some(images.resolve(image, architecture).await?.digest))
    }
}
