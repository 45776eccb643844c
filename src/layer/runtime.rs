//! The runtime layer's tree: an R home, its packages, and the Lambda runtime in R.

use std::path::Path;

use serde_json::json;

use super::tree::{SourceFolder, TreeError};
use super::{Entry, LayerTree, RuntimeRecipe, runtime_start};
use crate::embedded;

/// R's home within the layer; on Lambda, /opt/R.
pub const R_HOME: &str = "R";

/// Takes an R home into a tree, as /opt/R. Returns the links in it that lead nowhere.
///
/// An R that was configured for another home names it in its start script, and a distribution's R has parts
/// of its home elsewhere: both are put right. R's system profile is continued by layers/runtime/Rprofile.R.
pub fn insert_r(tree: &mut LayerTree, folder: &SourceFolder) -> Result<Vec<String>, TreeError> {
    let dangling = tree.insert_folder(R_HOME, folder)?;
    let home = &folder.path;
    let script = fs_err::read_to_string(home.join("bin/R"))?;
    for (variable, folder) in [("R_SHARE_DIR", "share"), ("R_DOC_DIR", "doc")] {
        if !home.join(folder).exists()
            && let Some(elsewhere) = assigned(&script, variable)
            && Path::new(elsewhere).is_dir()
        {
            let place = format!("{R_HOME}/{folder}");
            tree.insert_folder(&place, &SourceFolder::new(elsewhere))?;
        }
    }
    tree.insert(
        format!("{R_HOME}/bin/R"),
        Entry::bytes(relocated(&script).into_bytes(), true),
    );
    let profile = fs_err::read_to_string(home.join("library/base/R/Rprofile"))?;
    let profile = profile + embedded::text("runtime/Rprofile.R");
    tree.insert(
        format!("{R_HOME}/library/base/R/Rprofile"),
        Entry::bytes(profile.into_bytes(), false),
    );
    Ok(dangling)
}

fn assigned<'a>(script: &'a str, variable: &str) -> Option<&'a str> {
    script
        .lines()
        .find_map(|line| line.strip_prefix(variable)?.strip_prefix('='))
}

/// `bin/R` with the folders that R has on Lambda.
fn relocated(script: &str) -> String {
    let folders = [
        ("R_HOME_DIR", "/opt/R"),
        ("R_SHARE_DIR", "/opt/R/share"),
        ("R_INCLUDE_DIR", "/opt/R/include"),
        ("R_DOC_DIR", "/opt/R/doc"),
    ];
    let line_of = |line: &str| {
        folders
            .iter()
            .find(|(variable, _)| {
                line.strip_prefix(variable)
                    .is_some_and(|rest| rest.starts_with('='))
            })
            .map_or_else(
                || line.to_owned(),
                |(variable, folder)| format!("{variable}={folder}"),
            )
    };
    script.lines().map(|line| line_of(line) + "\n").collect()
}

/// Adds bootstrap and the runtime's R code.
pub fn insert_runtime(tree: &mut LayerTree) {
    tree.insert(
        "bootstrap",
        Entry::bytes(embedded::text("runtime/bootstrap").as_bytes(), true),
    );
    for (name, content) in embedded::all_files("runtime/r-layer") {
        tree.insert(format!("r-layer/{name}"), Entry::bytes(content, false));
    }
    insert_start(tree);
}

/// Adds what main.R reads instead of all files: see [`runtime_start`].
fn insert_start(tree: &mut LayerTree) {
    let early = &RuntimeRecipe::embedded().start.files;
    let text = |name: &String| embedded::text(&format!("runtime/r-layer/{name}"));
    let bundle = runtime_start::bundle(early.iter().map(text));
    let late = embedded::files("runtime/r-layer").into_iter();
    let late: Vec<String> = late
        .map(|(name, _)| name)
        .filter(|name| name != "main.R" && !early.contains(name))
        .collect();
    let index = runtime_start::index(late.iter().map(|name| (name.as_str(), text(name))));
    for (name, content) in [("functions.R", bundle), ("index", index)] {
        let content = Entry::bytes(content.into_bytes(), false);
        tree.insert(format!("r-layer/start/{name}"), content);
    }
}

/// Adds what a running function can say of the layer that it runs on: `r-layer/NAME.json`.
pub fn insert_description(
    tree: &mut LayerTree,
    name: &str,
    r_version: &str,
    target: &str,
    architecture: &str,
) {
    let text = json!({
        "name": name,
        "r_version": r_version,
        "target": target,
        "architecture": architecture,
        "r_layer_version": env!("CARGO_PKG_VERSION"),
    });
    let content = format!("{text:#}\n").into_bytes();
    tree.insert(format!("r-layer/{name}.json"), Entry::bytes(content, false));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_r_of_another_home_is_told_its_new_one() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        for folder in ["bin", "library/base/R"] {
            fs_err::create_dir_all(home.path().join(folder)).unwrap();
        }
        fs_err::write(home.path().join("library/base/R/Rprofile"), "T <- TRUE\n").unwrap();
        fs_err::write(elsewhere.path().join("COPYING"), "GPL").unwrap();
        let script = format!(
            "#!/bin/sh\nR_HOME_DIR=/usr/lib/R\nR_DOC_DIR={}\nR_HOME_DIR_X=1\nexec R\n",
            elsewhere.path().display()
        );
        fs_err::write(home.path().join("bin/R"), script).unwrap();
        let mut tree = LayerTree::default();
        insert_r(&mut tree, &SourceFolder::new(home.path())).unwrap();
        let script = tree.get("R/bin/R").unwrap().read().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&script),
            "#!/bin/sh\nR_HOME_DIR=/opt/R\nR_DOC_DIR=/opt/R/doc\nR_HOME_DIR_X=1\nexec R\n"
        );
        assert!(tree.get("R/doc/COPYING").is_some());
        let profile = tree
            .get("R/library/base/R/Rprofile")
            .unwrap()
            .read()
            .unwrap();
        let profile = String::from_utf8_lossy(&profile);
        assert!(profile.starts_with("T <- TRUE\n") && profile.contains("Sys.which"));
    }

    #[test]
    fn the_runtime_is_in_the_program() {
        let mut tree = LayerTree::default();
        insert_runtime(&mut tree);
        assert_eq!(tree.get("bootstrap").unwrap().mode(), 0o755);
        assert!(tree.get("r-layer/main.R").is_some());
        let start = |name: &str| {
            let content = tree.get(&format!("r-layer/start/{name}")).unwrap().read();
            String::from_utf8_lossy(&content.unwrap()).into_owned()
        };
        assert!(start("functions.R").contains("start <- function()"));
        assert!(start("index").contains("trace.R "));
        assert!(!start("index").contains("session.R"));
        assert!(
            tree.get("r-layer/library/lambdr/Meta/package.rds")
                .is_some()
        );
    }
}
