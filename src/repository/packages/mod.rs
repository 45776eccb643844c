//! Packages from wherever they are: repositories, files and folders of this machine, git and GitHub. Whatever the
//! way, what comes out is a [`PackageFile`]: a tarball in the cache, known by its hash, that is what it should be.

mod arriving;
mod contents;
mod error;
mod fetch;
mod file;
mod folder;
mod git;
mod github;
mod ignored;
mod kept;
mod local;
mod progress;
mod stored;
mod wanted;

pub(crate) use contents::check_binary;
pub use contents::{PackageContents, unpack_source};
pub use error::PackageError;
pub use file::{CommitOrigin, PackageFile, PackageKind, PackageOrigin};
pub use git::GitRequest;
pub use github::GitHubRequest;
pub(crate) use kept::Kept;
pub use wanted::{IndexEntry, PackageRequest};

use crate::cache::Cache;
use crate::http::Http;
use crate::progress::Reporter;

/// Where packages and indexes are had from, and how.
#[derive(Clone, Copy)]
pub struct PackageSources<'a> {
    /// For servers.
    pub http: &'a Http,
    /// Where everything is kept.
    pub cache: &'a Cache,
    /// Told of downloads.
    pub reporter: &'a dyn Reporter,
    /// Is the cache alone used, and no network?
    pub offline: bool,
}
