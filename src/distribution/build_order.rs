//! In which order packages are compiled: each when all that it needs is there.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Packages that wait for what they need, by name.
#[derive(Debug)]
pub struct BuildOrder {
    /// What each that was not begun still lacks.
    waiting: BTreeMap<String, BTreeSet<String>>,
    /// How many others need each.
    weights: BTreeMap<String, usize>,
}

impl BuildOrder {
    /// An order of packages, each with the names of what it needs. What is none of them is there already.
    pub fn new<'a>(
        packages: impl IntoIterator<Item = (&'a str, &'a [String])>,
    ) -> Result<BuildOrder, DependencyCycle> {
        let packages: BTreeMap<&str, &[String]> = packages.into_iter().collect();
        let mut weights = BTreeMap::new();
        let mut waiting = BTreeMap::new();
        for (name, needs) in &packages {
            let lacks: BTreeSet<String> = needs
                .iter()
                .filter(|need| packages.contains_key(need.as_str()))
                .cloned()
                .collect();
            for need in &lacks {
                *weights.entry(need.clone()).or_default() += 1;
            }
            waiting.insert((*name).to_owned(), lacks);
        }
        match cycle(&waiting) {
            Some(names) => Err(DependencyCycle(names)),
            None => Ok(BuildOrder { waiting, weights }),
        }
    }

    /// The next to begin, if one lacks nothing: the one that most others wait for. It counts as begun from now on.
    pub fn begin(&mut self) -> Option<String> {
        let ready = self.waiting.iter().filter(|(_, lacks)| lacks.is_empty());
        let weight = |name: &str| self.weights.get(name).copied().unwrap_or_default();
        let (name, _) = ready.min_by_key(|(name, _)| (Reverse(weight(name)), *name))?;
        let name = name.clone();
        self.waiting.remove(&name);
        Some(name)
    }

    /// How many lack nothing, and were not begun.
    pub fn ready(&self) -> usize {
        let lacks_nothing = |lacks: &&BTreeSet<String>| lacks.is_empty();
        self.waiting.values().filter(lacks_nothing).count()
    }

    /// One is there now.
    pub fn done(&mut self, name: &str) {
        for lacks in self.waiting.values_mut() {
            lacks.remove(name);
        }
    }

    /// Those that cannot be had without one that failed: they need it, or one that needs it.
    pub fn stopped_by(&self, failed: &str) -> Vec<String> {
        let mut gone = BTreeSet::from([failed.to_owned()]);
        loop {
            let more: Vec<&String> = self
                .waiting
                .iter()
                .filter(|(name, lacks)| !gone.contains(*name) && !lacks.is_disjoint(&gone))
                .map(|(name, _)| name)
                .collect();
            if more.is_empty() {
                break;
            }
            gone.extend(more.into_iter().cloned());
        }
        gone.remove(failed);
        gone.into_iter().collect()
    }
}

/// Packages that need each other, so that none can be compiled first: each needs the next, and the last the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} need each other, so that none of them can be compiled first: {} → {}. A repository has mixed versions of them; ask \
     for other versions, or take one of them compiled already",
    .0.join(", "), .0.join(" → "), .0.first().map_or("", String::as_str)
)]
pub struct DependencyCycle(pub Vec<String>);

/// A shortest way from a package back to itself, if there is one.
fn cycle(needs: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut left = needs.clone();
    // What lacks nothing is in no cycle.
    while let Some(free) = left.iter().find(|(_, lacks)| lacks.is_empty()) {
        let free = free.0.clone();
        left.remove(&free);
        for lacks in left.values_mut() {
            lacks.remove(&free);
        }
    }
    let ways = left.keys().filter_map(|start| way_back(start, &left));
    ways.min_by_key(Vec::len)
}

/// The shortest way from one package back to it, without its second mention.
fn way_back(start: &str, needs: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![start.to_owned()]];
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| needs.get(last))? {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next) {
                    longer.push([&way[..], &[next.clone()]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(packages: &[(&str, &[&str])]) -> Result<BuildOrder, DependencyCycle> {
        let owned: Vec<(&str, Vec<String>)> = packages
            .iter()
            .map(|(name, needs)| (*name, needs.iter().map(|need| (*need).to_owned()).collect()))
            .collect();
        BuildOrder::new(owned.iter().map(|(name, needs)| (*name, &needs[..])))
    }

    /// All that can be begun now.
    fn begun(order: &mut BuildOrder) -> Vec<String> {
        std::iter::from_fn(|| order.begin()).collect()
    }

    const CLOSURE: &[(&str, &[&str])] = &[
        ("cli", &["utils"]),
        ("glue", &["methods"]),
        ("lifecycle", &["cli", "glue", "rlang"]),
        ("quadprog", &[]),
        ("rlang", &[]),
        ("vctrs", &["cli", "glue", "lifecycle", "rlang"]),
        ("xml2", &["cli", "rlang"]),
    ];

    #[test]
    fn a_package_begins_when_all_that_it_needs_is_there_and_those_first_that_others_wait_for() {
        let mut order = order(CLOSURE).unwrap();
        assert_eq!(order.ready(), 4);
        assert_eq!(begun(&mut order), ["cli", "rlang", "glue", "quadprog"]);
        order.done("cli");
        assert_eq!(begun(&mut order), [""; 0]);
        order.done("rlang");
        assert_eq!(begun(&mut order), ["xml2"]);
        order.done("glue");
        assert_eq!(begun(&mut order), ["lifecycle"]);
        order.done("lifecycle");
        assert_eq!(begun(&mut order), ["vctrs"]);
        assert_eq!(order.ready(), 0);
    }

    #[test]
    fn a_failure_stops_what_needs_it_at_any_distance_and_nothing_else() {
        let mut chain = order(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])]).unwrap();
        assert_eq!(begun(&mut chain), ["a", "d"]);
        assert_eq!(chain.stopped_by("a"), ["b", "c"]);
        assert_eq!(chain.stopped_by("d"), [""; 0]);
    }

    #[test]
    fn a_cycle_is_told_by_its_shortest_way_and_bystanders_are_not_named() {
        let error = order(&[
            ("above", &["b"]),
            ("a", &["b", "c"]),
            ("b", &["c"]),
            ("c", &["a", "free"]),
            ("free", &[]),
        ])
        .unwrap_err();
        assert_eq!(error.0, ["a", "c"]);
        let text = error.to_string();
        assert!(text.contains("a → c → a"), "{text}");
        assert_eq!(order(&[("self", &["self"])]).unwrap_err().0, ["self"]);
    }
}
