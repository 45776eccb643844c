//! Packages that code asks for and nothing brings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::Place;

/// What the runtime layer has in a library of its own, for handlers that were written for it: a stand-in for this package.
const STAND_IN: &str = "lambdr";

/// How many places are shown.
const SHOWN: usize = 3;

/// Folders of the function's code that R looks for packages in: as `layers/runtime/bootstrap` sets them.
const LIBRARIES: [&str; 2] = ["library/", "R/library/"];

/// A package that the layers of a function lack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingPackage {
    /// Its name.
    pub package: String,
    /// Where it is asked for.
    pub places: Vec<Place>,
    /// What to type.
    pub command: String,
}

impl fmt::Display for MissingPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self
            .places
            .iter()
            .take(SHOWN)
            .map(Place::to_string)
            .collect();
        let more = match self.places.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let Self {
            package, command, ..
        } = self;
        write!(f, "{package} ({}{more}); type {command}", shown.join(", "))
    }
}

/// Which of the packages that are used are none of those that are known to be there: those of the layers
/// ([`crate::layer::BuildRecord::packages`]), and those of the code itself ([`of_the_code`]).
pub fn missing(
    used: &BTreeMap<String, Vec<Place>>,
    known: &BTreeSet<String>,
) -> Vec<MissingPackage> {
    let absent = used
        .iter()
        .filter(|(package, _)| !known.contains(*package) && *package != STAND_IN);
    let missing = absent.map(|(package, places)| MissingPackage {
        package: package.clone(),
        places: places.clone(),
        command: format!("r-layer add-packages {package}"),
    });
    missing.collect()
}

/// The packages that the function's code brings along, by the paths of its files: `library/NAME/DESCRIPTION`.
pub fn of_the_code<'a>(files: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let package = |file: &str| {
        let inside = LIBRARIES
            .iter()
            .find_map(|folder| file.strip_prefix(folder))?;
        let package = inside.strip_suffix("/DESCRIPTION")?;
        (!package.contains('/')).then(|| package.to_owned())
    };
    files.into_iter().filter_map(package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::used_packages::in_folder;

    #[test]
    fn what_nothing_brings_is_named_with_its_places_and_what_to_type() {
        let code = "library(MASS)\nlibrary(lambdr)\njsonlite::toJSON(1)\nMASS::huber\nMASS::area\nMASS::hubers\ncli::rule()\n";
        let used = in_folder(&[("script.R".into(), code.into())]);
        let known = ["jsonlite".to_owned()].into();
        let missing: Vec<String> = missing(&used, &known)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            missing,
            [
                "MASS (script.R:1, script.R:4, script.R:5 and 1 more); type r-layer add-packages MASS",
                "cli (script.R:7); type r-layer add-packages cli",
            ]
        );
    }

    #[test]
    fn packages_of_the_code_are_those_that_r_finds_there() {
        let files = [
            "library/cli/DESCRIPTION",
            "R/library/rlang/DESCRIPTION",
            "library/cli/libs/DESCRIPTION",
            "other/library/glue/DESCRIPTION",
            "DESCRIPTION",
        ];
        assert_eq!(
            of_the_code(files),
            ["cli".to_owned(), "rlang".to_owned()].into()
        );
    }
}
