//! Why an image is not pushed.

use std::path::PathBuf;

use crate::http::HttpError;
use crate::image::ImageError;

/// Why an image is not pushed. Nothing of it is under the tag then: the tag comes last.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The network's setting, or somebody who pretends to be the registry.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The same, as it is said where images are pulled.
    #[error(transparent)]
    Setup(#[from] ImageError),
    /// The registry does not know us.
    #[error(
        "{registry} does not take {reference} from this user ({reason}). Type: docker login {registry}{hint}"
    )]
    Denied {
        /// What was to be pushed.
        reference: String,
        /// Its registry.
        registry: String,
        /// The registry's word.
        reason: String,
        /// What else may help.
        hint: &'static str,
    },
    /// No such repository, in a registry that makes none by itself.
    #[error("{registry} has no repository for {reference} ({reason}){hint}")]
    NoRepository {
        /// What was to be pushed.
        reference: String,
        /// Its registry.
        registry: String,
        /// The registry's word.
        reason: String,
        /// What to type.
        hint: &'static str,
    },
    /// It refuses for another reason.
    #[error("{reference} is not pushed: {what} is refused, the registry answers {reason}")]
    Refused {
        /// What was to be pushed.
        reference: String,
        /// A part of it.
        what: String,
        /// The registry's word.
        reason: String,
    },
    /// Not reached, or broken off, and tried again in vain.
    #[error(
        "{reference} is not pushed: {what} ended in {reason} ({tries} tries). Type the same again; what the registry has \
         already is not sent again"
    )]
    BrokenOff {
        /// What was to be pushed.
        reference: String,
        /// A part of it.
        what: String,
        /// How often it was tried.
        tries: usize,
        /// What the last try ended with.
        reason: String,
    },
    /// Another content arrived.
    #[error(
        "{reference} is not as it was pushed: the registry has {found}, and {expected} was sent"
    )]
    OtherDigest {
        /// What was pushed.
        reference: String,
        /// The digest of what was sent.
        expected: String,
        /// The digest that the registry tells.
        found: String,
    },
    /// By digest nothing is pushed.
    #[error("{0} names a digest, and what is pushed has one of its own; name a tag: NAME:TAG")]
    NamesDigest(String),
    /// A file that is read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
}
