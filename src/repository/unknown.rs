//! A package that no index has: is it archived, is it in Bioconductor? Asked only then.

use std::fmt;

use futures_util::future::join_all;

use super::packages::PackageSources;
use super::{ContribFolder, Mirror, RepositorySet};
use crate::package::{RVersion, is_package_name};

/// Where a package that no index has is all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPackage {
    /// Its name.
    pub name: String,
    /// Repositories in whose archive it is: their names, and its versions there, newest first.
    pub archived: Vec<(String, Vec<RVersion>)>,
    /// Is it in Bioconductor?
    pub in_bioconductor: bool,
}

impl fmt::Display for UnknownPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        for (repository, versions) in &self.archived {
            if let Some(newest) = versions.first() {
                writeln!(
                    f,
                    "{name} is in the archive of {repository}: it was taken out of its index. `{name}=={newest}` asks for \
                     the last version"
                )?;
            }
        }
        if self.in_bioconductor {
            writeln!(
                f,
                "{name} is in Bioconductor, which is none of the repositories"
            )?;
        }
        Ok(())
    }
}

impl PackageSources<'_> {
    /// Looks for a package that no index has in the archives of all repositories, and in Bioconductor's index, whose
    /// base (`https://bioconductor.org/packages/release/bioc`) lies over `src/contrib`. Places that cannot be asked
    /// say nothing; without a network nothing is asked but folders of this machine and Bioconductor's index in the
    /// cache.
    pub async fn unknown_package(
        &self,
        name: &str,
        repositories: &RepositorySet,
        bioconductor: Option<&Mirror>,
    ) -> UnknownPackage {
        let mut found = UnknownPackage {
            name: name.to_owned(),
            archived: Vec::new(),
            in_bioconductor: false,
        };
        if !is_package_name(name) {
            return found;
        }
        let asked = repositories.iter().map(async |repository| {
            let versions = self.archived_versions(name, &repository.sources()).await;
            (repository.name.clone(), versions)
        });
        found.archived = join_all(asked).await;
        found.archived.retain(|(_, versions)| !versions.is_empty());
        if let Some(base) = bioconductor {
            let folder = ContribFolder::of_sources("Bioconductor", base.below("src/contrib"));
            let index = self.index(&folder).await;
            found.in_bioconductor = index.is_ok_and(|index| has_record(&index.text, name));
        }
        found
    }

    /// The versions of a package in a repository's archive, newest first, by its listing of `Archive/PKG`.
    pub async fn archived_versions(&self, name: &str, folder: &ContribFolder) -> Vec<RVersion> {
        if !is_package_name(name) || (self.offline && folder.base().is_on_a_server()) {
            return Vec::new();
        }
        let names = format!("Archive/{name}");
        let names = folder.base().names(&names, self.http).await;
        let mut versions: Vec<RVersion> = names
            .iter()
            .filter_map(|file| {
                let file = file.rsplit('/').next()?;
                let rest = file.strip_prefix(name)?.strip_prefix('_')?;
                rest.strip_suffix(".tar.gz")?.parse().ok()
            })
            .collect();
        versions.sort_by(|one, other| other.cmp(one));
        versions.dedup();
        versions
    }
}

/// Is there a record of that package? Read without taking the index apart.
fn has_record(index: &str, name: &str) -> bool {
    index.lines().any(|line| {
        let package = line.strip_prefix("Package:");
        package.is_some_and(|package| package.trim() == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_says_what_to_type() {
        let found = UnknownPackage {
            name: "maptools".to_owned(),
            archived: vec![("cran".to_owned(), vec!["1.1-8".parse().unwrap()])],
            in_bioconductor: true,
        };
        let said = found.to_string();
        assert!(
            said.contains("`maptools==1.1-8`") && said.contains("Bioconductor"),
            "{said}"
        );
        assert!(has_record(
            "Package: limma\nVersion: 1\n\nPackage: edgeR\n",
            "edgeR"
        ));
        assert!(!has_record("Package: limma\nSuggests: edgeR\n", "edge"));
    }
}
