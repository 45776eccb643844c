//! Posit's servers: R that runs from any folder, and packages that are compiled already.
//!
//! `https://cdn.posit.co/r` has `versions.json` and `manylinux_2_34/R-4.5.0-manylinux_2_34.tar.gz`, for arm64 with `-arm64`
//! before the ending (<https://github.com/rstudio/r-builds>). Posit Package Manager's `https://p3m.dev/cran/latest` has
//! binary packages under `bin/linux/manylinux_2_28-x86_64/4.5`, laid out like CRAN's `src/contrib`
//! (<https://docs.posit.co/rspm/admin/serving-binaries.html>).

use serde::Deserialize;

use super::{Location, Mirror};
use crate::http::{Http, HttpError};
use crate::package::RVersion;
use crate::target::Architecture;

/// Where Posit's portable builds of R are.
#[derive(Clone, Debug)]
pub struct PortableBuilds {
    /// The base, `https://cdn.posit.co/r`, or a company's mirror of it.
    pub base: Mirror,
    /// Their kind, `manylinux_2_34`.
    pub platform: String,
}

#[derive(Deserialize)]
struct Versions {
    r_versions: Vec<String>,
}

impl PortableBuilds {
    /// The name of a tarball.
    pub fn file_name(&self, version: &RVersion, architecture: Architecture) -> String {
        let platform = &self.platform;
        let ending = match architecture {
            Architecture::X86_64 => "",
            Architecture::Arm64 => "-arm64",
        };
        format!("R-{version}-{platform}{ending}.tar.gz")
    }

    /// Where a tarball is.
    pub fn location(&self, version: &RVersion, architecture: Architecture) -> Location {
        let name = self.file_name(version, architecture);
        self.base.at(&format!("{}/{name}", self.platform))
    }

    /// The versions of R that are listed: for some platform at least. Those without a number (`devel`) are left out.
    ///
    /// # Errors
    /// The list cannot be read, or is none.
    pub async fn versions(&self, http: &Http) -> Result<Vec<RVersion>, HttpError> {
        let location = self.base.at("versions.json");
        let text = location.text(http).await?;
        let list: Versions =
            serde_json::from_str(&text).map_err(|error| HttpError::NotUnderstood {
                url: location.to_string(),
                reason: error.to_string(),
            })?;
        let versions = list.r_versions.iter().filter_map(|text| text.parse().ok());
        Ok(versions.collect())
    }

    /// The listed versions that are there for a processor, those nearest to one that is not first.
    pub async fn nearest(
        &self,
        version: &RVersion,
        architecture: Architecture,
        http: &Http,
    ) -> Vec<RVersion> {
        const ASKED: usize = 12;
        const ENOUGH: usize = 4;
        let mut candidates = self.versions(http).await.unwrap_or_default();
        candidates.retain(|candidate| candidate != version);
        candidates.sort_by_key(|candidate| candidate.distance(version));
        let mut there = Vec::new();
        for candidate in candidates.into_iter().take(ASKED) {
            if self.location(&candidate, architecture).is_there(http).await {
                there.push(candidate);
            }
            if there.len() == ENOUGH {
                break;
            }
        }
        there
    }
}

/// Where Posit Package Manager's binary packages are.
#[derive(Clone, Debug)]
pub struct PackageManager {
    /// The base of a repository and snapshot, `https://p3m.dev/cran/latest`.
    pub base: Mirror,
    /// The kind of binaries, `manylinux_2_28`.
    pub platform: String,
}

impl PackageManager {
    /// The repository of binaries for a minor version of R and a processor; laid out like CRAN.
    pub fn binaries(&self, r_minor: &str, architecture: Architecture) -> Mirror {
        let (platform, machine) = (&self.platform, architecture.machine_name());
        self.base
            .below(&format!("bin/linux/{platform}-{machine}/{r_minor}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_posits() {
        let builds = PortableBuilds {
            base: Mirror::parse("https://cdn.posit.co/r/"),
            platform: "manylinux_2_34".to_owned(),
        };
        let version = "4.4.2".parse().unwrap();
        let at = |architecture| builds.location(&version, architecture).to_string();
        assert_eq!(
            at(Architecture::X86_64),
            "https://cdn.posit.co/r/manylinux_2_34/R-4.4.2-manylinux_2_34.tar.gz"
        );
        assert_eq!(
            at(Architecture::Arm64),
            "https://cdn.posit.co/r/manylinux_2_34/R-4.4.2-manylinux_2_34-arm64.tar.gz"
        );
        let packages = PackageManager {
            base: Mirror::parse("https://p3m.dev/cran/latest"),
            platform: "manylinux_2_28".to_owned(),
        };
        assert_eq!(
            packages
                .binaries("4.5", Architecture::Arm64)
                .at("src/contrib/PACKAGES")
                .to_string(),
            "https://p3m.dev/cran/latest/bin/linux/manylinux_2_28-aarch64/4.5/src/contrib/PACKAGES"
        );
    }
}
