//! What was probably meant by a name that no repository has.

use std::collections::BTreeSet;

use super::ResolveInput;
use crate::package::BASE_PACKAGES;

/// How many names are worth reading.
const MOST: usize = 3;

/// Up to three names of known packages that look like this one, the likeliest first: the same but for upper and lower
/// case, or else those a few letters away.
pub fn nearest_names(input: &ResolveInput<'_>, name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    // One letter in short names, and one more for every four.
    let farthest = 1 + name.len() / 4;
    let mut near: Vec<(usize, &str)> = known_names(input)
        .into_iter()
        .filter(|known| known.len().abs_diff(name.len()) <= farthest && *known != name)
        .map(|known| {
            let distance = strsim::damerau_levenshtein(&lower, &known.to_lowercase());
            (distance, known)
        })
        .filter(|(distance, _)| *distance <= farthest)
        .collect();
    near.sort_unstable();
    let is_certain = near.first().is_some_and(|(distance, _)| *distance == 0);
    near.retain(|(distance, _)| !is_certain || *distance == 0);
    near.truncate(MOST);
    near.into_iter()
        .map(|(_, known)| known.to_owned())
        .collect()
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
