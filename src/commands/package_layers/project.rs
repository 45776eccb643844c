//! A project that has layers of packages: its manifest and lock, the R that they are for, and where packages come from.

use std::path::Path;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::build::is_ready;
use crate::cache::Cache;
use crate::cli::{PackageOptions, RuntimeOptions};
use crate::commands::build_runtime::{Builder, PackageFolder, Settings};
use crate::commands::built_runtime;
use crate::distribution::R;
use crate::http::{Http, Patience};
use crate::layer::package_recipe::PackagePruning;
use crate::layer::{PackageLayerRecipe, RuntimeRecipe};
use crate::lockfile::{BuiltFor, LayerTarget, LockedLayer, Lockfile};
use crate::manifest::{
    LayerName, LayerOptions, LayerSection, Manifest, ManifestDocument, PackageType,
};
use crate::progress::Reporter;
use crate::repository::{
    Binaries, Mirror, PackageSources, Repository, RepositorySet, RepositorySettings,
};

/// Where GitHub's API is.
const GITHUB_API: &str = "https://api.github.com";

/// A project, opened by a command.
pub struct Project<'a> {
    /// The manifest, which may be changed.
    pub document: ManifestDocument,
    /// The lock, which may be changed.
    pub lock: Lockfile,
    /// The lock as it was.
    pub lock_before: Lockfile,
    /// Makes R, and the runtime layer.
    pub builder: Builder<'a>,
    /// What was typed.
    pub options: PackageOptions,
    /// Where GitHub's API is.
    pub github_api: Mirror,
    repositories: Vec<RepositorySettings>,
    set: RepositorySet,
    /// Of a dry run: a folder with a copy of the lock, so that the lock itself stays as it is.
    _scratch: Option<TempDir>,
}

/// The R that layers are made for, with the packages that the runtime layer holds beside it.
pub struct RuntimeR {
    /// R itself.
    pub r: R,
    /// Those packages.
    pub packages: Vec<PackageFolder>,
}

