//! The repositories that packages are looked for in, in order, as a project names them.

use std::collections::BTreeMap;
use std::fmt;

use super::contrib::ContribFolder;
use super::{Mirror, PackageManager};
use crate::credentials::{Credentials, CredentialsError, variable_prefix};
use crate::lockfile::BuiltFor;

/// Which binaries of a repository are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Binaries {
    /// It has sources only.
    #[default]
    None,
    /// Posit Package Manager's, or a mirror's of it: `bin/linux/manylinux_2_28-x86_64/4.5/src/contrib`.
    PackageManager {
        /// Their kind, `manylinux_2_28`; the processor is added.
        platform: String,
    },
    /// What R 4.6 and later know as binaries for Linux: `bin/linux/<flavour>/contrib/4.6`.
    Linux {
        /// The name of the folder, as it is.
        flavour: String,
    },
}

/// A repository as a project names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySettings {
    /// Its name, by which variables and messages know it: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The URL or folder in which `src/contrib` lies, perhaps with credentials in it.
    pub base: String,
    /// For Posit Package Manager: the day (`2025-06-01`) whose packages are meant.
    pub snapshot: Option<String>,
    /// Which binaries are tried.
    pub binaries: Binaries,
}

/// Why repositories cannot be used as they are named.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A name that no variable could be called by.
    #[error(
        "`{0}` cannot be the name of a repository: it needs letters, digits, `-`, `_` and `.` only, and begins with a letter"
    )]
    Name(String),
    /// Two names that are one to the environment.
    #[error(
        "the repositories `{one}` and `{other}` would share the variables {prefix}_TOKEN, _USER and _PASSWORD; call one of \
         them otherwise"
    )]
    SameVariables {
        /// The first.
        one: String,
        /// The second.
        other: String,
        /// How the variables begin.
        prefix: String,
    },
    /// Not a day.
    #[error(
        "the repository `{name}` has the snapshot `{snapshot}`; a snapshot is a day, as 2025-06-01"
    )]
    Snapshot {
        /// The repository.
        name: String,
        /// Its snapshot.
        snapshot: String,
    },
    /// A folder of this machine, which has no days.
    #[error(
        "the repository `{0}` is a folder of this machine, and has no snapshots; name the folder of that day"
    )]
    SnapshotOfFolder(String),
    /// Not a place, or credentials that are none.
    #[error("the repository `{name}` cannot be used")]
    Credentials {
        /// The repository.
        name: String,
        /// Why.
        #[source]
        source: CredentialsError,
    },
    /// A base URL with a query, behind which nothing can be.
    #[error(
        "the repository `{0}` has a `?` in its URL; leave the query out, it is the base of a repository"
    )]
    Query(String),
    /// Neither a URL that is understood nor a path.
    #[error(
        "the repository `{0}` needs a URL that begins with http:// or https://, or a folder of this machine"
    )]
    NoUrl(String),
}

/// A repository that is laid out as CRAN is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its name.
    pub name: String,
    /// Where `src/contrib` lies, without credentials.
    pub base: Mirror,
    /// Which binaries are tried.
    pub binaries: Binaries,
}

impl Repository {
    /// Its source packages.
    pub fn sources(&self) -> ContribFolder {
        ContribFolder::of_sources(&self.name, self.base.below("src/contrib"))
    }

    /// Its binaries for an R and a processor; nothing if it has none, or if no R is said.
    pub fn binaries(&self, built_for: &BuiltFor) -> Option<ContribFolder> {
        let r = built_for.r.as_deref()?;
        let folder = match &self.binaries {
            Binaries::None => return None,
            Binaries::PackageManager { platform } => PackageManager {
                base: self.base.clone(),
                platform: platform.clone(),
            }
            .binaries(r, built_for.architecture)
            .below("src/contrib"),
            Binaries::Linux { flavour } => {
                self.base.below(&format!("bin/linux/{flavour}/contrib/{r}"))
            }
        };
        Some(ContribFolder::of_binaries(
            &self.name,
            folder,
            built_for.clone(),
        ))
    }

