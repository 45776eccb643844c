//! What is in folders of R users and does not belong into a function: by name, and why.

use serde::Serialize;

/// Something that is there and is not deployed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOut {
    /// Its path in the folder; a folder stands for all that is in it.
    pub path: String,
    /// Why.
    pub reason: String,
    /// Is it what everybody expects to be left out? What may hold secrets or settings is named, so that nobody misses it.
    pub is_expected: bool,
}

/// By what a file or folder is known.
enum Known {
    /// Its name, wherever it is.
    Name(&'static str),
    /// The end of its name.
    End(&'static str),
    /// The end of its path.
    Path(&'static str),
    /// Its path from the folder's root.
    Root(&'static str),
}

use Known::{End, Name, Path, Root};

const OF_GIT: &str = "a repository's own";
const OF_R: &str = "what R and RStudio leave behind";
const SETTINGS: &str =
    "it may hold secrets; a function gets its variables with --env or --env-file";
const SECRET: &str =
    "it may hold secrets; a function gets them from its role or from its variables";
const OF_PROJECT: &str = "the project's, not the function's";
const PACKAGES: &str = "packages of this machine; a function has them from layers";

/// What it is, why it is left out, and whether everybody expects that.
const RULES: &[(Known, &str, bool)] = &[
    (Name(".git"), OF_GIT, true),
    (Name(".gitignore"), OF_GIT, true),
    (Name(".gitattributes"), OF_GIT, true),
    (Name(".github"), OF_GIT, true),
    (Name(".svn"), OF_GIT, true),
    (Name(super::IGNORE_FILE), OF_PROJECT, true),
    (Name(".Rproj.user"), OF_R, true),
    (Name(".Rhistory"), OF_R, true),
    (Name(".RData"), OF_R, false),
    (Name(".DS_Store"), OF_R, true),
    (Name("__pycache__"), OF_R, true),
    (End(".Rproj"), OF_R, true),
    (Path("renv/library"), PACKAGES, true),
    (Path("renv/staging"), PACKAGES, true),
    (Path("renv/python"), PACKAGES, true),
    (Path("packrat/lib"), PACKAGES, true),
    (Name(".Renviron"), SETTINGS, false),
    (Name(".env"), SETTINGS, false),
    (Name(".aws"), SECRET, false),
    (Name(".ssh"), SECRET, false),
    (Name(".netrc"), SECRET, false),
    (Name(".pgpass"), SECRET, false),
    (Name(".httr-oauth"), SECRET, false),
    (Name(".secrets"), SECRET, false),
    (Name("credentials"), SECRET, false),
    (Name("credentials.json"), SECRET, false),
    (Name("id_rsa"), SECRET, false),
    (Name("id_ed25519"), SECRET, false),
    (End(".pem"), SECRET, false),
    (End(".key"), SECRET, false),
    (End(".p12"), SECRET, false),
    (End(".pfx"), SECRET, false),
    (Root("dist"), OF_PROJECT, true),
    (Root("r-layer.toml"), OF_PROJECT, true),
    (Root("r-layer.lock"), OF_PROJECT, true),
    (Root("r-layer.arns.json"), OF_PROJECT, true),
];

/// Why a path is left out, and whether everybody expects that; nothing if it is not.
pub fn reason(path: &str) -> Option<(&'static str, bool)> {
    let name = path.rsplit('/').next()?;
    let is_it = |known: &Known| match known {
        Name(own) => name == *own,
        End(end) => name.len() > end.len() && name.ends_with(end),
        Path(end) => {
            path == *end
                || path
                    .strip_suffix(end)
                    .is_some_and(|rest| rest.ends_with('/'))
        }
        Root(own) => path == *own,
    };
    // `.env.production` and the like.
    if name.starts_with(".env.") {
        return Some((SETTINGS, false));
    }
    let mut rules = RULES.iter();
    let rule = rules.find(|(known, _, _)| is_it(known));
    rule.map(|(_, reason, is_expected)| (*reason, *is_expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_by_name_by_end_and_by_place() {
        for (path, is_out) in [
            ("a/.Renviron", true),
            ("Renviron", false),
            ("x/y.pem", true),
            (".pem", false),
            ("renv/library", true),
            ("sub/renv/library", true),
            ("myrenv/library", false),
            ("dist", true),
            ("sub/dist", false),
            (".env.production", true),
            (".environment", false),
            ("script.R", false),
        ] {
            assert_eq!(reason(path).is_some(), is_out, "{path}");
        }
    }
}
