//! R packages that need, when they run, what Lambda lacks: a compiler, pandoc, Python.

use serde::Deserialize;

/// What Lambda lacks, which packages need it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LackingRule {
    /// What is lacking, with its article: `a compiler`.
    pub what: String,
    /// The packages.
    pub packages: Vec<String>,
    /// What one can do, for people.
    pub advice: String,
}

impl LackingRule {
    /// A warning for those who add a package of the rule.
    pub fn warning(&self, package: &str) -> String {
        format!(
            "{package} needs {} when it runs. {}",
            self.what, self.advice
        )
    }
}

/// The rules that a package falls under.
pub fn lacking<'a>(rules: &'a [LackingRule], package: &str) -> Vec<&'a LackingRule> {
    rules
        .iter()
        .filter(|rule| rule.packages.iter().any(|name| name == package))
        .collect()
}