    /// The folders that are looked into, the binaries' first.
    pub fn folders(&self, built_for: Option<&BuiltFor>) -> Vec<ContribFolder> {
        let binaries = built_for.and_then(|built_for| self.binaries(built_for));
        binaries.into_iter().chain([self.sources()]).collect()
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.base)
    }
}

/// Repositories in the order in which they are looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositorySet {
    repositories: Vec<Repository>,
}

impl RepositorySet {
    /// The repositories that a project names; what they are told of us is learned by `credentials`, from the variables
    /// `R_LAYER_REPO_<NAME>_TOKEN` (or `_USER` and `_PASSWORD`) and from their URLs, and stands nowhere else then.
    ///
    /// # Errors
    /// A name, URL or snapshot that is none, or half of a user and password.
    pub fn new(
        settings: &[RepositorySettings],
        credentials: &mut Credentials,
    ) -> Result<RepositorySet, RepositoryError> {
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        let mut repositories = Vec::new();
        for one in settings {
            check_name(&one.name)?;
            let prefix = variable_prefix(&one.name);
            if let Some(other) = names.insert(prefix.clone(), &one.name) {
                return Err(RepositoryError::SameVariables {
                    one: other.to_owned(),
                    other: one.name.clone(),
                    prefix,
                });
            }
            repositories.push(repository(one, credentials)?);
        }
        Ok(RepositorySet { repositories })
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.iter()
    }

    /// The one of that name.
    pub fn named(&self, name: &str) -> Option<&Repository> {
        self.iter().find(|repository| repository.name == name)
    }
}

fn check_name(name: &str) -> Result<(), RepositoryError> {
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    match begins && name.chars().all(good) {
        true => Ok(()),
        false => Err(RepositoryError::Name(name.to_owned())),
    }
}

fn repository(
    settings: &RepositorySettings,
    credentials: &mut Credentials,
) -> Result<Repository, RepositoryError> {
    let name = &settings.name;
    let base = match &settings.snapshot {
        Some(snapshot) => of_day(name, &settings.base, snapshot)?,
        None => settings.base.clone(),
    };
    let learned = credentials.of_repository(name, &base);
    // What these say is of flags, which a repository of a project is not named by.
    let base = learned.map_err(|source| match source {
        CredentialsError::Query(_) => RepositoryError::Query(name.clone()),
        CredentialsError::NoUrl { .. } => RepositoryError::NoUrl(name.clone()),
        source => RepositoryError::Credentials {
            name: name.clone(),
            source,
        },
    })?;
    Ok(Repository {
        name: name.clone(),
        base: Mirror::parse(&base),
        binaries: settings.binaries.clone(),
    })
}

