use super::*;
use crate::publication::Region;

/// `models:2 4.5 arm64 @7` is version 2 of a layer of ours, published on the seventh day; R 4.5 and x86_64 need not be said.
fn candidates(lines: &[&str]) -> Vec<Candidate> {
    lines.iter().map(|line| candidate(line)).collect()
}

fn candidate(line: &str) -> Candidate {
    let mut words = line.split(' ');
    let (name, version) = words.next().unwrap().split_once(':').unwrap();
    let (mut minor, mut architecture, mut day) = ("4.5", Architecture::X86_64, version);
    for word in words {
        match (word, word.strip_prefix('@')) {
            (_, Some(number)) => day = number,
            ("arm64", _) => architecture = Architecture::Arm64,
            _ => minor = word,
        }
    }
    let at_aws = format!(
        "r-{name}-{}-{}",
        minor.replace('.', "_"),
        architecture.aws_name()
    );
    Candidate {
        logical_name: format!("r-{name}"),
        arn: format!("arn:aws:lambda:eu-central-1:123456789012:layer:{at_aws}:{version}")
            .parse()
            .unwrap(),
        architecture: Some(architecture),
        r_minor: Some(minor.to_owned()),
        sha256: Sha256::of(line.as_bytes()),
        published: format!("2026-01-{day:0>2}T00:00:00Z").parse().unwrap(),
    }
}

/// The versions as `models:2`, and the whole that they are.
fn shown(found: Option<Found>) -> Option<(String, Option<String>)> {
    let found = found?;
    let versions = found.versions.iter().map(|arn| {
        let layer = arn.layer.layer.as_str();
        format!("{layer}:{}", arn.version)
    });
    Some((versions.collect::<Vec<_>>().join(" "), found.whole))
}

fn choose(
    lines: &[&str],
    name: &str,
    version: Option<u64>,
    r_minor: Option<&str>,
) -> Option<(String, Option<String>)> {
    let region = Region::typed("eu-central-1").unwrap();
    let purpose = Purpose {
        region: &region,
        architecture: Architecture::X86_64,
        r_minor,
    };
    shown(chosen(&candidates(lines), name, version, purpose))
}

fn found(versions: &str, whole: &str) -> Option<(String, Option<String>)> {
    let whole = (!whole.is_empty()).then(|| whole.to_owned());
    Some((versions.to_owned(), whole))
}

#[test]
fn a_layer_is_named_in_three_ways_and_its_newest_version_is_meant() {
    let all = ["models:1", "models:3", "models:2", "tables:9"];
    let newest = found("r-models-4_5-x86_64:3", "r-models");
    for name in ["models", "r-models", "r-models-4_5-x86_64"] {
        assert_eq!(choose(&all, name, None, Some("4.5")), newest, "{name}");
    }
    assert_eq!(choose(&all, "model", None, None), None);
    let second = found("r-models-4_5-x86_64:2", "r-models");
    assert_eq!(choose(&all, "models", Some(2), None), second);
    assert_eq!(choose(&all, "models", Some(4), None), None);
}

#[test]
fn what_is_for_another_r_or_processor_is_not_meant() {
    let all = [
        "models:5 4.4",
        "models:1 4.10",
        "models:2",
        "models:9 4.5 arm64",
    ];
    let minor = |minor| choose(&all, "models", None, minor);
    assert_eq!(
        minor(Some("4.4")),
        found("r-models-4_4-x86_64:5", "r-models")
    );
    assert_eq!(
        minor(Some("4.5")),
        found("r-models-4_5-x86_64:2", "r-models")
    );
    assert_eq!(minor(Some("4.3")), None);
    // Without one it is the newest R that there is, as numbers and not as text.
    assert_eq!(minor(None), found("r-models-4_10-x86_64:1", "r-models"));
    // A version that only an older R has is that one.
    let fifth = choose(&all, "models", Some(5), None);
    assert_eq!(fifth, found("r-models-4_4-x86_64:5", "r-models"));
    assert_eq!(choose(&["models:1 arm64"], "models", None, None), None);
}