impl<'a> Project<'a> {
    /// Opens the project of the current folder, whose manifest may have been changed already.
    pub fn open(
        document: ManifestDocument,
        mut options: PackageOptions,
        dry_run: bool,
        reporter: &'a dyn Reporter,
    ) -> Result<Project<'a>> {
        let folder = std::env::current_dir().context("the current folder is gone")?;
        let recipe = RuntimeRecipe::embedded();
        let manifest = document.manifest();
        check_keep(manifest)?;
        built_runtime::take_over(&mut options.runtime, &manifest.runtime);
        let repositories = named_repositories(&options, manifest, recipe)?;
        let runtime = options.runtime.clone();
        let mut settings = Settings::for_packages(runtime, manifest.clone(), recipe)?;
        let mut credentials = std::mem::take(&mut settings.repositories.credentials);
        let set = RepositorySet::new(&repositories, &mut credentials)?;
        let github = options.github_api.as_deref().unwrap_or(GITHUB_API);
        let github_api = Mirror::parse(&credentials.of_github(github)?);
        let builder = Builder {
            recipe,
            http: Http::from_environment(Patience::default(), credentials)?
                .offline(options.offline),
            cache: Cache::from_environment()?,
            settings,
            reporter,
        };
        let scratch = dry_run.then(|| copy_of_lock(&folder)).transpose()?;
        let lock = Lockfile::read(scratch.as_ref().map_or(folder.as_path(), TempDir::path))?;
        Ok(Project {
            lock_before: lock.clone(),
            lock,
            document,
            builder,
            options,
            github_api,
            repositories,
            set,
            _scratch: scratch,
        })
    }

    /// Told of what happens.
    pub fn reporter(&self) -> &'a dyn Reporter {
        self.builder.reporter
    }

    /// Where packages are had from.
    pub fn sources(&self) -> PackageSources<'_> {
        PackageSources {
            http: &self.builder.http,
            cache: &self.builder.cache,
            reporter: self.builder.reporter,
            offline: self.options.offline,
        }
    }

    /// R, and what the runtime layer holds beside it: as they were built, or made now.
    pub async fn runtime_r(&mut self) -> Result<RuntimeR> {
        let (r, packages) = self.builder.r_and_packages(&mut self.lock).await?;
        Ok(RuntimeR { r, packages })
    }

    /// What packages are built for.
    pub fn target(&self, r: &R) -> LayerTarget {
        LayerTarget {
            architecture: self.builder.settings.architecture,
            r: r.version.minor_text(),
        }
    }

    /// The same, as repositories have it.
    pub fn built_for(&self, r: &R) -> BuiltFor {
        BuiltFor {
            architecture: self.builder.settings.architecture,
            r: Some(r.version.minor_text()),
        }
    }

    /// A layer's section, with what flags say instead.
    pub fn section(&self, layer: &LayerName, ready: Option<LayerSection>) -> LayerSection {
        let listed = self.document.manifest().layers.get(layer).cloned();
        let section = listed.or(ready).unwrap_or_default();
        layer_options(&self.options).added_to(&section)
    }

    /// The ready layers of those names, but for those that the manifest has instead.
    pub fn ready_recipes<'l>(
        &self,
        layers: impl IntoIterator<Item = &'l LayerName>,
    ) -> Vec<&'static PackageLayerRecipe> {
        let listed = &self.document.manifest().layers;
        let layers = layers
            .into_iter()
            .filter(|name| !listed.contains_key(*name));
        layers
            .filter_map(|name| PackageLayerRecipe::named(name.as_str()))
            .collect()
    }

    /// Says which flags decide how a layer comes out and are not in the manifest.
    pub fn tell_of_flags(&self, layer: &LayerName) {
        let Some(listed) = self.document.manifest().layers.get(layer) else {
            return;
        };
        let keys = layer_options(&self.options).other_than(listed);
        if !keys.is_empty() {
            self.reporter().note(&format!(
                "{} is for this time; put it into [layers.{layer}] of {}, so that every build has it",
                keys.join(", "),
                Manifest::NAME
            ));
        }
    }

    /// The repositories of a layer, in order.
    pub fn repositories_of(&self, section: &LayerSection) -> Vec<&Repository> {
        let is_meant = |repository: &&Repository| {
            let listed = self.document.manifest().repositories.get(&repository.name);
            section.repositories.is_empty()
                || listed.is_none()
                || section.repositories.contains(&repository.name)
        };
        let mut meant: Vec<&Repository> = self.set.iter().filter(is_meant).collect();
        let place = |repository: &&Repository| {
            let named = section.repositories.iter();
            let at = named
                .enumerate()
                .find(|(_, name)| **name == repository.name);
            at.map_or(0, |(at, _)| at + 1)
        };
        meant.sort_by_key(place);
        meant
    }

    /// The locked layers that a function has beside one, whose packages need not be packed again: those of the manifest,
    /// and ready ones that were built. A ready layer itself is for any function, and holds all that it needs.
    pub fn layers_beside(
        &self,
        layer: &LayerName,
        target: &LayerTarget,
    ) -> Vec<(&LayerName, &LockedLayer)> {
        let listed = &self.document.manifest().layers;
        if !listed.contains_key(layer) {
            return Vec::new();
        }
        let others = self.lock.layers().filter(|(name, its_target)| {
            *name != layer
                && *its_target == target
                && (listed.contains_key(*name) || is_ready(name))
        });
        others
            .filter_map(|(name, its_target)| Some((name, self.lock.layer(name, its_target)?)))
            .collect()
    }

    /// All repositories.
    pub fn repositories(&self) -> &RepositorySet {
        &self.set
    }

    /// A layer's repositories as the lock names them.
    pub fn repository_texts(&self, section: &LayerSection) -> Vec<String> {
        let meant = self.repositories_of(section);
        let settings = self.repositories.iter();
        settings
            .filter(|settings| meant.iter().any(|one| one.name == settings.name))
            .filter_map(|settings| {
                let repository = self.set.named(&settings.name)?;
                Some(format!("{} {}", repository.name, repository.base))
            })
            .collect()
    }

    /// Does a package of a layer come as a source, whatever else there is?
    pub fn is_from_source(section: &LayerSection, package: &str) -> bool {
        section.package_type == PackageType::Source
            || section.from_source.iter().any(|name| name == package)
    }
}

