//! R on AWS Lambda, from one command line: builds R and R packages as layers, checks them, runs handlers locally.
//!
//! # The way of the data
//! manifest and flags → settings → R and packages (fetched or compiled, into the cache) → **layer tree** (sorted path →
//! content, mode) → prune and strip → complete the shared libraries → zip → audit against the target → record.
//! Each step takes a value and returns a value; only the ends touch the network, the terminal or other programs.
//!
//! # Where things are
//! | module | what it knows |
//! | --- | --- |
//! | [`cli`] | what can be typed |
//! | [`commands`] | a file or folder a command: settings in, result out |
//! | [`terminal`] | printing, progress bars, errors for people |
//! | [`distribution`] | R itself: prebuilt, compiled, or there already |
//! | [`repository`] | CRAN's and Posit's layouts, and tarballs by hash; system libraries from an RPM repository |
//! | [`sandbox`] | a command in a root file system, by bubblewrap or a container engine |
//! | [`image`] | OCI images: pulled and unpacked, made from layers, laid out, pushed |
//! | [`runtime_api`], [`invoke_api`] | Lambda's two sides on this machine: to the runtime, to those who call the function |
//! | [`aws`] | the calls to AWS: layer versions, buckets, parameters, and why it says no |
//! | [`http`], [`credentials`], [`cache`], [`archive`] | every request; who asks; what is kept; tarballs from elsewhere |
//! | [`layer`] | a layer as a value: tree, prune, strip, complete, examine, inspect, audit, zip, record |
//! | [`elf`], [`package`], [`target`] | ELF files; R packages and versions; what Lambda offers |
//! | [`resolve`] | which version of which package, from where, in which order |
//! | [`request_file`] | `renv.lock` and `DESCRIPTION`, as requests for packages |
//! | [`publication`] | what is published where: ARNs, grants, names, descriptions, `r-layer.arns.json` |
//! | [`function_log`] | a function's log, read and laid out |
//! | [`iam`] | the least IAM policies for what r-layer does at AWS |
//! | [`function`] | a function as a value: its code, the packages that it uses, its settings, its layers in their order |
//! | [`public_url`] | URLs without what is secret in them |
//! | [`root_path`] | paths within a root file system |
//! | [`nearest`] | names that look like one that there is not |
//! | [`os`] | what systems differ in |
//! | [`manifest`], [`lockfile`] | `r-layer.toml`, `r-layer.lock` |
//! | [`embedded`] | what `layers/` holds, in the program |
//!
//! # The rule
//! main → cli → commands → (distribution, repository, sandbox, image, aws, invoke_api, runtime_api, http, credentials, cache,
//! archive) → (layer, elf, package, resolve, target, manifest, lockfile, request_file, publication, function, function_log,
//! iam, checksum, public_url, root_path, nearest, os, embedded); never back. The lower half knows neither network, terminal
//! nor clap.
//! [`progress`] is how it speaks all the same: to whoever listens.
#![cfg_attr(
    not(test),
    warn(
        clippy::exit,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::unwrap_used
    )
)]

pub mod archive;
pub mod aws;
pub mod cache;
pub mod checksum;
pub mod cli;
pub mod commands;
pub mod credentials;
pub mod distribution;
pub mod elf;
pub mod embedded;
pub mod function;
pub mod function_log;
pub mod http;
pub mod iam;
pub mod image;
pub mod invoke_api;
pub mod layer;
pub mod lockfile;
pub mod manifest;
pub mod nearest;
pub mod os;
pub mod package;
pub mod progress;
pub mod public_url;
pub mod publication;
pub mod repository;
pub mod request_file;
pub mod resolve;
pub mod root_path;
pub mod runtime_api;
pub mod sandbox;
pub mod target;
pub mod terminal;
