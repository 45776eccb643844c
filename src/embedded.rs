//! What `layers/` holds, in the program itself: an installed r-layer needs no checkout beside it.

use include_dir::{Dir, include_dir};

static LAYERS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/layers");

/// The text of a file below `layers/`.
///
/// # Panics
/// If there is no such file, which a test of every caller would show.
#[expect(clippy::panic, reason = "the files are part of the program")]
pub fn text(path: &str) -> &'static str {
    LAYERS
        .get_file(path)
        .and_then(|file| file.contents_utf8())
        .unwrap_or_else(|| panic!("layers/{path} is part of the program"))
}

/// The folders below `layers/` that have a recipe (`layer.toml`), sorted.
pub fn layers() -> Vec<&'static str> {
    let has_recipe = |folder: &&Dir<'static>| {
        let recipe = folder.path().join("layer.toml");
        folder.get_file(recipe).is_some()
    };
    let folders = LAYERS.dirs().filter(has_recipe);
    let mut names: Vec<&str> = folders
        .filter_map(|folder| folder.path().to_str())
        .collect();
    names.sort_unstable();
    names
}

/// The files in a folder below `layers/`, sorted: (name, content). Folders in it are left out.
pub fn files(folder: &str) -> Vec<(String, &'static [u8])> {
    let mut files = all_files(folder);
    files.retain(|(name, _)| !name.contains('/'));
    files
}

/// The files in a folder below `layers/` and in all folders in it, sorted: (path in the folder, content).
pub fn all_files(folder: &str) -> Vec<(String, &'static [u8])> {
    let mut files = Vec::new();
    let mut open: Vec<_> = LAYERS.get_dir(folder).into_iter().collect();
    while let Some(next) = open.pop() {
        open.extend(next.dirs());
        files.extend(next.files().filter_map(|file| {
            let path = file.path().strip_prefix(folder).ok()?.to_str()?;
            Some((path.to_owned(), file.contents()))
        }));
    }
    files.sort();
    files
}
