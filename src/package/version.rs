//! Versions as R compares them: integers parted by `.` or `-`, the shorter of two equal beginnings first.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version of R or of a package.
#[derive(Clone, Debug)]
pub struct RVersion {
    text: String,
    numbers: Vec<u64>,
}

/// A text that is no version.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a version (integers parted by `.` or `-`, as 1.2-3)")]
pub struct VersionError(String);

impl RVersion {
    /// The first number.
    pub fn major(&self) -> u64 {
        self.numbers.first().copied().unwrap_or(0)
    }

    /// The first two numbers, by which R's series of patch releases are told apart.
    pub fn minor(&self) -> (u64, u64) {
        let second = self.numbers.get(1).copied().unwrap_or(0);
        (self.major(), second)
    }

    /// `4.5` of `4.5.0`: what binary packages are built for.
    pub fn minor_text(&self) -> String {
        let (major, second) = self.minor();
        format!("{major}.{second}")
    }

    /// How far another version is: in the first number, then the second, then the third.
    pub fn distance(&self, other: &RVersion) -> [u64; 3] {
        let number = |version: &RVersion, index| version.numbers.get(index).copied().unwrap_or(0);
        [0, 1, 2].map(|index| number(self, index).abs_diff(number(other, index)))
    }

    /// How many numbers it has.
    pub fn parts(&self) -> usize {
        self.numbers.len()
    }
}

impl FromStr for RVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let text = text.trim();
        let numbers = text
            .split(['.', '-'])
            .map(|part| {
                part.parse()
                    .ok()
                    .filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()))
            })
            .collect::<Option<Vec<u64>>>()
            .ok_or_else(|| VersionError(text.to_owned()))?;
        Ok(RVersion {
            text: text.to_owned(),
            numbers,
        })
    }
}

impl fmt::Display for RVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Ord for RVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers)
    }
}

impl PartialOrd for RVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for RVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for RVersion {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_in_r() {
        let version = |text: &str| text.parse::<RVersion>().unwrap();
        assert!(version("1.10") > version("1.9"));
        assert!(version("1.2-3") == version("1.2.3"));
        assert!(version("1.2") < version("1.2.0"));
        assert_eq!((version("4.5.0").major(), version("4.5.0").parts()), (4, 3));
        for text in ["", "1..2", "1.x", "+1", "1.2 3"] {
            assert!(text.parse::<RVersion>().is_err(), "{text}");
        }
    }
}
