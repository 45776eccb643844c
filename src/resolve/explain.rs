//! What is told of a dead end: who wants what, and what there is.

use std::collections::BTreeSet;

use super::candidate::{Candidate, Candidates, Unfit};
use super::search::{Search, Wanter};
use super::{
    ArchivedVersion, Chain, Extra, ExtraKind, Origin, Rejected, Repository, ResolveError,
    ResolveInput, UnknownPackage,
};
use crate::nearest::nearest_names;
use crate::package::{
    BASE_PACKAGES, Comparison, IndexProblem, Operator, RVersion, Requirement, is_base_package,
};

/// Where the search can go no further.
pub(super) enum DeadEnd {
    /// A version is wanted that no index has.
    ArchivedWanted(ArchivedVersion),
    /// It cannot be done.
    Error(Box<ResolveError>),
}

impl DeadEnd {
    fn error(error: ResolveError) -> DeadEnd {
        DeadEnd::Error(Box::new(error))
    }
}

/// Versions that were requested with `==` and that nobody has. A pinned package is its own version.
pub(super) fn archived_requests(
    input: &ResolveInput<'_>,
    candidates: &mut Candidates<'_>,
) -> Vec<ArchivedVersion> {
    let mut all: Vec<ArchivedVersion> = Vec::new();
    for request in input.requests {
        let there = candidates.of(&request.package);
        let wanted = archived_version(input, &there, request);
        all.extend(wanted.filter(|one| !all.contains(one)));
    }
    all
}

/// A package that was asked for from two places.
pub(super) fn pinned_twice(input: &ResolveInput<'_>) -> Option<ResolveError> {
    let pinned = |extra: &&Extra| extra.kind == ExtraKind::Pinned;
    let mut all = input.extras.iter().filter(pinned);
    all.find_map(|one| {
        let package = &one.description().package;
        let mut others = input.extras.iter().filter(|other| other.is_pinned(package));
        let other = others.find(|other| other.origin != one.origin)?;
        Some(ResolveError::PinnedTwice {
            package: package.clone(),
            origins: [one.origin.clone(), other.origin.clone()],
        })
    })
}

/// Requested packages that nobody has.
pub(super) fn unknown_requests(
    input: &ResolveInput<'_>,
    candidates: &mut Candidates<'_>,
) -> Vec<UnknownPackage> {
    let mut all: Vec<UnknownPackage> = Vec::new();
    for request in input.requests {
        let is_told = all.iter().any(|one| one.package == request.package);
        if !is_told && candidates.of(&request.package).is_empty() {
            all.push(unknown(
                input,
                Chain {
                    through: Vec::new(),
                    wants: request.clone(),
                },
            ));
        }
    }
    all
}

fn unknown(input: &ResolveInput<'_>, wanted: Chain) -> UnknownPackage {
    UnknownPackage {
        package: wanted.wants.package.clone(),
        nearest: nearest_names(&wanted.wants.package, known_names(input))
            .into_iter()
            .map(ToOwned::to_owned)
            .collect(),
        damaged: damaged(input, &wanted.wants.package),
        wanted,
    }
}

fn known_names<'a>(input: &ResolveInput<'a>) -> BTreeSet<&'a str> {
    let mut names: BTreeSet<&str> = BASE_PACKAGES.into_iter().collect();
    for repository in input.repositories {
        names.extend(repository.index.records().map(|record| record.package()));
    }
    names.extend(
        input
            .given
            .iter()
            .map(|given| given.description().package.as_str()),
    );
    names.extend(
        input
            .extras
            .iter()
            .map(|extra| extra.description().package.as_str()),
    );
    names
}

fn damaged(input: &ResolveInput<'_>, package: &str) -> Vec<(String, IndexProblem)> {
    let of_repository = |repository: &Repository<'_>| {
        let problems = repository.index.problems().iter();
        let found = problems.filter(|problem| problem.package.as_deref() == Some(package));
        let name = repository.name.to_owned();
        found
            .map(|problem| (name.clone(), problem.clone()))
            .collect::<Vec<_>>()
    };
    input.repositories.iter().flat_map(of_repository).collect()
}

