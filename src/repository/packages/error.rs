//! Why a package was not had, and what to do about it.

use std::path::PathBuf;

use super::PackageKind;
use crate::archive::ArchiveError;
use crate::cache::CacheError;
use crate::checksum::Sha256;
use crate::http::HttpError;
use crate::repository::tarball::tried_list;

/// Why a package was not had.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Tried everywhere in vain.
    #[error("{what} could not be had.{}", tried_list(.tried))]
    Nowhere {
        /// The package and its version.
        what: String,
        /// Where it was looked for, and what came of it.
        tried: Vec<(String, String)>,
        /// Does every place say that it has no such thing?
        not_there: bool,
    },
    /// The cache alone is used, and has it not.
    #[error(
        "{what} is not in the cache, and --offline uses nothing else; run the same once without --offline"
    )]
    Offline {
        /// What is missing.
        what: String,
    },
    /// Another content than pinned.
    #[error(
        "{what}: {from} has the sha256 {found}, expected is {expected}. It was damaged on its way, or is another file \
         (where r-layer.lock pins the hash, `r-layer lock --upgrade` takes what is there now)"
    )]
    Hash {
        /// The package and its version.
        what: String,
        /// Where it came from.
        from: String,
        /// Its hash.
        found: Sha256,
        /// The one that it should have.
        expected: Sha256,
    },
    /// Another content than the repository's index says.
    #[error(
        "{what}: {from} has the {algorithm} {found}, and the repository's index says {expected}. It was damaged on its \
         way, or file and index of the repository do not belong together"
    )]
    IndexHash {
        /// The package and its version.
        what: String,
        /// Where it came from.
        from: String,
        /// `MD5` or `sha256`.
        algorithm: &'static str,
        /// Its hash.
        found: String,
        /// The one that the index has.
        expected: String,
    },
    /// Not a package.
    #[error("{file} is not an R package: {reason}")]
    NotAPackage {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another package or version than asked for.
    #[error("{file} holds {found}, and {expected} was asked for")]
    OtherPackage {
        /// The file.
        file: PathBuf,
        /// What it holds.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// Compiled for something else.
    #[error("{file} cannot be used: {reason}, and needed is {needed}")]
    NotBuiltForThis {
        /// The file.
        file: PathBuf,
        /// What it was built for.
        reason: String,
        /// What it should be built for.
        needed: String,
    },
    /// Something compiled where a source is needed.
    #[error("{file} is a {found} package, and a source package is needed")]
    OtherKind {
        /// The file.
        file: PathBuf,
        /// What it is.
        found: PackageKind,
    },
    /// A name or path that nothing is fetched by.
    #[error("{what} is refused: {reason}")]
    Refused {
        /// What.
        what: String,
        /// Why.
        reason: String,
    },
    /// git, or what it said.
    #[error("{what}: {reason}")]
    Git {
        /// The repository.
        what: String,
        /// What happened, and what to do.
        reason: String,
    },
    /// The tarball.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A server.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A file of this machine.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
