//! The way to the servers: proxies, certificates, and whether anybody answers.

use std::time::Duration;

use futures_util::future::join_all;

use super::Check;
use super::install::{CERTIFICATES, Installer};
use crate::credentials::Credentials;
use crate::http::{Http, HttpError, Patience};

/// A server that r-layer goes to unless it is told another.
struct Server {
    name: &'static str,
    /// Something small that it has.
    url: &'static str,
    remedy: &'static str,
}

const CRAN: &str = "cran.r-project.org";
const POSIT: &str = "cdn.posit.co";
const PACKAGES: &str = "p3m.dev";
const IMAGES: &str = "public.ecr.aws";

const SERVERS: [Server; 4] = [
    Server {
        name: CRAN,
        url: "https://cran.r-project.org/",
        remedy: "name a mirror with --cran, or a folder with the tarballs with --sources",
    },
    Server {
        name: POSIT,
        url: "https://cdn.posit.co/r/versions.json",
        remedy: "R can be compiled from CRAN's source instead",
    },
    Server {
        name: PACKAGES,
        url: "https://p3m.dev/__api__/status",
        remedy: "packages can be compiled from CRAN's sources instead",
    },
    Server {
        name: IMAGES,
        url: "https://public.ecr.aws/v2/",
        remedy: "only container images come from there; a root like Lambda's is made of Debian instead",
    },
];

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(6);

/// What was found out.
pub struct Network {
    proxies: Vec<Check>,
    certificates: Check,
    servers: Vec<Check>,
    /// R and packages: is there a server of those that can be asked for them?
    sources: Check,
}

impl Network {
    /// What has to be there to fetch R and packages.
    pub fn needed_to_fetch(&self) -> impl Iterator<Item = &Check> {
        let own = [&self.certificates, &self.sources];
        self.proxies.iter().chain(own)
    }

    /// Can Lambda's own image be had, to invoke handlers in?
    pub fn has_images(&self) -> bool {
        let mut servers = self.servers.iter();
        servers.any(|server| server.name == IMAGES && server.status == super::Status::Ok)
    }

    /// Everything that was looked at.
    pub fn into_checks(self) -> impl Iterator<Item = Check> {
        let own = [self.certificates, self.sources];
        self.proxies.into_iter().chain(own).chain(self.servers)
    }
}

/// Looks at the settings, and asks every server at once.
pub async fn look(installer: &Installer, offline: bool) -> Network {
    let (certificates, http) = certificates(installer);
    let servers = match http.filter(|_| !offline) {
        Some(http) => join_all(SERVERS.iter().map(|server| ask(&http, server))).await,
        None => SERVERS
            .iter()
            .map(|server| Check::skipped(server.name))
            .collect(),
    };
    Network {
        proxies: proxies(),
        certificates,
        sources: sources(&servers),
        servers,
    }
}

async fn ask(http: &Http, server: &Server) -> Check {
    let answer = tokio::time::timeout(PATIENCE, http.reach(server.url)).await;
    match answer {
        Ok(Ok(status)) => Check::ok(server.name, format!("answers ({status})")),
        Ok(Err(reason)) => Check::missing(server.name, reason, server.remedy),
        Err(_) => {
            let found = format!("no answer in {} seconds", PATIENCE.as_secs());
            Check::missing(server.name, found, server.remedy)
        }
    }
}

/// R comes from CRAN or Posit, packages from CRAN or Posit's package manager.
fn sources(servers: &[Check]) -> Check {
    let name = "servers of R and packages";
    if servers
        .iter()
        .all(|server| server.status == super::Status::Skipped)
    {
        return Check::skipped(name);
    }
    let answers = |wanted: &str| {
        let server = servers.iter().find(|server| server.name == wanted);
        server.is_some_and(|server| !server.is_missing())
    };
    if answers(CRAN) || (answers(POSIT) && answers(PACKAGES)) {
        return Check::ok(name, "there are some that answer");
    }
    Check::missing(
        name,
        "none answers that has both",
        "behind a proxy: export HTTPS_PROXY=http://HOST:PORT, and AWS_CA_BUNDLE=FILE if it has certificates of its own; \
         without a network: --sources FOLDER with the tarballs (then --offline here)",
    )
}

/// The certificates that servers are known by, and the client that knows them.
fn certificates(installer: &Installer) -> (Check, Option<Http>) {
    let name = "certificates";
    let patience = Patience {
        tries: 1,
        ..Patience::default()
    };
    match Http::from_environment(patience, Credentials::default()) {
        Ok(http) => {
            let set = |variable: &&str| std::env::var_os(variable).is_some_and(|v| !v.is_empty());
            let named: Vec<&str> = ["SSL_CERT_FILE", "AWS_CA_BUNDLE"]
                .into_iter()
                .filter(|variable| set(variable))
                .collect();
            let found = match named.as_slice() {
                [] => "the system's".to_owned(),
                named => format!("of {}", named.join(" and ")),
            };
            (Check::ok(name, found), Some(http))
        }
        Err(error @ HttpError::Certificates { .. }) => {
            let remedy = "name a file of certificates (BEGIN CERTIFICATE), or unset the variable";
            (Check::missing(name, error.to_string(), remedy), None)
        }
        Err(error) => {
            let remedy = installer.command(&CERTIFICATES);
            (Check::missing(name, error.to_string(), remedy), None)
        }
    }
}

/// The proxies of the environment. A password in one is not told.
fn proxies() -> Vec<Check> {
    ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"]
        .into_iter()
        .filter_map(|name| {
            let small = name.to_lowercase();
            let variables = [name, small.as_str()].map(|name| std::env::var(name).ok());
            let value = variables
                .into_iter()
                .flatten()
                .find(|value| !value.is_empty())?;
            Some(match name {
                "NO_PROXY" => Check::ok(name, value),
                _ => proxy(name, &value),
            })
        })
        .collect()
}

fn proxy(name: &str, value: &str) -> Check {
    let whole = match value.contains("://") {
        true => value.to_owned(),
        false => format!("http://{value}"),
    };
    match reqwest::Url::parse(&whole) {
        Ok(url) if url.has_host() => {
            let host = url.host_str().unwrap_or_default();
            let port = url
                .port()
                .map_or_else(String::new, |port| format!(":{port}"));
            Check::ok(name, format!("{}://{host}{port}", url.scheme()))
        }
        _ => Check::missing(
            name,
            "is no URL",
            format!("export {name}=http://HOST:PORT, or unset it"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_told_without_its_password() {
        let check = proxy("HTTPS_PROXY", "http://me:secret@proxy.example.org:3128");
        assert_eq!(check.found, "http://proxy.example.org:3128");
        assert_eq!(proxy("ALL_PROXY", "proxy:80").found, "http://proxy");
        assert!(proxy("HTTP_PROXY", "http://:secret@").is_missing());
        assert!(
            !proxy("HTTP_PROXY", "http://:secret@")
                .found
                .contains("secret")
        );
    }

    #[test]
    fn cran_alone_is_enough_and_posit_has_two_servers() {
        let found = |there: &[&str]| {
            let check = |server: &Server| match there.contains(&server.name) {
                true => Check::ok(server.name, "answers"),
                false => Check::missing(server.name, "silent", ""),
            };
            sources(&SERVERS.iter().map(check).collect::<Vec<_>>())
        };
        assert!(!found(&[CRAN]).is_missing());
        assert!(!found(&[POSIT, PACKAGES]).is_missing());
        assert!(found(&[POSIT, "public.ecr.aws"]).is_missing());
        assert!(found(&[]).is_missing());
    }
}
