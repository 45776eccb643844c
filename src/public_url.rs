//! URLs that can be shown and written down: without what stands in them of user and password.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A URL, or a path of this machine, without credentials: `https://ann:secret@host/r` is `https://host/r`.
///
/// The user of `ssh://git@host` and of `git@host:path` is no secret, and needed; it stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Takes the credentials out of a URL.
    pub fn new(url: &str) -> PublicUrl {
        PublicUrl(without_credentials(url).unwrap_or_else(|| url.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn without_credentials(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (user, host) = rest[..host_end].rsplit_once('@')?;
    let path = &rest[host_end..];
    let user = match scheme.ends_with("ssh") {
        true => user.split(':').next().map(|user| format!("{user}@")),
        false => None,
    };
    Some(format!(
        "{scheme}://{}{host}{path}",
        user.unwrap_or_default()
    ))
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PublicUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(PublicUrl::new(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_left_out_and_nothing_else() {
        for (url, public) in [
            (
                "https://ann:s3cret@host.example:8443/r",
                "https://host.example:8443/r",
            ),
            ("https://token@host.example", "https://host.example"),
            (
                "https://ann:p@ss@host.example/r?x=1#f",
                "https://host.example/r?x=1#f",
            ),
            (
                "https://host.example/@scope/pkg",
                "https://host.example/@scope/pkg",
            ),
            ("https://host.example?a@b", "https://host.example?a@b"),
            (
                "git+https://x:y@host.example/r.git@main",
                "git+https://host.example/r.git@main",
            ),
            (
                "ssh://git:pw@host.example/r.git",
                "ssh://git@host.example/r.git",
            ),
            ("git@host.example:r.git", "git@host.example:r.git"),
            ("/srv/r", "/srv/r"),
        ] {
            assert_eq!(PublicUrl::new(url).as_str(), public);
        }
    }
}
