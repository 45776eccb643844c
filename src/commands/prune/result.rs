//! What came out of pruning, version by version.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::commands::Outcome;
use crate::publication::Timestamp;

/// What is to become of a version.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    /// It would go; without `--yes` it is still there.
    Goes,
    /// It is gone.
    Gone,
    /// It stays, for a reason that is not its age.
    Kept { because: String },
    /// It should go and does not.
    Failed { because: String },
}

/// A version, and what is to become of it.
#[derive(Clone, Debug, Serialize)]
pub struct Pruned {
    pub arn: String,
    pub published: Timestamp,
    #[serde(flatten)]
    pub fate: Fate,
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct AllPruned {
    /// The old versions.
    pub versions: Vec<Pruned>,
    /// How many regions were gone through.
    pub regions_done: usize,
    /// Regions that could not be looked at, and why.
    pub failed: BTreeMap<String, String>,
    /// Without `--yes` nothing is deleted.
    pub is_dry: bool,
}

impl AllPruned {
    /// Done, partly done, or not at all.
    pub fn outcome(&self) -> Outcome {
        let stuck = |pruned: &Pruned| matches!(pruned.fate, Fate::Failed { .. });
        let is_well = self.failed.is_empty() && !self.versions.iter().any(stuck);
        match is_well {
            true => Outcome::Done,
            false if self.regions_done == 0 => Outcome::Fault,
            false => Outcome::PartlyDone,
        }
    }
}

impl fmt::Display for AllPruned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut goes, mut kept) = (0, 0);
        for Pruned {
            arn,
            published,
            fate,
        } in &self.versions
        {
            let day = published.day();
            match fate {
                Fate::Goes => writeln!(f, "{arn}  {day}  would be deleted")?,
                Fate::Gone => writeln!(f, "{arn}  {day}  deleted")?,
                Fate::Kept { because } => writeln!(f, "{arn}  {day}  kept: {because}")?,
                Fate::Failed { because } => writeln!(f, "{arn}  {day}  FAILED: {because}")?,
            }
            match fate {
                Fate::Goes | Fate::Gone => goes += 1,
                _ => kept += 1,
            }
        }
        for (region, reason) in &self.failed {
            writeln!(f, "failed: {region}: {reason}")?;
        }
        match (goes, self.is_dry) {
            (0, _) => writeln!(f, "nothing to delete; {kept} old versions are kept"),
            (_, true) => writeln!(
                f,
                "{goes} would be deleted, {kept} kept; --yes deletes them"
            ),
            (_, false) => writeln!(f, "{goes} deleted, {kept} kept"),
        }
    }
}
