//! The system libraries that packages need and neither Lambda nor another layer of the function has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Error, Result, anyhow, bail};

use super::plan::{LayerPlan, LibrariesFrom};
use crate::commands::packing::package_of;
use crate::elf::{ElfFile, LibraryFolders, LibraryOrigin, MissingLibrary};
use crate::layer::complete::{AddedLibrary, CompleteError};
use crate::layer::elf_files::{ElfFiles, elf_files, file_name};
use crate::layer::layer_data::{DataSource, LayerData, absent};
use crate::layer::library_data::insert_environment;
use crate::layer::library_rules::LibraryRules;
use crate::layer::system_package::{SystemPackage, owners};
use crate::layer::{ExaminedLayer, LayerTree};
use crate::repository::rpm_repository::{Completed, Completion, CompletionError, FetchedLibraries};

/// Adds the libraries to the tree: first those of compiled packages, from where they were compiled, then those of fetched
/// ones, from the target's repository.
pub async fn complete(plan: &LayerPlan<'_>, tree: &mut LayerTree) -> Result<Completed> {
    let below = sonames_of(plan.others);
    let roots: Vec<LibraryFolders> = plan
        .build_roots
        .iter()
        .map(|root| LibraryFolders::of_root(root, plan.architecture, &[]))
        .collect();
    let mut all = Completed::default();
    for from in [LibrariesFrom::BuildRoot, LibrariesFrom::Repository] {
        let members = plan.packages_with(from);
        let uses_roots = from == LibrariesFrom::BuildRoot || plan.rpm.is_none();
        let counts = |path: &str| package_of(path).is_none_or(|name| members.contains(name));
        let completion = Completion {
            layer: plan.name,
            target: plan.target,
            architecture: plan.architecture,
            below: &below,
            roots: if uses_roots { &roots } else { &[] },
            repository: plan.rpm,
            pinned: plan.pinned,
            rules: &LibraryRules::embedded().data,
            counts: &counts,
        };
        let completed = completion.complete(tree).await;
        let completed = completed.map_err(|error| explained(error, plan))?;
        all.added.extend(completed.added);
        all.data.add(completed.data);
        all.locked.extend(completed.locked);
    }
    all.added.sort_by(|one, other| one.path.cmp(&other.path));
    all.locked.sort();
    all.locked.dedup();
    insert_environment(tree, plan.name, &all.data.environment);
    Ok(all)
}

