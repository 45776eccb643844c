//! What to type when a repository wants to know who asks; and what else an error says beside the URL.

use reqwest::{StatusCode, Url};

use crate::credentials::variable_prefix;
use crate::http::HttpError;

/// Which variables or line of netrc a server's refusal is about.
pub fn credentials_hint(status: StatusCode, url: &str, repository: &str) -> String {
    let prefix = variable_prefix(repository);
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or("HOST");
    format!(
        "the server answers {status}: it wants credentials, or others. Set {prefix}_TOKEN (or {prefix}_USER and \
         {prefix}_PASSWORD), or put `machine {host} login USER password PASSWORD` into ~/.netrc"
    )
}

/// What an error says beside the URL, which stands before it already.
pub fn short_outcome(error: &HttpError) -> String {
    super::tarball::outcome(error)
}
