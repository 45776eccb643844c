//! Names of packages: what R accepts as one, and those that come with R.

/// Packages that are part of R itself: always there, never fetched, of R's own version.
///
/// Source: `R_PKGS_BASE` in R's `share/make/vars.mk`, as of R 4.5.
pub const BASE_PACKAGES: [&str; 14] = [
    "base",
    "compiler",
    "datasets",
    "grDevices",
    "graphics",
    "grid",
    "methods",
    "parallel",
    "splines",
    "stats",
    "stats4",
    "tcltk",
    "tools",
    "utils",
];

/// Packages that every full build of R comes with, in versions of their own; repositories have newer ones.
///
/// Source: `R_PKGS_RECOMMENDED` in R's `share/make/vars.mk`, as of R 4.5.
pub const RECOMMENDED_PACKAGES: [&str; 15] = [
    "KernSmooth",
    "MASS",
    "Matrix",
    "boot",
    "class",
    "cluster",
    "codetools",
    "foreign",
    "lattice",
    "mgcv",
    "nlme",
    "nnet",
    "rpart",
    "spatial",
    "survival",
];

/// Is it one of [`BASE_PACKAGES`]?
pub fn is_base_package(name: &str) -> bool {
    BASE_PACKAGES.contains(&name)
}

/// A text that cannot be the name of a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a package name: {reason}")]
pub struct NameError {
    /// What was given.
    pub name: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Checks a name by R's rule ("Writing R Extensions", the field Package): ASCII letters, digits and dots, at least two
/// of them, a letter first and no dot last. What passes is safe as a part of a path or a URL.
pub fn check_package_name(name: &str) -> Result<(), NameError> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    let reason = match name.as_bytes() {
        [] => "it is empty",
        [b'-', ..] => "it looks like an option",
        [first, ..] if !first.is_ascii_alphabetic() => "it must begin with a letter",
        bytes if !bytes.iter().copied().all(is_part) => {
            "letters (a-z, A-Z), digits and dots are all that it may have"
        }
        [_] => "it must have at least two characters",
        [.., b'.'] => "it must not end in a dot",
        _ => return Ok(()),
    };
    Err(NameError {
        name: name.to_owned(),
        reason,
    })
}

/// Is it a name by that rule?
pub fn is_package_name(name: &str) -> bool {
    check_package_name(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_by_the_rule_of_r() {
        for name in ["Matrix", "data.table", "R6", "a1", "a..b"] {
            assert_eq!(check_package_name(name), Ok(()), "{name}");
        }
        for name in [
            "", "-x", "--help", "a/b", "1x", ".x", "x", "a..", "a_b", "ä2", "a b", "../x", "R",
        ] {
            let error = check_package_name(name).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn what_comes_with_r_is_in_the_order_of_its_bytes() {
        assert!(BASE_PACKAGES.is_sorted() && RECOMMENDED_PACKAGES.is_sorted());
        assert!(is_base_package("methods") && !is_base_package("Matrix"));
    }
}
