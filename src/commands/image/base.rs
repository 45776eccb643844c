//! The image that others are made from: pinned in the lock at the first build, and kept in the cache.

use std::time::Duration;

use anyhow::{Result, bail};

use super::settings::Settings;
use crate::cache::Cache;
use crate::http::Patience;
use crate::image::{BaseImage, ImageError, ImageReference, Images, RegistryLogin, is_lambda_base};
use crate::lockfile::{LockedImage, Lockfile};
use crate::progress::Reporter;
use crate::target::Architecture;

/// The base, and where it comes from.
pub struct Bases<'a> {
    /// Its name, and the rest.
    pub settings: &'a Settings,
    /// Where it is kept.
    pub cache: &'a Cache,
    /// By what its registry knows us.
    pub login: RegistryLogin,
    /// Is the digest looked up anew?
    pub upgrade: bool,
    /// Told of the steps.
    pub reporter: &'a dyn Reporter,
}

impl Bases<'_> {
    /// The base for an architecture, as it is pinned; else what its tag leads to now, which is pinned then.
    pub async fn get(&self, architecture: Architecture, lock: &mut Lockfile) -> Result<BaseImage> {
        let reference = &self.settings.base;
        let pinned = lock.image(&reference.to_string(), architecture);
        let images = self.images();
        let digest = match (pinned, self.upgrade) {
            (Some(pinned), false) => pinned,
            (pinned, _) => {
                let found = images.resolve(reference, architecture).await?.digest;
                if let Some(pinned) = pinned.filter(|pinned| *pinned != found) {
                    let (old, new) = (pinned.oci(), found.oci());
                    self.reporter
                        .note(&format!("{reference} for {architecture}: {old} → {new}"));
                }
                found
            }
        };
        let named = reference.at(&digest);
        let pulled = match images.pull(&named, architecture).await {
            Err(ImageError::NotFound { .. }) if pinned == Some(digest) => {
                return self.is_gone(architecture, &digest.oci()).await;
            }
            pulled => pulled?,
        };
        if reference.digest().is_none() {
            lock.repin_image(LockedImage {
                reference: reference.to_string(),
                architecture,
                digest,
            });
        }
        Ok(BaseImage::of(reference, pulled)?)
    }

    /// What was pinned is not there any more: another one is under the tag, or none.
    async fn is_gone(&self, architecture: Architecture, pinned: &str) -> Result<BaseImage> {
        let reference = &self.settings.base;
        let now = self.images().resolve(reference, architecture).await?;
        bail!(
            "{reference} for {architecture} is pinned in {} as {pinned}, which its registry has no more; the tag leads to {} \
             now. Type the same with --upgrade to take that",
            Lockfile::NAME,
            now.digest.oci()
        )
    }

    fn images(&self) -> Images<'_> {
        Images {
            cache: self.cache,
            patience: Patience::default(),
            login: Some(self.login.clone()),
            reporter: self.reporter,
        }
    }
}

/// Is the base started as AWS's images are? Its configuration says so; where that cannot be had, its name.
pub async fn is_lambda(
    settings: &Settings,
    architecture: Architecture,
    login: RegistryLogin,
    (cache, lock): (&Cache, &Lockfile),
    reporter: &dyn Reporter,
) -> Result<bool> {
    let reference = &settings.base;
    let digest = lock.image(&reference.to_string(), architecture);
    let named = digest.map_or_else(|| reference.clone(), |digest| reference.at(&digest));
    let images = Images {
        cache,
        patience: BRIEFLY,
        login: Some(login),
        reporter,
    };
    match images.config(&named, architecture).await {
        Err(error) if error.is_unreachable() => {
            let is_so = reference.repository().ends_with("lambda/provided");
            reporter.warn(&format!(
                "{error}; by its name it is {} that starts /var/runtime/bootstrap by itself",
                if is_so { "one" } else { "none" }
            ));
            Ok(is_so)
        }
        config => Ok(is_lambda_base(&config?)),
    }
}

/// A registry that is asked for a word alone is asked once.
const BRIEFLY: Patience = Patience {
    tries: 1,
    first_pause: Duration::ZERO,
    silence: Duration::from_secs(5),
};

/// The base as a Dockerfile names it: as it is pinned, if it is, for all the architectures alike.
pub fn named_in_lock(
    reference: &ImageReference,
    architectures: &[Architecture],
    lock: &Lockfile,
) -> String {
    match architectures {
        [only] => match lock.image(&reference.to_string(), *only) {
            Some(digest) => reference.at(&digest).to_string(),
            None => reference.to_string(),
        },
        _ => reference.to_string(),
    }
}
