//! A package as people ask for it, on the command line or in the manifest: a name with bounds, a path, a git repository.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Comparison, ComparisonError, NameError, Requirement, check_package_name};

/// What was asked for. Its Display is its canonical form, and reads back as the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageRequest {
    /// From the repositories: `Matrix`, `dplyr >= 1.1, < 2`, `pkg == 1.2.3`.
    Named(Requirement),
    /// A folder with the sources of a package: `./folder`, `../x`, `/abs/x`.
    Folder(PathBuf),
    /// A tarball of this machine: `pkg_1.0.tar.gz`, `/abs/x.tgz`.
    Tarball(PathBuf),
    /// `git+https://host/x.git@ref#subdirectory=path`.
    Git {
        /// Without `git+` and what follows it.
        url: String,
        /// Branch, tag or commit; nothing: what the repository has checked out.
        reference: Option<String>,
        /// The package's folder in the repository; nothing: its root.
        subdirectory: Option<String>,
    },
    /// `github::owner/repo/subdirectory@ref`.
    GitHub {
        /// Who owns it.
        owner: String,
        /// Its name.
        repository: String,
        /// Branch, tag or commit; nothing: the default branch.
        reference: Option<String>,
        /// The package's folder in the repository; nothing: its root.
        subdirectory: Option<String>,
    },
}

/// A text that asks for no package.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Neither a name nor another form.
    #[error("{source}{}", hint(.source))]
    Name {
        /// What is wrong with it as a name.
        #[from]
        source: NameError,
    },
    /// The bound.
    #[error(
        "`{request}`: {source}; a package with bounds is typed as 'dplyr >= 1.1, < 2' or dplyr==1.1.4"
    )]
    Comparison {
        /// What was typed.
        request: String,
        /// What is wrong.
        source: ComparisonError,
    },
    /// A git or GitHub address.
    #[error("`{request}`: {reason}")]
    Address {
        /// What was typed.
        request: String,
        /// What is wrong, and what is right.
        reason: &'static str,
    },
}

/// What was probably meant by a text that is no name.
fn hint(error: &NameError) -> String {
    let name = error.name.as_str();
    if let Some((package, version)) = name.split_once('@')
        && check_package_name(package).is_ok()
    {
        return format!("; a version is typed as {package}=={version}");
    }
    match name.split_once('/') {
        Some((_, rest)) if !name.contains("::") && !rest.contains('/') => {
            format!("; a folder is typed as ./{name}, a repository of GitHub as github::{name}")
        }
        Some(_) => "; what is not from a repository is typed as ./folder, ./pkg_1.0.tar.gz, \
             git+https://host/x.git@ref or github::owner/repo@ref"
            .to_owned(),
        None => String::new(),
    }
}

/// The protocols that git is asked to speak.
const GIT_PROTOCOLS: [&str; 4] = ["https", "http", "ssh", "file"];

impl FromStr for PackageRequest {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<PackageRequest, RequestError> {
        let text = text.trim();
        let address = |reason| RequestError::Address {
            request: without_password(text),
            reason,
        };
        if let Some(rest) = text.strip_prefix("git+") {
            return git(rest).map_err(address);
        }
        if let Some(rest) = text.strip_prefix("github::") {
            return github(rest).map_err(address);
        }
        let is_tarball = text.ends_with(".tar.gz") || text.ends_with(".tgz");
        if is_path(text) || (is_tarball && !text.starts_with('-') && !text.contains("://")) {
            let path = PathBuf::from(text);
            return Ok(if is_tarball {
                PackageRequest::Tarball(path)
            } else {
                PackageRequest::Folder(path)
            });
        }
        named(text)
    }
}

fn is_path(text: &str) -> bool {
    let beginnings = ["./", "../", ".\\", "..\\"];
    matches!(text, "." | "..")
        || beginnings.iter().any(|start| text.starts_with(start))
        || Path::new(text).is_absolute()
}

/// `dplyr>=1.1, <2`, or as DESCRIPTION files write it, `dplyr (>= 1.1)`.
fn named(text: &str) -> Result<PackageRequest, RequestError> {
    let (name, bounds) = match text.find(['<', '>', '=', '!', '(']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let name = name.trim();
    check_package_name(name)?;
    let bounds = bounds.trim();
    let within = bounds
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let bounds = within.unwrap_or(bounds);
    let parts = bounds.split(',').map(str::trim);
    let comparisons: Result<Vec<Comparison>, ComparisonError> = parts
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect();
    Ok(PackageRequest::Named(Requirement {
        package: name.to_owned(),
        comparisons: comparisons.map_err(|source| RequestError::Comparison {
            request: text.to_owned(),
            source,
        })?,
    }))
}

fn git(rest: &str) -> Result<PackageRequest, &'static str> {
    let (rest, fragment) = match rest.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (rest, None),
    };
    let subdirectory = match fragment {
        None => None,
        Some(fragment) => Some(
            fragment
                .strip_prefix("subdirectory=")
                .ok_or("behind `#` only `subdirectory=path` is known")?,
        ),
    };
    let (protocol, place) = rest
        .split_once("://")
        .filter(|(protocol, _)| GIT_PROTOCOLS.contains(protocol))
        .ok_or(
            "it is typed as git+https://host/repository.git@ref (or git+ssh, git+http, git+file)",
        )?;
    let (authority, path) = place.split_once('/').ok_or("there is no path in it")?;
    check_authority(protocol, authority)?;
    let (path, reference) = split_reference(path)?;
    if path.is_empty() || path.bytes().any(|byte| byte <= b' ') {
        return Err("there is no path in it, or white space");
    }
    Ok(PackageRequest::Git {
        url: format!("{protocol}://{authority}/{path}"),
        reference,
        subdirectory: subdirectory.map(checked_subdirectory).transpose()?,
    })
}

