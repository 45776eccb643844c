//! From what is locked to installed packages: fetched or compiled, or with R.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::locking::{Fetching, all_had};
use super::project::{Project, RuntimeR};
use crate::distribution::{
    InstalledPackage, SourcePackage, binary_package_trees, binary_packages, compiled_packages,
};
use crate::layer::LayerTree;
use crate::layer::record::SourceRecord;
use crate::layer::tree::SourceFolder;
use crate::lockfile::{LockedLayer, LockedPackage, PackageOrigin as LockedOrigin};
use crate::manifest::LayerSection;
use crate::package::Description;
use crate::repository::{PackageFile, PackageKind, System, SystemRequirements};

/// A package that goes into a layer, installed.
pub struct ObtainedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its files, by their path in it.
    pub files: LayerTree,
    /// What it was made from.
    pub source: SourceRecord,
    /// The packages that it needs.
    pub needs: Vec<String>,
}

/// The packages of a layer, installed.
pub struct Obtained {
    /// Those that go into it.
    pub packages: Vec<ObtainedPackage>,
    /// The root file systems that some were linked in.
    pub roots: Vec<PathBuf>,
}

impl Project<'_> {
    /// Has the packages of a locked layer.
    pub async fn obtain(
        &self,
        layer: &LockedLayer,
        section: &LayerSection,
        runtime: &RuntimeR,
    ) -> Result<Obtained> {
        let all = self.with_held(layer, runtime);
        let files = self.fetch_locked(&all, runtime).await?;
        let (mut trees, mut folders) = (BTreeMap::new(), BTreeMap::new());
        for package in all.values() {
            if matches!(
                self.fetching(package, &self.built_for(&runtime.r))?,
                Fetching::WithR
            ) {
                let folder = runtime.r.home.path.join("library").join(&package.name);
                folders.insert(package.name.clone(), SourceFolder::new(folder));
            }
        }
        // What others are compiled against is needed as a folder; all else is read from its tarball alone.
        match files.values().any(|file| file.kind == PackageKind::Source) {
            true => folders.extend(self.unpacked(&files, runtime).await?),
            false => trees = self.read(&files, runtime).await?,
        }
        let roots = self
            .compile(&all, &files, section, runtime, &mut folders)
            .await?;
        let mut packages = Vec::new();
        for package in layer.packages.values().filter(|one| !one.build_only) {
            let name = &package.name;
            let installed = match (trees.remove(name), folders.get(name)) {
                (Some(tree), _) => tree,
                (None, Some(folder)) => LayerTree::of_folder(folder)
                    .with_context(|| format!("the installed package {name} cannot be read"))?,
                (None, None) => bail!("{name} was not installed"),
            };
            packages.push(ObtainedPackage {
                name: name.clone(),
                version: package.version.clone(),
                files: installed,
                source: source_record(package, files.get(name), runtime),
                needs: package.dependencies.clone(),
            });
        }
        Ok(Obtained { packages, roots })
    }

    /// The layer's packages, and those that other layers hold and that are needed to compile some of them.
    fn with_held(
        &self,
        layer: &LockedLayer,
        runtime: &RuntimeR,
    ) -> BTreeMap<String, LockedPackage> {
        let mut all = layer.packages.clone();
        if !all
            .values()
            .any(|one| one.kind() == crate::lockfile::PackageKind::Source)
        {
            return all;
        }
        let target = self.target(&runtime.r);
        let others: BTreeMap<&String, &LockedPackage> = self
            .lock
            .layers()
            .filter(|(_, its_target)| **its_target == target)
            .filter_map(|(name, its_target)| self.lock.layer(name, its_target))
            .flat_map(|locked| &locked.packages)
            .collect();
        let mut next: Vec<String> = dependencies(all.values());
        while let Some(name) = next.pop() {
            if !all.contains_key(&name)
                && let Some(held) = others.get(&name)
            {
                next.extend(dependencies([*held]));
                all.insert(name, (*held).clone());
            }
        }
        all
    }

    async fn fetch_locked(
        &self,
        packages: &BTreeMap<String, LockedPackage>,
        runtime: &RuntimeR,
    ) -> Result<BTreeMap<String, PackageFile>> {
        let built_for = self.built_for(&runtime.r);
        let (mut names, mut requests) = (Vec::new(), Vec::new());
        let mut files = BTreeMap::new();
        for package in packages.values() {
            match self.fetching(package, &built_for)? {
                Fetching::Repository(request) => {
                    names.push(package.name.clone());
                    requests.push(*request);
                }
                Fetching::Itself => {
                    let file = self.fetch_itself(package, &built_for).await;
                    let file = file.with_context(|| format!("{} cannot be had", package.name))?;
                    files.insert(package.name.clone(), file);
                }
                Fetching::WithR => {}
            }
        }
        let outcomes = self.sources().fetch_all(&requests).await;
        let mut failed = Vec::new();
        for (name, outcome) in names.into_iter().zip(outcomes) {
            match outcome {
                Ok(file) => {
                    files.insert(name, file);
                }
                Err(error) => failed.push(error),
            }
        }
        all_had(&failed)?;
        Ok(files)
    }

    /// The binaries in memory.
    async fn read(
        &self,
        files: &BTreeMap<String, PackageFile>,
        runtime: &RuntimeR,
    ) -> Result<BTreeMap<String, LayerTree>> {
        let binaries = binaries(files);
        let names: Vec<String> = binaries.iter().map(|file| file.name.clone()).collect();
        let trees = binary_package_trees(binaries, self.built_for(&runtime.r)).await?;
        Ok(names.into_iter().zip(trees).collect())
    }

    /// The binaries in folders of the cache.
    async fn unpacked(
        &self,
        files: &BTreeMap<String, PackageFile>,
        runtime: &RuntimeR,
    ) -> Result<BTreeMap<String, SourceFolder>> {
        let binaries = binaries(files);
        let (cache, reporter) = (&self.builder.cache, self.reporter());
        let built_for = self.built_for(&runtime.r);
        let folders = binary_packages(&binaries, &built_for, cache, reporter).await;
        let named = binaries.into_iter().zip(folders);
        named
            .map(|(file, folder)| Ok((file.name, folder?)))
            .collect()
    }

    /// Asks the repositories that know it what their packages need of the system. Where none answers, the rules in this
    /// program have to do.
    async fn ask_for_requirements(
        &self,
        root: &Path,
        all: &BTreeMap<String, LockedPackage>,
        sources: &mut [SourcePackage],
    ) {
        let Some(system) = System::of_root(root) else {
            return;
        };
        for repository in self.repositories().iter() {
            let Some(service) = SystemRequirements::of_repository(&repository.base) else {
                continue;
            };
            let is_its = |package: &&mut SourcePackage| {
                let origin = all.get(&package.name).map(|locked| &locked.origin);
                matches!(origin, Some(LockedOrigin::Repository { name, .. }) if *name == repository.name)
            };
            let mut its: Vec<&mut SourcePackage> = sources.iter_mut().filter(is_its).collect();
            let named: Vec<(String, String)> = its
                .iter()
                .map(|package| (package.name.clone(), package.version.clone()))
                .collect();
            match self
                .sources()
                .system_requirements(&service, &named, &system)
                .await
            {
                Ok(mut needed) => {
                    for package in &mut its {
                        package.listed_requirements =
                            needed.remove(&package.name).unwrap_or_default();
                    }
                }
                Err(error) => self.reporter().detail(&format!(
                    "what packages need of the system is decided by r-layer's own rules, as {} does not say it: {error}",
                    repository.name
                )),
            }
        }
    }

    /// Compiles what came as a source; returns the roots that was done in.
    async fn compile(
        &self,
        all: &BTreeMap<String, LockedPackage>,
        files: &BTreeMap<String, PackageFile>,
        section: &LayerSection,
        runtime: &RuntimeR,
        folders: &mut BTreeMap<String, SourceFolder>,
    ) -> Result<Vec<PathBuf>> {
        let mut sources = Vec::new();
        for file in files
            .values()
            .filter(|file| file.kind == PackageKind::Source)
        {
            let description = Description::parse(&file.description)
                .with_context(|| file.known_as().display().to_string())?;
            sources.push(SourcePackage {
                name: file.name.clone(),
                version: file.version.clone(),
                tarball: file.tarball(),
                needs: closure(&file.name, all),
                system_requirements: description.system_requirements,
                listed_requirements: Vec::new(),
            });
        }
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let compiler = self.builder.compiler(&self.builder.settings.place);
        let root = compiler.package_root().await.with_context(|| {
            let names: Vec<&str> = sources.iter().map(|source| &source.name[..]).collect();
            format!(
                "to be compiled for {}, as they come as sources: {}. A repository that has binaries of them (--repo) spares that",
                self.target(&runtime.r),
                names.join(", ")
            )
        })?;
        self.ask_for_requirements(&root, all, &mut sources).await;
        let mut there = BTreeMap::new();
        for (name, folder) in folders.iter() {
            let identity = files.get(name).map(|file| file.sha256.to_string());
            let installed = InstalledPackage {
                folder: folder.path.clone(),
                identity: identity.unwrap_or_else(|| "with R".to_owned()),
            };
            there.insert(name.clone(), installed);
        }
        for package in &runtime.packages {
            let identity = package.source.sha256.map(|hash| hash.to_string());
            let installed = InstalledPackage {
                folder: package.folder.path.clone(),
                identity: identity.unwrap_or_default(),
            };
            there.insert(package.name.clone(), installed);
        }
        let system_packages = &section.system_packages;
        let compiled =
            compiled_packages(&compiler, &runtime.r, &sources, &there, system_packages).await?;
        for (name, package) in compiled.packages {
            folders.insert(name, SourceFolder::new(package.installed.folder));
        }
        Ok(vec![compiled.root])
    }
}

