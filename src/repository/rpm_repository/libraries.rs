//! The libraries of a repository that a set of files needs, fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{RpmError, RpmRepository, Unprovided};
use crate::elf::{
    Closure, ElfFile, FoundLibrary, LibraryOrigin, LibrarySource, MissingLibrary, is_elf,
};
use crate::http::without_query;
use crate::lockfile::LockedRpm;
use crate::package::RpmPackage;
use crate::target::Architecture;

/// How many packages are fetched at once.
const AT_ONCE: usize = 6;

/// Libraries that were fetched.
#[derive(Clone, Debug, Default)]
pub struct FetchedLibraries {
    /// What was searched, for messages.
    repository: String,
    /// Soname → the file, and its package.
    found: BTreeMap<String, (PathBuf, Arc<RpmPackage>)>,
    /// Package → the folder with its files.
    packages: BTreeMap<Arc<RpmPackage>, PathBuf>,
}

impl FetchedLibraries {
    /// The packages, each with the folder that has its files as a root file system has them.
    pub fn packages(&self) -> impl Iterator<Item = (&Arc<RpmPackage>, &Path)> {
        self.packages
            .iter()
            .map(|(package, folder)| (package, folder.as_path()))
    }

    /// What a lock keeps of them, sorted.
    pub fn locked(&self) -> Vec<LockedRpm> {
        let locked = self.packages.keys().map(|package| LockedRpm {
            libraries: self
                .found
                .iter()
                .filter(|(_, (_, of))| of == package)
                .map(|(soname, _)| soname.clone())
                .collect(),
            package: (**package).clone(),
        });
        let mut locked: Vec<LockedRpm> = locked.collect();
        locked.sort();
        locked
    }
}

impl LibrarySource for FetchedLibraries {
    fn find(&self, soname: &str, architecture: Architecture) -> Option<FoundLibrary> {
        let (path, package) = self.found.get(soname)?;
        let content = library_of(path, architecture)?;
        Some(FoundLibrary {
            path: path.clone(),
            origin: LibraryOrigin::Rpm(package.clone()),
            content,
        })
    }

    fn searched(&self) -> String {
        format!("in {}", self.repository)
    }
}

/// What the files of a layer need.
pub struct Wanted<'a> {
    /// The layer's programs and libraries: path → headers.
    pub files: &'a BTreeMap<String, ElfFile>,
    /// Which sonames need not be added, as they are in a layer or on the target.
    pub provided: &'a (dyn Fn(&str) -> bool + Sync),
    /// Where libraries are looked for before the repository.
    pub before: &'a [&'a (dyn LibrarySource + Sync)],
    /// Packages that a lock pins.
    pub pinned: &'a [LockedRpm],
}

impl Wanted<'_> {
    /// What is found in no place, of what the files and the libraries found so far need.
    fn missing(
        &self,
        fetched: &FetchedLibraries,
        architecture: Architecture,
    ) -> Vec<MissingLibrary> {
        let mut sources: Vec<&dyn LibrarySource> = Vec::new();
        sources.extend(
            self.before
                .iter()
                .map(|source| *source as &dyn LibrarySource),
        );
        sources.push(fetched);
        Closure::complete(self.files, self.provided, &sources[..], architecture).missing
    }

    fn pin(&self, soname: &str, architecture: Architecture) -> Option<Arc<RpmPackage>> {
        let pinned = self.pinned.iter().find(|locked| {
            locked.package.architecture == architecture.machine_name()
                && locked.libraries.contains(soname)
        })?;
        Some(Arc::new(pinned.package.clone()))
    }
}

