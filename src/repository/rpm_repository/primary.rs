//! `primary.xml`: every package of a repository, what it provides and where it is.
//!
//! Amazon Linux 2023's has some 30 MB and keeps every update of a package, so it is read as a stream, once, and what is
//! wanted of it goes into an index.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::repomd::attribute;

/// A package as the list has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its processor, or `noarch`.
    pub architecture: String,
    /// Its epoch.
    pub epoch: u32,
    /// Its version.
    pub version: String,
    /// The distribution's own number.
    pub release: String,
    /// Its licence.
    pub license: String,
    /// The kind of its hash, and the hash.
    pub checksum: (String, String),
    /// Its path below the repository, or below what `base` says.
    pub location: String,
    /// Another place than the repository, if it is there.
    pub base: Option<String>,
    /// The names of what it provides.
    pub provides: Vec<String>,
}

/// More bytes than any list of packages has: Fedora's, with 60,000 packages, has 250 MB.
const LONGEST: u64 = 2 << 30;

/// The text of a list, by how it is compressed. Metadata say that by their name; what they are is read off their first
/// bytes.
pub fn open(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(6).read_to_end(&mut start)?;
    let file = BufReader::new(fs_err::File::open(path)?);
    let text: Box<dyn Read> = match start.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(file)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::new(file)?),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(liblzma::read::XzDecoder::new(file)),
        [b'B', b'Z', ..] => {
            return Err(std::io::Error::other(
                "it is compressed with bzip2; gzip, xz, zstd and none are known here",
            ));
        }
        _ => Box::new(file),
    };
    Ok(Box::new(BufReader::with_capacity(
        1 << 18,
        text.take(LONGEST),
    )))
}

/// Reads every package of a list. What is wrong with it is said by where.
pub fn read(text: impl BufRead, mut each: impl FnMut(Listed)) -> Result<(), String> {
    let mut reader = Reader::from_reader(text);
    let mut buffer = Vec::with_capacity(1 << 12);
    let mut state = State::default();
    loop {
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| format!("at byte {}: {error}", reader.error_position()))?;
        match event {
            Event::Eof => return state.finish(),
            Event::Start(tag) => state.start(&tag, false),
            Event::Empty(tag) => state.start(&tag, true),
            Event::Text(text) if state.text_of.is_some() => {
                state.text.push_str(&text.xml10_content());
            }
            Event::GeneralRef(reference) if state.text_of.is_some() => {
                state.text.push_str(&resolve(&reference)?);
            }
            Event::End(tag) => {
                if let Some(package) = state.end(tag.local_name().as_ref()) {
                    each(package);
                }
            }
            _ => {}
        }
        buffer.clear();
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference
        .resolve_char_ref()
        .map_err(|error| error.to_string())?
    {
        return Ok(character.into());
    }
    let name: &str = reference;
    let known = quick_xml::escape::resolve_predefined_entity(name);
    known
        .map(str::to_owned)
        .ok_or_else(|| format!("the entity `&{name};` is not known"))
}

/// Which field a text goes into.
#[derive(Clone, Copy)]
enum Field {
    Name,
    Architecture,
    Checksum,
    License,
}

#[derive(Default)]
struct State {
    /// Was the outermost element seen, and is it at its end?
    is_list: bool,
    is_whole: bool,
    package: Option<Listed>,
    in_provides: bool,
    text_of: Option<Field>,
    text: String,
}

impl State {
    fn start(&mut self, tag: &BytesStart<'_>, is_empty: bool) {
        let name = tag.local_name();
        match name.as_ref() {
            "metadata" => {
                self.is_list = true;
                self.is_whole = is_empty;
            }
            "package" => self.package = Some(Listed::default()),
            other => {
                if let Some(package) = &mut self.package {
                    match other {
                        "entry" if self.in_provides => {
                            package.provides.extend(attribute(tag, "name"));
                        }
                        "provides" => self.in_provides = !is_empty,
                        _ if is_empty => package.read_attributes(other, tag),
                        _ => self.text_of = package.begin_field(other, tag),
                    }
                }
            }
        }
    }

