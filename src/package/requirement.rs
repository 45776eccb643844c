//! What a package requires of another, as the fields Depends, Imports and LinkingTo write it: `Rcpp (>= 1.0-3)`.

use std::fmt;
use std::str::FromStr;

use super::{NameError, RVersion, VersionError, check_package_name};

/// How a version is compared with a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `==`
    Exactly,
    /// `!=`
    Not,
}

/// All operators, the longer before those that they begin with.
const OPERATORS: [(&str, Operator); 6] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Exactly),
    ("!=", Operator::Not),
    (">", Operator::Above),
    ("<", Operator::Below),
];

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = OPERATORS.iter().find(|(_, operator)| operator == self);
        f.write_str(found.map_or("", |(text, _)| text))
    }
}

/// A bound on versions: `>= 1.2-3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub version: RVersion,
}

impl Comparison {
    /// Is the version within the bound?
    pub fn holds(&self, version: &RVersion) -> bool {
        match self.operator {
            Operator::AtLeast => version >= &self.version,
            Operator::Above => version > &self.version,
            Operator::AtMost => version <= &self.version,
            Operator::Below => version < &self.version,
            Operator::Exactly => version == &self.version,
            Operator::Not => version != &self.version,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator, self.version)
    }
}

impl FromStr for Comparison {
    type Err = ComparisonError;

    fn from_str(text: &str) -> Result<Comparison, ComparisonError> {
        let text = text.trim();
        let found = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)));
        let (operator, version) =
            found.ok_or_else(|| ComparisonError::Operator(text.to_owned()))?;
        Ok(Comparison {
            operator,
            version: version.parse()?,
        })
    }
}

/// A text that is no bound on versions.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// It does not begin with an operator.
    #[error("`{0}` does not begin with one of >= > <= < == !=")]
    Operator(String),
    /// What follows the operator is no version.
    #[error(transparent)]
    Version(#[from] VersionError),
}

/// A package, and the bounds that its version must be within; none: any version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The package; `R` is R itself.
    pub package: String,
    /// All of them must hold.
    pub comparisons: Vec<Comparison>,
}

/// An entry of a field that is no requirement.
#[derive(Debug, thiserror::Error)]
#[error("`{entry}` is not a requirement as `pkg (>= 1.2)`: {reason}")]
pub struct RequirementError {
    /// The entry, its white space made single spaces.
    pub entry: String,
    /// What is wrong with it.
    pub reason: RequirementFault,
}

/// What is wrong with an entry.
#[derive(Debug, thiserror::Error)]
pub enum RequirementFault {
    /// The name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The bound.
    #[error(transparent)]
    Comparison(#[from] ComparisonError),
    /// The parentheses.
    #[error("a parenthesis is not closed, or something follows it")]
    Parenthesis,
}

impl Requirement {
    /// Any version of a package.
    pub fn any(package: impl Into<String>) -> Requirement {
        Requirement {
            package: package.into(),
            comparisons: Vec::new(),
        }
    }

    /// One version of a package.
    pub fn exactly(package: impl Into<String>, version: RVersion) -> Requirement {
        Requirement {
            package: package.into(),
            comparisons: vec![Comparison {
                operator: Operator::Exactly,
                version,
            }],
        }
    }

    /// Is the version within all bounds?
    pub fn is_satisfied_by(&self, version: &RVersion) -> bool {
        self.comparisons.iter().all(|one| one.holds(version))
    }

    /// The one version that it asks for with `==`.
    pub fn exact_version(&self) -> Option<&RVersion> {
        let exact = |one: &&Comparison| one.operator == Operator::Exactly;
        self.comparisons.iter().find(exact).map(|one| &one.version)
    }

