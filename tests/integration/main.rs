//! Whole-command tests: the real binary against real parts (R compiled from its source, AWS's own emulator, files made
//! by gcc). `scripts/test` brings the parts and runs them.

mod parts;

mod attach;
mod audit;
mod aws;
mod build;
mod cache;
mod compile_packages;
mod deploy;
mod deployed;
mod deployed_packages;
mod diff;
mod doctor;
mod download;
mod emulated;
mod emulator;
mod events;
mod graphics;
mod hostile;
mod image;
mod init;
mod inspect;
mod interrupted;
mod invoke;
mod life;
mod list;
mod logs;
mod namespaces;
mod oci;
mod package_layer;
mod package_layers;
mod package_repository;
mod policy;
mod portable_parts;
mod posit;
mod publish;
mod readme;
mod real_repository;
mod rpm_repository;
mod runtime_in_r;
mod sbom;
mod serve;
mod streaming;
mod used_packages;