/// A host that git and ssh do not take for an option, and no password that would go on into the manifest and the lock.
fn check_authority(protocol: &str, authority: &str) -> Result<(), &'static str> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if user.is_some_and(|user| protocol != "ssh" || user.contains(':')) {
        return Err(
            "a user or password in it would be written into the manifest and the lock; \
             keep it in your netrc file or in git's credential store, and leave it out here",
        );
    }
    let fits = |part: &str| !part.starts_with('-') && part.bytes().all(|byte| byte > b' ');
    let is_there = protocol == "file" || !host.is_empty();
    if is_there && fits(host) && user.is_none_or(fits) {
        Ok(())
    } else {
        Err("there is no host in it that could be asked")
    }
}

fn github(rest: &str) -> Result<PackageRequest, &'static str> {
    const FORM: &str =
        "it is typed as github::owner/repo@ref, or github::owner/repo/subdirectory@ref";
    let (path, reference) = split_reference(rest)?;
    let (owner, rest) = path.split_once('/').ok_or(FORM)?;
    let (repository, subdirectory) = match rest.split_once('/') {
        Some((repository, subdirectory)) => (repository, Some(subdirectory)),
        None => (rest, None),
    };
    let is_name = |text: &str, more: &[u8]| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || more.contains(&byte);
        !text.is_empty() && !text.starts_with('-') && text.bytes().all(fits)
    };
    // GitHub's rule: owners have letters, digits, `-` (and `_`, if a company manages them); repositories dots as well.
    if !is_name(owner, b"_") || !is_name(repository, b"_.") || matches!(repository, "." | "..") {
        return Err(FORM);
    }
    Ok(PackageRequest::GitHub {
        owner: owner.to_owned(),
        repository: repository.to_owned(),
        reference,
        subdirectory: subdirectory.map(checked_subdirectory).transpose()?,
    })
}

/// What is in front of the last `@`, and what is behind it.
fn split_reference(text: &str) -> Result<(&str, Option<String>), &'static str> {
    let Some((text, reference)) = text.rsplit_once('@') else {
        return Ok((text, None));
    };
    // What git-check-ref-format(1) forbids; a `-` in front would be an option of git.
    let forbidden = |one: char| one.is_whitespace() || one.is_control() || "~^:?*[\\".contains(one);
    if reference.is_empty()
        || reference.starts_with('-')
        || reference.contains("..")
        || reference.contains(forbidden)
    {
        return Err("behind `@` there must be a branch, a tag or a commit");
    }
    Ok((text, Some(reference.to_owned())))
}

fn checked_subdirectory(text: &str) -> Result<String, &'static str> {
    let fits = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.contains(|one: char| one.is_control() || one == '\\' || one == '@')
    };
    if text.split('/').all(fits) {
        Ok(text.to_owned())
    } else {
        Err("the subdirectory must be a path within the repository, as pkgs/one")
    }
}

/// Messages go into logs.
fn without_password(text: &str) -> String {
    match text.split_once("://") {
        Some((protocol, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            match authority.rsplit_once('@') {
                Some((_, host)) => format!("{protocol}://…@{host}{path}"),
                None => text.to_owned(),
            }
        }
        None => text.to_owned(),
    }
}

impl PackageRequest {
    /// The name, if it is told by the request already.
    pub fn package(&self) -> Option<&str> {
        match self {
            PackageRequest::Named(requirement) => Some(&requirement.package),
            _ => None,
        }
    }
}

impl fmt::Display for PackageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reference, subdirectory) = match self {
            PackageRequest::Named(requirement) => return write_named(requirement, f),
            PackageRequest::Folder(path) | PackageRequest::Tarball(path) => {
                return path.display().fmt(f);
            }
            PackageRequest::Git {
                url,
                reference,
                subdirectory,
            } => {
                write!(f, "git+{url}")?;
                (reference, subdirectory)
            }
            PackageRequest::GitHub {
                owner,
                repository,
                reference,
                subdirectory,
            } => {
                write!(f, "github::{owner}/{repository}")?;
                if let Some(subdirectory) = subdirectory {
                    write!(f, "/{subdirectory}")?;
                }
                (reference, &None)
            }
        };
        if let Some(reference) = reference {
            write!(f, "@{reference}")?;
        }
        if let Some(subdirectory) = subdirectory {
            write!(f, "#subdirectory={subdirectory}")?;
        }
        Ok(())
    }
}