impl RpmRepository<'_> {
    /// Fetches every library that is wanted and found nowhere else, and those that these need in turn.
    ///
    /// # Errors
    /// All libraries that no package has are told of together.
    pub async fn libraries(
        &self,
        wanted: &Wanted<'_>,
        fetched: &mut FetchedLibraries,
    ) -> Result<(), RpmError> {
        fetched.repository = format!("the repository {}", without_query(&self.place));
        loop {
            let missing = wanted.missing(fetched, self.architecture);
            if missing.is_empty() {
                return Ok(());
            }
            let providers = self.providers(wanted, missing).await?;
            self.fetch(fetched, providers.values()).await?;
            for (soname, package) in providers {
                let folder = &fetched.packages[&package];
                let file = find_file(folder, &soname, self.architecture).ok_or_else(|| {
                    RpmError::NoSuchFile {
                        package: package.nevra(),
                        soname: soname.clone(),
                    }
                })?;
                fetched.found.insert(soname, (file, package));
            }
        }
    }

    /// Fetches packages by their names, as for data that a library of another package needs; those that are not in the
    /// repository are returned.
    pub async fn add_packages(
        &self,
        fetched: &mut FetchedLibraries,
        names: &BTreeSet<String>,
        pinned: &[LockedRpm],
    ) -> Result<Vec<String>, RpmError> {
        let (mut packages, mut absent) = (Vec::new(), Vec::new());
        for name in names {
            if fetched.packages.keys().any(|package| package.name == *name) {
                continue;
            }
            let mut pins = pinned.iter().map(|locked| &locked.package);
            let for_it = [self.architecture.machine_name(), "noarch"];
            let pin = pins.find(|package| {
                package.name == *name && for_it.contains(&package.architecture.as_str())
            });
            match pin {
                Some(package) => packages.push(Arc::new(package.clone())),
                None => match self.named(name).await? {
                    Some(package) => packages.push(package),
                    None => absent.push(name.clone()),
                },
            }
        }
        self.fetch(fetched, &packages).await?;
        Ok(absent)
    }

    /// Which package each library is taken from.
    async fn providers(
        &self,
        wanted: &Wanted<'_>,
        missing: Vec<MissingLibrary>,
    ) -> Result<BTreeMap<String, Arc<RpmPackage>>, RpmError> {
        let mut providers = BTreeMap::new();
        let mut unprovided = Vec::new();
        for library in missing {
            let MissingLibrary {
                soname, needed_by, ..
            } = library;
            let package = match wanted.pin(&soname, self.architecture) {
                Some(package) => Some(package),
                None => self.provider(&soname).await?,
            };
            match package {
                Some(package) => {
                    providers.insert(soname, package);
                }
                None => {
                    let nearest = self.open().await?.index.nearest(&soname);
                    unprovided.push(Unprovided {
                        nearest: nearest.into_iter().map(str::to_owned).collect(),
                        soname,
                        needed_by,
                    });
                }
            }
        }
        if unprovided.is_empty() {
            return Ok(providers);
        }
        Err(RpmError::Unprovided {
            missing: unprovided,
            repository: without_query(&self.place).to_owned(),
        })
    }

    async fn fetch(
        &self,
        fetched: &mut FetchedLibraries,
        packages: impl IntoIterator<Item = &Arc<RpmPackage>>,
    ) -> Result<(), RpmError> {
        let new: BTreeSet<Arc<RpmPackage>> = packages
            .into_iter()
            .filter(|package| !fetched.packages.contains_key(*package))
            .cloned()
            .collect();
        let unpacked: Vec<(Arc<RpmPackage>, PathBuf)> = stream::iter(new)
            .map(|package| async move {
                let folder = self.access.unpacked(&package).await?;
                Ok::<_, RpmError>((package, folder))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        fetched.packages.extend(unpacked);
        Ok(())
    }
}

/// The content of a file, if it is a library for that processor.
fn library_of(path: &Path, architecture: Architecture) -> Option<Vec<u8>> {
    let content = fs_err::read(path).ok()?;
    let elf = is_elf(&content).then(|| ElfFile::read(&content[..]).ok())??;
    (elf.architecture == Some(architecture) && elf.loadable).then_some(content)
}

/// The library of that soname in a package: where the loader looks by itself, else in whichever folder is first.
fn find_file(root: &Path, soname: &str, architecture: Architecture) -> Option<PathBuf> {
    let usual = ["usr/lib64", "usr/lib"].map(|folder| root.join(folder).join(soname));
    let mut folders = vec![root.to_owned()];
    let mut elsewhere = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).ok()?.flatten() {
            if entry.file_type().ok()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() == soname {
                elsewhere.push(entry.path());
            }
        }
    }
    elsewhere.sort();
    usual
        .into_iter()
        .chain(elsewhere)
        .find(|path| library_of(path, architecture).is_some())
}
