//! A project's `DESCRIPTION`: what it depends on, and where that is had.
//!
//! <https://cran.r-project.org/doc/manuals/r-release/R-exts.html#Package-Dependencies>

use std::path::{Path, PathBuf};

use super::remotes::{Remote, parse_remote};
use super::{Bound, FileRepository, FileRequest, Origin, Unmet};
use crate::package::{DcfError, RVersion, parse_records};
use crate::package::{is_base_package, is_package_name};

/// The fields with what a package cannot do without, when it runs and when it is compiled.
const HARD: [&str; 3] = ["Depends", "Imports", "LinkingTo"];
/// The fields with what it can do without, which a remote may be for too.
const SOFT: [&str; 2] = ["Suggests", "Enhances"];
const OPERATORS: [&str; 6] = [">=", "<=", "==", "!=", ">", "<"];

/// Why a DESCRIPTION cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// Not in the format.
    #[error("{}: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: DcfError,
    },
    /// A dependency that is none.
    #[error("{}, {field}: `{text}` is no dependency; write one as dplyr or dplyr (>= 1.1)", path.display())]
    Dependency {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// The dependency.
        text: String,
    },
}

/// What a project's DESCRIPTION asks for.
#[derive(Clone, Debug, Default)]
pub struct ProjectDescription {
    /// The bounds of R's version.
    pub r: Vec<Bound>,
    /// The repositories beside the usual ones (`Additional_repositories`).
    pub repositories: Vec<FileRepository>,
    /// A request a package, sorted by name.
    pub requests: Vec<FileRequest>,
    /// The remotes that cannot be had, each with the reason.
    pub unmet: Vec<Unmet>,
}

impl ProjectDescription {
    /// The name of the file.
    pub const NAME: &'static str = "DESCRIPTION";

    /// Reads the text of a DESCRIPTION; the path is for messages. It need not be that of a package.
    pub fn parse(text: &str, path: &Path) -> Result<ProjectDescription, DescriptionError> {
        let malformed = |source| DescriptionError::Malformed {
            path: path.to_owned(),
            source,
        };
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let records = parse_records(&text).map_err(malformed)?;
        let record = records
            .iter()
            .next()
            .ok_or_else(|| malformed(DcfError::NoField("Imports")))?;
        let mut project = ProjectDescription::default();
        for field in HARD {
            let dependencies = listed(record.get(field).unwrap_or_default());
            for text in dependencies {
                project
                    .add(&text)
                    .ok_or_else(|| DescriptionError::Dependency {
                        path: path.to_owned(),
                        field,
                        text: text.clone(),
                    })?;
            }
        }
        let soft: Vec<String> = SOFT
            .iter()
            .flat_map(|field| listed(record.get(field).unwrap_or_default()))
            .collect();
        for remote in listed(record.get("Remotes").unwrap_or_default()) {
            project.apply_remote(&remote, &soft);
        }
        let repositories = listed(record.get("Additional_repositories").unwrap_or_default());
        let repositories = repositories.iter().enumerate();
        project.repositories = repositories
            .map(|(index, url)| FileRepository::new(&format!("additional-{}", index + 1), url))
            .collect();
        project
            .requests
            .sort_by(|one, other| one.package.cmp(&other.package));
        Ok(project)
    }

    /// Adds a dependency, if it is one.
    fn add(&mut self, text: &str) -> Option<()> {
        let (package, bound) = dependency(text)?;
        if package == "R" {
            self.r.extend(bound);
        } else if is_base_package(package) {
            // It comes with R, whatever is asked of its version.
        } else if let Some(request) = self.request(package) {
            let new = bound.filter(|bound| !request.bounds.contains(bound));
            request.bounds.extend(new);
        } else {
            self.requests.push(FileRequest {
                package: package.to_owned(),
                bounds: bound.into_iter().collect(),
                origin: Origin::any(),
            });
        }
        Some(())
    }

    fn request(&mut self, package: &str) -> Option<&mut FileRequest> {
        self.requests
            .iter_mut()
            .find(|request| request.package == package)
    }

    fn apply_remote(&mut self, text: &str, soft: &[String]) {
        let unmet = |reason: String| Unmet {
            package: format!("Remotes: {text}"),
            reason,
        };
        let Remote {
            package,
            guesses,
            origin,
        } = match parse_remote(text) {
            Ok(remote) => remote,
            Err(error) => {
                self.unmet.push(unmet(error.to_string()));
                return;
            }
        };
        let names: Vec<String> = package.map_or(guesses, |package| vec![package]);
        if let Some(name) = names.iter().find(|name| self.request(name).is_some()) {
            if let Some(request) = self.request(name) {
                request.origin = origin;
            }
            return;
        }
        let is_soft = |name: &String| {
            soft.iter()
                .any(|text| dependency(text).is_some_and(|(soft, _)| soft == name))
        };
        if !names.iter().any(is_soft) {
            self.unmet.push(unmet(format!(
                "none of the dependencies has its name; write it as PACKAGE={text}"
            )));
        }
    }
}

