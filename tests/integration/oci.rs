//! Images from Debian's docker-registry, pushed there by skopeo: pulled, refused, pinned; and a container engine.

mod engine;
mod layers;
mod pulled;
mod refused;
mod registry;
