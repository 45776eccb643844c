//! `--from renv.lock`, `--from DESCRIPTION`: what another tool's file asks for, as requests and repositories of the manifest.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::manifest::{ManifestChange, ManifestDocument};
use crate::package::RVersion;
use crate::request_file::{
    FileRepository, FileRequest, Origin, ProjectDescription, RenvLock, Unmet,
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
        repositories: Vec<FileRepository>,
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
                None => texts.push(request.to_string()),
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

    /// Adds the file's repositories to the manifest.
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
