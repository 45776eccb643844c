//! `r-layer image`: a function as a container image, from the same layers.

mod base;
mod build;
mod dockerfile;
mod layers;
mod push;
mod record;
mod registry;
mod settings;

pub use build::build;
pub use dockerfile::dockerfile;
pub use push::push;
pub use registry::login;
