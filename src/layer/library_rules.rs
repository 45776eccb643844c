//! `layers/libraries.toml`: what is known of system libraries, as data in the program.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::library_data::DataRule;
use crate::package::{LackingRule, SystemRequirement};

/// What is known of system libraries.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibraryRules {
    /// Which data libraries need at run time.
    pub data: Vec<DataRule>,
    /// Which R packages need at run time what Lambda lacks.
    pub lacking: Vec<LackingRule>,
    /// What of the system source packages need to be compiled.
    #[serde(rename = "system_requirement")]
    pub system_requirements: Vec<SystemRequirement>,
}

impl LibraryRules {
    /// The rules in this program.
    #[expect(
        clippy::expect_used,
        reason = "embedded data, parsed by a test of this module"
    )]
    pub fn embedded() -> &'static LibraryRules {
        static RULES: OnceLock<LibraryRules> = OnceLock::new();
        RULES.get_or_init(|| {
            toml::from_str(crate::embedded::text("libraries.toml"))
                .expect("the embedded rules parse")
        })
    }
}

/// Environment variables, by name.
pub type Variables = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::layer::LayerTree;
    use crate::layer::library_data::{environment_file, is_settable};
    use crate::package::{Requirements, lacking};

    #[test]
    fn the_rules_parse_and_their_patterns_are_patterns() {
        let rules = LibraryRules::embedded();
        for rule in &rules.data {
            rule.matcher().unwrap();
            assert!(!rule.library.is_empty() && !rule.reason.is_empty());
            rule.insert_files(&mut LayerTree::default());
            assert!(
                rule.environment
                    .iter()
                    .all(|(name, value)| is_settable(name, value)),
                "{rule:?}"
            );
            environment_file(&rule.environment);
        }
        Requirements::new(&rules.system_requirements).unwrap();
    }

    #[test]
    fn every_requirement_can_be_met_and_is_told_once() {
        let rules = LibraryRules::embedded();
        let mut names = BTreeSet::new();
        for rule in &rules.system_requirements {
            assert!(
                !rule.apt.is_empty() || !rule.dnf.is_empty(),
                "{}",
                rule.name
            );
            assert!(!rule.pattern.is_empty(), "{}", rule.name);
            assert!(names.insert(&rule.name), "{}", rule.name);
        }
        let mut links = BTreeSet::new();
        for link in rules
            .system_requirements
            .iter()
            .flat_map(|rule| &rule.links)
        {
            assert!(links.insert(link), "-l{link} is said twice");
        }
    }

    #[test]
    fn packages_that_need_what_lambda_lacks_are_told_with_what_to_do() {
        let rules = &LibraryRules::embedded().lacking;
        for (package, what) in [
            ("brms", "a compiler"),
            ("rstan", "a compiler"),
            ("rmarkdown", "pandoc"),
            ("reticulate", "Python"),
            ("rJava", "Java"),
            ("tkrplot", "a display"),
            ("odbc", "a database driver"),
        ] {
            let found = lacking(rules, package);
            assert_eq!(
                found.iter().map(|rule| &rule.what[..]).collect::<Vec<_>>(),
                [what]
            );
            assert!(found[0].advice.len() > 40);
        }
        assert!(lacking(rules, "data.table").is_empty());
        let both: Vec<&str> = lacking(rules, "pagedown")
            .iter()
            .map(|rule| &rule.what[..])
            .collect();
        assert_eq!(both, ["pandoc", "a browser"]);
    }
}
