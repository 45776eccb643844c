//! R and the packages of the runtime from their sources, or an R that is there already.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::version::list;
use super::{Builder, PackageFolder};
use crate::checksum::Sha256;
use crate::distribution::{
    BuildPlace, CompileError, Compiler, R, RVersionRequest, SourcePackage, compiled_packages,
    compiled_r, installed_r,
};
use crate::layer::record::SourceRecord;
use crate::layer::tree::SourceFolder;
use crate::lockfile::{BuiltFor, LockedSource, Lockfile};
use crate::package::RVersion;
use crate::repository::{
    Location, Tarball, TarballError, TarballRequest, Tarballs, available_r_versions,
    newest_package, package_locations, r_locations,
};

impl Builder<'_> {
    /// Where tarballs are had from.
    pub fn tarballs(&self) -> Tarballs<'_> {
        Tarballs {
            http: &self.http,
            cache: &self.cache,
            folders: &self.settings.folders,
            reporter: self.reporter,
        }
    }

    /// How things are compiled in a place.
    pub fn compiler<'b>(&'b self, place: &'b BuildPlace) -> Compiler<'b> {
        Compiler {
            place,
            recipe: self.recipe,
            blas: self.settings.blas,
            architecture: self.settings.architecture,
            jobs: self.settings.jobs,
            cache: &self.cache,
            reporter: self.reporter,
        }
    }

    /// An R home that is there already, with the packages of the runtime that it lacks compiled for it.
    pub async fn installed(
        &self,
        home: &Path,
        lock: &mut Lockfile,
    ) -> Result<(R, Vec<PackageFolder>)> {
        let wanted = match &self.settings.r_version {
            None => None,
            Some(RVersionRequest::Exact(version)) => Some(version),
            Some(word) => bail!(
                "--r-source dir: has the R that it has: leave --r-version {word} out, or name a version of three numbers"
            ),
        };
        let r = installed_r(home, wanted)
            .with_context(|| format!("--r-source dir:{}", home.display()))?;
        let path = r.home.path.display();
        self.reporter.note(&format!("R {} from {path}", r.version));
        let packages = self.compiled_packages(&r, &BuildPlace::Host, lock).await?;
        Ok((r, packages))
    }

    /// R and the packages of the runtime, compiled from their sources.
    pub async fn compiled(
        &self,
        version: &RVersion,
        lock: &mut Lockfile,
    ) -> Result<(R, Vec<PackageFolder>)> {
        let place = self.pinned_place(lock).await?;
        let source = self.r_tarball(version, lock).await?;
        let curl = self.curl_tarball().await?;
        let compiler = self.compiler(&place);
        let compiled = compiled_r(&compiler, version, &source, &curl).await;
        // What is R's source is pinned even if it did not compile.
        if !matches!(compiled, Err(CompileError::Source(_))) {
            lock.write()?;
        }
        let r = compiled?;
        let packages = self
            .compiled_packages(&r, &self.settings.place, lock)
            .await?;
        Ok((r, packages))
    }

    async fn r_tarball(&self, version: &RVersion, lock: &mut Lockfile) -> Result<Tarball> {
        let text = version.to_string();
        let known = (text == self.recipe.r.version).then_some(self.recipe.r.sha256);
        let mut locations = self.settings.repositories.r_tarballs.clone();
        locations.extend(r_locations(&self.settings.repositories.mirrors, version));
        let request = TarballRequest {
            what: format!("R {version}'s source"),
            built_for: None,
            sha256: known.or_else(|| lock.source("R", &text, None).map(|source| source.sha256)),
            file_names: vec![
                format!("R-{version}.tar.gz"),
                format!("r-base_{version}.orig.tar.gz"),
            ],
            locations,
        };
        match self.tarballs().obtain(&request).await {
            Ok(tarball) => {
                if known.is_none() {
                    pin(lock, "R", &text, None, &tarball);
                }
                Ok(tarball)
            }
            Err(error @ TarballError::Nowhere { not_there: true, .. }) => {
                let there = available_r_versions(&self.settings.repositories.mirrors, version.major(), &self.http).await;
                Err(error).with_context(|| unknown_version(version, &there))
            }
            Err(error) => Err(error).context(
                "R's source is needed once. Where CRAN cannot be reached, put the tarball into a folder and type \
                 --sources FOLDER, or name it with --r-tarball, or a mirror with --cran",
            ),
        }
    }

    async fn curl_tarball(&self) -> Result<Tarball> {
        let curl = &self.recipe.curl;
        let request = TarballRequest {
            what: format!("curl {}'s source", curl.version),
            built_for: None,
            sha256: Some(curl.sha256),
            file_names: vec![
                curl.file_name(),
                format!("curl_{}.orig.tar.gz", curl.version),
            ],
            locations: curl.urls.iter().map(|url| Location::parse(url)).collect(),
        };
        self.tarballs().obtain(&request).await.with_context(|| {
            format!(
                "R's libcurl is compiled from its source. Where {} cannot be reached, put {} into a folder and \
                 type --sources FOLDER",
                curl.urls[0],
                curl.file_name()
            )
        })
    }

    /// The packages of the runtime that an R lacks.
    async fn compiled_packages(
        &self,
        r: &R,
        place: &BuildPlace,
        lock: &mut Lockfile,
    ) -> Result<Vec<PackageFolder>> {
        let mut wanted = Vec::new();
        for package in &self.recipe.packages.runtime {
            if r.home.path.join("library").join(package).is_dir() {
                continue;
            }
            let (version, tarball) = self.package_tarball(package, lock).await?;
            wanted.push(SourcePackage {
                name: package.clone(),
                version,
                tarball,
                needs: Vec::new(),
                system_requirements: None,
                listed_requirements: Vec::new(),
            });
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (compiler, there) = (self.compiler(place), BTreeMap::new());
        let compiled = compiled_packages(&compiler, r, &wanted, &there, &[]).await?;
        let folder = |package: &SourcePackage| {
            let compiled = compiled.packages.get(&package.name);
            Some(SourceFolder::new(compiled?.installed.folder.clone()))
        };
        Ok(wanted
            .into_iter()
            .filter_map(|package| {
                Some(PackageFolder {
                    folder: folder(&package)?,
                    name: package.name.clone(),
                    source: SourceRecord {
                        name: package.name,
                        version: package.version,
                        origin: "CRAN's source, compiled".to_owned(),
                        sha256: Some(package.tarball.sha256),
                    },
                })
            })
            .collect())
    }

    async fn package_tarball(
        &self,
        package: &str,
        lock: &mut Lockfile,
    ) -> Result<(String, Tarball)> {
        let (version, sha256) = match self.package_version(package, lock).await? {
            Some(found) => found,
            None => bail!(
                "the R package {package} is at none of {}; name a mirror that has it with --cran, or a folder with \
                 its tarball with --sources",
                self.settings
                    .repositories
                    .mirrors
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        let request = TarballRequest {
            what: format!("{package} {version}'s source"),
            built_for: None,
            sha256,
            file_names: package_file_names(package, &version),
            locations: package_locations(&self.settings.repositories.mirrors, package, &version),
        };
        let tarball = self.tarballs().obtain(&request).await?;
        pin(lock, package, &version, None, &tarball);
        Ok((version, tarball))
    }

    /// The locked version, else one that a named folder has, else the newest of the mirrors.
    async fn package_version(
        &self,
        package: &str,
        lock: &Lockfile,
    ) -> Result<Option<(String, Option<Sha256>)>> {
        let newest = |source: &&LockedSource| source.version.parse::<RVersion>().ok();
        if let Some(locked) = lock.versions(package, None).max_by_key(newest) {
            return Ok(Some((locked.version.clone(), Some(locked.sha256))));
        }
        if let Some(version) = version_in_folders(
            &self.settings.folders,
            &[package, &format!("r-cran-{}", package.to_lowercase())],
        ) {
            return Ok(Some((version, None)));
        }
        let found = newest_package(&self.settings.repositories.mirrors, package, &self.http)
            .await
            .with_context(|| {
                format!(
                    "the R package {package} is part of the runtime. Where CRAN cannot be reached, put its tarball into \
                     a folder and type --sources FOLDER"
                )
            })?;
        Ok(found.map(|found| (found.version, None)))
    }
}

/// Locks a tarball: its hash, and where it was fetched.
pub fn pin(
    lock: &mut Lockfile,
    name: &str,
    version: &str,
    built_for: Option<&BuiltFor>,
    tarball: &Tarball,
) {
    let before = lock
        .source(name, version, built_for)
        .and_then(|source| source.url.clone());
    let url = match &tarball.from {
        Some(location @ Location::Url(_)) => Some(location.to_string()),
        _ => before,
    };
    lock.pin(LockedSource {
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: built_for.map(|built_for| built_for.architecture),
        r: built_for.and_then(|built_for| built_for.r.clone()),
        url,
        sha256: tarball.sha256,
    });
}

fn unknown_version(version: &RVersion, there: &[RVersion]) -> String {
    if there.is_empty() {
        return format!("R {version} was not found");
    }
    let list = list(&there[..there.len().min(8)]);
    format!("there is no R {version}; there are: {list}")
}

/// CRAN's name of a package's tarball, and those of Debian's source packages.
pub fn package_file_names(package: &str, version: &str) -> Vec<String> {
    let debian = package.to_lowercase();
    let mut names = vec![format!("{package}_{version}.tar.gz")];
    for repacked in ["", "+dfsg", "+dfsg1", "+ds"] {
        for ending in ["gz", "xz"] {
            names.push(format!(
                "r-cran-{debian}_{version}{repacked}.orig.tar.{ending}"
            ));
        }
    }
    names
}

/// The newest version of a package whose tarball is in one of the folders, under one of the names.
pub fn version_in_folders(folders: &[PathBuf], names: &[&str]) -> Option<String> {
    let named = |file: &str| {
        let rest = names
            .iter()
            .find_map(|name| file.strip_prefix(&format!("{name}_")))?;
        let version = rest.split(".orig.tar").next()?.split(".tar").next()?;
        version.split('+').next()?.parse().ok()
    };
    let versions: Vec<RVersion> = folders
        .iter()
        .filter_map(|folder| fs_err::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten())
        .filter_map(|entry| named(&entry.file_name().into_string().ok()?))
        .collect();
    versions.iter().max().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_cran_or_debian_names_has_a_package() {
        let folder = tempfile::tempdir().unwrap();
        let has = |name: &str| fs_err::write(folder.path().join(name), "").unwrap();
        let folders = [folder.path().to_owned()];
        assert_eq!(
            version_in_folders(&folders, &["jsonlite", "r-cran-jsonlite"]),
            None
        );
        has("r-cran-jsonlite_1.9.1+dfsg.orig.tar.xz");
        has("jsonliteplus_9.0.tar.gz");
        assert_eq!(
            version_in_folders(&folders, &["jsonlite", "r-cran-jsonlite"]).as_deref(),
            Some("1.9.1")
        );
        has("jsonlite_1.10.0.tar.gz");
        assert_eq!(
            version_in_folders(&folders, &["jsonlite", "r-cran-jsonlite"]).as_deref(),
            Some("1.10.0")
        );
        let names = package_file_names("jsonlite", "1.9.1");
        assert!(names.contains(&"r-cran-jsonlite_1.9.1+dfsg.orig.tar.xz".to_owned()));
    }
}
