//! What several commands read in the same way.

use anyhow::{Context, Result};

use crate::target::{Architecture, Target};

/// The target of that name, or the default.
pub fn target(name: Option<&str>) -> Result<&'static Target> {
    Ok(Target::named(name.unwrap_or(Target::DEFAULT))?)
}

/// The architecture of that name, or this machine's.
pub fn architecture(name: Option<&str>) -> Result<Architecture> {
    match name {
        Some(name) => Ok(name.parse()?),
        None => Architecture::of_this_machine().with_context(|| {
            format!(
                "this machine is {}; type --arch x86_64 or --arch arm64",
                std::env::consts::ARCH
            )
        }),
    }
}
