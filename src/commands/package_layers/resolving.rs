//! From a layer's requests to what is locked: indexes are asked only if what is there already does not do, and every file is
//! had, so that its hash is known.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow, bail};

use super::locking::{all_had, locked_package, needed_to_compile};
use super::project::{Project, RuntimeR};
use super::requests::Requests;
use crate::lockfile::{LayerInputs, LayerTarget, LockedLayer};
use crate::manifest::{LayerName, LayerSection, PackageType};
use crate::package::{Description, PackageIndex, RECOMMENDED_PACKAGES};
use crate::repository::{
    ContribFolder, IndexEntry, PackageError, PackageFile, PackageKind, PackageRequest,
    Repository as Source,
};
use crate::resolve::{
    ArchivedVersion, ExtraKind, Given, Holder, Locked, Origin, Outcome, Preferences, Repository,
    Resolution, ResolveError, ResolveInput, ResolvedPackage, Role, Upgrade, resolve,
};

/// How often a resolution may find out that it needs to know more: each time it learns of a package at least.
const MOST_ROUNDS: usize = 1000;

/// What to type where binaries alone are wanted and there are none.
pub(super) const COMPILE_INSTEAD: &str = "with --package-type auto (package-type in r-layer.toml) sources are compiled where there is no binary";

/// One layer that is being resolved.
struct Resolving<'p> {
    project: &'p Project<'p>,
    section: &'p LayerSection,
    runtime: &'p RuntimeR,
    given: Vec<Given>,
    preferences: Preferences,
    requests: Requests,
    indexes: Vec<(ContribFolder, PackageIndex)>,
    /// Files that were had for what indexes offer, by package and version.
    files: BTreeMap<(String, String), PackageFile>,
    /// Versions that no archive has.
    nowhere: BTreeSet<String>,
}

impl Project<'_> {
    /// What decides what a layer is made of.
    pub fn inputs(&self, section: &LayerSection) -> LayerInputs {
        LayerInputs {
            requests: section.packages.clone(),
            repositories: self.repository_texts(section),
            package_type: section.package_type,
            from_source: section.from_source.clone(),
        }
    }

    /// Resolves a layer.
    pub async fn resolve_layer(
        &self,
        layer: &LayerName,
        section: &LayerSection,
        runtime: &RuntimeR,
        upgrade: Upgrade,
    ) -> Result<LockedLayer> {
        let target = self.target(&runtime.r);
        let built_for = self.built_for(&runtime.r);
        let mut resolving = Resolving {
            project: self,
            section,
            runtime,
            given: self.given(layer, &target, runtime)?,
            preferences: self.preferences(layer, &target, upgrade),
            requests: self.requests(section, &built_for).await?,
            indexes: Vec::new(),
            files: BTreeMap::new(),
            nowhere: BTreeSet::new(),
        };
        let resolution = resolving.run().await?;
        resolving.locked(&resolution, self.inputs(section))
    }

    /// What need not be fetched: R's own library, what the runtime layer has, and the other layers that are locked.
    fn given(
        &self,
        layer: &LayerName,
        target: &LayerTarget,
        runtime: &RuntimeR,
    ) -> Result<Vec<Given>> {
        let library = runtime.r.home.path.join("library");
        let mut given = Vec::new();
        for package in RECOMMENDED_PACKAGES {
            let file = library.join(package).join("DESCRIPTION");
            if let Ok(text) = fs_err::read_to_string(&file) {
                given.push(Given::new(Description::parse(&text)?, Holder::RLibrary)?);
            }
        }
        for package in &runtime.packages {
            let text = fs_err::read_to_string(package.folder.path.join("DESCRIPTION"))?;
            let holder = Holder::Layer("runtime".to_owned());
            given.push(Given::new(Description::parse(&text)?, holder)?);
        }
        for (other, locked) in self.layers_beside(layer, target) {
            for package in locked.packages.values().filter(|one| !one.build_only) {
                let needs = package.dependencies.join(", ");
                let text = format!(
                    "Package: {}\nVersion: {}\nImports: {needs}\n",
                    package.name, package.version
                );
                let holder = Holder::Layer(other.to_string());
                given.push(Given::new(Description::parse(&text)?, holder)?);
            }
        }
        Ok(given)
    }

    fn preferences(
        &self,
        layer: &LayerName,
        target: &LayerTarget,
        upgrade: Upgrade,
    ) -> Preferences {
        let locked = self.lock.layer(layer, target).into_iter();
        let locked = locked.flat_map(|layer| layer.packages.values());
        let locked = locked.filter_map(|package| {
            let version = package.version.parse().ok()?;
            let origin = None;
            Some((package.name.clone(), Locked { version, origin }))
        });
        Preferences {
            locked: locked.collect(),
            upgrade,
        }
    }
}

