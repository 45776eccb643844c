//! `repodata/repomd.xml`: where a repository's list of packages is, and its hash.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::RpmError;
use crate::checksum::Sha256;

/// The list of packages, `primary.xml`, as repomd.xml tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primary {
    /// Its path below the repository.
    pub path: String,
    /// The hash of the file as it is there, compressed.
    pub sha256: Sha256,
}

impl Primary {
    /// Reads a repomd.xml; `place` is where it is from.
    pub fn of_repomd(text: &str, place: &str) -> Result<Primary, RpmError> {
        let not_understood = |reason: String| RpmError::NotUnderstood {
            place: place.to_owned(),
            reason,
        };
        let found = read(text).map_err(not_understood)?;
        if !found.is_repomd {
            let begin: String = text.trim_start().chars().take(40).collect();
            return Err(not_understood(format!(
                "a repository's repomd.xml is wanted, and this begins with `{begin}`"
            )));
        }
        let path = found
            .path
            .ok_or_else(|| not_understood("it tells of no list of packages".to_owned()))?;
        let (kind, digest) = found.checksum.unwrap_or_default();
        if kind != "sha256" {
            return Err(not_understood(format!(
                "the hash of {path} is of the kind `{kind}`; r-layer checks sha256 (createrepo_c makes it so by itself)"
            )));
        }
        let sha256 = digest
            .parse()
            .map_err(|error| not_understood(format!("{path}: {error}")))?;
        Ok(Primary { path, sha256 })
    }
}

#[derive(Default)]
struct Found {
    is_repomd: bool,
    path: Option<String>,
    /// Its kind, and what it is.
    checksum: Option<(String, String)>,
}

fn read(text: &str) -> Result<Found, String> {
    let mut reader = Reader::from_str(text);
    let mut found = Found::default();
    let mut in_primary = false;
    let mut checksum_kind = None;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Eof => return Ok(found),
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "repomd" => found.is_repomd = true,
                "data" => in_primary = attribute(&tag, "type").as_deref() == Some("primary"),
                "checksum" if in_primary => checksum_kind = attribute(&tag, "type"),
                "location" if in_primary => found.path = attribute(&tag, "href"),
                _ => {}
            },
            Event::Text(words) => {
                if let Some(kind) = checksum_kind.take() {
                    found.checksum = Some((kind, words.xml10_content().trim().to_owned()));
                }
            }
            Event::End(tag) => match tag.local_name().as_ref() {
                "data" => in_primary = false,
                "checksum" => checksum_kind = None,
                _ => {}
            },
            _ => {}
        }
    }
}

/// An attribute's value, whatever its namespace's prefix.
pub fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes().flatten().find_map(|attribute| {
        let is_it = attribute.key.local_name().as_ref() == name;
        let value = || attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
        is_it.then(value)?.ok().map(|value| value.into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPOMD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>1700000000</revision>
  <data type="filelists"><checksum type="sha256">00</checksum><location href="repodata/filelists.xml.gz"/></data>
  <data type="primary">
    <checksum type="sha256">ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad</checksum>
    <open-checksum type="sha256">11</open-checksum>
    <location href="repodata/primary.xml.gz"/>
    <size>12</size>
  </data>
  <data type="primary_db"><checksum type="sha256">22</checksum><location href="repodata/primary.sqlite.bz2"/></data>
</repomd>"#;

    #[test]
    fn the_list_of_packages_is_told_apart_from_the_others() {
        let primary = Primary::of_repomd(REPOMD, "here").unwrap();
        assert_eq!(primary.path, "repodata/primary.xml.gz");
        assert_eq!(primary.sha256, Sha256::of(b"abc"));
    }

    #[test]
    fn what_is_none_is_refused_with_what_is_wrong() {
        let refusal = |text: &str| {
            Primary::of_repomd(text, "https://m.example/repomd.xml")
                .unwrap_err()
                .to_string()
        };
        let page = refusal("<!DOCTYPE html><html><body>Sign in</body></html>");
        assert!(page.contains("https://m.example/repomd.xml"), "{page}");
        assert!(page.contains("<!DOCTYPE html>"), "{page}");
        let weak =
            refusal(&REPOMD.replace("<checksum type=\"sha256\">ba", "<checksum type=\"sha\">ba"));
        assert!(weak.contains("`sha`"), "{weak}");
        let cut = refusal(&REPOMD[..500]);
        assert!(cut.contains("repomd.xml"), "{cut}");
        assert!(refusal("<repomd></repomd>").contains("no list of packages"));
    }
}
