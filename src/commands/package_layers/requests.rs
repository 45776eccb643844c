//! What a layer asks for: names for the resolver, and packages that are asked for as themselves, which are had first.

use anyhow::{Context, Result, bail};

use super::project::Project;
use super::resolving::COMPILE_INSTEAD;
use crate::lockfile::BuiltFor;
use crate::manifest::{LayerSection, PackageType, requested_package};
use crate::package::{Description, PackageRequest, Requirement};
use crate::repository::{GitHubRequest, GitRequest, PackageFile, PackageKind};
use crate::resolve::{Extra, ExtraKind};

/// What a layer asks for.
#[derive(Default)]
pub struct Requests {
    /// Names with bounds.
    pub requirements: Vec<Requirement>,
    /// Packages that are no repository's.
    pub extras: Vec<Extra>,
    /// Their files, in the same order.
    pub files: Vec<PackageFile>,
}

impl Requests {
    /// Adds a candidate that is in no index.
    pub fn add(&mut self, file: PackageFile, kind: ExtraKind, origin: &str) -> Result<()> {
        let description = Description::parse(&file.description)
            .with_context(|| file.known_as().display().to_string())?;
        self.extras.push(Extra::new(description, kind, origin)?);
        self.files.push(file);
        Ok(())
    }
}

impl Project<'_> {
    /// Reads a layer's requests, and has those that are in no repository.
    pub async fn requests(&self, section: &LayerSection, built_for: &BuiltFor) -> Result<Requests> {
        let mut requests = Requests::default();
        for text in &section.packages {
            let request = parse(text)?;
            let file = match &request {
                PackageRequest::Named(requirement) => {
                    requests.requirements.push(requirement.clone());
                    continue;
                }
                other => self
                    .obtain_itself(other, built_for)
                    .await
                    .with_context(|| format!("`{text}` cannot be had"))?,
            };
            if section.package_type == PackageType::Binary && file.kind == PackageKind::Source {
                bail!("`{text}` is a source, and binaries alone are wanted; {COMPILE_INSTEAD}");
            }
            requests.requirements.push(Requirement::any(&file.name));
            requests.add(file, ExtraKind::Pinned, &request.to_string())?;
        }
        Ok(requests)
    }

    /// A package that is asked for by its place.
    async fn obtain_itself(
        &self,
        request: &PackageRequest,
        built_for: &BuiltFor,
    ) -> Result<PackageFile> {
        let sources = self.sources();
        Ok(match request.clone() {
            PackageRequest::Named(requirement) => anyhow::bail!("{requirement} has no place"),
            PackageRequest::Folder(path) => sources.local_folder(&path).await?,
            PackageRequest::Tarball(path) => sources.local_file(&path, Some(built_for)).await?,
            PackageRequest::Git {
                url,
                reference,
                subdirectory,
            } => {
                let request = GitRequest {
                    url,
                    reference,
                    subdirectory,
                };
                sources.git(&request).await?
            }
            PackageRequest::GitHub {
                owner,
                repository,
                reference,
                subdirectory,
            } => {
                let request = GitHubRequest {
                    owner,
                    repository,
                    reference,
                    subdirectory,
                };
                sources.github(&request, &self.github_api).await?
            }
        })
    }
}

/// A request as it stands in the manifest: `dplyr>=1.1`, or `name=github::owner/repo` where the repository is called
/// otherwise.
pub fn parse(text: &str) -> Result<PackageRequest> {
    let place = text
        .split_once('=')
        .filter(|(name, place)| *name == requested_package(text) && !place.starts_with('='))
        .map_or(text, |(_, place)| place);
    place
        .parse()
        .with_context(|| format!("`{text}` asks for no package"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_before_a_place_is_for_people() {
        let parsed = |text| parse(text).unwrap().to_string();
        assert_eq!(parsed("cli=github::r-lib/cli2@v3"), "github::r-lib/cli2@v3");
        assert_eq!(parsed("dplyr>=1.1"), "dplyr >= 1.1");
        assert_eq!(parsed("MASS==7.3-60"), "MASS == 7.3-60");
        assert!(parse("--help").is_err());
    }
}
