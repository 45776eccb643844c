//! Completing a layer from a build root, an RPM repository or both: the libraries that it lacks, the data that these need,
//! and what is to be set for them.

use std::collections::BTreeSet;

use super::{FetchedLibraries, LockedRpm, RpmError, RpmRepository, Wanted};
use crate::elf::{LibraryFolders, LibraryOrigin, LibrarySource};
use crate::layer::LayerTree;
use crate::layer::complete::{AddedLibrary, CompleteError, complete_beside, own_libraries};
use crate::layer::elf_files::{elf_files, file_name};
use crate::layer::library_data::{
    AddedData, DataError, DataRoots, DataRule, data_packages, insert_data, insert_environment,
};
use crate::target::{Architecture, Target};

/// Why a layer could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum CompletionError {
    /// Libraries that are nowhere, or files that cannot be read.
    #[error(transparent)]
    Complete(#[from] CompleteError),
    /// The repository.
    #[error(transparent)]
    Repository(#[from] RpmError),
    /// The libraries' data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What a layer is completed from, and for what.
pub struct Completion<'a> {
    /// The layer's name.
    pub layer: &'a str,
    /// What Lambda offers.
    pub target: &'static Target,
    /// For which processor.
    pub architecture: Architecture,
    /// The sonames that the layers below it have.
    pub below: &'a BTreeSet<String>,
    /// The roots that packages were compiled in, which are searched first.
    pub roots: &'a [LibraryFolders],
    /// The repository that is searched then.
    pub repository: Option<&'a RpmRepository<'a>>,
    /// Packages that the lock pins.
    pub pinned: &'a [LockedRpm],
    /// Which data libraries need.
    pub rules: &'a [DataRule],
    /// Whether what a file of the layer needs is to be added, by its path.
    pub counts: &'a (dyn Fn(&str) -> bool + Sync),
}

/// What was added to a layer.
#[derive(Clone, Debug, Default)]
pub struct Completed {
    /// Libraries.
    pub added: Vec<AddedLibrary>,
    /// Data.
    pub data: AddedData,
    /// Packages that the lock is to pin.
    pub locked: Vec<LockedRpm>,
}

impl Completion<'_> {
    /// Adds to a layer what it lacks. Data may be libraries themselves (ImageMagick's coders), and need others in turn.
    pub async fn complete(&self, tree: &mut LayerTree) -> Result<Completed, CompletionError> {
        let mut completed = Completed::default();
        let mut fetched = FetchedLibraries::default();
        loop {
            let added = self.libraries(tree, &mut fetched).await?;
            let data = self.data(tree, &added, &mut fetched).await?;
            let again = data.has_libraries;
            completed.added.extend(added);
            completed.data.add(data);
            if !again {
                break;
            }
        }
        insert_environment(tree, self.layer, &completed.data.environment);
        completed.locked = fetched.locked();
        Ok(completed)
    }

    async fn libraries(
        &self,
        tree: &mut LayerTree,
        fetched: &mut FetchedLibraries,
    ) -> Result<Vec<AddedLibrary>, CompletionError> {
        let mut files = elf_files(tree)?;
        files.retain(|path, _| (self.counts)(path));
        let own = own_libraries(tree);
        let provided = |soname: &str| {
            own.contains(soname)
                || self.below.contains(soname)
                || self.target.guarantees(soname, self.architecture)
        };
        if let Some(repository) = self.repository {
            let roots = self.roots.iter();
            let roots: Vec<_> = roots
                .map(|root| root as &(dyn LibrarySource + Sync))
                .collect();
            let wanted = Wanted {
                files: &files,
                provided: &provided,
                before: &roots,
                pinned: self.pinned,
            };
            repository.libraries(&wanted, fetched).await?;
        }
        let mut sources: Vec<&dyn LibrarySource> = Vec::new();
        sources.extend(self.roots.iter().map(|root| root as &dyn LibrarySource));
        if self.repository.is_some() {
            sources.push(fetched);
        }
        Ok(complete_beside(
            tree,
            &files,
            provided,
            self.architecture,
            &sources[..],
        )?)
    }

    async fn data(
        &self,
        tree: &mut LayerTree,
        added: &[AddedLibrary],
        fetched: &mut FetchedLibraries,
    ) -> Result<AddedData, CompletionError> {
        if let Some(repository) = self.repository {
            let from_rpms: Vec<&str> = added
                .iter()
                .filter(|library| matches!(library.from, LibraryOrigin::Rpm(_)))
                .map(|library| file_name(&library.path))
                .collect();
            let names = data_packages(self.rules, from_rpms).map_err(DataError::from)?;
            // Not every name is one in every repository: whether the data are there is what counts.
            repository
                .add_packages(fetched, &names, self.pinned)
                .await?;
        }
        let roots = DataRoots {
            build_roots: self
                .roots
                .iter()
                .map(|root| root.root().to_owned())
                .collect(),
            packages: fetched
                .packages()
                .map(|(_, folder)| folder.to_owned())
                .collect(),
        };
        Ok(insert_data(tree, added, self.rules, &roots)?)
    }
}
