//! What is resolved, as the lock has it; and what the lock has, as it is fetched again.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use super::project::{Project, RuntimeR};
use crate::lockfile::{BuiltFor, LockedLayer, LockedPackage, PackageOrigin as LockedOrigin};
use crate::package::is_base_package;
use crate::public_url::PublicUrl;
use crate::repository::{
    CommitOrigin, GitHubRequest, GitRequest, PackageError, PackageFile, PackageKind, PackageOrigin,
    PackageRequest,
};
use crate::resolve::{Holder, Origin, Resolution, ResolvedPackage};

/// How GitHub's repositories are called in the lock.
const GITHUB: &str = "https://github.com/";

/// The packages that must be there when those that come as sources are compiled.
pub fn needed_to_compile(
    resolution: &Resolution,
    is_source: impl Fn(&ResolvedPackage) -> bool,
) -> BTreeSet<String> {
    let sources = resolution.packages.values().filter(|one| is_source(one));
    let mut next: Vec<&str> = sources.map(|one| one.name.as_str()).collect();
    let mut needed = BTreeSet::new();
    while let Some(name) = next.pop() {
        let Some(package) = resolution.packages.get(name) else {
            continue;
        };
        let is_compiled_here = is_source(package);
        for dependency in &package.dependencies {
            let name = dependency.requirement.package.as_str();
            if (dependency.is_loaded || is_compiled_here) && needed.insert(name.to_owned()) {
                next.push(name);
            }
        }
    }
    needed
}

/// A resolved package as it is locked. Without a file it is R's own.
pub fn locked_package(
    package: &ResolvedPackage,
    file: Option<&PackageFile>,
    is_source: bool,
) -> Result<LockedPackage> {
    let origin = match (&package.origin, file) {
        (Origin::Given(Holder::RLibrary), _) => LockedOrigin::WithR,
        (_, Some(file)) => locked_origin(file),
        (_, None) => bail!("{} was not fetched", package.name),
    };
    let needed = package.dependencies.iter();
    let needed = needed.filter(|dependency| dependency.is_loaded || is_source);
    Ok(LockedPackage {
        name: package.name.clone(),
        version: file.map_or_else(|| package.version.to_string(), |file| file.version.clone()),
        origin,
        dependencies: needed
            .map(|dependency| dependency.requirement.package.clone())
            .filter(|name| !is_base_package(name))
            .collect(),
        build_only: package.role == crate::resolve::Role::BuildOnly,
    })
}

fn locked_origin(file: &PackageFile) -> LockedOrigin {
    let git = |url: String, from: &CommitOrigin| LockedOrigin::Git {
        url: PublicUrl::new(&url),
        commit: from.commit.clone(),
        folder: from.subdirectory.clone(),
    };
    match &file.origin {
        PackageOrigin::Repository {
            repository,
            location,
        } => LockedOrigin::Repository {
            name: repository.clone(),
            url: PublicUrl::new(&location.to_string()),
            sha256: file.sha256,
            is_binary: file.kind == PackageKind::Binary,
        },
        PackageOrigin::LocalFile(path) | PackageOrigin::LocalFolder(path) => LockedOrigin::Local {
            path: path.display().to_string(),
            sha256: file.sha256,
        },
        PackageOrigin::Git(from) => git(from.repository.clone(), from),
        PackageOrigin::GitHub(from) => git(format!("{GITHUB}{}", from.repository), from),
    }
}

/// An error that lists what was not had, if there is something.
pub fn all_had(failed: &[PackageError]) -> Result<()> {
    if failed.is_empty() {
        return Ok(());
    }
    let list = failed.iter().map(|error| format!("\n  {error}"));
    bail!(
        "{} of the packages cannot be had:{}",
        failed.len(),
        list.collect::<String>()
    );
}

/// How a locked package is had again: many at once from repositories, one by one otherwise.
pub enum Fetching {
    /// From a repository.
    Repository(Box<PackageRequest>),
    /// It is R's own.
    WithR,
    /// By its place.
    Itself,
}

impl Project<'_> {
    /// How a locked package is had.
    pub fn fetching(&self, package: &LockedPackage, built_for: &BuiltFor) -> Result<Fetching> {
        let LockedOrigin::Repository {
            name,
            url,
            sha256,
            is_binary,
        } = &package.origin
        else {
            return Ok(match package.origin {
                LockedOrigin::WithR => Fetching::WithR,
                _ => Fetching::Itself,
            });
        };
        let repository = self.repositories().named(name).with_context(|| {
            format!(
                "{} is locked from the repository {name}, which is neither in the manifest nor named with --repo; name \
                 it, or type r-layer lock",
                package.name
            )
        })?;
        let folder = match is_binary {
            true => repository.binaries(built_for).with_context(|| {
                format!("the repository {name} has no binaries any more; type r-layer lock")
            })?,
            false => repository.sources(),
        };
        let (package, version) = (&package.name, &package.version);
        let request =
            PackageRequest::of_lock(package, version, Some(url.as_str()), *sha256, &folder)?;
        Ok(Fetching::Repository(Box::new(request)))
    }

    /// The folders and files of this machine that are not what was locked. One that cannot be read is told when it is had.
    pub async fn changed_here(&self, layer: &LockedLayer, runtime: &RuntimeR) -> Vec<String> {
        let (sources, built_for) = (self.sources(), self.built_for(&runtime.r));
        let mut changed = Vec::new();
        for package in layer.packages.values() {
            if let LockedOrigin::Local { path, sha256 } = &package.origin
                && let Ok(file) = sources.local(path.as_ref(), Some(&built_for)).await
                && file.sha256 != *sha256
            {
                changed.push(path.clone());
            }
        }
        changed
    }

    /// A locked package that no repository has.
    pub async fn fetch_itself(
        &self,
        package: &LockedPackage,
        built_for: &BuiltFor,
    ) -> Result<PackageFile> {
        let sources = self.sources();
        match &package.origin {
            LockedOrigin::Git {
                url,
                commit,
                folder,
            } => {
                let (reference, subdirectory) = (Some(commit.clone()), folder.clone());
                let on_github = url.as_str().strip_prefix(GITHUB);
                match on_github.and_then(|path| path.split_once('/')) {
                    Some((owner, repository)) => {
                        let request = GitHubRequest {
                            owner: owner.to_owned(),
                            repository: repository.trim_end_matches(".git").to_owned(),
                            reference,
                            subdirectory,
                        };
                        Ok(sources.github(&request, &self.github_api).await?)
                    }
                    None => {
                        let request = GitRequest {
                            url: url.to_string(),
                            reference,
                            subdirectory,
                        };
                        Ok(sources.git(&request).await?)
                    }
                }
            }
            LockedOrigin::Local { path, sha256 } => {
                let file = sources.local(path.as_ref(), Some(built_for)).await?;
                if file.sha256 != *sha256 {
                    bail!(
                        "{path} has changed since it was locked; r-layer lock locks it anew, as does a build without \
                         --locked"
                    );
                }
                Ok(file)
            }
            LockedOrigin::Url { url, .. } => bail!(
                "{} is locked to {url}; download it, and ask for the file",
                package.name
            ),
            LockedOrigin::Repository { .. } | LockedOrigin::WithR => {
                bail!("{} has no place of its own", package.name)
            }
        }
    }
}
