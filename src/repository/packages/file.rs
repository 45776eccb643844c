//! A package that is had: a tarball in the cache, what it is, and where it came from.

use std::fmt;
use std::path::PathBuf;

use crate::checksum::Sha256;
use crate::repository::{Location, Tarball};

/// Is a package compiled already?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackageKind {
    /// To be installed by R, perhaps compiled.
    Source,
    /// Unpacked as it is.
    Binary,
}

impl fmt::Display for PackageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PackageKind::Source => "source",
            PackageKind::Binary => "binary",
        })
    }
}

/// Where a package came from, for locks, records and messages. It never holds credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageOrigin {
    /// A repository: its name, and the file there.
    Repository {
        /// The repository's name.
        repository: String,
        /// The file.
        location: Location,
    },
    /// A tarball of this machine.
    LocalFile(PathBuf),
    /// A folder of this machine, packed.
    LocalFolder(PathBuf),
    /// A git repository.
    Git(CommitOrigin),
    /// A repository on GitHub.
    GitHub(CommitOrigin),
}

/// A commit that a package was taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitOrigin {
    /// Of git: the URL. Of GitHub: `owner/repository`.
    pub repository: String,
    /// What was asked for: a branch, a tag, a commit.
    pub reference: Option<String>,
    /// What that was: 40 or 64 hexadecimal digits.
    pub commit: String,
    /// The folder of the package in it.
    pub subdirectory: Option<String>,
}

impl PackageOrigin {
    /// The URL for a lock; nothing for what is of this machine.
    pub fn url(&self) -> Option<String> {
        match self {
            PackageOrigin::Repository {
                location: location @ Location::Url(_),
                ..
            } => Some(location.to_string()),
            PackageOrigin::Git(_) | PackageOrigin::GitHub(_) => Some(self.to_string()),
            _ => None,
        }
    }
}

/// As it can be typed: `git+https://…@commit#subdirectory=pkg`, `github::owner/repository/pkg@commit`.
impl fmt::Display for PackageOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PackageOrigin::Repository { location, .. } => location.fmt(f),
            PackageOrigin::LocalFile(path) | PackageOrigin::LocalFolder(path) => {
                path.display().fmt(f)
            }
            PackageOrigin::Git(from) => {
                write!(f, "git+{}@{}", from.repository, from.commit)?;
                match &from.subdirectory {
                    Some(folder) => write!(f, "#subdirectory={folder}"),
                    None => Ok(()),
                }
            }
            PackageOrigin::GitHub(from) => {
                write!(f, "github::{}", from.repository)?;
                if let Some(folder) = &from.subdirectory {
                    write!(f, "/{folder}")?;
                }
                write!(f, "@{}", from.commit)
            }
        }
    }
}

/// A package that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// Its name, as its DESCRIPTION has it.
    pub name: String,
    /// Its version, as written there.
    pub version: String,
    /// Source or binary: by its DESCRIPTION's field `Built`, whatever a server says of it.
    pub kind: PackageKind,
    /// The tarball, in the cache.
    pub path: PathBuf,
    /// Its hash.
    pub sha256: Sha256,
    /// Where it came from.
    pub origin: PackageOrigin,
    /// The text of its DESCRIPTION.
    pub description: String,
}

impl PackageFile {
    /// Where its user knows it from, for messages.
    pub fn known_as(&self) -> PathBuf {
        self.origin.to_string().into()
    }

    /// The same as a tarball, for what takes such.
    pub fn tarball(&self) -> Tarball {
        let from = match &self.origin {
            PackageOrigin::Repository { location, .. } => location.clone(),
            other => Location::File(other.to_string().into()),
        };
        Tarball {
            path: self.path.clone(),
            sha256: self.sha256,
            from: Some(from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_written_as_it_can_be_typed() {
        let from = |repository: &str, subdirectory: Option<&str>| CommitOrigin {
            repository: repository.to_owned(),
            reference: Some("main".to_owned()),
            commit: "0123".to_owned(),
            subdirectory: subdirectory.map(str::to_owned),
        };
        let git = PackageOrigin::Git(from("https://g.example/x.git", Some("r/pkg")));
        assert_eq!(
            git.url().unwrap(),
            "git+https://g.example/x.git@0123#subdirectory=r/pkg"
        );
        let github = PackageOrigin::GitHub(from("o/r", Some("pkg")));
        assert_eq!(github.to_string(), "github::o/r/pkg@0123");
        assert_eq!(PackageOrigin::LocalFile("/x.tar.gz".into()).url(), None);
    }
}
