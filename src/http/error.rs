//! Why something was not fetched, and what to do about it.

use std::path::PathBuf;

use reqwest::StatusCode;

/// Why something was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A certificate file that is none.
    #[error("{variable} names {path}, which cannot be used: {reason}")]
    Certificates {
        /// The environment variable.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The client could not be set up.
    #[error(
        "HTTP cannot be set up; are the system's certificates installed (the package ca-certificates)?"
    )]
    Setup(#[source] reqwest::Error),
    /// There is to be no network.
    #[error(
        "{url} is not asked, as --offline is set, and the cache has it not; type the same once without --offline"
    )]
    Offline {
        /// What would have been asked for.
        url: String,
    },
    /// No such thing there.
    #[error("{url} is not there (HTTP {status})")]
    NotFound {
        /// What was asked for.
        url: String,
        /// 404 or 410.
        status: StatusCode,
    },
    /// The server refuses.
    #[error("{url}: the server answers {status}")]
    Refused {
        /// What was asked for.
        url: String,
        /// Its status.
        status: StatusCode,
    },
    /// It wants to know who asks.
    #[error(
        "{url}: the server answers {status}: it wants credentials, or others; put them into ~/.netrc, or set \
         R_LAYER_REPO_<NAME>_TOKEN (or _USER and _PASSWORD), <NAME> being POSIT, P3M, CRAN or the \
         name of a repository in r-layer.toml"
    )]
    Unauthorized {
        /// What was asked for.
        url: String,
        /// 401 or 403.
        status: StatusCode,
    },
    /// It could be anybody.
    #[error(
        "{url}: {reason}. If the certificate is from an authority of your own, as a company's proxy has one, \
         name a file with that authority's certificate in AWS_CA_BUNDLE"
    )]
    Untrusted {
        /// What was asked for.
        url: String,
        /// What is wrong with the certificate.
        reason: String,
    },
    /// Not reached, or broken off, and tried again in vain.
    #[error("{url} cannot be fetched ({tries} tries): {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// How often it was tried.
        tries: usize,
        /// What the last try ended with.
        reason: String,
    },
    /// Something else than what should be there, as a portal's page is.
    #[error("what is at {url} is not understood: {reason}")]
    NotUnderstood {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file could not be written.
    #[error("{url} cannot be saved: {source}")]
    NotSaved {
        /// What was asked for.
        url: String,
        /// The system's word.
        source: std::io::Error,
    },
}

/// How rustls begins to say what is wrong with a certificate. It does not get better by asking again.
pub(crate) const UNTRUSTED: &str = "invalid peer certificate";

/// The innermost reason, which says more than «error sending request».
pub(crate) fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut source = error;
    while let Some(next) = source.source() {
        source = next;
    }
    source.to_string()
}
