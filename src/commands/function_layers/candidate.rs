//! Layers of ours that a name may mean, and which of them it means.

use std::collections::{BTreeMap, BTreeSet};

use super::find::{Found, Purpose};
use crate::checksum::Sha256;
use crate::function::layers::whole_name;
use crate::package::RVersion;
use crate::publication::{LayerVersionArn, Timestamp, is_called, is_named};
use crate::target::Architecture;

/// A layer of ours that there is, wherever that is known from.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub logical_name: String,
    pub arn: LayerVersionArn,
    pub architecture: Option<Architecture>,
    pub r_minor: Option<String>,
    pub sha256: Sha256,
    pub published: Timestamp,
}

impl Candidate {
    /// Is it named by its name at AWS, by `r-models` or by `models`?
    pub fn is_named(&self, name: &str) -> bool {
        is_named(self.arn.layer.layer.as_str(), &self.logical_name, name)
    }

    /// The number of the part of the layer that is named so, if it may be one: `r-models-2` of `models`.
    pub fn part_of(&self, name: &str) -> Option<u64> {
        let whole = whole_name(&self.logical_name);
        let number = self.logical_name.strip_prefix(whole)?.strip_prefix('-')?;
        is_called(whole, name).then(|| number.parse().ok())?
    }

    /// The layer's name, if it is a layer as a whole: parts of it are then there no more.
    pub fn whole(&self) -> Option<String> {
        let name = &self.logical_name;
        (whole_name(name) == name).then(|| name.clone())
    }

    fn fits(&self, purpose: Purpose<'_>) -> bool {
        let architecture = self.architecture;
        let minor = purpose.r_minor;
        architecture.is_none_or(|it| it == purpose.architecture)
            && (minor.is_none() || self.r_minor.as_deref() == minor)
    }

    fn r_version(&self) -> Option<RVersion> {
        self.r_minor.as_ref()?.parse().ok()
    }
}

/// The versions that a name means, of those that fit the purpose: the newest of the layer, or of its parts.
pub fn chosen(
    candidates: &[Candidate],
    name: &str,
    version: Option<u64>,
    purpose: Purpose<'_>,
) -> Option<Found> {
    let fitting = candidates.iter().filter(|one| one.fits(purpose));
    let mut fitting: Vec<&Candidate> = fitting
        .filter(|one| match version {
            // Parts have numbers of their own.
            Some(number) => one.is_named(name) && one.arn.version == number,
            None => one.is_named(name) || one.part_of(name).is_some(),
        })
        .collect();
    let newest_r = fitting.iter().filter_map(|one| one.r_version()).max();
    fitting.retain(|one| one.r_version() == newest_r);
    let (named, numbered) = fitting.into_iter().partition(|one| one.is_named(name));
    let (single, parts): (Vec<&Candidate>, _) = (named, parts(numbered, name));
    // It may have been in one part before it was in several, or the reverse: what was published last counts.
    let last = |all: &[&Candidate]| all.iter().map(|one| one.published).max();
    if !parts.is_empty() && last(&parts) >= last(&single) {
        return Some(Found {
            versions: parts.iter().map(|one| one.arn.clone()).collect(),
            whole: Some(whole_name(&parts[0].logical_name).to_owned()),
        });
    }
    let newest = single.into_iter().max_by_key(|one| one.arn.version)?;
    Some(Found {
        versions: vec![newest.arn.clone()],
        whole: newest.whole(),
    })
}

/// The newest version of each part, from the first on without a gap; without a first it is no layer in parts.
fn parts<'a>(numbered: Vec<&'a Candidate>, name: &str) -> Vec<&'a Candidate> {
    let mut newest: BTreeMap<u64, &Candidate> = BTreeMap::new();
    for candidate in numbered {
        let Some(number) = candidate.part_of(name) else {
            continue;
        };
        let known = newest.entry(number).or_insert(candidate);
        if known.arn.version < candidate.arn.version {
            *known = candidate;
        }
    }
    let in_order = newest.into_iter().zip(1..);
    let without_gap = in_order.take_while(|((number, _), place)| number == place);
    without_gap.map(|((_, candidate), _)| candidate).collect()
}

/// The newest versions of all of these parts, if there is one of each.
pub fn all_parts(
    candidates: &[Candidate],
    parts: &BTreeSet<String>,
    purpose: Purpose<'_>,
) -> Option<Found> {
    let whole = whole_of(parts)?;
    let newest = parts.iter().map(|part| {
        let own = candidates
            .iter()
            .filter(|one| one.logical_name == *part && one.fits(purpose));
        let newest = own.max_by_key(|one| (one.r_version(), one.arn.version));
        newest.map(|one| one.arn.clone())
    });
    Some(Found {
        versions: newest.collect::<Option<_>>()?,
        whole: Some(whole),
    })
}

/// What parts are parts of; one alone is the whole.
fn whole_of(parts: &BTreeSet<String>) -> Option<String> {
    let first = parts.first()?;
    Some(match parts.len() {
        1 => first.clone(),
        _ => whole_name(first).to_owned(),
    })
}

#[cfg(test)]
mod tests;
