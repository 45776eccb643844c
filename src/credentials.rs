//! Whom a server knows us as: `R_LAYER_REPO_<NAME>_TOKEN` (or `_USER` and `_PASSWORD`), what stands in a URL, and netrc.
//!
//! They go into requests and nowhere else: not into locks, records, logs or messages. A URL that carries its own is
//! parted from them as soon as it is read.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use netrc::Netrc;
use reqwest::{RequestBuilder, Url};

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A netrc file that is none.
    #[error("{path} is not a netrc file: {reason}; NETRC may name another one")]
    Netrc {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A base URL with a query, behind which nothing can be.
    #[error(
        "--{0} is the base of a repository, and a URL with `?` cannot be one; leave the query out"
    )]
    Query(String),
    /// Neither http, https nor a path, or a URL that is none.
    #[error(
        "`{shown}`, for --{name}, is neither a URL that begins with http:// or https:// nor a path of this machine"
    )]
    NoUrl {
        /// The setting.
        name: String,
        /// The text, without what may be a password.
        shown: String,
    },
    /// A user without a password, or the reverse.
    #[error("{set} is set and {missing} is not: both are needed")]
    Half {
        /// The variable that is set.
        set: String,
        /// The one that is missing.
        missing: String,
    },
}

/// How one server is told who asks.
#[derive(Clone)]
enum Secret {
    Token(String),
    Password { user: String, password: String },
}

/// The credentials of all servers. They print as nothing.
#[derive(Clone, Default)]
pub struct Credentials {
    /// Base URL → secret.
    repositories: Vec<(Url, Secret)>,
    netrc: Vec<(String, Secret)>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// What the netrc file has (`$NETRC`, else `~/.netrc`), if there is one.
    pub fn from_environment() -> Result<Credentials, CredentialsError> {
        let mut credentials = Credentials::default();
        let Some(path) = Netrc::get_file() else {
            return Ok(credentials);
        };
        let netrc = Netrc::from_file(&path).map_err(|error| CredentialsError::Netrc {
            path,
            reason: error.to_string(),
        })?;
        credentials.netrc = netrc
            .hosts
            .into_iter()
            .map(|(host, found)| {
                let (user, password) = (found.login, found.password);
                (host, Secret::Password { user, password })
            })
            .collect();
        Ok(credentials)
    }

    /// Learns the credentials of a repository that a user named: of its name (`posit` → `R_LAYER_REPO_POSIT_TOKEN`), or
    /// those in its URL. Returns the URL without them; what is no URL (a folder) is returned as it is.
    pub fn of_repository(&mut self, name: &str, base: &str) -> Result<String, CredentialsError> {
        let variables = secret_of_variables(name)?;
        self.learn(name, base, variables)
    }

    /// The same of a place that no variable is for: what stands in its URL alone.
    pub fn of_url(&mut self, name: &str, base: &str) -> Result<String, CredentialsError> {
        self.learn(name, base, None)
    }

    /// Learns the token of GitHub's API: `R_LAYER_REPO_GITHUB_TOKEN` (or what else is said of a repository by the name
    /// `github`), else `GITHUB_TOKEN`, else `GITHUB_PAT`, as R's own tools have it. Returns the URL without credentials.
    pub fn of_github(&mut self, base: &str) -> Result<String, CredentialsError> {
        let named = secret_of_variables("github")?;
        let token = ["GITHUB_TOKEN", "GITHUB_PAT"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|token| !token.is_empty());
        self.learn("github", base, named.or(token.map(Secret::Token)))
    }

