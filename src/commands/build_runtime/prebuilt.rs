//! R and the packages of the runtime from Posit: fetched, not compiled.

use anyhow::{Context, Result, anyhow};

use super::sources::pin;
use super::version::list;
use super::{Builder, PackageFolder};
use crate::checksum::Sha256;
use crate::distribution::{R, binary_in_folder, binary_package, portable_r};
use crate::layer::record::SourceRecord;
use crate::lockfile::{BuiltFor, LockedSource, Lockfile};
use crate::package::RVersion;
use crate::repository::{
    Location, Mirror, Tarball, TarballError, TarballRequest, newest_package, package_locations,
};

impl Builder<'_> {
    /// Posit's portable R, and the packages of the runtime that it lacks.
    pub async fn prebuilt(
        &self,
        version: &RVersion,
        lock: &mut Lockfile,
    ) -> Result<(R, Vec<PackageFolder>)> {
        let architecture = self.settings.architecture;
        let tarball = self.portable_tarball(version, lock).await?;
        let r = portable_r(&tarball, version, architecture, &self.cache, self.reporter).await?;
        // What is no R of that version and processor is not pinned.
        let built_for = BuiltFor {
            architecture,
            r: None,
        };
        pin(lock, "R", &version.to_string(), Some(&built_for), &tarball);
        lock.write()?;
        let mut packages = Vec::new();
        for package in &self.recipe.packages.runtime {
            if !r.home.path.join("library").join(package).is_dir() {
                packages.push(self.binary(package, version, lock).await?);
            }
        }
        Ok((r, packages))
    }

    async fn portable_tarball(&self, version: &RVersion, lock: &Lockfile) -> Result<Tarball> {
        let architecture = self.settings.architecture;
        let builds = &self.settings.repositories.builds;
        let built_for = BuiltFor {
            architecture,
            r: None,
        };
        let mut locations = self.settings.repositories.r_tarballs.clone();
        locations.push(builds.location(version, architecture));
        let locked = lock.source("R", &version.to_string(), Some(&built_for));
        let file_name = builds.file_name(version, architecture);
        let request = TarballRequest {
            what: format!("R {version} for {architecture}"),
            sha256: locked.map(|source| source.sha256),
            built_for: Some(built_for),
            file_names: vec![file_name.clone()],
            locations,
        };
        match self.tarballs().obtain(&request).await {
            Ok(tarball) => Ok(tarball),
            Err(
                error @ TarballError::Nowhere {
                    not_there: true, ..
                },
            ) => {
                let there = builds.nearest(version, architecture, &self.http).await;
                Err(error).with_context(|| match there.is_empty() {
                    true => format!(
                        "{} has no portable R {version} for {architecture}. {}",
                        builds.base,
                        self.without_posit(&file_name)
                    ),
                    false => format!(
                        "Posit has no portable R {version} for {architecture}; the nearest that there are: {}",
                        list(&there)
                    ),
                })
            }
            Err(error @ TarballError::Nowhere { .. }) => {
                Err(error).with_context(|| self.without_posit(&file_name))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What to type where Posit cannot be reached.
    fn without_posit(&self, file_name: &str) -> String {
        format!(
            "Posit's portable R is needed once. Where {} cannot be reached: name a mirror with --posit and --p3m, put \
             {file_name} and jsonlite's binary package into a folder and type --sources FOLDER, or compile R from CRAN's \
             source with --r-source cran",
            self.settings.repositories.builds.base
        )
    }

    async fn binary(
        &self,
        package: &str,
        r_version: &RVersion,
        lock: &mut Lockfile,
    ) -> Result<PackageFolder> {
        let built_for = BuiltFor {
            architecture: self.settings.architecture,
            r: Some(r_version.minor_text()),
        };
        let repository = self
            .settings
            .repositories
            .package_manager
            .binaries(&r_version.minor_text(), built_for.architecture);
        // The name of a binary says neither R nor processor, so that what is in a folder is looked into.
        let in_folders = self.settings.folders.iter();
        let there = in_folders
            .filter_map(|folder| binary_in_folder(folder, package, &built_for))
            .max_by(|(one, _), (other, _)| one.cmp(other));
        let (version, sha256) = match (self.locked_binary(package, &built_for, lock), &there) {
            (Some((version, sha256)), _) => (version, Some(sha256)),
            (None, Some((version, _))) => (version.to_string(), None),
            (None, None) => (self.newest_binary(package, &repository).await?, None),
        };
        let mut locations = package_locations(&[repository], package, &version);
        if let Some((_, path)) = there.filter(|(found, _)| found.to_string() == version) {
            locations.insert(0, Location::File(path));
        }
        let request = TarballRequest {
            what: format!("{package} {version} for {}", built_for.architecture),
            sha256,
            built_for: Some(built_for.clone()),
            file_names: Vec::new(),
            locations,
        };
        let tarball = self
            .tarballs()
            .obtain(&request)
            .await
            .with_context(|| no_binary(package))?;
        let (cache, reporter) = (&self.cache, self.reporter);
        let folder =
            binary_package(&tarball, package, &version, &built_for, cache, reporter).await?;
        pin(lock, package, &version, Some(&built_for), &tarball);
        let platform = &self.settings.repositories.package_manager.platform;
        Ok(PackageFolder {
            name: package.to_owned(),
            folder,
            source: SourceRecord {
                name: package.to_owned(),
                version,
                origin: format!("Posit Package Manager, binary for {platform}"),
                sha256: Some(tarball.sha256),
            },
        })
    }

    fn locked_binary(
        &self,
        package: &str,
        built_for: &BuiltFor,
        lock: &Lockfile,
    ) -> Option<(String, Sha256)> {
        let newest = |source: &&LockedSource| source.version.parse::<RVersion>().ok();
        let locked = lock.versions(package, Some(built_for)).max_by_key(newest)?;
        Some((locked.version.clone(), locked.sha256))
    }

    /// The newest version that the repository has.
    async fn newest_binary(&self, package: &str, repository: &Mirror) -> Result<String> {
        let repositories = std::slice::from_ref(repository);
        match newest_package(repositories, package, &self.http).await {
            Ok(Some(found)) => Ok(found.version),
            Ok(None) => Err(anyhow!("{repository} has no R package {package}"))
                .with_context(|| no_binary(package)),
            Err(error) => Err(error).with_context(|| no_binary(package)),
        }
    }
}

fn no_binary(package: &str) -> String {
    format!(
        "the R package {package} is part of the runtime, and its binary cannot be had; name a repository with --p3m, put \
         the binary package into a folder and type --sources FOLDER, or compile R and its packages with --r-source cran"
    )
}
