//! Places that things are fetched from: a URL or a path of this machine.

use std::fmt;
use std::path::PathBuf;

use crate::http::{Http, HttpError, without_query};

/// Where one file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// On a server.
    Url(String),
    /// On this machine.
    File(PathBuf),
}

impl Location {
    /// A URL if it begins as one (`file://` is a path), else a path.
    pub fn parse(text: &str) -> Location {
        match text.strip_prefix("file://") {
            Some(path) => Location::File(path.into()),
            None if text.starts_with("http://") || text.starts_with("https://") => {
                Location::Url(text.to_owned())
            }
            None => Location::File(text.into()),
        }
    }

    /// The text of the file there.
    pub async fn text(&self, http: &Http) -> Result<String, HttpError> {
        match self {
            Location::Url(url) => http.text(url).await,
            Location::File(path) => {
                fs_err::read_to_string(path).map_err(|error| HttpError::Unreachable {
                    url: path.display().to_string(),
                    tries: 1,
                    reason: error.to_string(),
                })
            }
        }
    }
}

impl Location {
    /// Is there something?
    pub async fn is_there(&self, http: &Http) -> bool {
        match self {
            Location::Url(url) => http.is_there(url).await,
            Location::File(path) => path.is_file(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Url(url) => f.write_str(without_query(url)),
            Location::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The base of a repository that is laid out as CRAN is: a URL or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror(Location);

impl Mirror {
    /// A mirror by its URL or path.
    pub fn parse(text: &str) -> Mirror {
        Mirror(Location::parse(text.trim_end_matches('/')))
    }

    /// A repository in a folder of it.
    pub fn below(&self, folder: &str) -> Mirror {
        Mirror(self.at(folder))
    }

    /// Does it take a network to ask it?
    pub fn is_on_a_server(&self) -> bool {
        matches!(self.0, Location::Url(_))
    }

    /// The location of a file in it.
    pub fn at(&self, path: &str) -> Location {
        match &self.0 {
            Location::Url(base) => Location::Url(format!("{base}/{path}")),
            Location::File(base) => Location::File(base.join(path)),
        }
    }

    /// The names in a folder of it; on a server, those that its listing links to.
    pub async fn names(&self, folder: &str, http: &Http) -> Vec<String> {
        match self.at(folder) {
            Location::File(path) => fs_err::read_dir(path)
                .map(|entries| {
                    entries
                        .flatten()
                        .filter_map(|entry| entry.file_name().into_string().ok())
                        .collect()
                })
                .unwrap_or_default(),
            Location::Url(url) => http
                .text(&format!("{url}/"))
                .await
                .map(|page| linked_names(&page))
                .unwrap_or_default(),
        }
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The targets of the links of a server's folder listing.
fn linked_names(page: &str) -> Vec<String> {
    page.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths_are_told_apart() {
        assert_eq!(
            Location::parse("/srv/R.tar.gz"),
            Location::File("/srv/R.tar.gz".into())
        );
        assert_eq!(
            Location::parse("file:///srv/R"),
            Location::File("/srv/R".into())
        );
        let mirror = Mirror::parse("https://cran.example/");
        assert_eq!(mirror.at("src/x").to_string(), "https://cran.example/src/x");
        assert_eq!(
            Mirror::parse("/srv/cran/").at("src/x").to_string(),
            "/srv/cran/src/x"
        );
    }

    #[test]
    fn a_listing_gives_its_links() {
        let page = "<a href=\"?C=N\">Name</a> <a href=\"R-4.5.0.tar.gz\">R-4.5.0.tar.gz</a>";
        assert_eq!(linked_names(page), ["?C=N", "R-4.5.0.tar.gz"]);
    }
}
