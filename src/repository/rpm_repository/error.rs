//! Why a library was not had from an RPM repository, and what to do about it.

use crate::cache::CacheError;
use crate::checksum::Sha256;
use crate::http::HttpError;

/// A library that no package of the repository has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprovided {
    /// The library.
    pub soname: String,
    /// What needs it.
    pub needed_by: String,
    /// Libraries of the repository that may have been meant, as another version of it.
    pub nearest: Vec<String>,
}

/// Why a library was not had from an RPM repository.
#[derive(Debug, thiserror::Error)]
pub enum RpmError {
    /// A list of mirrors, repomd.xml or the list of packages could not be fetched.
    #[error(
        "the system libraries' repository: {0}. It is needed for libraries that Lambda lacks; a company's mirror of Amazon \
         Linux 2023 can stand in for it, and what was fetched once is had with --offline"
    )]
    Unreachable(#[source] HttpError),
    /// Something else than metadata of a repository, as a portal's page is.
    #[error("what is at {place} is not understood: {reason}. Is it the base of an RPM repository?")]
    NotUnderstood {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another content than the one that was told of.
    #[error(
        "{place} has the sha256 {found}, expected is {expected}. It was damaged on its way, or the mirror is being \
         updated: try again in a while (where r-layer.lock pins the hash, it can be changed there)"
    )]
    Hash {
        /// Where it came from.
        place: String,
        /// Its hash.
        found: Sha256,
        /// The one that it should have.
        expected: Sha256,
    },
    /// A package that is damaged or hostile.
    #[error("{place} is refused: {reason}")]
    Package {
        /// Where it came from.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A package says that it provides a library, and has no such file.
    #[error("{package} says that it provides {soname}, and has no such library for this processor")]
    NoSuchFile {
        /// The package.
        package: String,
        /// The library.
        soname: String,
    },
    /// No package has it.
    #[error("{}", unprovided(.missing, .repository))]
    Unprovided {
        /// What is missing.
        missing: Vec<Unprovided>,
        /// Where it was looked for.
        repository: String,
    },
    /// Not to be fetched, and not there.
    #[error("--offline: the cache does not hold {what}; build once without --offline, and it will")]
    Offline {
        /// What is wanted.
        what: String,
    },
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A file of this machine.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn unprovided(missing: &[Unprovided], repository: &str) -> String {
    let lines = missing.iter().map(|library| {
        let Unprovided {
            soname,
            needed_by,
            nearest,
        } = library;
        let nearest = match nearest.as_slice() {
            [] => String::new(),
            nearest => format!(" (it has {})", nearest.join(", ")),
        };
        format!(
            "{needed_by} needs {soname}, which is neither in the layer, nor on Lambda, nor in {repository}{nearest}\n"
        )
    });
    lines.collect::<String>()
        + "Compile the package from its source instead, in a build root that has the library: it comes along from there"
}
