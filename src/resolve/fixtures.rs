//! The texts in `tests/resolve/`: a request, what there is, and what must come of it.
//!
//! A text has sections, each begun by `== name`; what is before the first says what the text is about.
//!
//! | section | what it holds |
//! | --- | --- |
//! | `== request` | a request a line, as on the command line |
//! | `== r` | R's version; 4.5.0 if there is no such section |
//! | `== index NAME` | a repository, in the order of the text: records of its PACKAGES |
//! | `== library` | records of what R's own library has |
//! | `== layer NAME` | records of what a layer has |
//! | `== pinned ORIGIN`, `== archived ORIGIN` | a DESCRIPTION that is in no index |
//! | `== lock` | a line a package: name, version, origin (or nothing) |
//! | `== upgrade` | packages, or `*` for all |
//! | `== result` | a line a package: level (`-` for those held), name, version, origin, `build` if it is build-only; then `vanished NAME VERSION` |
//! | `== archived wanted` | a line a version: name, version |
//! | `== error` | its text |
//! | `== problems NAME` | the records of a repository that cannot be read |
//! | `== tree`, `== why NAME`, `== chains NAME` | what these print |

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::package::{
    Description, IndexProblem, PackageIndex, PackageRequest, RVersion, Requirement,
    is_base_package, parse_records,
};

struct Fixture {
    sections: Vec<(String, String)>,
}

impl Fixture {
    fn read(text: &str) -> Fixture {
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("== ") {
                Some(name) => sections.push((name.trim().to_owned(), String::new())),
                None => {
                    if let Some((_, text)) = sections.last_mut() {
                        text.push_str(line);
                        text.push('\n');
                    }
                }
            }
        }
        Fixture { sections }
    }

    fn section(&self, name: &str) -> Option<&str> {
        let found = self.sections.iter().find(|(other, _)| other == name);
        found.map(|(_, text)| text.trim_matches('\n'))
    }

    /// Sections of one kind: what is behind the kind in their names, and their texts.
    fn all(&self, kind: &str) -> Vec<(&str, &str)> {
        let sections = self.sections.iter();
        sections
            .filter_map(|(name, text)| {
                let (first, rest) = name.split_once(' ').unwrap_or((name, ""));
                (first == kind && rest != "wanted").then_some((rest, text.as_str()))
            })
            .collect()
    }

    fn lines(&self, name: &str) -> Vec<&str> {
        self.section(name).unwrap_or_default().lines().collect()
    }
}

fn descriptions(text: &str) -> Vec<Description> {
    let records = parse_records(text).unwrap();
    records
        .iter()
        .map(|record| Description::of_record(record).unwrap())
        .collect()
}

fn requests(fixture: &Fixture) -> Vec<Requirement> {
    let one = |line: &str| match line.parse::<PackageRequest>().unwrap() {
        PackageRequest::Named(requirement) => requirement,
        other => panic!("{other} is no named request"),
    };
    fixture.lines("request").into_iter().map(one).collect()
}

fn extras(fixture: &Fixture) -> Vec<Extra> {
    let kinds = [
        ("pinned", ExtraKind::Pinned),
        ("archived", ExtraKind::Archived),
    ];
    let mut extras = Vec::new();
    for (name, kind) in kinds {
        for (origin, text) in fixture.all(name) {
            let all = descriptions(text).into_iter();
            extras.extend(all.map(|one| Extra::new(one, kind, origin).unwrap()));
        }
    }
    extras
}

fn given(fixture: &Fixture) -> Vec<Given> {
    let layers = fixture.all("layer").into_iter();
    let layers = layers.map(|(name, text)| (Holder::Layer(name.to_owned()), text));
    let library = fixture.all("library").into_iter();
    library
        .map(|(_, text)| (Holder::RLibrary, text))
        .chain(layers)
        .flat_map(|(holder, text)| {
            descriptions(text)
                .into_iter()
                .map(move |one| Given::new(one, holder.clone()).unwrap())
        })
        .collect()
}

fn preferences(fixture: &Fixture) -> Preferences {
    let locked = fixture.lines("lock").into_iter().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let locked = Locked {
            version: words[1].parse().unwrap(),
            origin: words.get(2).map(|origin| (*origin).to_owned()),
        };
        (words[0].to_owned(), locked)
    });
    let names: BTreeSet<String> = fixture
        .lines("upgrade")
        .into_iter()
        .map(str::to_owned)
        .collect();
    Preferences {
        locked: locked.collect(),
        upgrade: if names.contains("*") {
            Upgrade::All
        } else if names.is_empty() {
            Upgrade::Nothing
        } else {
            Upgrade::Named(names)
        },
    }
}

/// What came of it, section by section, under the names of the sections that tell what should.
struct Found {
    outcome: Result<Outcome, ResolveError>,
    problems: Vec<(String, String)>,
}

