//! What packages need of a system to be compiled, as Posit Package Manager knows it: its own list, which grows with CRAN and
//! so may know more than the rules in this program.
//!
//! `GET /__api__/repos/cran/sysreqs?all=false&pkgname=xml2&distribution=debian&release=11` answers
//! `{"requirements": [{"name": "xml2", "requirements": {"packages": ["libxml2-dev"], "install_scripts": […]}}]}`; a
//! distribution that it does not know, `{"code": 14, "error": "Unsupported system"}`
//! (<https://packagemanager.posit.co/__api__/swagger/index.html>). Only the names of packages are read: what scripts it
//! sends is not run.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{Location, Mirror, PackageSources};
use crate::checksum::Sha256;
use crate::http::HttpError;
use crate::manifest::SnapshotDate;

/// The cache's entries of this: an answer for each question, by the hash of its URL and the packages' versions.
const KIND: &str = "system-requirements";

/// The most packages that one question names: URLs have at most some 8,000 characters on their way.
const MOST_NAMES: usize = 100;

/// A system as Posit Package Manager knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// `debian`, `rockylinux`.
    pub distribution: String,
    /// `11`, `9`.
    pub release: String,
}

impl System {
    /// The system of a root file system, by its os-release. Amazon Linux is not known there: it is asked for as a rebuild of
    /// Red Hat's, whose packages its own are called like.
    pub fn of_root(root: &Path) -> Option<System> {
        let text = fs_err::read_to_string(root.join("etc/os-release")).ok()?;
        let field = |name: &str| {
            let mut lines = text.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
            Some(value.trim_matches(['"', '\'']).to_owned())
        };
        let system = |distribution: &str, release: &str| System {
            distribution: distribution.to_owned(),
            release: release.to_owned(),
        };
        let (id, version) = (field("ID")?, field("VERSION_ID")?);
        let major = version.split('.').next().unwrap_or(&version);
        Some(match id.as_str() {
            "amzn" => system("rockylinux", "9"),
            "rhel" => system("redhat", major),
            "centos" | "rocky" | "almalinux" => system("rockylinux", major),
            _ => system(&id, &version),
        })
    }
}

/// The part of a Posit Package Manager that says what the packages of one of its repositories need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemRequirements {
    /// `https://p3m.dev/__api__/repos/cran/sysreqs`.
    url: String,
}

#[derive(Deserialize)]
struct Answer {
    requirements: Vec<OfPackage>,
}

#[derive(Deserialize)]
struct OfPackage {
    name: String,
    requirements: Needs,
}

#[derive(Default, Deserialize)]
struct Needs {
    #[serde(default)]
    packages: Vec<String>,
}

/// What is kept of an answer.
type Kept = BTreeMap<String, Vec<String>>;

impl SystemRequirements {
    /// That of a repository, if its base is one of Posit Package Manager's: `https://host/REPOSITORY/latest`, or a day in
    /// the place of `latest`, with or without `__linux__/jammy` between.
    pub fn of_repository(base: &Mirror) -> Option<SystemRequirements> {
        let Location::Url(url) = base.at("") else {
            return None;
        };
        let (scheme, rest) = url.trim_end_matches('/').split_once("://")?;
        let mut parts: Vec<&str> = rest.split('/').collect();
        let snapshot = parts.pop()?;
        if snapshot != "latest" && snapshot.parse::<SnapshotDate>().is_err() {
            return None;
        }
        if let [.., "__linux__", _] = parts[..] {
            parts.truncate(parts.len() - 2);
        }
        let repository = parts.pop()?;
        match parts.is_empty() {
            // `https://host/latest` names no repository.
            true => None,
            false => Some(SystemRequirements {
                url: format!(
                    "{scheme}://{}/__api__/repos/{repository}/sysreqs",
                    parts.join("/")
                ),
            }),
        }
    }

    fn question(&self, packages: &[(String, String)], system: &System) -> String {
        let names: String = packages
            .iter()
            .map(|(name, _)| format!("&pkgname={name}"))
            .collect();
        let System {
            distribution,
            release,
        } = system;
        format!(
            "{}?all=false{names}&distribution={distribution}&release={release}",
            self.url
        )
    }
}