fn archived_version(
    input: &ResolveInput<'_>,
    there: &[Candidate<'_>],
    wants: &Requirement,
) -> Option<ArchivedVersion> {
    let version = wants.exact_version()?;
    let mut extras = input.extras.iter();
    let is_pinned = extras.any(|extra| extra.is_pinned(&wants.package));
    let is_there = there.iter().any(|candidate| candidate.version == *version);
    if is_there || is_pinned || is_base_package(&wants.package) {
        return None;
    }
    Some(ArchivedVersion {
        package: wants.package.clone(),
        version: version.clone(),
    })
}

/// Explains a dead end at a package; and whether no other choice could have avoided it, as far as its wanters go.
pub(super) fn explain(search: &mut Search<'_, '_>, package: &str) -> (DeadEnd, bool) {
    let there = search.candidates.of(package);
    let wanters = search.wanters(package).to_vec();
    if let Some(dead_end) = wanted_in_vain(search, &there, &wanters) {
        return (dead_end, true);
    }
    let conflict = there
        .iter()
        .filter(|candidate| candidate.unfit.is_none())
        .filter(|candidate| is_wanted_by_all(&wanters, candidate))
        .find_map(|candidate| {
            let (depth, wants) = search.decided_otherwise(package, candidate)?;
            Some((candidate, depth, wants.clone()))
        });
    match (conflict, wanters.first()) {
        (Some((candidate, depth, wants)), Some(wanter)) => {
            let mut chain = search.chain(wanter);
            let step = (package.to_owned(), candidate.version.clone());
            chain.through.push(step);
            chain.wants = wants;
            otherwise(search, chain, depth)
        }
        _ => (conflict_of(search, package, &there, &wanters), false),
    }
}

/// A candidate's wish against a decision.
fn otherwise(search: &mut Search<'_, '_>, chain: Chain, depth: usize) -> (DeadEnd, bool) {
    let decision = search.decisions[depth].clone();
    let there = search.candidates.of(&decision.package);
    let wanters = search.wanters(&decision.package);
    let mut chains: Vec<Chain> = wanters.iter().map(|one| search.chain(one)).collect();
    chains.push(chain.clone());
    if let Some(dead_end) = in_vain(search.input, &there, &chains) {
        return (dead_end, true);
    }
    chains.truncate(1);
    let error = ResolveError::Choice {
        chain: Box::new(chain),
        chosen: decision.version,
        because: chains,
    };
    (DeadEnd::error(error), false)
}

fn wanted_in_vain(
    search: &Search<'_, '_>,
    there: &[Candidate<'_>],
    wanters: &[Wanter],
) -> Option<DeadEnd> {
    let chains: Vec<Chain> = wanters.iter().map(|one| search.chain(one)).collect();
    in_vain(search.input, there, &chains)
}

/// Is there nothing that all want and that can be used here?
fn in_vain(input: &ResolveInput<'_>, there: &[Candidate<'_>], chains: &[Chain]) -> Option<DeadEnd> {
    let archived = chains
        .iter()
        .find_map(|chain| archived_version(input, there, &chain.wants));
    let all_want = |version: &RVersion| chains.iter().all(|one| one.wants.is_satisfied_by(version));
    let fitting: Vec<&Candidate<'_>> = there
        .iter()
        .filter(|candidate| all_want(&candidate.version))
        .collect();
    if fitting.iter().any(|candidate| candidate.unfit.is_none()) {
        return None;
    }
    if let Some(archived) = archived.filter(|one| all_want(&one.version)) {
        return Some(DeadEnd::ArchivedWanted(archived));
    }
    let first = chains.first()?;
    if there.is_empty() {
        let unknown = vec![unknown(input, first.clone())];
        return Some(DeadEnd::error(ResolveError::Unknown(unknown)));
    }
    let error = if fitting.is_empty() {
        conflict(input, there, fewest(there, chains))
    } else {
        let package = &first.wants.package;
        let rejected = fitting
            .iter()
            .filter_map(|one| rejected(input, package, one));
        ResolveError::Unfit {
            rejected: rejected.collect(),
            chains: fewest_for(there, &fitting, chains),
        }
    };
    Some(DeadEnd::error(error))
}

fn conflict(input: &ResolveInput<'_>, there: &[Candidate<'_>], chains: Vec<Chain>) -> ResolveError {
    let package = chains.first().map(|chain| chain.wants.package.clone());
    let package = package.unwrap_or_default();
    if is_base_package(&package)
        && let Some(chain) = chains.first()
    {
        return ResolveError::BaseVersion {
            chain: chain.clone(),
            r: input.r.clone(),
        };
    }
    ResolveError::Conflict {
        package,
        chains,
        there: versions(there),
    }
}

