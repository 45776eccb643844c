//! `--from renv.lock`, `--from DESCRIPTION`: what another tool's file asks for, as requests and repositories of the manifest.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::manifest::{ManifestChange, ManifestDocument};
use crate::package::RVersion;
use crate::request_file::{
    FileRepository, FileRequest, Origin, ProjectDescription, RenvLock, RepositoryOrigin, Unmet,
};

/// What a file asks for.
pub struct FromFile {
    /// The requests, as they are typed.
    pub requests: Vec<String>,
    repositories: Vec<FileRepository>,
    bioconductor: Option<String>,
    renv: Option<RenvLock>,
}

impl FromFile {
    /// Reads a file: a DESCRIPTION by its name, anything else as a lock of renv.
    pub fn read(path: &Path) -> Result<FromFile> {
        let text = fs_err::read_to_string(path)
            .context("--from takes a renv.lock or the DESCRIPTION of a package or project")?;
        let is_description = path.file_name().is_some_and(|name| name == "DESCRIPTION");
        if is_description {
            let project = ProjectDescription::parse(&text, path)?;
            return FromFile::of(
                path,
                project.requests,
                project.repositories,
                project.unmet,
                None,
            );
        }
        let renv = RenvLock::parse(&text, path)?;
        let (requests, repositories) = (renv.requests.clone(), renv.repositories.clone());
        FromFile::of(path, requests, repositories, renv.unmet.clone(), Some(renv))
    }

    fn of(
        path: &Path,
        requests: Vec<FileRequest>,
        mut repositories: Vec<FileRepository>,
        mut unmet: Vec<Unmet>,
        renv: Option<RenvLock>,
    ) -> Result<FromFile> {
        let of_lock = renv.as_ref().and_then(|renv| renv.bioconductor.clone());
        let mut bioconductor = None;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut texts = Vec::new();
        for request in &requests {
            let reason = match &request.origin {
                Origin::Bioconductor { release } => match release.clone().or(of_lock.clone()) {
                    Some(release) => {
                        bioconductor = Some(release);
                        None
                    }
                    None => Some(
                        "it is of Bioconductor, and the file does not say of which release; add a repository \
                         https://bioconductor.org/packages/RELEASE/bioc to r-layer.toml, and the package by its name",
                    ),
                },
                Origin::Url { .. } => {
                    Some("it is a tarball with a URL of its own; download it, and add the file")
                }
                Origin::Local { .. } if folder.is_some() => Some(
                    "its path is from the folder of that file; change there, or add it by its path from here",
                ),
                _ => None,
            };
            match reason {
                Some(reason) => unmet.push(Unmet {
                    package: request.package.clone(),
                    reason: reason.to_owned(),
                }),
                None => {
                    repositories.extend(unlisted(request, &repositories));
                    texts.push(request.to_string());
                }
            }
        }
        if !unmet.is_empty() {
            let list: Vec<String> = unmet.iter().map(|one| format!("\n  {one}")).collect();
            bail!(
                "{} asks for what cannot be had:{}\nTake these out of it, and nothing was changed",
                path.display(),
                list.concat()
            );
        }
        Ok(FromFile {
            requests: texts,
            repositories,
            bioconductor,
            renv,
        })
    }

    /// Adds the file's repositories to the manifest; those of a name that is there already stay as they are.
    pub fn add_repositories(&self, document: &mut ManifestDocument) -> Result<Vec<ManifestChange>> {
        let mut changes = Vec::new();
        for repository in &self.repositories {
            let (url, snapshot) = (repository.url.as_str(), repository.snapshot.as_ref());
            changes.extend(document.add_repository(&repository.name, url, snapshot)?);
        }
        if let Some(release) = &self.bioconductor {
            let parts = [
                ("BioCsoft", "bioc"),
                ("BioCann", "data/annotation"),
                ("BioCexp", "data/experiment"),
            ];
            for (name, part) in parts {
                let url = format!("https://bioconductor.org/packages/{release}/{part}");
                changes.extend(document.add_repository(name, &url, None)?);
            }
        }
        Ok(changes)
    }

    /// Is the file's R that of the runtime layer?
    pub fn check_r(&self, r: &RVersion) -> Result<()> {
        match &self.renv {
            Some(renv) => renv.check_r(r).context("--from"),
            None => Ok(()),
        }
    }
}

/// The repository of a package, if the file has it with the package alone, as that of an R-universe. What comes by its commit
/// needs none.
fn unlisted(request: &FileRequest, listed: &[FileRepository]) -> Option<FileRepository> {
    let Origin::Repository(RepositoryOrigin {
        url: Some(url),
        upstream,
        ..
    }) = &request.origin
    else {
        return None;
    };
    let is_by_commit = upstream.as_ref().is_some_and(|git| git.revision.is_some());
    let is_listed = listed.iter().any(|repository| repository.url == *url);
    (!is_by_commit && !is_listed).then(|| FileRepository {
        name: name_of(url.as_str()),
        url: url.clone(),
        snapshot: None,
    })
}

/// A repository's name by its host: `jeroen` of <https://jeroen.r-universe.dev>, `r-example-org`.
fn name_of(url: &str) -> String {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    let host = host.strip_suffix(".r-universe.dev").unwrap_or(host);
    let name = host.replace('.', "-");
    match name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => name,
        false => format!("at-{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_named_by_their_hosts() {
        for (url, name) in [
            ("https://jeroen.r-universe.dev", "jeroen"),
            ("https://r.example.org/cran", "r-example-org"),
            ("http://127.0.0.1:8080/cran", "at-127-0-0-1"),
        ] {
            assert_eq!(name_of(url), name);
        }
    }
}
