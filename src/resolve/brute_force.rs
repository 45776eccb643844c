//! The search against trying everything, on small random indexes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use super::*;
use crate::package::{PackageIndex, RVersion, Requirement};

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

const OPERATORS: [&str; 6] = [">=", ">", "<=", "<", "==", "!="];

/// Packages of some versions each, which require packages behind them.
fn index(random: &mut Random, packages: u64, versions: u64) -> PackageIndex {
    let mut text = String::new();
    for package in 0..packages {
        for version in 1..=1 + random.below(versions) {
            let mut imports = Vec::new();
            for other in package + 1..packages {
                if random.below(3) == 0 {
                    let operator = OPERATORS[random.below(6) as usize];
                    let bound = 1 + random.below(versions);
                    imports.push(format!("p{other} ({operator} {bound})"));
                }
            }
            let imports = imports.join(", ");
            write!(
                text,
                "Package: p{package}\nVersion: {version}\nImports: {imports}\n\n"
            )
            .unwrap();
        }
    }
    PackageIndex::parse(text).unwrap()
}

type Choice = BTreeMap<String, RVersion>;

/// Is every choice of versions what its requirers want, and nothing missing?
fn stands(index: &PackageIndex, requests: &[Requirement], choice: &Choice) -> bool {
    let is_met = |wants: &Requirement| {
        let chosen = choice.get(&wants.package);
        chosen.is_some_and(|version| wants.is_satisfied_by(version))
    };
    requests.iter().all(is_met)
        && choice.iter().all(|(package, version)| {
            let mut all = index.versions(package);
            let record = all.find(|record| record.version() == version).unwrap();
            record.dependencies().unwrap().imports.iter().all(is_met)
        })
}

/// Tries all versions of the packages from one on, and leaving them out.
fn exists(
    index: &PackageIndex,
    requests: &[Requirement],
    packages: std::ops::Range<u64>,
    choice: &mut Choice,
) -> bool {
    if packages.is_empty() {
        return stands(index, requests, choice);
    }
    let name = format!("p{}", packages.start);
    let rest = packages.start + 1..packages.end;
    let with_it = index.versions(&name).any(|record| {
        choice.insert(name.clone(), record.version().clone());
        let found = exists(index, requests, rest.clone(), choice);
        choice.remove(&name);
        found
    });
    with_it || exists(index, requests, rest, choice)
}

fn search(index: &PackageIndex, requests: &[Requirement]) -> Result<Outcome, ResolveError> {
    resolve(&ResolveInput {
        requests,
        repositories: &[Repository {
            name: "main",
            index,
        }],
        extras: &[],
        given: &[],
        r: &"4.5.0".parse().unwrap(),
        preferences: &Preferences::default(),
    })
}

/// A version that must be exactly one which is not there is asked for as archived: no solution without it either.
#[test]
fn the_search_finds_what_there_is_and_nothing_else() {
    let mut random = Random(0x5eed_cafe_f00d_1234);
    let (mut solved, mut failed) = (0, 0);
    for round in 0..1500 {
        let index = index(&mut random, 6, 3);
        let requests = [Requirement::any("p0"), Requirement::any("p1")];
        let exists = exists(&index, &requests, 0..6, &mut Choice::new());
        match search(&index, &requests) {
            Ok(Outcome::Resolved(resolution)) => {
                let packages = resolution.packages.values();
                let choice = packages.map(|one| (one.name.clone(), one.version.clone()));
                assert!(
                    stands(&index, &requests, &choice.collect()),
                    "round {round}"
                );
                solved += 1;
            }
            Ok(Outcome::ArchivedWanted(_)) | Err(_) => {
                assert!(!exists, "round {round}");
                failed += 1;
            }
        }
    }
    assert!(
        solved > 300 && failed > 300,
        "{solved} solved, {failed} failed"
    );
}

#[test]
fn a_search_that_must_go_back_far_ends_soon() {
    let mut random = Random(42);
    let begun = Instant::now();
    let mut failed = 0;
    for _ in 0..20 {
        let index = index(&mut random, 40, 6);
        failed += usize::from(search(&index, &[Requirement::any("p0")]).is_err());
    }
    // A second or two would do; a search that goes back one decision at a time does not end here.
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    assert!(failed > 0);
}
