//! `r-layer image`: images that are built of a base like AWS's, with AWS's own emulator in it, and of real layers; read by
//! skopeo and umoci, run by podman, pushed to Debian's docker-registry.

mod base;
mod built;
mod ecr;
mod invoked;
mod pushed;
mod refused;
mod run;
mod wire;
