//! An image on disk, laid out as OCI has it: a folder, or a tarball of one.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

mod read;
mod write;

use std::io;
use std::path::PathBuf;

pub use read::OciLayout;
pub use write::{check_place, is_tarball, write_folder, write_tarball};

/// The file that says that a folder is a layout.
const MARK: &str = "oci-layout";
const MARK_CONTENT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = "index.json";

/// By what a layout's index names what is in it.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Why a layout is not read or written.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file of it, or what it is written to.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Something else is there.
    #[error(
        "{0} is there already and is no image that r-layer made; remove it, or name another place with -o"
    )]
    Occupied(PathBuf),
    /// Neither a folder nor a tarball of a layout.
    #[error(
        "{path} is no OCI layout ({reason}); name the folder or the .tar that `r-layer image build -o` wrote"
    )]
    NoLayout {
        /// What was named.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// None of that name.
    #[error("{path} has no image with the name {tag}; it has: {names}")]
    NoTag {
        /// The layout.
        path: PathBuf,
        /// The name.
        tag: String,
        /// Those that there are.
        names: String,
    },
    /// Several images.
    #[error("{path} holds several images: {names}; name one with --tag")]
    Several {
        /// The layout.
        path: PathBuf,
        /// Their names.
        names: String,
    },
    /// Nothing for that processor.
    #[error("{path} has nothing for linux/{wanted}, only for {there}")]
    NoArchitecture {
        /// The layout.
        path: PathBuf,
        /// As OCI names it.
        wanted: String,
        /// Those that there are.
        there: String,
    },
}

/// The path of a blob within a layout.
fn blob_path(digest: &crate::checksum::Sha256) -> String {
    format!("blobs/sha256/{digest}")
}
