//! Why an image is not had.

use std::path::PathBuf;

use super::UnpackError;
use crate::cache::CacheError;
use crate::http::HttpError;
use crate::target::Architecture;

/// Why an image is not had.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The network's setting, or somebody who pretends to be the registry.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No such image.
    #[error(
        "{reference} is not there: {registry} has no image of that name ({reason}). Look at the name and the tag; a \
         private image is there only after: docker login {registry}"
    )]
    NotFound {
        /// The image.
        reference: String,
        /// Its registry.
        registry: String,
        /// The registry's word.
        reason: String,
    },
    /// Not for everybody.
    #[error(
        "{registry} does not give {reference} to this user ({reason}): there is no image of that name, or it is not for \
         everybody. Look at the name, or type: docker login {registry}"
    )]
    Denied {
        /// The image.
        reference: String,
        /// Its registry.
        registry: String,
        /// The registry's word.
        reason: String,
    },
    /// The registry refuses for another reason.
    #[error("{reference} cannot be pulled: the registry answers {reason}")]
    Refused {
        /// The image.
        reference: String,
        /// The registry's word.
        reason: String,
    },
    /// Not reached, or broken off, and tried again in vain.
    #[error("{reference} cannot be pulled ({tries} tries): {reason}")]
    Unreachable {
        /// The image.
        reference: String,
        /// How often it was tried.
        tries: usize,
        /// What the last try ended with.
        reason: String,
    },
    /// Another content than was promised.
    #[error(
        "{reference} is refused: {what} has the digest {found}, and its name is {expected}. It was changed on its way \
         or in the registry; nothing of it is kept. Push the image again, or name another"
    )]
    OtherDigest {
        /// The image.
        reference: String,
        /// A part of it.
        what: String,
        /// The digest it was asked for by.
        expected: String,
        /// The digest it has.
        found: String,
    },
    /// Not for this processor.
    #[error(
        "{reference} has nothing for linux/{wanted}, only for {there}; name an image that has it, or type --arch",
        wanted = wanted.oci_name()
    )]
    NoArchitecture {
        /// The image.
        reference: String,
        /// The architecture asked for.
        wanted: Architecture,
        /// Those that there are.
        there: String,
    },
    /// No manifest, or one of an unknown kind.
    #[error("{reference} has a manifest that r-layer does not understand: {reason}")]
    Malformed {
        /// The image.
        reference: String,
        /// What is wrong.
        reason: String,
    },
    /// A layer.
    #[error("{reference} is refused: {source}")]
    Unpack {
        /// The image.
        reference: String,
        /// What is wrong with it.
        source: UnpackError,
    },
    /// Without a shell nothing can be run in it.
    #[error(
        "{0} is no root to run scripts in: it has no /bin/sh; name an image of a whole system, for example \
         public.ecr.aws/amazonlinux/amazonlinux:2023 or debian:bullseye"
    )]
    NoShell(String),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A file in the cache.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
}

impl ImageError {
    /// Is it for want of a network, so that what was pulled before may do?
    pub fn is_unreachable(&self) -> bool {
        matches!(self, ImageError::Unreachable { .. })
    }
}