fn binaries(files: &BTreeMap<String, PackageFile>) -> Vec<PackageFile> {
    let files = files.values();
    let is_binary = |file: &&PackageFile| file.kind == PackageKind::Binary;
    files.filter(is_binary).cloned().collect()
}

fn dependencies<'l>(packages: impl IntoIterator<Item = &'l LockedPackage>) -> Vec<String> {
    let packages = packages.into_iter();
    packages
        .flat_map(|package| package.dependencies.iter().cloned())
        .collect()
}

/// All that a package needs, directly or through others.
fn closure(name: &str, all: &BTreeMap<String, LockedPackage>) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![name.to_owned()];
    while let Some(package) = next.pop() {
        for needed in all
            .get(&package)
            .into_iter()
            .flat_map(|one| &one.dependencies)
        {
            if found.insert(needed.clone()) {
                next.push(needed.clone());
            }
        }
    }
    found.remove(name);
    found.into_iter().collect()
}

fn source_record(
    package: &LockedPackage,
    file: Option<&PackageFile>,
    runtime: &RuntimeR,
) -> SourceRecord {
    let origin = match file {
        None => format!("with R {}", runtime.r.version),
        Some(file) => match file.kind {
            PackageKind::Binary => format!("{}, binary", file.origin),
            PackageKind::Source => format!("{}, compiled", file.origin),
        },
    };
    SourceRecord {
        name: package.name.clone(),
        version: package.version.clone(),
        origin,
        sha256: file.map(|file| file.sha256),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::PackageOrigin;

    #[test]
    fn what_a_package_needs_is_followed_to_the_end() {
        let package = |name: &str, needs: &[&str]| {
            let locked = LockedPackage {
                name: name.to_owned(),
                version: "1.0".to_owned(),
                origin: PackageOrigin::WithR,
                dependencies: needs.iter().map(|need| (*need).to_owned()).collect(),
                build_only: false,
            };
            (name.to_owned(), locked)
        };
        let all = BTreeMap::from([
            package("aa", &["bb", "elsewhere"]),
            package("bb", &["cc", "aa"]),
            package("cc", &[]),
        ]);
        assert_eq!(closure("aa", &all), ["bb", "cc", "elsewhere"]);
        assert!(closure("cc", &all).is_empty());
    }
}
