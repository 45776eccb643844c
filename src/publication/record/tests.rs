use std::collections::BTreeSet;
use std::process::Command;

use super::*;
use crate::checksum::Sha256;
use crate::publication::{AccountId, Grant, Partition, PublishedName, Region};
use crate::target::Architecture;

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
    let removed = PublicationRecord::update(folder.path(), |record| record.remove(&newer.key()));
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
fn merged(base: &[Publication], ours: &[Publication], theirs: &[Publication]) -> (bool, String) {
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
        let mut value = serde_json::to_value(publication("runtime", "eu-central-1", 1)).unwrap();
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
