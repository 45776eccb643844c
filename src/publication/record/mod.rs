//! `r-layer.arns.json`: what was published where. It is meant to be committed, and read by others.
//!
//! A JSON array: first its version, then an object for each layer, in canonical order, one a line. Each line but the
//! first begins with the comma, so that lines added on two branches are merged as lines, and stay JSON.

mod error;
mod publication;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use error::RecordError;
pub use publication::{Publication, PublicationKey};

use crate::os::{lock_folder, set_mode};

const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u64,
}

/// The file's array: a header, then publications.
struct Lines(Vec<Publication>);

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderFirst;

        impl<'de> Visitor<'de> for HeaderFirst {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut lines: A) -> Result<Lines, A::Error> {
                let _: Option<Header> = lines.next_element()?;
                let mut publications = Vec::new();
                while let Some(publication) = lines.next_element()? {
                    publications.push(publication);
                }
                Ok(Lines(publications))
            }
        }

        deserializer.deserialize_seq(HeaderFirst)
    }
}

/// What was published where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicationRecord {
    publications: BTreeMap<PublicationKey, Publication>,
}

impl PublicationRecord {
    /// The name of the file.
    pub const NAME: &'static str = "r-layer.arns.json";

    /// Reads the record in a folder; none is an empty one.
    pub fn read(folder: &Path) -> Result<PublicationRecord, RecordError> {
        let path = folder.join(PublicationRecord::NAME);
        match fs_err::read_to_string(&path) {
            Ok(text) => PublicationRecord::parse(&text, &path.display().to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(RecordError::Io { path, source }),
        }
    }

    /// Reads a record's text; the file or URL that it is from is for messages.
    pub fn parse(text: &str, origin: &str) -> Result<PublicationRecord, RecordError> {
        let origin = || origin.to_owned();
        if let Some(line) = text.lines().position(|line| line.starts_with("<<<<<<<")) {
            let (origin, line) = (origin(), line + 1);
            return Err(RecordError::Conflict { origin, line });
        }
        let malformed = |source| RecordError::Malformed {
            origin: origin(),
            source,
        };
        let lines: Value = serde_json::from_str(text).map_err(malformed)?;
        match lines
            .get(0)
            .and_then(|header| header.get("version")?.as_u64())
        {
            Some(VERSION) => {}
            Some(version) => {
                let origin = origin();
                return Err(RecordError::Version { origin, version });
            }
            None => return Err(RecordError::NoVersion { origin: origin() }),
        }
        let Lines(publications) = serde_json::from_str(text).map_err(malformed)?;
        let mut record = PublicationRecord::default();
        for publication in publications {
            if !publication.agrees_with_arn() {
                let PublicationKey {
                    region,
                    layer,
                    account,
                    ..
                } = publication.key();
                return Err(RecordError::Contradiction {
                    origin: origin(),
                    what: format!(
                        "{layer}, version {}, {region}, {account}",
                        publication.version
                    ),
                    arn: Box::new(publication.arn),
                });
            }
            let newest = record.get(&publication.key()).map(|other| other.version);
            if newest.is_none_or(|newest| newest <= publication.version) {
                record.record(publication);
            }
        }
        Ok(record)
    }

    /// What was published of that.
    pub fn get(&self, key: &PublicationKey) -> Option<&Publication> {
        self.publications.get(key)
    }

    /// All that was published, in the order of the file.
    pub fn publications(&self) -> impl Iterator<Item = &Publication> {
        self.publications.values()
    }

    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.publications.is_empty()
    }

    /// Records a publication, in the place of the one that there was of the same layer, processor and region.
    pub fn record(&mut self, publication: Publication) -> Option<Publication> {
        self.publications.insert(publication.key(), publication)
    }

    /// Forgets a publication.
    pub fn remove(&mut self, key: &PublicationKey) -> Option<Publication> {
        self.publications.remove(key)
    }

    /// Its text, in canonical order.
    fn text(&self) -> serde_json::Result<String> {
        let header = serde_json::to_string(&Header { version: VERSION })?;
        let mut text = format!("[{header}\n");
        for publication in self.publications() {
            text += &format!(",{}\n", serde_json::to_string(publication)?);
        }
        Ok(text + "]\n")
    }

    /// Reads the record in a folder, changes it, and writes it if that changed anything. Nobody else changes it in the
    /// meantime.
    ///
    /// It waits for others who are at it, which takes them no longer than this.
    pub fn update<T>(
        folder: &Path,
        change: impl FnOnce(&mut PublicationRecord) -> T,
    ) -> Result<T, RecordError> {
        let path = folder.join(PublicationRecord::NAME);
        let io_error = |source| RecordError::Io {
            path: path.clone(),
            source,
        };
        let _lock = lock_folder(folder).map_err(io_error)?;
        let before = PublicationRecord::read(folder)?;
        let mut record = before.clone();
        let result = change(&mut record);
        if record != before {
            record.write(&path).map_err(io_error)?;
        }
        Ok(result)
    }

    /// Writes it beside the old one and renames it.
    fn write(&self, path: &Path) -> io::Result<()> {
        let text = self.text()?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        // It is committed and shared: others may read it.
        set_mode(file.path(), 0o644)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
}
