//! What is too large for Lambda's layers, told with what to do.

use std::fmt;

use serde::Serialize;

use super::load::Load;

/// How many of the heaviest are listed.
const LISTED: usize = 10;

/// A package, or a library that packages need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heavy {
    /// The package's name, or the library's path in the layer.
    pub name: String,
    /// Bytes zipped.
    pub zipped: u64,
    /// Bytes unzipped.
    pub unzipped: u64,
}

/// What leaving something out would save.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PossibleSaving {
    /// What to do, for people: ``without `--keep help` ``.
    pub how: String,
    /// Bytes unzipped.
    pub unzipped: u64,
}

/// Which limit is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TooMuch {
    /// Bytes unzipped.
    Unzipped {
        /// Of this layer.
        unzipped: u64,
        /// Of the others, with the runtime's.
        others: u64,
        /// What Lambda takes.
        limit: u64,
    },
    /// Layers.
    Layers {
        /// That this one becomes.
        parts: usize,
        /// The others, with the runtime's.
        others: usize,
        /// What a function can have.
        limit: usize,
    },
}

/// Why a layer cannot be split so that Lambda takes it.
#[derive(Debug, Serialize)]
pub struct SplitError {
    /// The layer.
    pub layer: String,
    /// Which limit is passed.
    pub too_much: TooMuch,
    /// The heaviest in it, the first the heaviest by what is limited.
    pub heaviest: Vec<Heavy>,
    /// What leaving out would save, the most first.
    pub savings: Vec<PossibleSaving>,
}

impl std::error::Error for SplitError {}

impl SplitError {
    pub(super) fn new(
        layer: &str,
        too_much: TooMuch,
        load: &Load,
        savings: &[PossibleSaving],
    ) -> SplitError {
        let packages = load.packages.iter().map(|package| Heavy {
            name: package.name.clone(),
            zipped: package.zipped,
            unzipped: package.unzipped,
        });
        let libraries = load.libraries.iter().map(|library| Heavy {
            name: library.path.clone(),
            zipped: library.zipped,
            unzipped: library.unzipped,
        });
        let mut heaviest: Vec<Heavy> = packages.chain(libraries).collect();
        heaviest.sort_by_key(|heavy| {
            std::cmp::Reverse(match too_much {
                TooMuch::Unzipped { .. } => heavy.unzipped,
                TooMuch::Layers { .. } => heavy.zipped,
            })
        });
        heaviest.truncate(LISTED);
        let mut savings = savings.to_vec();
        savings.retain(|saving| saving.unzipped > 0);
        savings.sort_by_key(|saving| std::cmp::Reverse(saving.unzipped));
        SplitError {
            layer: layer.to_owned(),
            too_much,
            heaviest,
            savings,
        }
    }
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let TooMuch::Layers {
            parts: 1,
            others,
            limit,
        } = self.too_much
        {
            return write!(
                f,
                "the layer {} would be one too many: there are {others} beside it, with the runtime's, and a function has at \
                 most {limit}. Type r-layer build NAME… --merge NAME to make one of several; a container image has room for \
                 all: r-layer image build",
                self.layer
            );
        }
        write!(f, "the layer {} is too large for Lambda: ", self.layer)?;
        match self.too_much {
            TooMuch::Unzipped {
                unzipped,
                others,
                limit,
            } => write!(
                f,
                "{} unzipped and {} of the other layers, where a function with all its layers takes {}",
                megabytes(unzipped),
                megabytes(others),
                megabytes(limit)
            )?,
            TooMuch::Layers {
                parts,
                others,
                limit,
            } => write!(
                f,
                "it becomes {parts} layers, beside {others} more, where a function has at most {limit}; an S3 bucket \
                 (--s3-bucket) allows larger zips, so that fewer do"
            )?,
        }
        write!(f, "\n  The heaviest, zipped and unzipped:")?;
        for heavy in &self.heaviest {
            let (zipped, unzipped) = (megabytes(heavy.zipped), megabytes(heavy.unzipped));
            write!(f, "\n    {zipped:>9} {unzipped:>9}  {}", heavy.name)?;
        }
        if !self.savings.is_empty() {
            write!(f, "\n  Leaving out more would save, unzipped:")?;
        }
        for saving in &self.savings {
            write!(f, "\n    {:>9}  {}", megabytes(saving.unzipped), saving.how)?;
        }
        write!(
            f,
            "\n  A container image may have 10 GB: type r-layer image build"
        )
    }
}

/// `17.3 MB`: decimal, as AWS's limits are compared by users.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
