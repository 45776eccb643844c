//! The description of a layer version: for people, and the mark by which r-layer knows its layers again.
//!
//! ListLayerVersions returns it and no hash of the content, so that the sha256 in it tells in one call whether a content
//! is published already. <https://docs.aws.amazon.com/lambda/latest/api/API_LayerVersionsListItem.html>

use crate::checksum::Sha256;
use crate::layer::BuildRecord;
use crate::package::RVersion;

/// How many characters AWS takes.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html>
pub const LONGEST_DESCRIPTION: usize = 256;

/// How many characters AWS takes of a licence. Same source.
pub const LONGEST_LICENSE: usize = 512;

/// The word before the logical name.
const MARK: &str = "r-layer";
const SHA256: &str = "sha256:";
const CUT: &str = "...";

/// A text that AWS has no room for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLong {
    /// A licence.
    #[error(
        "AWS takes {LONGEST_LICENSE} characters of a licence, and this one has {0}; name it, or give the URL of its text"
    )]
    License(usize),
    /// A description.
    #[error(
        "the description has {length} characters, and there is room for {room} of {name}'s before the mark that r-layer \
         knows its layers by; shorten it"
    )]
    Description {
        /// Its length.
        length: usize,
        /// The layer's logical name.
        name: String,
        /// How long it may be.
        room: usize,
    },
}

/// A licence that AWS takes.
pub fn checked_license(license: &str) -> Result<String, TooLong> {
    match length(license) {
        0..=LONGEST_LICENSE => Ok(license.to_owned()),
        length => Err(TooLong::License(length)),
    }
}

/// Is there room for a user's text in the description of that layer?
pub fn check_description(record: &BuildRecord, text: &str) -> Result<(), TooLong> {
    let (length, room) = (length(text.trim()), room(&mark(record)));
    match length <= room {
        true => Ok(()),
        false => Err(TooLong::Description {
            length,
            name: logical_name(record),
            room,
        }),
    }
}

/// What the end of a description tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The logical name of the layer: `r-runtime`, `r-models`.
    pub logical_name: String,
    /// The hash of the zip.
    pub sha256: Sha256,
}

impl Described {
    /// Reads it; nothing if somebody else wrote the description.
    pub fn parse(description: &str) -> Option<Described> {
        let (rest, hash) = description.trim_end().rsplit_once(' ')?;
        let digits = hash.strip_prefix(SHA256)?;
        let (rest, logical_name) = rest.rsplit_once(' ')?;
        let mark = rest.rsplit(' ').next()?;
        let is_mark = mark == MARK && !logical_name.is_empty();
        is_mark.then_some(Described {
            logical_name: logical_name.to_owned(),
            sha256: digits.parse().ok()?,
        })
    }
}

/// The version of R in a description that r-layer wrote itself: it begins with `R 4.5.0 for`. Nothing where the words are the
/// user's own.
pub fn described_r(description: &str) -> Option<RVersion> {
    let (version, _) = description.strip_prefix("R ")?.split_once(" for ")?;
    version.parse().ok()
}

/// What a layer is called whatever R, processor and region it is for: `r-runtime`, `r-models`, `r-models-2`.
///
/// It is the beginning of the zip's name; build records of package layers have it without `r-`.
pub fn logical_name(record: &BuildRecord) -> String {
    match record.of_packages.part {
        Some(_) => format!("r-{}", record.name),
        None => record.name.clone(),
    }
}

/// The description of a layer version, from its build record: `R 4.5.0 for provided.al2023, x86_64: Matrix, mgcv and 3
/// more. r-layer r-models sha256:…`. A text of the user's takes the place of what stands before the mark.
///
/// It has at most [`LONGEST_DESCRIPTION`] characters.
pub fn describe(record: &BuildRecord, text: Option<&str>) -> String {
    let mark = mark(record);
    let room = room(&mark);
    let words = match text {
        Some(text) => shortened(text, room),
        None => summary(record, room),
    };
    match words.is_empty() {
        true => mark,
        false => format!("{words} {mark}"),
    }
}

fn mark(record: &BuildRecord) -> String {
    format!("{MARK} {} {SHA256}{}", logical_name(record), record.sha256)
}

/// How many characters a text may have before a mark, with a space between them.
fn room(mark: &str) -> usize {
    LONGEST_DESCRIPTION.saturating_sub(mark.len() + 1)
}

/// What is in a layer, in as many characters as there is room for.
fn summary(record: &BuildRecord, room: usize) -> String {
    let (r, target) = (&record.r_version, &record.target);
    let what = format!("R {r} for {target}, {}", record.architecture);
    let requested = &record.of_packages.requested;
    let packages: Vec<&str> = match requested.is_empty() {
        true if record.of_packages.part.is_some() => {
            record.packages.keys().map(String::as_str).collect()
        }
        _ => requested.iter().map(String::as_str).collect(),
    };
    let whole = |shown: usize| {
        let left = packages.len() - shown;
        let names = packages[..shown].join(", ");
        match (shown, left) {
            (0, 0) => format!("{what}."),
            (0, _) => format!("{what}: {left} packages."),
            (_, 0) => format!("{what}: {names}."),
            _ => format!("{what}: {names} and {left} more."),
        }
    };
    let fitting = (0..=packages.len()).rev().map(whole);
    let mut fitting = fitting.filter(|text| length(text) <= room);
    fitting.next().unwrap_or_else(|| shortened(&what, room))
}