#[test]
fn the_template_may_leave_out_what_layers_are_for() {
    // All under one name at AWS, which is also what the layer is called.
    let under_one_name = |line: &str| {
        let mut candidate = candidate(line);
        let version = candidate.arn.version;
        candidate.arn =
            format!("arn:aws:lambda:eu-central-1:123456789012:layer:r-models:{version}")
                .parse()
                .unwrap();
        candidate
    };
    let all = [
        "models:1 4.4",
        "models:2",
        "models:3 4.5 arm64",
        "models:4 4.4 arm64",
    ];
    let all: Vec<Candidate> = all.iter().map(|line| under_one_name(line)).collect();
    let region = Region::typed("eu-central-1").unwrap();
    for (r_minor, version) in [("4.4", 1), ("4.5", 2)] {
        let purpose = Purpose {
            region: &region,
            architecture: Architecture::X86_64,
            r_minor: Some(r_minor),
        };
        let chosen = chosen(&all, "r-models", None, purpose).unwrap();
        assert_eq!(chosen.versions[0].version, version);
    }
}

#[test]
fn a_layer_is_in_one_part_or_in_several_whichever_was_published_last() {
    let both = "r-models-1-4_5-x86_64:1 r-models-2-4_5-x86_64:1";
    let split = ["models:4 @1", "models-1:1 @2", "models-2:1 @2"];
    assert_eq!(
        choose(&split, "models", None, None),
        found(both, "r-models")
    );
    let back = ["models:5 @3", "models-1:1 @2", "models-2:1 @2"];
    assert_eq!(
        choose(&back, "models", None, None),
        found("r-models-4_5-x86_64:5", "r-models")
    );
    // One of the parts, by its number.
    let second = found("r-models-2-4_5-x86_64:1", "");
    assert_eq!(choose(&split, "models-2", None, None), second);
    // More than nine of them are in the order of their numbers.
    let ten: Vec<String> = (1..=10)
        .map(|number| format!("models-{number}:1"))
        .collect();
    let ten: Vec<&str> = ten.iter().map(String::as_str).collect();
    let (versions, _) = choose(&ten, "models", None, None).unwrap();
    assert!(
        versions.ends_with("r-models-9-4_5-x86_64:1 r-models-10-4_5-x86_64:1"),
        "{versions}"
    );
    // A number of a version means none of parts, which have numbers of their own.
    assert_eq!(choose(&split, "models", Some(1), None), None);
}

#[test]
fn a_number_at_the_end_of_a_name_is_a_part_only_where_there_is_a_first() {
    // A layer of its own, published later than `models`.
    let own = ["models:1 @1", "models-2:1 @2"];
    assert_eq!(
        choose(&own, "models", None, None),
        found("r-models-4_5-x86_64:1", "r-models")
    );
    assert_eq!(
        choose(&own, "models-2", None, None),
        found("r-models-2-4_5-x86_64:1", "")
    );
    assert_eq!(choose(&["models-2:1"], "models", None, None), None);
    // It may itself be in parts.
    let parts = ["models-2-1:1", "models-2-2:1", "models-1:1"];
    assert_eq!(
        choose(&parts, "models-2", None, None),
        found(
            "r-models-2-1-4_5-x86_64:1 r-models-2-2-4_5-x86_64:1",
            "r-models-2"
        )
    );
}

#[test]
fn the_parts_that_were_built_here_count_if_all_of_them_are_there() {
    let region = Region::typed("eu-central-1").unwrap();
    let purpose = Purpose {
        region: &region,
        architecture: Architecture::X86_64,
        r_minor: None,
    };
    let all = |lines: &[&str], parts: &[&str]| {
        let parts = parts.iter().map(|part| format!("r-{part}")).collect();
        shown(all_parts(&candidates(lines), &parts, purpose))
    };
    // There were three before; two are left.
    let published = ["models-1:2", "models-2:2", "models-3:1", "models:7 @9"];
    assert_eq!(
        all(&published, &["models-1", "models-2"]),
        found(
            "r-models-1-4_5-x86_64:2 r-models-2-4_5-x86_64:2",
            "r-models"
        )
    );
    assert_eq!(
        all(&published, &["models"]),
        found("r-models-4_5-x86_64:7", "r-models")
    );
    assert_eq!(all(&published, &["models-1", "models-4"]), None);
    assert_eq!(all(&published, &[]), None);
    // A layer of its own with a number.
    assert_eq!(
        all(&published, &["models-2"]),
        found("r-models-2-4_5-x86_64:2", "r-models-2")
    );
}