/// Adds the data that the layer has by itself: from where R or packages were compiled, if they are there, else from the
/// target's repository.
pub async fn insert_data(
    plan: &LayerPlan<'_>,
    tree: &mut LayerTree,
    completed: &mut Completed,
) -> Result<LayerData> {
    let mut data = LayerData::default();
    let roots = plan.build_roots.iter().map(|root| DataSource {
        root: root.clone(),
        package: None,
    });
    let roots: Vec<DataSource> = roots.collect();
    for rule in &plan.beside_packages.data {
        if absent(rule, &roots)?.is_empty() {
            data.insert(tree, rule, &roots)?;
            continue;
        }
        let mut fetched = FetchedLibraries::default();
        if let Some(repository) = plan.rpm {
            repository
                .add_packages(&mut fetched, &rule.packages, plan.pinned)
                .await?;
        }
        let packages = fetched.packages().map(|(package, folder)| DataSource {
            root: folder.to_owned(),
            package: Some(package.clone()),
        });
        let packages: Vec<DataSource> = packages.collect();
        if !absent(rule, &packages)?.is_empty() {
            let names: Vec<&str> = rule.packages.iter().map(String::as_str).collect();
            bail!(
                "{}: they are neither where R was compiled nor in the system's package repository, in {}",
                rule.reason,
                names.join(", ")
            );
        }
        data.insert(tree, rule, &packages)?;
        completed.locked.extend(fetched.locked());
    }
    completed.locked.sort();
    completed.locked.dedup();
    completed.data.notes.extend(data.notes.iter().cloned());
    completed.data.environment.extend(
        data.environment
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    insert_environment(tree, plan.name, &completed.data.environment);
    Ok(data)
}

/// The libraries that files of a later layer find in these: those in `lib/`, and R's own with those that came with it.
fn sonames_of(layers: &[ExaminedLayer]) -> BTreeSet<String> {
    let paths = layers.iter().flat_map(ExaminedLayer::elf_files);
    paths
        .filter_map(|(entry, _)| {
            let path = entry.path.as_str();
            let name = path
                .strip_prefix("R/lib/")
                .map(|name| name.strip_prefix(".libs/").unwrap_or(name))
                .or_else(|| path.strip_prefix("lib/"))?;
            (!name.contains('/')).then(|| name.to_owned())
        })
        .collect()
}

/// Says of libraries that are nowhere which package wants them, and what to do.
fn explained(error: CompletionError, plan: &LayerPlan<'_>) -> Error {
    let CompletionError::Complete(CompleteError::Missing(missing)) = error else {
        return error.into();
    };
    let searched = match (plan.build_roots.is_empty(), plan.rpm.is_some()) {
        (true, true) => "in the system's package repository",
        (false, true) => "where it was compiled, nor in the system's package repository",
        (_, false) => "where it was compiled",
    };
    let lines = missing.iter().map(|library| {
        let MissingLibrary {
            soname, needed_by, ..
        } = library;
        let whose = package_of(needed_by)
            .map(|package| format!("package {package}: "))
            .unwrap_or_default();
        format!("{whose}{needed_by} needs {soname}, which Lambda lacks and which is not {searched}")
    });
    let lines: Vec<String> = lines.collect();
    anyhow!(
        "{}\nName the system's package that has the library with --system-package, or take the R package out",
        lines.join("\n")
    )
}

/// Which packages need a file that is no package's own: a library, the data of a library.
pub struct Needs {
    needed_by: BTreeMap<String, BTreeSet<String>>,
}

impl Needs {
    /// Follows what the files of each package need through the libraries of the layer.
    pub fn of(tree: &LayerTree, completed: &Completed) -> std::io::Result<Needs> {
        let files = elf_files(tree)?;
        let own: BTreeMap<&str, &str> = files
            .keys()
            .filter(|path| path.starts_with("lib/"))
            .map(|path| (file_name(path), path.as_str()))
            .collect();
        let mut packages: BTreeMap<&str, Vec<&ElfFile>> = BTreeMap::new();
        for (path, elf) in &files {
            if let Some(package) = package_of(path) {
                packages.entry(package).or_default().push(elf);
            }
        }
        let mut needed_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (package, start) in packages {
            for path in reached(start, &own, &files, &completed.data.needed_by) {
                let users = needed_by.entry(path.to_owned()).or_default();
                users.insert(package.to_owned());
            }
        }
        Ok(Needs { needed_by })
    }

    /// The packages that need a file; of the settings of the layer, those that need any data.
    pub fn of_path(&self, path: &str, completed: &Completed) -> Vec<String> {
        let libraries = completed.data.needed_by.values();
        let users: BTreeSet<&String> = match self.needed_by.get(path) {
            Some(users) => users.iter().collect(),
            None => libraries
                .filter_map(|library| self.needed_by.get(library))
                .flatten()
                .collect(),
        };
        users.into_iter().cloned().collect()
    }
}

/// The libraries of the layer that files need, directly or through others, with the data of these.
fn reached<'a>(
    start: Vec<&'a ElfFile>,
    own: &BTreeMap<&str, &'a str>,
    files: &'a ElfFiles,
    data: &'a BTreeMap<String, String>,
) -> BTreeSet<&'a str> {
    let (mut reached, mut open) = (BTreeSet::new(), start);
    while let Some(elf) = open.pop() {
        let needed = elf.needed.iter();
        for library in needed.filter_map(|soname| own.get(soname.as_str()).copied()) {
            if !reached.insert(library) {
                continue;
            }
            open.extend(files.get(library));
            for (path, _) in data.iter().filter(|(_, needs)| *needs == library) {
                reached.insert(path.as_str());
                open.extend(files.get(path));
            }
        }
    }
    reached
}

/// The distribution's packages that libraries and data came from: path in the layer → package.
pub fn owners_of(
    plan: &LayerPlan<'_>,
    completed: &Completed,
    data: &LayerData,
) -> BTreeMap<String, SystemPackage> {
    let mut all = BTreeMap::new();
    let added: Vec<AddedLibrary> = completed.added.iter().chain(&data.files).cloned().collect();
    // Without a root, what was fetched is known all the same.
    let roots = plan.build_roots.iter().map(|root| root.as_path());
    for root in roots.chain([Path::new("")]) {
        let found = owners(root, &added);
        all.extend(found);
    }
    for (path, license) in &data.licenses {
        if let Some(owner) = all.get_mut(path) {
            owner.license.get_or_insert_with(|| license.clone());
        }
    }
    all
}

/// Where each library came from, for the record: nothing of this machine.
pub fn origins(
    plan: &LayerPlan<'_>,
    completed: &Completed,
    owners: &BTreeMap<String, SystemPackage>,
) -> BTreeMap<String, String> {
    let origin = |path: &str, from: &LibraryOrigin| match (owners.get(path), from) {
        (Some(owner), _) => format!("{} {} ({})", owner.name, owner.version, owner.distribution),
        (None, LibraryOrigin::Rpm(package)) => package.nevra(),
        (None, LibraryOrigin::File(file)) => {
            let mut roots = plan.build_roots.iter();
            let within = roots.find_map(|root| file.strip_prefix(root).ok());
            let within = within.map_or(Path::new(""), |within| within);
            format!("/{} where packages were compiled", within.display())
        }
    };
    let added = completed.added.iter();
    added
        .map(|library| (library.path.clone(), origin(&library.path, &library.from)))
        .collect()
}
