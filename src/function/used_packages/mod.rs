//! Which packages R code asks for, and which of them the layers of a function lack: told before anything is deployed.
//!
//! `library()` and its like with a package's name, and `package::name`. What a program puts together when it runs
//! (`library(x, character.only = TRUE)`, `lapply(packages, library)`) is not seen, and what strings and comments say is not
//! code. R's own parser sees the same in the same text ([`r_code`]), by `layers/proof/used_packages.R`; fixtures in
//! `tests/fixtures/used_packages` are read by both.

mod calls;
mod chunks;
mod missing;
mod tokens;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::package::{is_base_package, is_package_name};
pub use chunks::r_code;
pub use missing::{MissingPackage, missing, of_the_code};

/// Where a package is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Folders of R projects whose code no handler runs: packages that came along, what renv and packrat start with, tests.
const NOT_RUN: [&str; 5] = ["library/", "R/library/", "renv/", "packrat/", "tests/"];

/// Is this file, by its path in the function's code, one whose packages count?
pub fn is_run(path: &str) -> bool {
    !NOT_RUN.iter().any(|folder| path.starts_with(folder))
}

/// Which packages files ask for, and where: R, R Markdown and Quarto, by (path in the function's code, text). R's base
/// packages are always there and are not told.
pub fn in_folder(sources: &[(String, String)]) -> BTreeMap<String, Vec<Place>> {
    let files = sources.iter().filter(|(path, _)| is_run(path));
    let uses = files.flat_map(|(path, text)| {
        let uses = in_code(&r_code(path, text)).into_iter();
        uses.map(|(package, line)| (package, path.as_str(), line))
    });
    by_package(uses)
}

/// Which packages R code asks for: (package, line from 1), in the order of the lines.
pub fn in_code(code: &str) -> Vec<(String, usize)> {
    calls::uses(&tokens::tokens(code))
}

/// Where each package is used, from uses in whatever order, without what is no name and without base packages.
pub fn by_package<'a>(
    uses: impl Iterator<Item = (String, &'a str, usize)>,
) -> BTreeMap<String, Vec<Place>> {
    let mut packages: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (package, file, line) in uses {
        if is_package_name(&package) && !is_base_package(&package) {
            packages.entry(package).or_default().push(Place {
                file: file.to_owned(),
                line,
            });
        }
    }
    for places in packages.values_mut() {
        places.sort();
        places.dedup();
    }
    packages
}

#[cfg(test)]
mod tests;
