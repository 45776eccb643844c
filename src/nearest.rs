//! What was probably meant by a name that there is not.

/// How many names are worth reading.
const MOST: usize = 3;

/// Up to three names that look like this one, the likeliest first: the same but for upper and lower case, or else those a few
/// letters away.
pub fn nearest_names<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = name.to_lowercase();
    // One letter in short names, and one more for every four.
    let farthest = 1 + name.len() / 4;
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|known| known.len().abs_diff(name.len()) <= farthest && *known != name)
        .map(|known| {
            let distance = strsim::damerau_levenshtein(&lower, &known.to_lowercase());
            (distance, known)
        })
        .filter(|(distance, _)| *distance <= farthest)
        .collect();
    near.sort_unstable();
    near.dedup();
    let is_certain = near.first().is_some_and(|(distance, _)| *distance == 0);
    near.retain(|(distance, _)| !is_certain || *distance == 0);
    near.truncate(MOST);
    near.into_iter().map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_names_are_found_whatever_their_case() {
        let names = [
            "Matrix",
            "MASS",
            "matrixStats",
            "dplyr",
            "dtplyr",
            "dbplyr",
            "mgcv",
            "dplyr",
        ];
        assert_eq!(nearest_names("matrix", names), ["Matrix"]);
        assert_eq!(nearest_names("dplry", names)[..2], ["dplyr", "dbplyr"]);
        assert!(nearest_names("zzz", names).is_empty());
        assert!(!nearest_names("dplyr", names).contains(&"dplyr"));
    }
}