/// The items of a field, which commas part.
fn listed(field: &str) -> Vec<String> {
    let items = field
        .split(',')
        .map(|item| item.split_whitespace().collect::<Vec<_>>().join(" "));
    items.filter(|item| !item.is_empty()).collect()
}

/// `dplyr (>= 1.1)`: the package and its bound.
fn dependency(text: &str) -> Option<(&str, Option<Bound>)> {
    let (package, bound) = match text.split_once('(') {
        None => (text, None),
        Some((package, bound)) => (
            package.trim(),
            Some(parse_bound(bound.strip_suffix(')')?.trim())?),
        ),
    };
    (package == "R" || is_package_name(package)).then_some((package, bound))
}

fn parse_bound(text: &str) -> Option<Bound> {
    let operator = OPERATORS
        .into_iter()
        .find(|operator| text.starts_with(operator))?;
    let version = text[operator.len()..].trim();
    // `R (>= r12345)`, a revision of R's source, is no version.
    version.parse::<RVersion>().ok()?;
    Some(Bound {
        operator: operator.to_owned(),
        version: version.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> ProjectDescription {
        ProjectDescription::parse(text, Path::new("DESCRIPTION")).unwrap()
    }

    fn shown(project: &ProjectDescription) -> Vec<String> {
        project.requests.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn hard_dependencies_are_requests_and_what_comes_with_r_is_not() {
        let project = parsed(
            "Type: project\nDepends: R (>= 4.1), methods, data.table\nImports:\n    dplyr (>= 1.1.0),\n    utils,\n    \
             cli (>= 3.0), cli (< 4),\n    stats (>= 3.0)\nLinkingTo: Rcpp,\nSuggests: testthat\n",
        );
        assert_eq!(
            shown(&project),
            ["Rcpp", "cli>=3.0,<4", "data.table", "dplyr>=1.1.0"]
        );
        assert_eq!(
            (
                project.r[0].operator.as_str(),
                project.r[0].version.as_str()
            ),
            (">=", "4.1")
        );
        assert!(project.unmet.is_empty());
    }

    #[test]
    fn remotes_are_honoured_or_named() {
        let project = parsed(
            "Package: x\r\nImports: cli (>= 3.0), igraph, xgboost, yy\r\nSuggests: testthat (>= 3.0)\r\n\
             Remotes: r-lib/cli@v3.6.0, igraph=igraph/rigraph, dmlc/xgboost/R-package,\r\n  r-lib/testthat, a/other, \
             svn::https://svn.example/y\r\nAdditional_repositories: https://x.r-universe.dev\r\n",
        );
        assert_eq!(
            shown(&project),
            [
                "github::r-lib/cli@v3.6.0",
                "github::igraph/rigraph",
                "github::dmlc/xgboost/R-package",
                "yy"
            ]
        );
        assert_eq!(project.requests[0].bounds.len(), 1);
        let unmet: Vec<String> = project.unmet.iter().map(ToString::to_string).collect();
        assert_eq!(
            unmet,
            [
                "Remotes: a/other: none of the dependencies has its name; write it as PACKAGE=a/other",
                "Remotes: svn::https://svn.example/y: r-layer cannot fetch `svn::`; name it as git, GitHub, a URL or a \
                 path",
            ]
        );
        assert_eq!(
            project.repositories[0].url.as_str(),
            "https://x.r-universe.dev"
        );
        assert_eq!(project.repositories[0].name, "additional-1");
    }

    #[test]
    fn what_is_no_dependency_is_named_with_its_field() {
        for (text, words) in [
            (
                "Imports: dplyr >= 1.1\n",
                "DESCRIPTION, Imports: `dplyr >= 1.1` is no dependency",
            ),
            ("Imports: a\n", "`a` is no dependency"),
            ("Depends: dplyr (>= x)\n", "Depends: `dplyr (>= x)`"),
            ("Imports: dplyr (>= 1\n", "`dplyr (>= 1`"),
            ("<html>\n", "DESCRIPTION: this is not a DESCRIPTION file"),
            ("", "DESCRIPTION"),
        ] {
            let error = ProjectDescription::parse(text, Path::new("DESCRIPTION"))
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