    /// Reads a field. A package that is named several times becomes one requirement with all its bounds.
    pub fn parse_field(text: &str) -> Result<Vec<Requirement>, RequirementError> {
        let mut all: Vec<Requirement> = Vec::new();
        for entry in text.split(',').map(str::trim) {
            if entry.is_empty() {
                continue;
            }
            let one = parse_entry(entry).map_err(|reason| RequirementError {
                entry: entry.split_whitespace().collect::<Vec<_>>().join(" "),
                reason,
            })?;
            match all.iter_mut().find(|other| other.package == one.package) {
                Some(same) => same.comparisons.extend(one.comparisons),
                None => all.push(one),
            }
        }
        Ok(all)
    }
}

fn parse_entry(entry: &str) -> Result<Requirement, RequirementFault> {
    let (name, bound) = match entry.split_once('(') {
        Some((name, rest)) => {
            let bound = rest
                .strip_suffix(')')
                .ok_or(RequirementFault::Parenthesis)?;
            (name.trim(), Some(bound.trim()))
        }
        None => (entry, None),
    };
    if name != "R" {
        check_package_name(name)?;
    }
    let comparisons = match bound {
        Some(bound) if name == "R" && is_revision(bound) => Vec::new(),
        Some(bound) => vec![bound.parse()?],
        None => Vec::new(),
    };
    Ok(Requirement {
        package: name.to_owned(),
        comparisons,
    })
}

/// `R (>= r56550)`: a revision of R's own development, which no released R can be compared with. R has known them since
/// 2.14; packages that still say so mean an R of long ago.
fn is_revision(bound: &str) -> bool {
    let number = bound.trim_start_matches(['>', '<', '=', '!', ' ']);
    let number = number.strip_prefix('r').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.package)?;
        for (index, comparison) in self.comparisons.iter().enumerate() {
            f.write_str(if index == 0 { " (" } else { ", " })?;
            write!(f, "{comparison}")?;
        }
        f.write_str(if self.comparisons.is_empty() { "" } else { ")" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> Vec<String> {
        let all = Requirement::parse_field(text).unwrap();
        all.iter().map(Requirement::to_string).collect()
    }

    #[test]
    fn fields_are_read_with_white_space_anywhere_and_commas_at_their_end() {
        assert_eq!(
            field("R(>=3.5),\n  Rcpp (\n>= 1.0-3 ) ,data.table\t(!= 1.2),\n\tmethods,"),
            [
                "R (>= 3.5)",
                "Rcpp (>= 1.0-3)",
                "data.table (!= 1.2)",
                "methods"
            ]
        );
        assert!(field("  \n ,").is_empty());
    }

    #[test]
    fn a_package_that_is_named_twice_has_all_its_bounds() {
        assert_eq!(
            field("R (>= 3.5), utils, R (< 5)"),
            ["R (>= 3.5, < 5)", "utils"]
        );
    }

    #[test]
    fn every_operator_compares_as_in_r() {
        for (bound, inside, outside) in [
            (">= 1.2-3", "1.2.3", "1.2.2"),
            ("> 1.2", "1.2.0", "1.2"),
            ("<= 1.2", "1.2", "1.2.0"),
            ("< 1.10", "1.9", "1.10"),
            ("== 1.2-3", "1.2.3", "1.2-4"),
            ("!= 1.2", "1.2.0", "1.2"),
        ] {
            let requirement = &Requirement::parse_field(&format!("ab ({bound})")).unwrap()[0];
            assert!(
                requirement.is_satisfied_by(&inside.parse().unwrap()),
                "{bound} {inside}"
            );
            assert!(
                !requirement.is_satisfied_by(&outside.parse().unwrap()),
                "{bound} {outside}"
            );
        }
    }

    #[test]
    fn a_revision_of_the_development_of_r_is_no_bound() {
        assert_eq!(field("R (>= r56550)"), ["R"]);
    }

    #[test]
    fn what_is_no_requirement_is_named() {
        for (text, part) in [
            ("utils, Rcpp (1.0)", "`Rcpp (1.0)`"),
            ("Rcpp (>= 1.0", "parenthesis"),
            ("Rcpp (>= 1.0) x", "parenthesis"),
            ("Rcpp (>= one)", "`one` is not a version"),
            ("Rcpp (=> 1.0)", "`=> 1.0`"),
            ("a b", "`a b` is not a package name"),
            ("../x", "not a package name"),
        ] {
            let error = Requirement::parse_field(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
