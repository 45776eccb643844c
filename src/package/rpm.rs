//! A distribution's RPM, as its repository tells of it.

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;

/// A package of an RPM repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpmPackage {
    /// Its name: `libxml2`.
    pub name: String,
    /// Its epoch, which goes before the version where versions are compared; mostly 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u32,
    /// Its version: `2.10.4`.
    pub version: String,
    /// The distribution's own number: `1.amzn2023.0.11`.
    pub release: String,
    /// The processor as RPM names it (`x86_64`, `aarch64`), or `noarch`.
    pub architecture: String,
    /// Its licence, in the distribution's words (SPDX in newer ones).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Where it is: a URL, or a path of this machine.
    pub url: String,
    /// Its hash.
    pub sha256: Sha256,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(epoch: &u32) -> bool {
    *epoch == 0
}

impl RpmPackage {
    /// Version and release, with the epoch before them if there is one: `1:2.10.4-1.amzn2023`.
    pub fn evr(&self) -> String {
        match self.epoch {
            0 => format!("{}-{}", self.version, self.release),
            epoch => format!("{epoch}:{}-{}", self.version, self.release),
        }
    }

    /// Everything that tells it from others: `libxml2-2.10.4-1.amzn2023.x86_64`.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr(), self.architecture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_called_as_dnf_calls_it() {
        let mut package = RpmPackage {
            name: "libxml2".into(),
            epoch: 0,
            version: "2.10.4".into(),
            release: "1.amzn2023".into(),
            architecture: "x86_64".into(),
            license: None,
            url: "https://example.org/libxml2.rpm".into(),
            sha256: Sha256::of(b""),
        };
        assert_eq!(package.nevra(), "libxml2-2.10.4-1.amzn2023.x86_64");
        package.epoch = 2;
        assert_eq!(package.evr(), "2:2.10.4-1.amzn2023");
    }
}
