//! The function's code, as it is in /var/task.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::layer::tree::{Content, SourceFolder};
use crate::layer::{Entry, LayerTree};
use crate::os::is_executable;

/// What is in projects and is not the function's, at the top of the folder.
const NOT_CODE: [&str; 11] = [
    ".DS_Store",
    ".Rhistory",
    ".RData",
    ".Rproj.user",
    ".git",
    ".github",
    "Dockerfile",
    "r-layer.arns.json",
    "r-layer.lock",
    "r-layer.toml",
    ".svn",
];

/// The files of the code but for those that are not the function's, and what else is left out: layers' zips, a library of
/// packages that the layers hold.
pub fn code_tree(code: &Path, left_out: &[&Path]) -> Result<LayerTree> {
    let mut tree = LayerTree::default();
    for entry in fs_err::read_dir(code)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name
            .to_str()
            .with_context(|| format!("{} has a name that is not UTF-8", path.display()))?;
        let is_left_out = |out: &&Path| fs_err::canonicalize(out).is_ok_and(|out| out == path);
        if NOT_CODE.contains(&name) || left_out.iter().any(is_left_out) {
            continue;
        }
        let found = fs_err::metadata(&path)
            .with_context(|| format!("{} cannot be taken along", path.display()))?;
        if found.is_dir() {
            let dangling = tree.insert_folder(name, &SourceFolder::new(&path))?;
            if let Some(link) = dangling.first() {
                bail!("{link} in {} is a link that leads nowhere", code.display());
            }
        } else {
            let entry = Entry {
                size: found.len(),
                executable: is_executable(&found),
                content: Content::File(path),
            };
            tree.insert(name, entry);
        }
    }
    Ok(tree)
}
