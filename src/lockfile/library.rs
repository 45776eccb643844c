//! `[[library]]`: a system library that packages need and Lambda lacks, and the RPM that it is taken from.

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::public_url::PublicUrl;
use crate::target::Architecture;

/// A library from a distribution's RPM.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedLibrary {
    /// What ELF files ask for: `libpq.so.5`.
    pub soname: String,
    /// The processor.
    pub architecture: Architecture,
    /// The RPM by name, epoch if it has one, version, release and architecture:
    /// `libpq-15.8-1.amzn2023.0.1.x86_64`.
    pub rpm: String,
    /// Where it was fetched.
    pub url: PublicUrl,
    /// The RPM's hash.
    pub sha256: Sha256,
}

impl LockedLibrary {
    /// The RPM's name, and its version with the rest.
    pub fn rpm_name_and_version(&self) -> (&str, &str) {
        let release = self.rpm.rfind('-').unwrap_or(self.rpm.len());
        match self.rpm[..release].rfind('-') {
            Some(version) => (&self.rpm[..version], &self.rpm[version + 1..]),
            None => (&self.rpm, ""),
        }
    }
}