/// `https://p3m.dev/cran`, `…/cran/latest` or `…/cran/2024-01-01` of a day.
fn of_day(name: &str, base: &str, snapshot: &str) -> Result<String, RepositoryError> {
    if !is_day(snapshot) {
        return Err(RepositoryError::Snapshot {
            name: name.to_owned(),
            snapshot: snapshot.to_owned(),
        });
    }
    let base = base.trim_end_matches('/');
    if !base.starts_with("http://") && !base.starts_with("https://") {
        return Err(RepositoryError::SnapshotOfFolder(name.to_owned()));
    }
    let repository = match base.rsplit_once('/') {
        Some((before, last)) if last == "latest" || is_day(last) => before,
        _ => base,
    };
    Ok(format!("{repository}/{snapshot}"))
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize, most: u32| {
        part.len() == digits
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part
                .parse()
                .is_ok_and(|number| (1..=most).contains(&number))
    };
    matches!(parts.as_slice(), [year, month, day]
        if number(year, 4, 9999) && number(month, 2, 12) && number(day, 2, 31))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Architecture;

    fn settings(name: &str, base: &str, snapshot: Option<&str>) -> RepositorySettings {
        RepositorySettings {
            name: name.to_owned(),
            base: base.to_owned(),
            snapshot: snapshot.map(str::to_owned),
            binaries: Binaries::PackageManager {
                platform: "manylinux_2_28".to_owned(),
            },
        }
    }

    fn set(settings: &[RepositorySettings]) -> Result<RepositorySet, RepositoryError> {
        RepositorySet::new(settings, &mut Credentials::default())
    }

    fn base(base: &str, snapshot: Option<&str>) -> String {
        let set = set(&[settings("unnamed", base, snapshot)]).unwrap();
        set.named("unnamed").unwrap().base.to_string()
    }

    #[test]
    fn a_snapshot_takes_the_place_of_another_day() {
        for named in [
            "https://p3m.dev/cran",
            "https://p3m.dev/cran/latest/",
            "https://p3m.dev/cran/2024-12-31",
        ] {
            assert_eq!(
                base(named, Some("2025-06-01")),
                "https://p3m.dev/cran/2025-06-01"
            );
        }
        assert_eq!(
            base("https://p3m.dev/cran/latest", None),
            "https://p3m.dev/cran/latest"
        );
        for day in ["2025-6-1", "2025-13-01", "latest", "2025-06-01/../x"] {
            let error = set(&[settings("p3m", "https://p3m.dev/cran", Some(day))]).unwrap_err();
            assert!(error.to_string().contains("2025-06-01"), "{error}");
        }
        let error = set(&[settings("mine", "/srv/cran", Some("2025-06-01"))]).unwrap_err();
        assert!(error.to_string().contains("`mine`"), "{error}");
    }

    #[test]
    fn binaries_are_looked_for_where_each_kind_of_repository_has_them() {
        let all = set(&[settings("p3m", "https://p3m.dev/cran/latest", None)]).unwrap();
        let mut repository = all.named("p3m").unwrap().clone();
        let built_for = BuiltFor {
            architecture: Architecture::Arm64,
            r: Some("4.5".to_owned()),
        };
        let folders = |repository: &Repository| -> Vec<String> {
            let folders = repository.folders(Some(&built_for));
            folders.iter().map(|folder| folder.to_string()).collect()
        };
        assert_eq!(
            folders(&repository),
            [
                "https://p3m.dev/cran/latest/bin/linux/manylinux_2_28-aarch64/4.5/src/contrib",
                "https://p3m.dev/cran/latest/src/contrib"
            ]
        );
        repository.binaries = Binaries::Linux {
            flavour: "al2023-aarch64".to_owned(),
        };
        assert_eq!(
            folders(&repository)[0],
            "https://p3m.dev/cran/latest/bin/linux/al2023-aarch64/contrib/4.5"
        );
        repository.binaries = Binaries::None;
        assert_eq!(folders(&repository).len(), 1);
    }

    #[test]
    fn names_are_such_that_variables_can_be_called_by_them() {
        for name in ["", "1a", "a b", "a=b", "../x"] {
            assert!(
                set(&[settings(name, "https://r.example", None)]).is_err(),
                "{name}"
            );
        }
        let error = set(&[
            settings("corp.r", "https://one.example", None),
            settings("Corp-R", "https://two.example", None),
        ]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("R_LAYER_REPO_CORP_R_TOKEN"), "{error}");
    }

    #[test]
    fn what_is_in_a_url_is_told_to_the_server_and_nobody_else() {
        let mut credentials = Credentials::default();
        let named = settings("corp", "https://ann:sesame@r.example/cran", None);
        let set = RepositorySet::new(&[named], &mut credentials).unwrap();
        assert!(!format!("{set:?}").contains("sesame"));
        assert!(!set.named("corp").unwrap().to_string().contains("ann"));
        for bad in [
            "https://ann:sesame@r.example/cran?x=1",
            "ftp://ann:sesame@r.example",
            "https://ann:sesame@r.example:99999/",
        ] {
            let named = settings("corp", bad, None);
            let error = RepositorySet::new(&[named], &mut credentials).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(
                shown.contains("corp") && !shown.contains("sesame"),
                "{shown}"
            );
        }
    }
}