fn conflict_of(
    search: &Search<'_, '_>,
    package: &str,
    there: &[Candidate<'_>],
    wanters: &[Wanter],
) -> DeadEnd {
    DeadEnd::error(ResolveError::Conflict {
        package: package.to_owned(),
        chains: wanters.iter().map(|one| search.chain(one)).collect(),
        there: versions(there),
    })
}

fn versions(there: &[Candidate<'_>]) -> Vec<(RVersion, Origin)> {
    let one = |candidate: &Candidate<'_>| (candidate.version.clone(), candidate.origin.clone());
    there.iter().map(one).collect()
}

fn is_wanted_by_all(wanters: &[Wanter], candidate: &Candidate<'_>) -> bool {
    wanters
        .iter()
        .all(|one| one.wants.is_satisfied_by(&candidate.version))
}

/// Of chains that leave no candidate, as few as still leave none.
fn fewest(there: &[Candidate<'_>], chains: &[Chain]) -> Vec<Chain> {
    fewest_that(chains, |kept| {
        !there.iter().any(|candidate| {
            kept.iter()
                .all(|one| one.wants.is_satisfied_by(&candidate.version))
        })
    })
}

/// As few as leave nothing but candidates that cannot be used.
fn fewest_for(there: &[Candidate<'_>], fitting: &[&Candidate<'_>], chains: &[Chain]) -> Vec<Chain> {
    let count = fitting.len();
    let mut kept = fewest_that(chains, |kept| {
        let fits = |candidate: &&Candidate<'_>| {
            kept.iter()
                .all(|one| one.wants.is_satisfied_by(&candidate.version))
        };
        there.iter().filter(fits).count() == count
    });
    if kept.is_empty() {
        kept.extend(chains.first().cloned());
    }
    kept
}

fn fewest_that(chains: &[Chain], is_enough: impl Fn(&[&Chain]) -> bool) -> Vec<Chain> {
    let mut kept: Vec<&Chain> = chains.iter().collect();
    for at in (0..kept.len()).rev() {
        let left_out = kept.remove(at);
        if !is_enough(&kept) {
            kept.insert(at, left_out);
        }
    }
    kept.into_iter().cloned().collect()
}

fn rejected(
    input: &ResolveInput<'_>,
    package: &str,
    candidate: &Candidate<'_>,
) -> Option<Rejected> {
    let name = format!("{package} {}", candidate.version);
    let origin = candidate.origin.name();
    let (wants_r, reason) = match candidate.unfit.as_ref()? {
        Unfit::R(bounds) => (bounds.clone(), r_text(input.r, &name, bounds)),
        Unfit::Windows => (Vec::new(), format!("{name} is for Windows alone")),
        Unfit::Unreadable(reason) => (
            Vec::new(),
            format!("what {name} ({origin}) requires cannot be read: {reason}"),
        ),
    };
    Some(Rejected {
        package: package.to_owned(),
        version: candidate.version.clone(),
        origin: candidate.origin.clone(),
        wants_r,
        reason,
    })
}

fn r_text(r: &RVersion, name: &str, bounds: &[Comparison]) -> String {
    let broken = bounds.iter().find(|bound| !bound.holds(r));
    let what = match broken.map(|bound| bound.operator) {
        Some(Operator::AtLeast | Operator::Above) => "too old",
        Some(Operator::AtMost | Operator::Below) => "too new",
        _ => "not the right one",
    };
    let wants = Requirement {
        package: "R".to_owned(),
        comparisons: bounds.to_vec(),
    };
    format!("R {r} is {what} for {name}, which wants {wants}")
}
