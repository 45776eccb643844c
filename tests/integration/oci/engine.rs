//! podman, with runc: a package compiled in a container is the one that is compiled in the image's root.