impl Found {
    fn of(fixture: &Fixture) -> Found {
        let indexes: Vec<(&str, PackageIndex)> = fixture
            .all("index")
            .into_iter()
            .map(|(name, text)| (name, PackageIndex::parse(text.to_owned()).unwrap()))
            .collect();
        let repositories: Vec<Repository<'_>> = indexes
            .iter()
            .map(|(name, index)| Repository { name, index })
            .collect();
        let r: RVersion = fixture.section("r").unwrap_or("4.5.0").parse().unwrap();
        let (requests, extras, given) = (requests(fixture), extras(fixture), given(fixture));
        let preferences = preferences(fixture);
        let outcome = resolve(&ResolveInput {
            requests: &requests,
            repositories: &repositories,
            extras: &extras,
            given: &given,
            r: &r,
            preferences: &preferences,
        });
        let problems = indexes
            .iter()
            .filter(|(_, index)| !index.problems().is_empty());
        let problems = problems.map(|(name, index)| {
            let texts: Vec<String> = index
                .problems()
                .iter()
                .map(IndexProblem::to_string)
                .collect();
            (format!("problems {name}"), texts.join("\n"))
        });
        Found {
            problems: problems.collect(),
            outcome,
        }
    }

    /// What a section should hold; nothing if it should not be there.
    fn section(&self, name: &str) -> Option<String> {
        if let Some((_, text)) = self.problems.iter().find(|(other, _)| other == name) {
            return Some(text.clone());
        }
        match (&self.outcome, name.split_once(' ').unwrap_or((name, ""))) {
            (Err(error), ("error", _)) => Some(error.to_string()),
            (Ok(Outcome::ArchivedWanted(all)), ("archived", "wanted")) => Some(archived(all, "")),
            (Ok(Outcome::Resolved(found)), ("result", _)) => Some(result(found)),
            (Ok(Outcome::Resolved(found)), ("tree", _)) => Some(found.tree().to_string()),
            (Ok(Outcome::Resolved(found)), ("why", name)) => {
                found.why(name).map(|why| why.to_string())
            }
            (Ok(Outcome::Resolved(found)), ("chains", name)) => {
                let chains: Vec<String> = found.chains(name).iter().map(Chain::to_string).collect();
                Some(chains.join("\n"))
            }
            _ => None,
        }
    }

    /// The section that must be there.
    fn kind(&self) -> &'static str {
        match self.outcome {
            Ok(Outcome::Resolved(_)) => "result",
            Ok(Outcome::ArchivedWanted(_)) => "archived wanted",
            Err(_) => "error",
        }
    }
}

fn archived(all: &[ArchivedVersion], word: &str) -> String {
    let line = |one: &ArchivedVersion| format!("{word}{} {}", one.package, one.version);
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The packages, by level; base packages only if asked for.
fn result(resolution: &Resolution) -> String {
    let mut lines = Vec::new();
    for package in resolution.packages.values() {
        let level = resolution
            .levels
            .iter()
            .position(|level| level.contains(&package.name));
        assert_eq!(
            level.is_none(),
            package.role == Role::Held,
            "{}",
            package.name
        );
        if is_base_package(&package.name) && !package.is_requested {
            continue;
        }
        let level_text = level.map_or("-".to_owned(), |level| (level + 1).to_string());
        let origin = package.origin.name();
        let build = if package.role == Role::BuildOnly {
            " build"
        } else {
            ""
        };
        let line = format!(
            "{level_text} {} {} {origin}{build}",
            package.name, package.version
        );
        lines.push((level, line));
    }
    lines.sort();
    let mut lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    if !resolution.vanished.is_empty() {
        lines.push(archived(&resolution.vanished, "vanished "));
    }
    lines.join("\n")
}

/// What is wrong with a fixture.
fn check(text: &str) -> Vec<String> {
    let fixture = Fixture::read(text);
    let found = Found::of(&fixture);
    let mut wrong = Vec::new();
    let told = [
        "result",
        "archived wanted",
        "error",
        "problems",
        "tree",
        "why",
        "chains",
    ];
    for (name, expected) in &fixture.sections {
        if !told
            .iter()
            .any(|kind| name == kind || name.starts_with(&format!("{kind} ")))
        {
            continue;
        }
        let found = found.section(name).unwrap_or_default();
        if found.trim_end() != expected.trim_matches('\n') {
            wrong.push(format!("== {name}\nis\n{found}\nand should be\n{expected}"));
        }
    }
    let problems = found.problems.iter().map(|(name, _)| name.as_str());
    for name in problems.chain([found.kind()]) {
        if fixture.section(name).is_none() {
            let text = found.section(name).unwrap_or_default();
            wrong.push(format!("== {name}\nis not expected, and is\n{text}"));
        }
    }
    wrong
}

#[test]
fn every_text_resolves_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/resolve");
    let mut paths: Vec<_> = fs_err::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    let mut wrong = String::new();
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for one in check(&fs_err::read_to_string(path).unwrap()) {
            wrong.push_str(&format!("\n──── {name}\n{one}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(paths.len() >= 40, "{} texts", paths.len());
}

#[test]
fn a_text_that_expects_something_else_is_told() {
    let text = "== request\nab\n== index main\nPackage: ab\nVersion: 1\n\n== result\n1 ab 2 main\n";
    assert!(check(text)[0].contains("1 ab 1 main"));
    let text = "== request\nab\n== index main\nPackage: ab\nVersion: 1\n\n== error\nno\n";
    assert_eq!(check(text).len(), 2);
}