impl Resolving<'_> {
    async fn run(&mut self) -> Result<Resolution> {
        // What is there already may do: then nobody is asked for anything.
        let lacking = match self.resolve_now() {
            Ok(Outcome::Resolved(resolution)) if resolution.vanished.is_empty() => {
                return Ok(resolution);
            }
            Err(error) if error.is_final(|package| self.is_pinned(package)) => bail!("{error}"),
            Err(error) => format!("{error}\n"),
            Ok(_) => String::new(),
        };
        self.fetch_indexes(&lacking).await?;
        for _ in 0..MOST_ROUNDS {
            match self.resolve_now() {
                Ok(Outcome::ArchivedWanted(wanted)) => {
                    for version in wanted {
                        self.obtain_archived(&version).await?;
                    }
                }
                Ok(Outcome::Resolved(resolution)) => {
                    if !self.obtain_vanished(&resolution).await?
                        && !self.obtain(&resolution).await?
                    {
                        return Ok(resolution);
                    }
                }
                Err(error) => return Err(self.explained(error).await),
            }
        }
        bail!(
            "the packages cannot be resolved: each answer of the repositories raises another question"
        )
    }

    fn is_pinned(&self, package: &str) -> bool {
        let mut extras = self.requests.extras.iter();
        extras.any(|extra| extra.is_pinned(package))
    }

    fn resolve_now(&self) -> Result<Outcome, ResolveError> {
        let repositories: Vec<Repository<'_>> = self
            .indexes
            .iter()
            .map(|(folder, index)| Repository {
                name: &folder.repository,
                index,
            })
            .collect();
        resolve(&ResolveInput {
            requests: &self.requests.requirements,
            repositories: &repositories,
            extras: &self.requests.extras,
            given: &self.given,
            r: &self.runtime.r.version,
            preferences: &self.preferences,
        })
    }

    /// The folders that are looked into, in order.
    fn folders(&self) -> Vec<ContribFolder> {
        let built_for = self.project.built_for(&self.runtime.r);
        let repositories = self.project.repositories_of(self.section);
        let folders = repositories.into_iter().flat_map(|repository: &Source| {
            let binaries = repository.binaries(&built_for);
            let sources = repository.sources();
            match self.section.package_type {
                PackageType::Source => vec![sources],
                PackageType::Binary => binaries.into_iter().collect(),
                PackageType::Auto => binaries.into_iter().chain([sources]).collect(),
            }
        });
        folders.collect()
    }

    /// Reads the indexes of the repositories; `lacking` says what is not there without them.
    async fn fetch_indexes(&mut self, lacking: &str) -> Result<()> {
        let (reporter, sources) = (self.project.reporter(), self.project.sources());
        let folders = self.folders();
        if folders.is_empty() {
            bail!(
                "{lacking}no repository has binaries for {}; {COMPILE_INSTEAD}",
                self.project.target(&self.runtime.r)
            );
        }
        let task = reporter.begin("reading the indexes of the repositories", None);
        let asked = folders.iter().map(|folder| sources.index(folder));
        let mut problems = Vec::new();
        for (folder, outcome) in folders
            .iter()
            .zip(futures_util::future::join_all(asked).await)
        {
            let index = match outcome {
                Ok(text) => PackageIndex::parse(text.text).map_err(|error| {
                    format!("the repository {} ({folder}): {error}", folder.repository)
                }),
                Err(problem) => Err(problem.to_string()),
            };
            match index {
                Ok(index) => self.indexes.push((folder.clone(), index)),
                Err(problem) => problems.push((folder.clone(), problem)),
            }
        }
        if self.indexes.is_empty() {
            let problems: Vec<String> = problems
                .iter()
                .map(|(_, text)| format!("\n  {text}"))
                .collect();
            let compile = match self.section.package_type {
                PackageType::Binary => {
                    format!("\nThese are repositories of binaries; {COMPILE_INSTEAD}")
                }
                _ => String::new(),
            };
            bail!(
                "{lacking}no repository could be read:{}{compile}\nName another with --repo, or in {} under \
                 [repositories.NAME]",
                problems.concat(),
                crate::manifest::Manifest::NAME
            );
        }
        task.finish("read the indexes of the repositories");
        self.tell_problems(&problems);
        Ok(())
    }

    /// A repository may have no binaries: that is no problem while its sources are there.
    fn tell_problems(&self, problems: &[(ContribFolder, String)]) {
        let reporter = self.project.reporter();
        for (folder, problem) in problems {
            let is_there =
                |(other, _): &(ContribFolder, PackageIndex)| other.repository == folder.repository;
            match folder.kind() == PackageKind::Binary && self.indexes.iter().any(is_there) {
                true => reporter.detail(problem),
                false => reporter.warn(problem),
            }
        }
        for (folder, index) in &self.indexes {
            for problem in index.problems() {
                reporter.detail(&format!("the repository {}: {problem}", folder.repository));
            }
        }
    }

    /// A version that is asked for and in no index: from an archive.
    async fn obtain_archived(&mut self, wanted: &ArchivedVersion) -> Result<()> {
        let (package, version) = (&wanted.package, wanted.version.to_string());
        let Some((file, repository)) = self.archived(package, &version).await? else {
            let sources = self.project.sources();
            let set = self.project.repositories();
            let found = sources.unknown_package(package, set, None).await;
            let there: Vec<String> = found
                .archived
                .iter()
                .flat_map(|(_, versions)| versions.iter().take(5).map(ToString::to_string))
                .collect();
            let hint = match there.is_empty() {
                true => String::new(),
                false => format!("; the archive has {}", there.join(", ")),
            };
            bail!("no repository has {package} {version}, and no archive{hint}");
        };
        self.requests.add(file, ExtraKind::Archived, &repository)
    }

    async fn archived(
        &self,
        package: &str,
        version: &str,
    ) -> Result<Option<(PackageFile, String)>> {
        let mut unknown = None;
        for repository in self.project.repositories_of(self.section) {
            let request = PackageRequest::of_version(package, version, repository)?;
            match self.project.sources().fetch(&request).await {
                Ok(file) => return Ok(Some((file, repository.name.clone()))),
                Err(PackageError::Nowhere {
                    not_there: true, ..
                }) => {}
                // Whether it is there is not known: that is not the same.
                Err(error) => unknown = Some(error),
            }
        }
        match unknown {
            Some(error) => Err(error.into()),
            None => Ok(None),
        }
    }

    /// Locked versions that no index has any more are kept if an archive has them. Was there something new?
    async fn obtain_vanished(&mut self, resolution: &Resolution) -> Result<bool> {
        let mut is_new = false;
        for vanished in &resolution.vanished {
            let (package, version) = (&vanished.package, vanished.version.to_string());
            if !self.nowhere.insert(format!("{package} {version}")) {
                continue;
            }
            if let Some((file, repository)) = self.archived(package, &version).await? {
                self.requests.add(file, ExtraKind::Archived, &repository)?;
                is_new = true;
            }
        }
        Ok(is_new)
    }

    /// Has the files of what was resolved. True if something turned out to be other than its index says, so that it has to
    /// be resolved again.
    async fn obtain(&mut self, resolution: &Resolution) -> Result<bool> {
        let packed = |package: &&ResolvedPackage| package.role == Role::Packed;
        if self
            .fetch(resolution.packages.values().filter(packed))
            .await?
        {
            return Ok(true);
        }
        let to_compile = needed_to_compile(resolution, |package| self.is_source(package));
        let build_only = |package: &&ResolvedPackage| {
            package.role == Role::BuildOnly && to_compile.contains(&package.name)
        };
        self.fetch(resolution.packages.values().filter(build_only))
            .await
    }

    async fn fetch<'r>(
        &mut self,
        packages: impl Iterator<Item = &'r ResolvedPackage>,
    ) -> Result<bool> {
        let mut wanted = Vec::new();
        for package in packages {
            let key = (package.name.clone(), package.version.to_string());
            if let Origin::Repository { index, .. } = &package.origin
                && !self.files.contains_key(&key)
            {
                wanted.push((key, self.request(package, *index)?));
            }
        }
        let requests: Vec<PackageRequest> =
            wanted.iter().map(|(_, request)| request.clone()).collect();
        let outcomes = self.project.sources().fetch_all(&requests).await;
        let (mut failed, mut is_new) = (Vec::new(), false);
        for ((key, request), outcome) in wanted.into_iter().zip(outcomes) {
            match outcome {
                Ok(file) => {
                    is_new |= self.take(request, &file)?;
                    self.files.insert(key, file);
                }
                Err(error) => failed.push(error),
            }
        }
        all_had(&failed)?;
        Ok(is_new)
    }

    /// Where a package is to be fetched: from the folder whose index offers it, or from the same repository's sources.
    fn request(&self, package: &ResolvedPackage, index: usize) -> Result<PackageRequest> {
        let (folder, _) = &self.indexes[index];
        let version = package.version.to_string();
        if folder.kind() == PackageKind::Binary
            && Project::is_from_source(self.section, &package.name)
            && let Some(repository) = self.project.repositories().named(&folder.repository)
        {
            return Ok(PackageRequest::of_version(
                &package.name,
                &version,
                repository,
            )?);
        }
        let entry = IndexEntry {
            package: package.name.clone(),
            version,
            path: package.details.path.clone(),
            file: package.details.file.clone(),
            md5sum: package.details.md5.clone(),
            sha256: package.details.sha256.clone(),
        };
        Ok(PackageRequest::of_entry(&entry, folder)?)
    }

    /// Looks at what came. A source where a binary was expected has other needs: it is resolved with these.
    fn take(&mut self, request: PackageRequest, file: &PackageFile) -> Result<bool> {
        let is_expected = request.built_for.is_none() || file.kind == PackageKind::Binary;
        let is_wanted = Project::is_from_source(self.section, &file.name);
        if is_expected && !is_wanted {
            return Ok(false);
        }
        if file.kind == PackageKind::Binary {
            return Ok(false);
        }
        let (what, repository) = (request.what(), &request.repository);
        if self.section.package_type == PackageType::Binary {
            return Err(anyhow!(
                "{repository} has no binary of {what} for {}; {COMPILE_INSTEAD}",
                self.project.target(&self.runtime.r)
            ));
        }
        if !is_wanted {
            self.project.reporter().note(&format!(
                "{repository} has no binary of {what} for {}: its source is compiled",
                self.project.target(&self.runtime.r)
            ));
        }
        self.requests
            .add(file.clone(), ExtraKind::Pinned, repository)?;
        Ok(true)
    }

    /// The file of a package, where it has one.
    fn file(&self, package: &ResolvedPackage) -> Option<&PackageFile> {
        match &package.origin {
            Origin::Extra { index, .. } => self.requests.files.get(*index),
            _ => self
                .files
                .get(&(package.name.clone(), package.version.to_string())),
        }
    }

    fn is_source(&self, package: &ResolvedPackage) -> bool {
        self.file(package)
            .is_some_and(|file| file.kind == PackageKind::Source)
    }

    fn locked(&self, resolution: &Resolution, inputs: LayerInputs) -> Result<LockedLayer> {
        let to_compile = needed_to_compile(resolution, |package| self.is_source(package));
        let packages = resolution
            .packages
            .values()
            .filter(|package| match package.role {
                Role::Packed => true,
                Role::BuildOnly => to_compile.contains(&package.name),
                Role::Held => false,
            });
        let packages: Result<Vec<_>> = packages
            .map(|package| locked_package(package, self.file(package), self.is_source(package)))
            .collect();
        Ok(LockedLayer::new(inputs, packages?))
    }

    /// An error with what helps: where an unknown package is all the same.
    async fn explained(&self, error: ResolveError) -> anyhow::Error {
        let mut hints = String::new();
        for name in error.unknown_names() {
            let set = self.project.repositories();
            let found = self
                .project
                .sources()
                .unknown_package(name, set, None)
                .await;
            hints += &format!("\n{found}").replace("\n\n", "\n");
        }
        if !hints.is_empty() && self.section.package_type == PackageType::Binary {
            let target = self.project.target(&self.runtime.r);
            hints += &format!("\nOnly binaries for {target} were looked for; {COMPILE_INSTEAD}");
        }
        anyhow!("{error}{}", hints.trim_end())
    }
}
