//! Leaving out of a layer what nothing on Lambda reads, by rules that are data.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use super::LayerTree;

/// What is left out, and why. Patterns are paths of the layer; `*` stays within a folder, `**` does not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PruneRule {
    /// What is left out.
    pub drop: Vec<String>,
    /// What of it stays all the same.
    #[serde(default)]
    pub except: Vec<String>,
    /// Why, for people.
    pub reason: String,
}

/// What a rule left out of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// The rule's reason.
    pub reason: String,
    /// How many files.
    pub files: usize,
    /// How many bytes they are, unzipped.
    pub bytes: u64,
}

/// Applies the rules in order; a file is counted for the first rule that drops it.
pub fn prune(tree: &mut LayerTree, rules: &[PruneRule]) -> Result<Vec<Pruned>, globset::Error> {
    prune_telling(tree, rules, |_, _, _| {})
}

/// The same, telling of every file that is dropped: the rule, the path and the bytes.
pub fn prune_telling(
    tree: &mut LayerTree,
    rules: &[PruneRule],
    mut tell: impl FnMut(&PruneRule, &str, u64),
) -> Result<Vec<Pruned>, globset::Error> {
    let mut report = Vec::with_capacity(rules.len());
    for rule in rules {
        let (drop, except) = (patterns(&rule.drop)?, patterns(&rule.except)?);
        let mut pruned = Pruned {
            reason: rule.reason.clone(),
            files: 0,
            bytes: 0,
        };
        tree.retain(|path, entry| {
            let keep = !drop.is_match(path) || except.is_match(path);
            if !keep {
                tell(rule, path, entry.size);
                pruned.files += 1;
                pruned.bytes += entry.size;
            }
            keep
        });
        report.push(pruned);
    }
    Ok(report)
}

/// Patterns of paths in a layer.
pub(super) fn patterns(texts: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        set.add(GlobBuilder::new(text).literal_separator(true).build()?);
    }
    set.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Entry;

    #[test]
    fn rules_drop_what_they_name_but_their_exceptions() {
        let mut tree = LayerTree::default();
        for path in [
            "R/bin/R",
            "R/bin/exec/R",
            "R/bin/BATCH",
            "R/library/a/help/a.rdb",
            "R/library/a/R/a",
        ] {
            tree.insert(path, Entry::bytes(&b"1234"[..], false));
        }
        let rule = |drop: &str, except: &[&str]| PruneRule {
            drop: vec![drop.to_owned()],
            except: except.iter().map(|&text| text.to_owned()).collect(),
            reason: drop.to_owned(),
        };
        let rules = [
            rule("R/bin/*", &["R/bin/R"]),
            rule("R/library/*/{help,html}/**", &[]),
        ];
        let report = prune(&mut tree, &rules).unwrap();
        let kept: Vec<&str> = tree.iter().map(|(path, _)| path).collect();
        assert_eq!(kept, ["R/bin/R", "R/bin/exec/R", "R/library/a/R/a"]);
        assert_eq!((report[0].files, report[0].bytes), (1, 4));
        assert_eq!((report[1].files, report[1].bytes), (1, 4));
    }
}
