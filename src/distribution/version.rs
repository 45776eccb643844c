//! R's version as its users ask for it, in the words that rig knows: `release`, `oldrel`, `oldrel/2`, `4.5`, `4.5.0`.

use std::fmt;
use std::str::FromStr;

use crate::package::RVersion;

/// A version of R that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RVersionRequest {
    /// The newest patch release of the minor version so many before the newest: `release` is 0, `oldrel` 1.
    Back(usize),
    /// The newest patch release of a minor version, `4.5`.
    Minor(RVersion),
    /// That one.
    Exact(RVersion),
}

/// A text that asks for no version of R.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no version of R; type one as 4.5.0, the newest of a series as 4.5, or release, oldrel, oldrel/2"
)]
pub struct UnknownRequest(String);

impl FromStr for RVersionRequest {
    type Err = UnknownRequest;

    fn from_str(text: &str) -> Result<Self, UnknownRequest> {
        let unknown = || UnknownRequest(text.to_owned());
        match text {
            "release" => return Ok(RVersionRequest::Back(0)),
            "oldrel" => return Ok(RVersionRequest::Back(1)),
            _ => {}
        }
        if let Some(count) = text.strip_prefix("oldrel/") {
            let count = count.parse().ok().filter(|count| *count > 0);
            return count.map(RVersionRequest::Back).ok_or_else(unknown);
        }
        let version: RVersion = text.parse().map_err(|_| unknown())?;
        match version.parts() {
            2 => Ok(RVersionRequest::Minor(version)),
            3 => Ok(RVersionRequest::Exact(version)),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for RVersionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RVersionRequest::Back(0) => f.write_str("release"),
            RVersionRequest::Back(1) => f.write_str("oldrel"),
            RVersionRequest::Back(count) => write!(f, "oldrel/{count}"),
            RVersionRequest::Minor(version) | RVersionRequest::Exact(version) => version.fmt(f),
        }
    }
}

impl RVersionRequest {
    /// The version that is meant, among those that there are; nothing if none is.
    pub fn choose(&self, there: &[RVersion]) -> Option<RVersion> {
        let minor = match self {
            RVersionRequest::Exact(version) => return Some(version.clone()),
            RVersionRequest::Minor(version) => version.minor(),
            RVersionRequest::Back(count) => {
                let mut minors: Vec<(u64, u64)> = there.iter().map(RVersion::minor).collect();
                minors.sort_unstable();
                minors.dedup();
                *minors.iter().rev().nth(*count)?
            }
        };
        let of_that_series = there.iter().filter(|version| version.minor() == minor);
        of_that_series.max().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(texts: &[&str]) -> Vec<RVersion> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn words_and_series_are_resolved_among_those_that_there_are() {
        let there = versions(&["4.2.3", "4.4.3", "4.5.2", "4.5.10", "3.6.3", "4.3.3"]);
        let chosen = |text: &str| {
            let request: RVersionRequest = text.parse().unwrap();
            assert_eq!(request.to_string(), text);
            request.choose(&there).map(|version| version.to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(chosen("release"), some("4.5.10"));
        assert_eq!(chosen("oldrel"), some("4.4.3"));
        assert_eq!(chosen("oldrel/2"), some("4.3.3"));
        assert_eq!(chosen("oldrel/4"), some("3.6.3"));
        assert_eq!(chosen("oldrel/9"), None);
        assert_eq!(chosen("4.5"), some("4.5.10"));
        assert_eq!(chosen("4.1"), None);
        assert_eq!(chosen("4.1.0"), some("4.1.0"));
    }

    #[test]
    fn what_asks_for_no_version_says_the_forms() {
        for text in [
            "", "4", "4.5.0.1", "newest", "oldrel/0", "oldrel/x", "R-4.5.0",
        ] {
            let error = text.parse::<RVersionRequest>().unwrap_err().to_string();
            assert!(error.contains("oldrel/2"), "{error}");
        }
    }
}
