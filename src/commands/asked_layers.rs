//! `--layer`: what is typed, compared with what there is.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::nearest::nearest_names;
use crate::publication::is_named;

/// A layer that there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// Its name at AWS.
    pub layer: String,
    /// `r-models`.
    pub logical_name: String,
}

/// Refuses a name that means no layer, with those that look like it and those that there are.
pub fn check_asked(asked: &[String], known: &BTreeSet<Known>) -> Result<()> {
    let is_meant = |name: &str| {
        let mut known = known.iter();
        known.any(|known| is_named(&known.layer, &known.logical_name, name))
    };
    let Some(unknown) = asked.iter().find(|name| !is_meant(name)) else {
        return Ok(());
    };
    let names = known.iter().flat_map(|known| {
        let logical = known.logical_name.as_str();
        let short = logical.strip_prefix("r-").unwrap_or(logical);
        [known.layer.as_str(), logical, short]
    });
    let nearest = match nearest_names(unknown, names).as_slice() {
        [] => String::new(),
        nearest => format!("; did you mean {}?", nearest.join(" or ")),
    };
    let layers: BTreeSet<&str> = known.iter().map(|known| known.layer.as_str()).collect();
    let there = match layers.is_empty() {
        true => "there is none".to_owned(),
        false => format!("there are the layers {}", Vec::from_iter(layers).join(", ")),
    };
    bail!("there is no layer `{unknown}`{nearest} ({there})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_means_nothing_is_refused_with_those_that_look_like_it() {
        let known = ["r-models", "r-runtime"].map(|name| Known {
            layer: format!("{name}-4_5-arm64"),
            logical_name: name.to_owned(),
        });
        let check = |asked: &[&str]| {
            let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
            check_asked(&asked, &BTreeSet::from(known.clone())).map_err(|error| error.to_string())
        };
        for asked in [&[][..], &["models", "r-models", "r-runtime-4_5-arm64"]] {
            assert_eq!(check(asked), Ok(()));
        }
        let error = check(&["models", "rutnime"]).unwrap_err();
        assert!(
            error.starts_with("there is no layer `rutnime`; did you mean runtime?"),
            "{error}"
        );
        assert!(
            error.ends_with("(there are the layers r-models-4_5-arm64, r-runtime-4_5-arm64)"),
            "{error}"
        );
    }
}
