//! Versions of symbols, as the GNU linker writes them: `GLIBC_2.34`, `GLIBCXX_3.4.29`.

use std::fmt;

use serde::Serialize;

/// The name of a symbol version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SymbolVersion(String);

impl SymbolVersion {
    /// A version of that name.
    pub fn new(name: impl Into<String>) -> Self {
        SymbolVersion(name.into())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `GLIBC_2.34` → (`GLIBC`, [2, 34]); nothing for a name without a number, as `GLIBC_PRIVATE`.
    pub fn family_and_number(&self) -> Option<(&str, Vec<u32>)> {
        let (family, number) = self.0.rsplit_once('_')?;
        Some((family, parse_version_number(number)?))
    }
}

impl fmt::Display for SymbolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `2.34` → [2, 34]; compares as versions do. Nothing if a part is not a number.
pub fn parse_version_number(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart_at_its_last_underscore() {
        let number = |name: &str| {
            SymbolVersion::new(name)
                .family_and_number()
                .map(|(family, number)| (family.to_owned(), number))
        };
        assert_eq!(number("GLIBC_2.2.5"), Some(("GLIBC".into(), vec![2, 2, 5])));
        assert_eq!(
            number("CURL_OPENSSL_4"),
            Some(("CURL_OPENSSL".into(), vec![4]))
        );
        assert_eq!(number("GLIBC_PRIVATE"), None);
        assert_eq!(number("plain"), None);
    }
}
