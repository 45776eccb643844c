//! `[repositories.NAME]`: where packages are fetched, in the order of the file.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::value::Datetime;

/// `[repositories.NAME]`: a repository that is laid out as CRAN is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RepositorySection {
    /// Its base URL or folder; `src/contrib` lies in it. Credentials do not belong here: netrc and `R_LAYER_REPO_<NAME>_TOKEN` are for them.
    pub url: String,
    /// The day that it is looked at as it was, where the server keeps such (Posit Package Manager).
    #[serde(default)]
    pub snapshot: Option<SnapshotDate>,
    /// Has it binaries for Linux? If it is not said, its answers say.
    #[serde(default)]
    pub binaries: Option<bool>,
}

impl RepositorySection {
    /// Its URL on the day of the snapshot: a `latest` or another day at the end of it gives way.
    ///
    /// Posit Package Manager has `https://p3m.dev/cran/latest` and `https://p3m.dev/cran/2025-04-01`.
    pub fn snapshot_url(&self) -> String {
        let url = self.url.trim_end_matches('/');
        match &self.snapshot {
            None => url.to_owned(),
            Some(snapshot) => {
                let (base, _) = part_snapshot(url);
                format!("{base}/{snapshot}")
            }
        }
    }
}

/// The URL of a repository of Posit Package Manager without its last part, if that is a day or `latest`; and that day.
pub fn part_snapshot(url: &str) -> (&str, Option<SnapshotDate>) {
    match url.trim_end_matches('/').rsplit_once('/') {
        Some((base, "latest")) => (base, None),
        Some((base, last)) => match last.parse() {
            Ok(date) => (base, Some(date)),
            Err(_) => (url, None),
        },
        None => (url, None),
    }
}

/// A day, as `2025-04-01`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotDate(String);

/// What is no day.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no date of a snapshot; type one as 2025-04-01")]
pub struct SnapshotDateError(String);

impl std::str::FromStr for SnapshotDate {
    type Err = SnapshotDateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || SnapshotDateError(text.to_owned());
        let date: Datetime = text.parse().map_err(|_| wrong())?;
        match date {
            Datetime {
                date: Some(date),
                time: None,
                offset: None,
            } => Ok(SnapshotDate(date.to_string())),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for SnapshotDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SnapshotDate {
    /// A text or one of TOML's dates, which need no quotes.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        text.parse().map_err(D::Error::custom)
    }
}

/// Sections by name, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InOrder<T>(pub Vec<(String, T)>);

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        InOrder(Vec::new())
    }
}

impl<T> InOrder<T> {
    /// The section of that name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, section)| section)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for InOrder<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sections<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Sections<T> {
            type Value = InOrder<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of tables")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder<T>, A::Error> {
                let mut sections: Vec<(String, T)> = Vec::new();
                while let Some(RepositoryName(name)) = map.next_key()? {
                    let variable = variable_of(&name);
                    if let Some((other, _)) = sections
                        .iter()
                        .find(|(other, _)| variable_of(other) == variable)
                    {
                        return Err(A::Error::custom(format!(
                            "the repositories `{other}` and `{name}` would both be {variable}_TOKEN in the environment; \
                             give one of them another name"
                        )));
                    }
                    sections.push((name, map.next_value()?));
                }
                Ok(InOrder(sections))
            }
        }

        deserializer.deserialize_map(Sections(PhantomData))
    }
}

/// The beginning of the environment variables with a repository's credentials.
fn variable_of(name: &str) -> String {
    format!("R_LAYER_REPO_{}", name.to_uppercase().replace('-', "_"))
}

/// A name that can be part of an environment variable's.
struct RepositoryName(String);

impl<'de> Deserialize<'de> for RepositoryName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match is_repository_name(&name) {
            true => Ok(RepositoryName(name)),
            false => Err(D::Error::custom(format!(
                "`{name}` is no name of a repository; take letters, digits, `-` and `_`, a letter first"
            ))),
        }
    }
}

/// Can a repository be called that?
pub(super) fn is_repository_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(url: &str, snapshot: Option<&str>) -> RepositorySection {
        RepositorySection {
            url: url.to_owned(),
            snapshot: snapshot.map(|date| date.parse().unwrap()),
            binaries: None,
        }
    }

    #[test]
    fn a_snapshot_takes_the_place_of_latest_and_of_another_day() {
        for (url, at) in [
            ("https://p3m.dev/cran", "https://p3m.dev/cran/2025-04-01"),
            (
                "https://p3m.dev/cran/latest/",
                "https://p3m.dev/cran/2025-04-01",
            ),
            (
                "https://p3m.dev/cran/2024-01-02",
                "https://p3m.dev/cran/2025-04-01",
            ),
        ] {
            assert_eq!(section(url, Some("2025-04-01")).snapshot_url(), at);
        }
        assert_eq!(
            section("https://p3m.dev/cran/latest/", None).snapshot_url(),
            "https://p3m.dev/cran/latest"
        );
    }

    #[test]
    fn days_are_days_of_the_calendar() {
        for text in [
            "2025-02-30",
            "2025-13-01",
            "latest",
            "2025-4-1",
            "2025-04-01T00:00:00",
            "07:32:00",
            "",
        ] {
            assert!(text.parse::<SnapshotDate>().is_err(), "{text}");
        }
        assert_eq!(
            "2024-02-29".parse::<SnapshotDate>().unwrap().to_string(),
            "2024-02-29"
        );
    }
}