    fn end(&mut self, name: &str) -> Option<Listed> {
        match name {
            "metadata" => self.is_whole = true,
            "provides" => self.in_provides = false,
            "package" => return self.package.take(),
            _ => {}
        }
        if let (Some(field), Some(package)) = (self.text_of.take(), &mut self.package) {
            let text = self.text.trim().to_owned();
            match field {
                Field::Name => package.name = text,
                Field::Architecture => package.architecture = text,
                Field::Checksum => package.checksum.1 = text,
                Field::License => package.license = text,
            }
        }
        self.text.clear();
        None
    }

    fn finish(self) -> Result<(), String> {
        if !self.is_list {
            return Err("it is no list of packages".to_owned());
        }
        if !self.is_whole {
            return Err("it ends before its end".to_owned());
        }
        Ok(())
    }
}

impl Listed {
    fn read_attributes(&mut self, element: &str, tag: &BytesStart<'_>) {
        let value = |name: &str| attribute(tag, name);
        match element {
            "version" => {
                self.epoch = value("epoch")
                    .and_then(|epoch| epoch.parse().ok())
                    .unwrap_or(0);
                self.version = value("ver").unwrap_or_default();
                self.release = value("rel").unwrap_or_default();
            }
            "location" => {
                self.location = value("href").unwrap_or_default();
                self.base = value("base");
            }
            _ => {}
        }
    }

    fn begin_field(&mut self, element: &str, tag: &BytesStart<'_>) -> Option<Field> {
        match element {
            "name" => Some(Field::Name),
            "arch" => Some(Field::Architecture),
            "license" => Some(Field::License),
            "checksum" => {
                self.checksum.0 = attribute(tag, "type").unwrap_or_default();
                Some(Field::Checksum)
            }
            _ => {
                // `<version …></version>` says the same as `<version …/>`.
                self.read_attributes(element, tag);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">
<package type="rpm">
  <name>libxml2</name><arch>x86_64</arch>
  <version epoch="1" ver="2.10.4" rel="1.amzn2023.0.11"/>
  <checksum type="sha256" pkgid="YES">ab</checksum>
  <summary>Reads &lt;name&gt;s</summary>
  <location href="../../blobstore/ab/libxml2.rpm" xml:base="https://other.example"/>
  <format>
    <rpm:license>MIT &amp; BSD</rpm:license>
    <rpm:provides>
      <rpm:entry name="libxml2.so.2()(64bit)"/>
      <rpm:entry name="libxml2" flags="EQ" epoch="0" ver="2.10.4"/>
    </rpm:provides>
    <rpm:requires><rpm:entry name="libz.so.1()(64bit)"/></rpm:requires>
    <file>/usr/lib64/libxml2.so.2</file>
  </format>
</package>
</metadata>"#;

    fn packages(text: &str) -> Result<Vec<Listed>, String> {
        let mut found = Vec::new();
        read(text.as_bytes(), |package| found.push(package))?;
        Ok(found)
    }

    #[test]
    fn a_package_is_read_with_what_it_provides_and_without_what_it_requires() {
        let expected = Listed {
            name: "libxml2".into(),
            architecture: "x86_64".into(),
            epoch: 1,
            version: "2.10.4".into(),
            release: "1.amzn2023.0.11".into(),
            license: "MIT & BSD".into(),
            checksum: ("sha256".into(), "ab".into()),
            location: "../../blobstore/ab/libxml2.rpm".into(),
            base: Some("https://other.example".into()),
            provides: vec!["libxml2.so.2()(64bit)".into(), "libxml2".into()],
        };
        assert_eq!(packages(LIST).unwrap(), [expected]);
    }

    #[test]
    fn a_list_that_is_cut_or_none_is_an_error() {
        assert!(packages(&LIST[..LIST.len() - 40]).is_err());
        assert!(packages(&LIST[..LIST.find("<format>").unwrap()]).is_err());
        assert!(packages("<html><body/></html>").is_err());
        assert!(packages("").is_err());
    }
}