    fn learn(
        &mut self,
        name: &str,
        base: &str,
        variables: Option<Secret>,
    ) -> Result<String, CredentialsError> {
        let Some(mut url) = web_url(base) else {
            if base.contains("://") && !base.starts_with("file://") {
                return Err(CredentialsError::NoUrl {
                    name: name.to_owned(),
                    shown: base.rsplit('@').next().unwrap_or_default().to_owned(),
                });
            }
            return Ok(base.to_owned());
        };
        if url.query().is_some() && name != "r-tarball" {
            return Err(CredentialsError::Query(name.to_owned()));
        }
        let in_url = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let (user, password) = (url.username(), url.password().unwrap_or_default());
            Secret::Password {
                user: decoded(user),
                password: decoded(password),
            }
        });
        let found = variables.or(in_url);
        // Both can be set on every URL that has a host.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        if let Some(secret) = found {
            self.repositories.push((url.clone(), secret));
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    /// A request that says who asks, if that server is to know.
    pub fn authorize(&self, url: &str, request: RequestBuilder) -> RequestBuilder {
        match self.secret(url) {
            None => request,
            Some(Secret::Token(token)) => request.bearer_auth(token),
            Some(Secret::Password { user, password }) => request.basic_auth(user, Some(password)),
        }
    }

    /// The value of the header `Authorization` for a URL, for other programs than this one. It is a secret.
    pub(crate) fn authorization(&self, url: &str) -> Option<String> {
        Some(match self.secret(url)? {
            Secret::Token(token) => format!("Bearer {token}"),
            Secret::Password { user, password } => {
                let pair = format!("{user}:{password}");
                format!(
                    "Basic {}",
                    base64::engine::general_purpose::STANDARD.encode(pair)
                )
            }
        })
    }

    /// Of the repository that the URL lies in, the innermost first; else what netrc has for its host.
    fn secret(&self, url: &str) -> Option<&Secret> {
        let url = web_url(url)?;
        let of_repository = self
            .repositories
            .iter()
            .filter(|(base, _)| lies_in(&url, base))
            .max_by_key(|(base, _)| base.path().len());
        if let Some((_, secret)) = of_repository {
            return Some(secret);
        }
        let host = url.host_str()?;
        let of = |name: &str| self.netrc.iter().find(|(host, _)| host == name);
        of(host).or_else(|| of("default")).map(|(_, secret)| secret)
    }
}

fn web_url(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn lies_in(url: &Url, base: &Url) -> bool {
    let folder = base.path().trim_end_matches('/');
    let below = url.path().strip_prefix(folder);
    url.origin() == base.origin()
        && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// How the variables with a repository's credentials begin: `corp-r.internal` → `R_LAYER_REPO_CORP_R_INTERNAL`, behind
/// which stands `_TOKEN`, or `_USER` and `_PASSWORD`.
pub fn variable_prefix(name: &str) -> String {
    format!(
        "R_LAYER_REPO_{}",
        name.to_uppercase().replace(['-', '.'], "_")
    )
}

fn secret_of_variables(name: &str) -> Result<Option<Secret>, CredentialsError> {
    let prefix = variable_prefix(name);
    let value = |what: &str| {
        std::env::var(format!("{prefix}_{what}"))
            .ok()
            .filter(|value| !value.is_empty())
    };
    let half = |set: &str, missing: &str| CredentialsError::Half {
        set: format!("{prefix}_{set}"),
        missing: format!("{prefix}_{missing}"),
    };
    match (value("TOKEN"), value("USER"), value("PASSWORD")) {
        (Some(token), _, _) => Ok(Some(Secret::Token(token))),
        (None, Some(user), Some(password)) => Ok(Some(Secret::Password { user, password })),
        (None, Some(_), None) => Err(half("USER", "PASSWORD")),
        (None, None, Some(_)) => Err(half("PASSWORD", "USER")),
        (None, None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Authorization header that a request to a URL would have.
    fn sent(credentials: &Credentials, url: &str) -> Option<String> {
        let client = reqwest::Client::new();
        let request = credentials.authorize(url, client.get(url)).build().unwrap();
        let header = request.headers().get("authorization")?;
        Some(header.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_url_is_parted_from_its_credentials_which_go_to_that_repository_only() {
        let mut credentials = Credentials::default();
        let url = credentials
            .of_repository("unnamed", "https://ann:p%40ss@r.example/posit/")
            .unwrap();
        assert_eq!(url, "https://r.example/posit");
        let sent = |url: &str| sent(&credentials, url);
        // `ann:p@ss`
        let expected = Some("Basic YW5uOnBAc3M=".to_owned());
        assert_eq!(sent("https://r.example/posit/versions.json"), expected);
        assert_eq!(sent("https://r.example/posit"), expected);
        for other in [
            "https://r.example/positron/x",
            "http://r.example/posit/x",
            "https://r.example:444/posit/x",
            "https://evil.example/posit/x",
        ] {
            assert_eq!(sent(other), None, "{other}");
        }
        assert!(!format!("{credentials:?}").contains("ann"));
    }

    #[test]
    fn what_is_no_url_is_refused_without_its_password() {
        let mut credentials = Credentials::default();
        for text in ["https://ann:sesame@host:99999/r", "ftp://ann:sesame@host/r"] {
            let error = credentials
                .of_repository("posit", text)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("--posit") && error.contains("host"),
                "{error}"
            );
            assert!(!error.contains("sesame"), "{error}");
        }
        assert!(credentials.of_url("posit", "file:///srv/r").is_ok());
    }

    #[test]
    fn a_folder_has_no_credentials() {
        let mut credentials = Credentials::default();
        assert_eq!(
            credentials.of_repository("unnamed", "/srv/r").unwrap(),
            "/srv/r"
        );
    }
}
