//! The closure of a request: which version of which package, from where, and in which order they are installed.
//!
//! Nothing here knows a network: indexes, DESCRIPTION files and the lock come in as values, and what should be looked
//! for elsewhere (an archived version) goes out as a value.
//!
//! # Rules
//! - Hard dependencies alone: Depends, Imports, LinkingTo. What is needed through LinkingTo alone is there to compile,
//!   and is not packed; nor is what such a package requires in its turn.
//! - Of a package's candidates the first that satisfies everything is taken, in this order: held by a layer; as locked;
//!   in R's own library; in the repositories, in their order, the newest version first; archived versions. So the first
//!   repository with a fitting version wins, **even if a later one has a newer**: whoever publishes a package of a
//!   private package's name in a public repository gets nowhere if the private repository comes first.
//! - A base package is R's own, whatever repositories have. A recommended one can be shadowed by a newer one.
//! - A package that wants another R is no candidate, nor one for Windows alone.
//!
//! # Why not a general solver
//! A package has few candidates, mostly one, and these have an order of preference that is not the versions'. So the
//! `search` is a plain one: packages are decided in the order in which they are met, a dead end goes back to the last
//! decision that has to do with it. The dead ends are what people are told, in chains from their requests (`explain`).

mod candidate;
mod chain;
mod error;
mod explain;
mod input;
mod order;
mod resolution;
mod search;
mod tree;

#[cfg(test)]
mod brute_force;
#[cfg(test)]
mod fixtures;

pub use chain::Chain;
pub use error::{Rejected, ResolveError, UnknownPackage};
pub use input::{
    ArchivedVersion, Extra, ExtraKind, Given, Holder, Locked, Preferences, Repository,
    ResolveInput, UnusableDescription, Upgrade,
};
pub use resolution::{Dependency, Details, Origin, Outcome, Resolution, ResolvedPackage, Role};
pub use tree::{Tree, Why};

use candidate::Candidates;

/// Resolves a request.
///
/// # Errors
/// Unknown packages, conflicts, an R that does not fit, cycles: see [`ResolveError`].
pub fn resolve(input: &ResolveInput<'_>) -> Result<Outcome, ResolveError> {
    if let Some(error) = explain::pinned_twice(input) {
        return Err(error);
    }
    let mut candidates = Candidates::new(input);
    let archived = explain::archived_requests(input, &mut candidates);
    if !archived.is_empty() {
        return Ok(Outcome::ArchivedWanted(archived));
    }
    let unknown = explain::unknown_requests(input, &mut candidates);
    if !unknown.is_empty() {
        return Err(ResolveError::Unknown(unknown));
    }
    match search::run(input, &mut candidates) {
        Ok(decisions) => {
            let resolution = resolution::of_decisions(input, &mut candidates, &decisions)?;
            Ok(Outcome::Resolved(resolution))
        }
        Err(explain::DeadEnd::ArchivedWanted(archived)) => {
            Ok(Outcome::ArchivedWanted(vec![archived]))
        }
        Err(explain::DeadEnd::Error(error)) => Err(*error),
    }
}
