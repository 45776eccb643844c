//! A package's record in `renv.lock`: where it came from.
//!
//! `Source` says what kind of place that is; renv takes `RemoteType`, `RemoteHost`, … from what the tool that installed
//! the package left in its DESCRIPTION (remotes, pak, renv). Fields that are not read here are passed over.

use serde::Deserialize;

use super::origin::hosted;
use super::{FileRepository, GitRevision, Origin, RepositoryOrigin};
use crate::public_url::PublicUrl;

/// The fields of a record that say where a package came from.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
pub(super) struct Record {
    pub version: Option<String>,
    source: Option<String>,
    repository: Option<String>,
    remote_type: Option<String>,
    remote_host: Option<String>,
    remote_username: Option<String>,
    remote_repo: Option<String>,
    remote_repos: Option<String>,
    remote_ref: Option<String>,
    remote_sha: Option<String>,
    remote_subdir: Option<String>,
    remote_url: Option<String>,
    path: Option<String>,
    #[serde(rename = "git_branch")]
    git_branch: Option<String>,
}

impl Record {
    /// Where it comes from, or why it cannot be had.
    pub fn origin(
        &self,
        repositories: &[FileRepository],
        bioconductor: Option<&str>,
    ) -> Result<Origin, String> {
        let kind = self
            .source
            .as_deref()
            .or(self.remote_type.as_deref())
            .unwrap_or("unknown");
        match kind.to_lowercase().as_str() {
            "repository" | "cran" | "standard" | "rspm" | "p3m" | "ppm" | "runiverse" | "r-universe" => {
                Ok(self.of_repository(repositories, bioconductor))
            }
            "bioconductor" | "bioc" => Ok(self.of_bioconductor(bioconductor)),
            "github" => self.of_host("GitHub", "github.com"),
            "gitlab" => self.of_host("GitLab", "gitlab.com"),
            "bitbucket" => self.of_host("Bitbucket", "bitbucket.org"),
            "git" | "git2r" | "xgit" => self.of_git(),
            "url" => match &self.remote_url {
                Some(url) => Ok(Origin::Url { url: PublicUrl::new(url) }),
                None => Err("it came from a URL that its record does not have (RemoteUrl)".to_owned()),
            },
            "local" | "cellar" => self.of_this_machine(),
            "unknown" => Err(
                "renv does not know where it came from; install it from a repository or from git, and type \
                 renv::snapshot() in R"
                    .to_owned(),
            ),
            _ if kind.contains(['/', '\\']) => Ok(Origin::Local { path: kind.to_owned() }),
            _ => Err(format!(
                "it came from `{kind}`, which r-layer cannot fetch; install it from a repository or from git, and type \
                 renv::snapshot() in R"
            )),
        }
    }

    /// A repository is named by its name in the lock or by its URL; R-universe's is the latter.
    fn of_repository(&self, repositories: &[FileRepository], bioconductor: Option<&str>) -> Origin {
        let name = self.repository.as_deref().unwrap_or_default();
        if name.to_lowercase().starts_with("bioc") {
            return self.of_bioconductor(bioconductor);
        }
        let is_url = |text: &&str| text.starts_with("http://") || text.starts_with("https://");
        let own_repositories = self.remote_repos.as_deref().filter(is_url);
        let universe = self
            .remote_url
            .as_deref()
            .filter(|url| url.contains(".r-universe.dev"));
        let by_name = repositories
            .iter()
            .find(|repository| repository.name == name);
        let url = match (Some(name).filter(is_url), by_name) {
            (Some(url), _) => Some(FileRepository::new("", url).url),
            (None, Some(repository)) => Some(repository.url.clone()),
            // `CRAN` and `RSPM` are what packages say of themselves, whatever repository the lock has.
            (None, None) => {
                let elsewhere = universe.or(own_repositories.filter(|_| !is_cran(name)));
                elsewhere.map(|url| FileRepository::new("", url).url)
            }
        };
        let is_universe = url
            .as_ref()
            .is_some_and(|url| url.as_str().contains(".r-universe.dev"));
        Origin::Repository(RepositoryOrigin {
            name: self
                .repository
                .clone()
                .filter(|name| !is_url(&name.as_str())),
            upstream: self.git_revision().filter(|_| is_universe),
            url,
        })
    }

    /// The release of the lock, else of the branch that the package was made from (`RELEASE_3_20`).
    fn of_bioconductor(&self, release: Option<&str>) -> Origin {
        let branch = self
            .git_branch
            .as_deref()
            .and_then(|branch| branch.strip_prefix("RELEASE_"));
        Origin::Bioconductor {
            release: release
                .map(str::to_owned)
                .or(branch.map(|branch| branch.replace('_', "."))),
        }
    }

    fn of_host(&self, whose: &str, usual: &str) -> Result<Origin, String> {
        let (Some(owner), Some(repository)) = (&self.remote_username, &self.remote_repo) else {
            return Err(format!(
                "its record of {whose} lacks RemoteUsername or RemoteRepo; install it again and type renv::snapshot() in R"
            ));
        };
        let revision = self.revision().ok_or_else(|| {
            format!("its record of {whose} has neither RemoteSha nor RemoteRef; type renv::snapshot() in R")
        })?;
        let host = self.remote_host.as_deref().map_or(usual, host_of_api);
        Ok(hosted(
            host,
            owner,
            repository,
            Some(revision),
            self.folder(),
        ))
    }

    fn of_git(&self) -> Result<Origin, String> {
        match (self.git_revision(), self.revision()) {
            (Some(git), Some(_)) => Ok(Origin::Git(git)),
            (None, _) => Err("its record of git lacks RemoteUrl; install it again and type renv::snapshot() in R".to_owned()),
            (_, None) => Err("its record of git has neither RemoteSha nor RemoteRef; type renv::snapshot() in R".to_owned()),
        }
    }

    fn git_revision(&self) -> Option<GitRevision> {
        let url = self.remote_url.as_deref()?;
        Some(GitRevision::new(url, self.revision(), self.folder()))
    }

    fn of_this_machine(&self) -> Result<Origin, String> {
        let url = self.remote_url.as_deref().or(self.path.as_deref());
        let path = url.map(|url| {
            let path = url.strip_prefix("local::").unwrap_or(url);
            path.strip_prefix("file://").unwrap_or(path).to_owned()
        });
        path.map(|path| Origin::Local { path }).ok_or_else(|| {
            "it came from a file of the machine that made the lock, which the record does not name; add it by its path: \
             r-layer add-packages ./PACKAGE.tar.gz"
                .to_owned()
        })
    }

    fn revision(&self) -> Option<String> {
        let set = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        set(&self.remote_sha).or(set(&self.remote_ref))
    }

    fn folder(&self) -> Option<String> {
        let folder = self.remote_subdir.as_deref()?.trim_matches('/');
        Some(folder.to_owned()).filter(|folder| !folder.is_empty() && folder != ".")
    }
}

fn is_cran(name: &str) -> bool {
    matches!(name, "" | "CRAN" | "@CRAN@" | "RSPM" | "P3M" | "PPM")
}

/// The host of an API's address: `api.github.com`, `api.bitbucket.org/2.0`, `ghe.example/api/v3`.
fn host_of_api(api: &str) -> &str {
    let api = api.split_once("://").map_or(api, |(_, rest)| rest);
    let host = api.split('/').next().unwrap_or(api);
    match host {
        "api.github.com" => "github.com",
        "api.bitbucket.org" => "bitbucket.org",
        _ => host,
    }
}