/// A name of something to keep that is none is told before anything is built.
fn check_keep(manifest: &Manifest) -> Result<()> {
    for (layer, section) in &manifest.layers {
        let rules = PackagePruning::embedded().rules(&section.keep);
        rules.with_context(|| format!("{}, [layers.{layer}] keep", Manifest::NAME))?;
    }
    Ok(())
}

/// The repositories of flags, then those of the manifest; else Posit Package Manager's, then CRAN's.
fn named_repositories(
    options: &PackageOptions,
    manifest: &Manifest,
    recipe: &RuntimeRecipe,
) -> Result<Vec<RepositorySettings>> {
    let binaries = |wanted: Option<bool>| match wanted {
        Some(false) => Binaries::None,
        _ => Binaries::PackageManager {
            platform: recipe.posit.packages_platform.clone(),
        },
    };
    let typed = typed_repositories(options)?;
    let is_listed = |name: &str| manifest.repositories.get(name).is_some();
    let settings = |name: &str, base: String, wanted| RepositorySettings {
        name: name.to_owned(),
        base,
        snapshot: None,
        binaries: binaries(wanted),
    };
    let mut named = Vec::new();
    for (name, base) in typed.iter().filter(|(name, _)| !is_listed(name)) {
        named.push(settings(name, base.clone(), None));
    }
    for (name, section) in &manifest.repositories.0 {
        // A flag's URL may have what the manifest's must not: who asks.
        let base = typed.iter().find(|(typed, _)| typed == name);
        let base = base.map_or_else(|| section.snapshot_url(), |(_, base)| base.clone());
        named.push(settings(name, base, section.binaries));
    }
    if named.is_empty() {
        named = default_repositories(&options.runtime, manifest, recipe, binaries(None));
    }
    Ok(named)
}

/// What was typed of what [layers.NAME] can say too.
pub fn layer_options(options: &PackageOptions) -> LayerOptions {
    LayerOptions {
        package_type: options.package_type.map(Into::into),
        compression: options.compression.map(Into::into),
        keep: options.keep.clone(),
        system_packages: options.system_package.clone(),
    }
}

/// The repositories of `--repo`, by their names.
pub fn typed_repositories(options: &PackageOptions) -> Result<Vec<(String, String)>> {
    let mut typed = Vec::new();
    for text in &options.repo {
        let (name, base) = match text.split_once('=') {
            Some((name, base)) if !name.contains(['/', ':', '.']) => (name.to_owned(), base),
            _ => (format!("repo{}", typed.len() + 1), text.as_str()),
        };
        if base.is_empty() {
            bail!(
                "--repo {text}: type a URL or a folder, as --repo company=https://r.example.org/cran"
            );
        }
        typed.push((name, base.to_owned()));
    }
    Ok(typed)
}

fn default_repositories(
    options: &RuntimeOptions,
    manifest: &Manifest,
    recipe: &RuntimeRecipe,
    binaries: Binaries,
) -> Vec<RepositorySettings> {
    let section = &manifest.runtime;
    let p3m = options.p3m.as_ref().or(section.p3m.as_ref());
    let repository = |name: String, base: &str, binaries| RepositorySettings {
        name,
        base: base.to_owned(),
        snapshot: None,
        binaries,
    };
    let p3m = p3m.unwrap_or(&recipe.posit.packages);
    let mut all = vec![repository("p3m".to_owned(), p3m, binaries)];
    let lists = [&options.cran, &section.cran, &recipe.cran.mirrors];
    let mirrors = lists.into_iter().find(|list| !list.is_empty());
    for (index, mirror) in mirrors.into_iter().flatten().enumerate() {
        let name = match index {
            0 => "cran".to_owned(),
            _ => format!("cran{}", index + 1),
        };
        all.push(repository(name, mirror, Binaries::None));
    }
    all
}

/// A folder of its own with a copy of the lock.
fn copy_of_lock(project: &Path) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let lock = project.join(Lockfile::NAME);
    if lock.is_file() {
        fs_err::copy(&lock, folder.path().join(Lockfile::NAME))?;
    }
    Ok(folder)
}
