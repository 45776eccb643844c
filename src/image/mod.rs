//! OCI images: how they are named, pulled from a registry without a daemon, unpacked into a root file system; made from
//! layers, laid out on disk, and pushed.

mod assembled;
mod base;
mod blob;
mod config;
mod error;
mod gzip;
mod last_pull;
mod layer;
pub mod layout;
mod login;
mod manifest;
mod pull;
mod push;
mod reference;
mod registry;
mod unpack;

pub use assembled::{GZIPPED_LAYER, Image, ImageLayer, PlatformImage};
pub use base::BaseImage;
pub use blob::{Blob, BlobContent};
pub use config::{
    ImageSettings, LAMBDA_ENTRYPOINT, RUNTIME_BOOTSTRAP, TASK_ROOT, command_of, environment_of,
    is_lambda_base, working_folder_of,
};
pub use error::ImageError;
pub use layer::{LayerContent, LayerError, WrittenLayer};
pub use login::RegistryLogin;
pub use manifest::ResolvedImage;
pub use pull::{ImageRoot, Images};
pub use push::{Push, PushError, Pushed};
pub use reference::{EcrRegistry, ImageReference, ReferenceError};
pub use unpack::{Limits, UnpackError, Unpacker};
