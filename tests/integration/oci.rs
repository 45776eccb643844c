//! Images from Debian's docker-registry, pushed there by skopeo: pulled, refused, pinned; and a container engine.

pub mod engine;
pub mod layers;
pub mod pulled;
mod refused;
pub mod registry;
