//! `r-layer.arns.json`: what was published where. It is meant to be committed, and read by others.
//!
//! A JSON array: first its version, then an object for each layer, in canonical order, one a line. Each line but the
//! first begins with the comma, so that lines added on two branches are merged as lines, and stay JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::arn::{AccountId, LayerVersionArn, Partition, Region};
use super::grant::Grant;
use super::name::PublishedName;
use super::timestamp::Timestamp;
use crate::checksum::Sha256;
use crate::os::{lock_folder, set_mode};
use crate::target::Architecture;

const VERSION: u64 = 1;

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not read or not written.
    #[error("{path}: {source}")]
    Io {
        /// The record.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// No record.
    #[error("{origin} is not a record of published layers that this r-layer can read: {source}")]
    Malformed {
        /// The file or URL.
        origin: String,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// A merge that was not finished.
    #[error(
        "{origin}, line {line}: git left a conflict there; keep the lines of both sides, without the marks: of two \
         lines for one layer and region, the higher version counts"
    )]
    Conflict {
        /// The file or URL.
        origin: String,
        /// The first mark's line.
        line: usize,
    },
    /// Another JSON.
    #[error(
        "{origin} is not a record of published layers: it does not begin with {{\"version\": {VERSION}}}"
    )]
    NoVersion {
        /// The file or URL.
        origin: String,
    },
    /// From another r-layer.
    #[error("{origin} has version {version}; this r-layer knows {VERSION}: take a newer r-layer")]
    Version {
        /// The file or URL.
        origin: String,
        /// Its version.
        version: u64,
    },
    /// An ARN of one layer beside the name or region of another.
    #[error("{origin}: {arn} is not of {what}, which its line says")]
    Contradiction {
        /// The file or URL.
        origin: String,
        /// The ARN.
        arn: Box<LayerVersionArn>,
        /// What the line says.
        what: String,
    },
}

/// By what publications are told apart; the record has the newest of each. It sorts in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicationKey {
    /// The partition.
    pub partition: Partition,
    /// The account.
    pub account: AccountId,
    /// The layer's name at AWS.
    pub layer: PublishedName,
    /// The processor.
    pub architecture: Architecture,
    /// The region.
    pub region: Region,
}

/// A layer version that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The partition.
    pub partition: Partition,
    /// The account.
    pub account: AccountId,
    /// The layer's name at AWS.
    pub layer: PublishedName,
    /// What it is called whatever R, processor and region it is for: `r-runtime`, `r-models`.
    pub logical_name: String,
    /// The processor.
    pub architecture: Architecture,
    /// R's version.
    pub r_version: String,
    /// The region.
    pub region: Region,
    /// The version's number.
    pub version: u64,
    /// All of that, as AWS writes it.
    pub arn: LayerVersionArn,
    /// The hash of the zip.
    pub sha256: Sha256,
    /// Who may use it beside the account.
    pub grants: BTreeSet<Grant>,
    /// When it was published.
    pub published: Timestamp,
}

impl Publication {
    /// By what it is told apart.
    pub fn key(&self) -> PublicationKey {
        PublicationKey {
            partition: self.partition.clone(),
            account: self.account.clone(),
            layer: self.layer.clone(),
            architecture: self.architecture,
            region: self.region.clone(),
        }
    }

    fn agrees_with_arn(&self) -> bool {
        let LayerVersionArn { layer, version } = &self.arn;
        (&layer.partition, &layer.region, &layer.account)
            == (&self.partition, &self.region, &self.account)
            && (&layer.layer, *version) == (&self.layer, self.version)
    }
}

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

#[cfg(test)]
pub(crate) mod tests {
    use std::process::Command;

    use super::*;

    /// A publication of `r-NAME-4_5-x86_64`.
    pub(crate) fn publication(name: &str, region: &str, version: u64) -> Publication {
        let region: Region = region.parse().unwrap();
        let partition = Partition::of(&region);
        let layer: PublishedName = format!("r-{name}-4_5-x86_64").parse().unwrap();
        let account: AccountId = "123456789012".parse().unwrap();
        let arn = format!("arn:{partition}:lambda:{region}:{account}:layer:{layer}:{version}");
        Publication {
            partition,
            account,
            layer,
            logical_name: format!("r-{name}"),
            architecture: Architecture::X86_64,
            r_version: "4.5.0".to_owned(),
            region,
            version,
            arn: arn.parse().unwrap(),
            sha256: Sha256::of(name.as_bytes()),
            grants: BTreeSet::from([Grant::Public]),
            published: "2025-04-01T12:30:00Z".parse().unwrap(),
        }
    }

    fn record(publications: &[Publication]) -> PublicationRecord {
        let mut record = PublicationRecord::default();
        for publication in publications {
            record.record(publication.clone());
        }
        record
    }

    fn refused(text: &str) -> String {
        let refused = PublicationRecord::parse(text, "r-layer.arns.json");
        refused.unwrap_err().to_string()
    }