fn write_named(requirement: &Requirement, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&requirement.package)?;
    for (index, comparison) in requirement.comparisons.iter().enumerate() {
        f.write_str(if index == 0 { " " } else { ", " })?;
        write!(f, "{comparison}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> PackageRequest {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_people_type_is_understood_and_its_canonical_form_reads_back() {
        for (typed, canonical) in [
            ("Matrix", "Matrix"),
            ("dplyr>=1.1", "dplyr >= 1.1"),
            (" dplyr >= 1.1 ,<2, ", "dplyr >= 1.1, < 2"),
            ("dplyr (>= 1.1)", "dplyr >= 1.1"),
            ("pkg==1.2-3", "pkg == 1.2-3"),
            ("a.b!=1", "a.b != 1"),
            ("./folder", "./folder"),
            ("../x", "../x"),
            (".", "."),
            ("/abs/x.tar.gz", "/abs/x.tar.gz"),
            ("pkg_1.0.tar.gz", "pkg_1.0.tar.gz"),
            ("down loads/pkg_1.0.tgz", "down loads/pkg_1.0.tgz"),
            ("git+https://host/x.git", "git+https://host/x.git"),
            (
                "git+https://host:8443/a/x.git@feature/y#subdirectory=pkgs/one",
                "git+https://host:8443/a/x.git@feature/y#subdirectory=pkgs/one",
            ),
            ("git+ssh://git@host/x.git@v1", "git+ssh://git@host/x.git@v1"),
            ("git+file:///srv/x.git@main", "git+file:///srv/x.git@main"),
            ("github::r-lib/cli", "github::r-lib/cli"),
            ("github::a/b.c/r/pkg@1f2e3d", "github::a/b.c/r/pkg@1f2e3d"),
        ] {
            let one = request(typed);
            assert_eq!(one.to_string(), canonical);
            assert_eq!(request(canonical), one);
        }
    }

    #[test]
    fn forms_are_told_apart() {
        use PackageRequest::{Folder, Git, Named, Tarball};
        assert!(matches!(request("ab"), Named(one) if one.package == "ab"));
        assert!(matches!(request("./a.tar.gz"), Tarball(_)));
        assert!(matches!(request("./a"), Folder(_)));
        let git = request("git+https://host/a/x.git@v1#subdirectory=r");
        let Git {
            url,
            reference,
            subdirectory,
        } = git
        else {
            panic!("{git}")
        };
        assert_eq!(
            (url.as_str(), reference.as_deref(), subdirectory.as_deref()),
            ("https://host/a/x.git", Some("v1"), Some("r"))
        );
        assert_eq!(request("github::a/b").package(), None);
        assert_eq!(request("ab >= 1").package(), Some("ab"));
    }

    #[test]
    fn what_asks_for_no_package_is_refused_with_what_to_type() {
        for (text, part) in [
            ("", "it is empty"),
            ("-x", "looks like an option"),
            ("--help", "looks like an option"),
            ("--x.tar.gz", "looks like an option"),
            ("a/b", "./a/b, a repository of GitHub as github::a/b"),
            ("1x", "begin with a letter"),
            ("a..", "end in a dot"),
            ("x", "two characters"),
            ("R", "two characters"),
            ("dplyr@1.1.4", "dplyr==1.1.4"),
            ("dplyr=1.1", "does not begin with one of"),
            ("dplyr >= 1.1 2", "is not a version"),
            ("dplyr>=", "`` is not a version"),
            ("dplyr (>= 1.1", "does not begin with one of"),
            ("bioc::limma", "letters"),
            ("https://host/x.tar.gz", "git+https://"),
            ("a;b", "letters"),
            ("$(touch x)", "begin with a letter"),
            ("git+ftp://host/x", "git+https://"),
            ("git+https://host", "no path"),
            ("git+https://host/", "no path"),
            ("git+ssh://-oProxyCommand=x/y", "no host"),
            ("git+https://host/x@--upload-pack=y", "branch"),
            ("git+https://host/x@", "branch"),
            ("git+https://host/x#egg=y", "subdirectory=path"),
            (
                "git+https://host/x#subdirectory=../y",
                "within the repository",
            ),
            ("git+https://user:secret@host/x", "netrc"),
            ("github::a", "github::owner/repo@ref"),
            ("github::-a/b", "github::owner/repo@ref"),
            ("github::a/..", "github::owner/repo@ref"),
            ("github::a/b/../c", "within the repository"),
        ] {
            let error = text.parse::<PackageRequest>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
