//! The way to the servers: proxies, certificates, and whether anybody answers.

use std::time::Duration;

use futures_util::future::join_all;

use super::Check;
use super::install::{CERTIFICATES, Installer};
use crate::credentials::Credentials;
use crate::http::{Http, HttpError, Patience};
use crate::layer::RuntimeRecipe;
use crate::manifest::Manifest;
use crate::repository::{Location, Mirror};

/// Something that r-layer fetches, and where: from a server, or from a folder laid out like one.
struct Place {
    name: String,
    /// What it is for.
    role: Role,
    /// Something that it has.
    probe: Location,
    remedy: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Sources of R and packages.
    Cran,
    /// Portable R.
    Posit,
    /// Binary packages.
    Packages,
    /// Container images.
    Images,
}

/// The places of the environment, else of the manifest, else those that r-layer goes to by itself.
fn places(credentials: &mut Credentials) -> Vec<Place> {
    let recipe = RuntimeRecipe::embedded();
    let manifest = std::env::current_dir()
        .ok()
        .and_then(|folder| Manifest::read(&folder).ok());
    let section = manifest.unwrap_or_default().runtime;
    let mut place =
        |role, variable, name: &str, listed: Option<String>, default: &str, file, remedy| {
            let named = std::env::var(variable)
                .ok()
                .filter(|text| !text.is_empty())
                .or(listed);
            let base = named.map(|text| {
                let first = text.split(',').next().unwrap_or_default().to_owned();
                credentials.of_repository(name, &first).unwrap_or_default()
            });
            let base = Mirror::parse(base.as_deref().unwrap_or(default));
            let shown = base.to_string();
            Place {
                name: shown.trim_start_matches("https://").to_owned(),
                role,
                probe: base.at(file),
                remedy,
            }
        };
    let (posit, cran) = (&recipe.posit, &recipe.cran.mirrors[0]);
    let mut places = vec![
        place(
            Role::Cran,
            "R_LAYER_CRAN",
            "cran",
            section.cran.into_iter().next(),
            cran,
            "",
            "name a mirror with --cran, or a folder with the tarballs with --sources",
        ),
        place(
            Role::Posit,
            "R_LAYER_POSIT",
            "posit",
            section.posit,
            &posit.builds,
            "versions.json",
            "name a mirror with --posit, or compile R from CRAN's source with --r-source cran",
        ),
        place(
            Role::Packages,
            "R_LAYER_P3M",
            "p3m",
            section.p3m,
            &posit.packages,
            "",
            "name a mirror with --p3m, or compile packages from CRAN's sources with --r-source cran",
        ),
    ];
    places.push(Place {
        name: "public.ecr.aws".to_owned(),
        role: Role::Images,
        probe: Location::parse("https://public.ecr.aws/v2/"),
        remedy: "only container images come from there; a root like Lambda's is made of Debian instead",
    });
    places
}

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(6);

/// What was found out.
pub struct Network {
    proxies: Vec<Check>,
    certificates: Check,
    servers: Vec<(Role, Check)>,
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
        servers.any(|(role, server)| *role == Role::Images && server.status == super::Status::Ok)
    }

    /// Everything that was looked at.
    pub fn into_checks(self) -> impl Iterator<Item = Check> {
        let own = [self.certificates, self.sources];
        let servers = self.servers.into_iter().map(|(_, server)| server);
        self.proxies.into_iter().chain(own).chain(servers)
    }
}

/// Looks at the settings, and asks every server at once.
pub async fn look(installer: &Installer, offline: bool) -> Network {
    // A netrc file that is none is said by what fetches.
    let mut credentials = Credentials::from_environment().unwrap_or_default();
    let places = places(&mut credentials);
    let (certificates, http) = certificates(installer, credentials);
    let servers = match http.filter(|_| !offline) {
        Some(http) => join_all(places.iter().map(|place| ask(&http, place))).await,
        None => places
            .into_iter()
            .map(|place| (place.role, Check::skipped(place.name)))
            .collect(),
    };
    Network {
        proxies: proxies(),
        certificates,
        sources: sources(&servers),
        servers,
    }
}

async fn ask(http: &Http, place: &Place) -> (Role, Check) {
    let (name, remedy) = (place.name.clone(), place.remedy);
    let answered = match &place.probe {
        Location::File(path) if path.exists() => return (place.role, Check::ok(name, "is there")),
        Location::File(_) => return (place.role, Check::missing(name, "is not there", remedy)),
        Location::Url(url) => tokio::time::timeout(PATIENCE, http.reach(url)).await,
    };
    let check = match answered {
        Ok(Ok(status)) => Check::ok(name, format!("answers ({status})")),
        Ok(Err(reason)) => Check::missing(name, reason, remedy),
        Err(_) => {
            let found = format!("no answer in {} seconds", PATIENCE.as_secs());
            Check::missing(name, found, remedy)
        }
    };
    (place.role, check)
}

/// R comes from CRAN or Posit, packages from CRAN or Posit's package manager.
fn sources(servers: &[(Role, Check)]) -> Check {
    let name = "servers of R and packages";
    if servers
        .iter()
        .all(|(_, server)| server.status == super::Status::Skipped)
    {
        return Check::skipped(name);
    }
    let answers = |wanted: Role| {
        let server = servers.iter().find(|(role, _)| *role == wanted);
        server.is_some_and(|(_, server)| !server.is_missing())
    };
    if answers(Role::Cran) || (answers(Role::Posit) && answers(Role::Packages)) {
        return Check::ok(name, "there are some that answer");
    }
    Check::missing(
        name,
        "none answers that has both",
        "name mirrors with --posit and --p3m; behind a proxy: export HTTPS_PROXY=http://HOST:PORT, and AWS_CA_BUNDLE=FILE if it has certificates of its own; \
         without a network: --sources FOLDER with the tarballs (then --offline here)",
    )
}

/// The certificates that servers are known by, and the client that knows them.
fn certificates(installer: &Installer, credentials: Credentials) -> (Check, Option<Http>) {
    let name = "certificates";
    let patience = Patience {
        tries: 1,
        ..Patience::default()
    };
    match Http::from_environment(patience, credentials) {
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
        let found = |there: &[Role]| {
            let all = [Role::Cran, Role::Posit, Role::Packages, Role::Images];
            let checks = all.map(|role| match there.contains(&role) {
                true => (role, Check::ok("server", "answers")),
                false => (role, Check::missing("server", "silent", "")),
            });
            sources(&checks)
        };
        assert!(!found(&[Role::Cran]).is_missing());
        assert!(!found(&[Role::Posit, Role::Packages]).is_missing());
        assert!(found(&[Role::Posit, Role::Images]).is_missing());
        assert!(found(&[]).is_missing());
    }
}
