//! OCI images: how they are named, pulled from a registry without a daemon, and unpacked into a root file system.

mod error;
mod last_pull;
mod pull;
mod reference;
mod registry;
mod unpack;

pub use error::ImageError;
pub use pull::{ImageRoot, Images};
pub use reference::{ImageReference, ReferenceError};
pub use unpack::{Limits, UnpackError, Unpacker};
