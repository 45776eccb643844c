//! map
pub mod archive;
pub mod cache;
pub mod checksum;
pub mod elf;
pub mod embedded;
pub mod http;
pub mod layer;
pub mod package;
pub mod progress;
pub mod sandbox;
pub mod target;
