//! What a new project consists of: the files in `layers/init`, by where they go.

use crate::embedded;

/// The function's name in the templates, which are thereby whole files themselves.
const NAME: &str = "my-function";

/// (path in the project, file in `layers/init`, what it is).
const FILES: [(&str, &str, &str); 8] = [
    ("r-layer.toml", "r-layer.toml", "what r-layer makes of it"),
    ("script.R", "script.R", "the handler"),
    ("event.json", "event.json", "an event for it"),
    ("tests/test-script.R", "test-script.R", "its tests"),
    (
        ".github/workflows/deploy.yml",
        "deploy.yml",
        "builds, audits, publishes and deploys it",
    ),
    (".gitignore", "gitignore", "what is not committed"),
    (".lambdaignore", "lambdaignore", "what is not deployed"),
    ("README.md", "README.md", "what to type"),
];

/// A file of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectFile {
    /// Its path in the project, with `/`.
    pub path: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    /// What is in it.
    pub text: String,
}

/// The files of a project with a function of that name.
pub fn project(name: &str) -> Vec<ProjectFile> {
    let files = FILES.iter().map(|&(path, template, what)| ProjectFile {
        path,
        what,
        text: embedded::text(&format!("init/{template}")).replace(NAME, name),
    });
    files.collect()
}

/// The name of a function, from that of a folder: what AWS does not take becomes `-`.
pub fn function_name(folder: &str) -> String {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: Vec<&str> = folder
        .split(|c| !is_taken(c))
        .filter(|word| !word.is_empty())
        .collect();
    let name: String = words.join("-").chars().take(64).collect();
    match name.is_empty() {
        true => NAME.to_owned(),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::RuntimeRecipe;
    use crate::manifest::Manifest;

    #[test]
    fn every_template_is_used_and_the_name_is_in_them() {
        let mut used: Vec<&str> = FILES.iter().map(|(_, template, _)| *template).collect();
        used.sort_unstable();
        let all = embedded::all_files("init");
        let there: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(used, there);
        for file in project("other") {
            assert!(!file.text.contains(NAME), "{}", file.path);
        }
    }

    #[test]
    fn the_manifest_is_one_of_the_r_that_r_layer_is_tested_with() {
        let folder = tempfile::tempdir().unwrap();
        let files = project("parity");
        let manifest = files
            .iter()
            .find(|file| file.path == Manifest::NAME)
            .unwrap();
        fs_err::write(folder.path().join(Manifest::NAME), &manifest.text).unwrap();
        let manifest = Manifest::read(folder.path()).unwrap();
        let recipe = RuntimeRecipe::embedded();
        assert_eq!(
            manifest.runtime.r_version.first(),
            Some(recipe.r.version.as_str())
        );
        assert_eq!(
            manifest.functions["parity"].handler.as_deref(),
            Some("script.parity")
        );
    }

    #[test]
    fn names_of_folders_become_names_of_functions() {
        for (folder, name) in [
            ("parity", "parity"),
            ("My models (2)", "My-models-2"),
            ("größe_1", "gr-e_1"),
            ("..", NAME),
        ] {
            assert_eq!(function_name(folder), name);
        }
        assert_eq!(function_name(&"x".repeat(70)).len(), 64);
    }
}
