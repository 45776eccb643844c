//! Whom servers are believed by: the system's certificates, or those that SSL_CERT_FILE and AWS_CA_BUNDLE name.

use std::path::PathBuf;

use super::HttpError;
use super::error::{UNTRUSTED, reason};

/// Certificates are only looked into when the client is made; of the system's, those that are no good are passed over.
pub(crate) fn unusable_setup(error: reqwest::Error) -> HttpError {
    let reason = reason(&error);
    for (variable, words) in [(BUNDLE, UNTRUSTED), ("SSL_CERT_FILE", NO_CERTIFICATES)] {
        if let (Some(path), true) = (named_file(variable), reason.contains(words)) {
            return HttpError::Certificates {
                variable,
                path,
                reason,
            };
        }
    }
    HttpError::Setup(error)
}

/// What is said when neither the system nor SSL_CERT_FILE has any certificate.
const NO_CERTIFICATES: &str = "No CA certificates";

/// The variable by which AWS's tools take certificates.
pub const BUNDLE: &str = "AWS_CA_BUNDLE";

/// The file that an environment variable names.
pub fn named_file(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// The certificates in the file that an environment variable names.
pub fn certificates(variable: &'static str) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let Some(path) = named_file(variable) else {
        return Ok(Vec::new());
    };
    let unusable = |reason: String| HttpError::Certificates {
        variable,
        path: path.clone(),
        reason,
    };
    let pem = fs_err::read(&path).map_err(|error| unusable(error.to_string()))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if certificates.is_empty() => Err(unusable(
            "it holds no certificate (BEGIN CERTIFICATE)".to_owned(),
        )),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unusable(reason(&error))),
    }
}