    #[test]
    fn a_record_is_written_in_canonical_order_one_layer_and_region_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let read = || PublicationRecord::read(folder.path()).unwrap();
        assert!(read().is_empty());
        let publications = [
            publication("runtime", "us-east-1", 1),
            publication("runtime", "eu-central-1", 7),
            publication("models", "us-east-1", 2),
        ];
        for publication in &publications {
            PublicationRecord::update(folder.path(), |record| record.record(publication.clone()))
                .unwrap();
        }
        assert_eq!(read(), record(&publications));
        let path = folder.path().join(PublicationRecord::NAME);
        let text = fs_err::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            (lines[0], lines[4], lines.len()),
            (r#"[{"version":1}"#, "]", 5)
        );
        assert!(
            lines[1].contains("r-models") && lines[2].contains("eu-central-1"),
            "{text}"
        );
        // The newest version takes the place of the one before; what is the same is not written again.
        let newer = publication("models", "us-east-1", 3);
        let older = PublicationRecord::update(folder.path(), |record| record.record(newer.clone()));
        assert_eq!(older.unwrap(), Some(publications[2].clone()));
        let removed =
            PublicationRecord::update(folder.path(), |record| record.remove(&newer.key()));
        assert_eq!(removed.unwrap(), Some(newer));
        assert_eq!(read(), record(&publications[..2]));
        let left = fs_err::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1);
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 1..=16 {
                let folder = folder.path();
                scope.spawn(move || {
                    let publication = publication(&format!("layer{number}"), "us-east-1", number);
                    PublicationRecord::update(folder, |record| record.record(publication)).unwrap();
                });
            }
        });
        let read = PublicationRecord::read(folder.path()).unwrap();
        assert_eq!(read.publications().count(), 16);
    }

    /// Merges two records that came from one, as git does.
    fn merged(
        base: &[Publication],
        ours: &[Publication],
        theirs: &[Publication],
    ) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, publications) in [("base", base), ("ours", ours), ("theirs", theirs)] {
            let text = record(publications).text().unwrap();
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        let output = Command::new("git")
            .args(["merge-file", "-p", "ours", "base", "theirs"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    }

    #[test]
    fn what_two_branches_add_is_merged_by_git() {
        let base = publication("runtime", "eu-central-1", 1);
        let first = publication("models", "eu-central-1", 1);
        let last = publication("tables", "us-east-1", 1);
        let with = |other: &Publication| [base.clone(), other.clone()];
        let (is_clean, text) = merged(std::slice::from_ref(&base), &with(&first), &with(&last));
        assert!(is_clean, "{text}");
        let whole = record(&[base.clone(), first.clone(), last]);
        assert_eq!(PublicationRecord::parse(&text, "").unwrap(), whole);
        assert_eq!(text, whole.text().unwrap());
        // Both add at one place: what is left to do is said, and the lines of both sides are a record.
        let other = publication("pictures", "eu-central-1", 1);
        let newer = publication("models", "eu-central-1", 2);
        let (is_clean, text) = merged(
            std::slice::from_ref(&base),
            &with(&first),
            &[base.clone(), other.clone(), newer.clone()],
        );
        assert!(!is_clean);
        let error = refused(&text);
        assert!(
            error.contains("line 2") && error.contains("both sides"),
            "{error}"
        );
        let is_mark = |line: &&str| {
            ["<<<<", "====", ">>>>"]
                .iter()
                .any(|mark| line.starts_with(mark))
        };
        let kept: Vec<&str> = text.lines().filter(|line| !is_mark(line)).collect();
        let read = PublicationRecord::parse(&kept.join("\n"), "").unwrap();
        assert_eq!(read, record(&[base, newer, other]));
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_place() {
        let line = |edit: &dyn Fn(&mut Value)| {
            let mut value =
                serde_json::to_value(publication("runtime", "eu-central-1", 1)).unwrap();
            edit(&mut value);
            format!("[{{\"version\":1}}\n,{value}\n]\n")
        };
        for (text, words) in [
            ("".to_owned(), &["not a record", "line 1"][..]),
            (
                "<html>".to_owned(),
                &["r-layer.arns.json is not a record", "line 1"],
            ),
            (
                "{\"version\":1}".to_owned(),
                &["does not begin with {\"version\": 1}"],
            ),
            ("[]".to_owned(), &["does not begin"]),
            (
                "[{\"version\":2}]".to_owned(),
                &["version 2", "take a newer r-layer"],
            ),
            (
                "[{\"version\":1}\n,{}]".to_owned(),
                &["missing field", "line 2"],
            ),
            (
                line(&|value| value["region"] = "mars".into()),
                &["`mars` is no region", "line 2"],
            ),
            (
                line(&|value| value["extra"] = 1.into()),
                &["unknown field `extra`", "line 2"],
            ),
            (
                line(&|value| value["region"] = "us-east-1".into()),
                &["layer:r-runtime-4_5-x86_64:1 is not of", "us-east-1"],
            ),
        ] {
            let error = refused(&text);
            for word in words {
                assert!(error.contains(word), "{word}: {error}");
            }
        }
    }
}