/// A text on one line, cut between two words if there is no room for it.
fn shortened(text: &str, room: usize) -> String {
    let is_text = |c: &char| !c.is_control() || c.is_whitespace();
    let text: String = text.chars().filter(is_text).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let whole = words.join(" ");
    if length(&whole) <= room {
        return whole;
    }
    let cuts = (1..words.len())
        .rev()
        .map(|count| words[..count].join(" ") + CUT);
    let mut fitting = cuts.filter(|text| length(text) <= room);
    fitting.next().unwrap_or_default()
}

/// Characters as UTF-16 counts them, which no other way of counting exceeds but that of bytes.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(name: &str, packages: Option<&[String]>) -> BuildRecord {
        let mut record = json!({
            "record_version": 1, "name": name, "description": "", "zip": "x.zip", "sha256": Sha256::of(b"zip"),
            "zipped_size": 1, "unzipped_size": 1, "needs_s3": false, "target": "provided.al2023",
            "architecture": "x86_64", "r_version": "4.5.0", "glibc": null, "r_layer_version": "", "packages": {},
            "added_libraries": {}, "savings": [], "inputs": {}
        });
        if let Some(packages) = packages {
            record["part"] = json!({ "layer": name, "number": 1, "of": 1 });
            record["requested"] = json!(packages);
        }
        serde_json::from_value(record).unwrap()
    }

    fn described(name: &str) -> Option<Described> {
        Some(Described {
            logical_name: name.to_owned(),
            sha256: Sha256::of(b"zip"),
        })
    }

    #[test]
    fn a_description_says_what_is_in_a_layer_and_reads_back() {
        let runtime = describe(&record("r-runtime", None), None);
        assert!(
            runtime.starts_with("R 4.5.0 for provided.al2023, x86_64. r-layer r-runtime sha256:"),
            "{runtime}"
        );
        assert_eq!(Described::parse(&runtime), described("r-runtime"));
        let packages: Vec<String> = (10..40).map(|index| format!("package{index}")).collect();
        let models = describe(&record("models-2", Some(&packages)), None);
        assert!(models.contains("x86_64: package10, package11,"), "{models}");
        assert!(
            models.contains(" more. r-layer r-models-2 sha256:"),
            "{models}"
        );
        assert!((240..=256).contains(&models.len()), "{models}");
        assert_eq!(Described::parse(&models), described("r-models-2"));
        let few = describe(&record("few", Some(&packages[..2])), None);
        assert!(
            few.contains(": package10, package11. r-layer r-few"),
            "{few}"
        );
    }

    #[test]
    fn a_long_text_is_cut_between_words_and_a_long_name_leaves_none() {
        let text = "für alle 🎉\n".repeat(40);
        let description = describe(&record("r-runtime", None), Some(&text));
        assert!(length(&description) <= LONGEST_DESCRIPTION, "{description}");
        assert!(description.starts_with("für alle 🎉 für"), "{description}");
        assert!(
            description.contains("... r-layer r-runtime sha256:"),
            "{description}"
        );
        let long = "x".repeat(140);
        let description = describe(&record(&long, Some(&[])), None);
        assert!(length(&description) <= LONGEST_DESCRIPTION, "{description}");
        assert_eq!(
            Described::parse(&description),
            described(&format!("r-{long}"))
        );
        assert_eq!(
            describe(&record("r-runtime", None), Some("")).find("r-layer"),
            Some(0)
        );
    }

    #[test]
    fn what_aws_has_no_room_for_is_refused_with_the_room_that_there_is() {
        let runtime = record("r-runtime", None);
        assert_eq!(check_description(&runtime, &"x".repeat(166)), Ok(()));
        let error = check_description(&runtime, &"x".repeat(167)).unwrap_err();
        assert!(error.to_string().contains("room for 166"), "{error}");
        assert!(checked_license(&"x".repeat(LONGEST_LICENSE)).is_ok());
        let error = checked_license(&"x".repeat(LONGEST_LICENSE + 1)).unwrap_err();
        assert!(error.to_string().contains("this one has 513"), "{error}");
    }

    #[test]
    fn what_others_wrote_is_not_ours() {
        let digits = Sha256::of(b"zip").to_string();
        for text in [
            "",
            " ",
            "sha256:",
            "my layer",
            "r-layer",
            "r-layer sha256:",
            "ä sha256:ü",
            "r-layer x sha256:00",
            "🎉 r-layer x sha256:🎉",
            &format!("sha256:{digits}"),
            &format!("r-layer sha256:{digits}"),
            &format!("xr-layer y sha256:{digits}"),
            &format!("r-layer  sha256:{digits}"),
            &format!("r-layer x sha256:{digits}0"),
            &format!("r-layer x sha256:{digits}."),
        ] {
            assert_eq!(Described::parse(text), None, "{text}");
        }
        assert_eq!(
            Described::parse(&format!("r-layer x sha256:{digits}\n")),
            described("x")
        );
    }
}
