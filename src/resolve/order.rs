//! The order of installing: each package behind those that it requires.

use std::collections::{BTreeMap, BTreeSet};

/// Packages in levels: those of a level require only packages of levels before it, so they can be installed at the same
/// time. Sorted within a level.
///
/// # Errors
/// A cycle, from its first name by the alphabet back to it.
pub(super) fn levels(
    requires: &BTreeMap<&str, BTreeSet<&str>>,
) -> Result<Vec<Vec<String>>, Vec<String>> {
    let mut left: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (package, required) in requires {
        let known = required.iter().filter(|one| requires.contains_key(*one));
        left.insert(package, known.copied().collect());
    }
    let mut levels = Vec::new();
    while !left.is_empty() {
        let ready: BTreeSet<&str> = left
            .iter()
            .filter(|(_, required)| required.is_empty())
            .map(|(package, _)| *package)
            .collect();
        if ready.is_empty() {
            return Err(cycle(&left));
        }
        left.retain(|package, _| !ready.contains(package));
        for required in left.values_mut() {
            required.retain(|one| !ready.contains(one));
        }
        levels.push(ready.into_iter().map(str::to_owned).collect());
    }
    Ok(levels)
}

/// A cycle among packages that each require another of them.
fn cycle(left: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut way: Vec<&str> = Vec::new();
    let mut at = left.keys().next().copied();
    while let Some(package) = at {
        if let Some(start) = way.iter().position(|one| *one == package) {
            way.drain(..start);
            break;
        }
        way.push(package);
        at = left
            .get(package)
            .and_then(|required| required.first().copied());
    }
    let first = (0..way.len()).min_by_key(|&at| way[at]).unwrap_or(0);
    way.rotate_left(first);
    way.extend(way.first().copied());
    way.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(edges: &[(&'static str, &[&'static str])]) -> Result<Vec<Vec<String>>, Vec<String>> {
        let one = |(name, required): &(&'static str, &[&'static str])| {
            (*name, required.iter().copied().collect())
        };
        levels(&edges.iter().map(one).collect())
    }

    #[test]
    fn what_is_required_comes_before_and_what_is_not_installed_does_not_count() {
        let found = of(&[
            ("d", &["b", "c"]),
            ("c", &["a"]),
            ("b", &["a", "base"]),
            ("a", &[]),
        ]);
        assert_eq!(found.unwrap(), [vec!["a"], vec!["b", "c"], vec!["d"]]);
    }

    #[test]
    fn a_cycle_is_told_without_what_only_leads_to_it() {
        let found = of(&[("a", &["d"]), ("d", &["c"]), ("c", &["b"]), ("b", &["d"])]);
        assert_eq!(found.unwrap_err(), ["b", "d", "c", "b"]);
        assert_eq!(of(&[("a", &["a"])]).unwrap_err(), ["a", "a"]);
    }
}