impl PackageSources<'_> {
    /// The system's packages that source packages, given by name and version, need to be compiled, by the package's name.
    /// What was answered once is not asked again for the same versions.
    ///
    /// # Errors
    /// The server cannot be reached, does not know such questions or that system, or does not answer with what is
    /// understood; without a network, what the cache lacks.
    pub async fn system_requirements(
        &self,
        of: &SystemRequirements,
        packages: &[(String, String)],
        system: &System,
    ) -> Result<BTreeMap<String, Vec<String>>, HttpError> {
        let mut needed = BTreeMap::new();
        for packages in packages.chunks(MOST_NAMES) {
            needed.extend(self.answer(of, packages, system).await?);
        }
        Ok(needed)
    }

    async fn answer(
        &self,
        of: &SystemRequirements,
        packages: &[(String, String)],
        system: &System,
    ) -> Result<Kept, HttpError> {
        let url = of.question(packages, system);
        let versions = packages.iter().map(|(_, version)| version.as_bytes());
        let name = Sha256::of_parts(versions.chain([url.as_bytes()])).to_string();
        let kept = self.cache.read(KIND, &name);
        if let Some(kept) = kept.and_then(|kept| serde_json::from_slice(&kept).ok()) {
            return Ok(kept);
        }
        self.reporter.detail(&format!("asking {}", of.url));
        let text = self.http.once().text(&url).await?;
        let answer: Answer =
            serde_json::from_str(&text).map_err(|error| HttpError::NotUnderstood {
                url: of.url.clone(),
                reason: error.to_string(),
            })?;
        let needed = answer.requirements.into_iter();
        let needed: Kept = needed
            .map(|one| (one.name, one.requirements.packages))
            .collect();
        if let Err(error) = keep(self, &name, &needed) {
            self.reporter
                .detail(&format!("the answer is not kept: {error}"));
        }
        Ok(needed)
    }
}

fn keep(
    sources: &PackageSources<'_>,
    name: &str,
    needed: &Kept,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    sources
        .cache
        .put(KIND, name, &serde_json::to_vec(needed)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_of_posits_says_where_it_is_asked() {
        let url = |base: &str| {
            SystemRequirements::of_repository(&Mirror::parse(base)).map(|service| service.url)
        };
        let some = |url: &str| Some(url.to_owned());
        let cran = some("https://p3m.dev/__api__/repos/cran/sysreqs");
        for base in [
            "https://p3m.dev/cran/latest",
            "https://p3m.dev/cran/latest/",
            "https://p3m.dev/cran/2025-06-01",
            "https://p3m.dev/cran/__linux__/jammy/2025-06-01",
        ] {
            assert_eq!(url(base), cran, "{base}");
        }
        assert_eq!(
            url("https://r.example.org/p3m/prod/latest"),
            some("https://r.example.org/p3m/__api__/repos/prod/sysreqs")
        );
        for base in [
            "https://cran.r-project.org",
            "https://p3m.dev/cran",
            "https://p3m.dev/latest",
            "/srv/cran/latest",
        ] {
            assert_eq!(url(base), None, "{base}");
        }
    }

    #[test]
    fn packages_and_the_system_are_in_the_question() {
        let service =
            SystemRequirements::of_repository(&Mirror::parse("https://p3m.dev/cran/latest"));
        let packages = ["xml2", "data.table"].map(|name| (name.to_owned(), "1".to_owned()));
        let system = System {
            distribution: "debian".to_owned(),
            release: "11".to_owned(),
        };
        assert_eq!(
            service.unwrap().question(&packages, &system),
            "https://p3m.dev/__api__/repos/cran/sysreqs?all=false&pkgname=xml2&pkgname=data.table\
             &distribution=debian&release=11"
        );
    }

    #[test]
    fn a_root_says_which_system_it_is() {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir(root.path().join("etc")).unwrap();
        assert_eq!(System::of_root(root.path()), None);
        for (release, distribution, version) in [
            (
                "VERSION_ID=\"11\"\nVERSION=\"11 (bullseye)\"\nID=debian\n",
                "debian",
                "11",
            ),
            (
                "NAME=\"Amazon Linux\"\nID=\"amzn\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"2023\"\n",
                "rockylinux",
                "9",
            ),
            ("ID=\"rhel\"\nVERSION_ID=\"9.4\"\n", "redhat", "9"),
            ("ID=ubuntu\nVERSION_ID=\"24.04\"\n", "ubuntu", "24.04"),
        ] {
            fs_err::write(root.path().join("etc/os-release"), release).unwrap();
            let system = System::of_root(root.path()).unwrap();
            assert_eq!(
                (&system.distribution[..], &system.release[..]),
                (distribution, version)
            );
        }
    }
}
