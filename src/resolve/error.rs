//! Why a request cannot be resolved, in words for people.

use super::{Chain, Origin};
use crate::package::{Comparison, IndexProblem, RVersion};

/// A package that no repository, layer or library has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPackage {
    /// Its name.
    pub package: String,
    /// Who wants it.
    pub wanted: Chain,
    /// Known names that look like it, the likeliest first.
    pub nearest: Vec<String>,
    /// Repositories that have a record of it which cannot be read, and what is wrong with that.
    pub damaged: Vec<(String, IndexProblem)>,
}

/// A version that was there, and why it was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: RVersion,
    /// Where it is.
    pub origin: Origin,
    /// What R it wants, if that is the reason.
    pub wants_r: Vec<Comparison>,
    /// Why it was not taken.
    pub reason: String,
}

/// Why a request cannot be resolved.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ResolveError {
    /// Nobody has these. They may be archived, or in Bioconductor: [`ResolveError::unknown_names`].
    #[error("{}", unknown_text(.0))]
    Unknown(Vec<UnknownPackage>),
    /// No version is what all want.
    #[error("{}", conflict_text(.package, .chains, .there))]
    Conflict {
        /// The package.
        package: String,
        /// Who wants what; no fewer would conflict.
        chains: Vec<Chain>,
        /// The versions that are there.
        there: Vec<(RVersion, Origin)>,
    },
    /// A base package of another version than R's is wanted.
    #[error(
        "{chain}, but {} is part of R and has R's version, {r}; it takes another R (--r-version)",
        .chain.wants.package
    )]
    BaseVersion {
        /// Who wants it.
        chain: Chain,
        /// R's version.
        r: RVersion,
    },
    /// The versions that are wanted cannot be used here: another R, Windows, a damaged record.
    #[error("{}", unfit_text(.rejected, .chains))]
    Unfit {
        /// Those versions, the preferred first.
        rejected: Vec<Rejected>,
        /// Who wants them.
        chains: Vec<Chain>,
    },
    /// What a version wants was decided otherwise, and every other way fails as well.
    #[error(
        "no versions go together that satisfy all; one of the ways that fail: {chain}, but {} is {chosen} for {}",
        .chain.wants.package,
        and(.because)
    )]
    Choice {
        /// What is wanted.
        chain: Box<Chain>,
        /// What was chosen.
        chosen: RVersion,
        /// Why.
        because: Vec<Chain>,
    },
    /// A package that was asked for from two places; R's library has room for one.
    #[error("{package} is asked for from {} and from {}; ask for one of them", .origins[0], .origins[1])]
    PinnedTwice {
        /// The package.
        package: String,
        /// The places.
        origins: [String; 2],
    },
    /// Packages that require each other.
    #[error(
        "{wanted} cannot be installed: {}",
        cycle_text(.cycle)
    )]
    Cycle {
        /// Who wants the first.
        wanted: Chain,
        /// The packages, each requiring the next; the last is the first.
        cycle: Vec<String>,
    },
}

impl ResolveError {
    /// Names that may be looked for in archives and in Bioconductor, to say so.
    pub fn unknown_names(&self) -> Vec<&str> {
        match self {
            ResolveError::Unknown(all) => all.iter().map(|one| one.package.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// Does it stay an error whatever repositories have? Packages that were asked for by their place are what they are.
    pub fn is_final(&self, is_pinned: impl Fn(&str) -> bool) -> bool {
        match self {
            ResolveError::PinnedTwice { .. } => true,
            ResolveError::Cycle { cycle, .. } => cycle.iter().all(|package| is_pinned(package)),
            ResolveError::Unfit { rejected, .. } => {
                rejected.iter().all(|one| is_pinned(&one.package))
            }
            ResolveError::BaseVersion { chain, .. } => {
                chain.through.iter().all(|(package, _)| is_pinned(package))
            }
            _ => false,
        }
    }

    /// A package that an archived version may help: older versions are wanted than the indexes have.
    pub fn conflicting_package(&self) -> Option<&str> {
        match self {
            ResolveError::Conflict { package, .. } => Some(package),
            ResolveError::Unfit { rejected, .. } => {
                rejected.first().map(|first| first.package.as_str())
            }
            _ => None,
        }
    }
}

fn unknown_text(all: &[UnknownPackage]) -> String {
    let lines = all.iter().map(|one| {
        let mut line = format!("there is no package `{}`", one.package);
        if !one.wanted.through.is_empty() {
            line += &format!(", which is wanted: {}", one.wanted);
        }
        match one.nearest.as_slice() {
            [] => {}
            names => line += &format!("; did you mean {}?", or(names)),
        }
        for (repository, problem) in &one.damaged {
            line += &format!("; {repository} has a record that cannot be read: {problem}");
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// How many versions are worth reading.
const MOST_VERSIONS: usize = 6;

fn conflict_text(package: &str, chains: &[Chain], there: &[(RVersion, Origin)]) -> String {
    let texts = there.iter().take(MOST_VERSIONS);
    let texts = texts.map(|(version, origin)| format!("{version} ({})", origin.name()));
    let mut list = texts.collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = there.len().checked_sub(MOST_VERSIONS) {
        list += &format!(" and {more} more");
    }
    let only = if there.len() == 1 { "only " } else { "" };
    match chains {
        [one] => format!("{one}, but of {package} there is {only}{list}"),
        _ => format!("{}; of {package} there is {only}{list}", and(chains)),
    }
}

fn unfit_text(rejected: &[Rejected], chains: &[Chain]) -> String {
    let reasons: Vec<&str> = rejected.iter().map(|one| one.reason.as_str()).collect();
    let text = reasons.join("; ");
    match chains {
        chains if chains.iter().all(|chain| chain.through.is_empty()) => text,
        chains => format!("{text} ({})", and(chains)),
    }
}

fn and(chains: &[Chain]) -> String {
    let texts: Vec<String> = chains.iter().map(Chain::to_string).collect();
    texts.join(", but ")
}

fn or(names: &[String]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn cycle_text(cycle: &[String]) -> String {
    match cycle {
        [one, _] => {
            format!("{one} requires itself, and R can neither install nor load such a package")
        }
        _ => format!(
            "{} require each other, and R can neither install nor load such packages",
            cycle.join(" → ")
        ),
    }
}
