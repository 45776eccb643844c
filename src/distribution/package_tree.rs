//! Binary packages as they go into a layer: from their tarballs, without a copy of their files on the disk.

use rayon::prelude::*;

use super::prebuilt::{LARGEST_PACKAGE, PrebuiltError, check_package};
use crate::archive::{TarballFiles, read_files};
use crate::layer::{Entry, LayerTree};
use crate::lockfile::BuiltFor;
use crate::repository::PackageFile;

/// The files of binary packages by their paths in the package, read on all cores; in the order of the files.
pub async fn binary_package_trees(
    files: Vec<PackageFile>,
    built_for: BuiltFor,
) -> Result<Vec<LayerTree>, PrebuiltError> {
    let read = move || {
        let files = files.par_iter().with_max_len(1);
        files.map(|file| tree_of(file, &built_for)).collect()
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(std::io::Error::other)?
}

fn tree_of(file: &PackageFile, built_for: &BuiltFor) -> Result<LayerTree, PrebuiltError> {
    let tarball = file.tarball();
    let files =
        read_files(&tarball.path, LARGEST_PACKAGE).map_err(|error| error.of(tarball.known_as()))?;
    let top = top_folder(&files);
    let text = files.get(&format!("{top}DESCRIPTION"));
    let text = text.map(|file| String::from_utf8_lossy(&file.content).into_owned());
    let (name, version) = (&file.name, &file.version);
    check_package(&tarball, text.as_deref(), name, version, built_for)?;
    let mut tree = LayerTree::default();
    for (path, file) in &files {
        let entry = Entry::bytes(file.content.clone(), file.executable);
        tree.insert(&path[top.len()..], entry);
    }
    Ok(tree)
}

/// `pkg/`, if everything is in that one folder.
fn top_folder(files: &TarballFiles) -> String {
    let first = files.keys().next().and_then(|path| path.split_once('/'));
    let top = first.map_or(String::new(), |(top, _)| format!("{top}/"));
    match files.keys().all(|path| path.starts_with(&top)) {
        true => top,
        false => String::new(),
    }
}
