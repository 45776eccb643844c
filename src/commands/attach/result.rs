//! What came out of `attach` and `detach`, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::aws::DeployedFunction;
use crate::commands::Outcome;
use crate::commands::function_layers::LayerPlan;
use crate::commands::function_version::Versioned;
use crate::function::layers::FunctionLayer;
use crate::function::{Difference, FunctionSettings};
use crate::publication::{AccountId, Region};

/// How it ended for a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Done {
    /// There was nothing to do.
    Unchanged,
    /// It is changed.
    Changed,
    /// It would be changed.
    WouldChange,
    /// It failed.
    Failed {
        /// Why.
        reason: String,
    },
}

impl Done {
    /// Was something changed?
    pub fn of(changed: bool) -> Done {
        match changed {
            true => Done::Changed,
            false => Done::Unchanged,
        }
    }
}

/// A place in the list of layers: what is there before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerChange {
    /// As it is; nothing if it is new.
    pub before: Option<String>,
    /// As it will be; nothing if it goes.
    pub after: Option<String>,
    /// Does it stand elsewhere among those that stay?
    pub moved: bool,
}

/// What came out for one function.
#[derive(Clone, Debug, Serialize)]
pub struct FunctionResult {
    function: String,
    region: Region,
    #[serde(skip)]
    account: AccountId,
    /// How it ended.
    #[serde(flatten)]
    pub done: Done,
    layers: Vec<LayerChange>,
    /// The ARNs that it has in the end.
    arns: Vec<String>,
    settings: Vec<Difference>,
    /// Version and alias.
    pub versioned: Versioned,
    /// What people should know.
    pub notes: Vec<String>,
    /// What was done before it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
}

impl FunctionResult {
    /// Nothing is known yet.
    pub fn new(function: &str, region: &Region, account: &AccountId) -> FunctionResult {
        FunctionResult {
            function: function.to_owned(),
            region: region.clone(),
            account: account.clone(),
            done: Done::Unchanged,
            layers: Vec::new(),
            arns: Vec::new(),
            settings: Vec::new(),
            versioned: Versioned::default(),
            notes: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// What is to be done.
    pub fn plan(&mut self, function: &DeployedFunction, plan: &LayerPlan, new: &FunctionSettings) {
        let account = self.account.as_str();
        self.layers = layer_changes(&plan.before, &plan.after, account);
        self.arns = plan.after_arns();
        self.settings = new.differences(&function.settings);
        self.notes.clone_from(&plan.notes);
    }

    /// A line that ends the progress.
    pub fn line(&self) -> String {
        let what = match &self.done {
            Done::Unchanged => "nothing to do".to_owned(),
            Done::Changed => "done".to_owned(),
            Done::WouldChange => "would be changed".to_owned(),
            Done::Failed { reason } => format!("failed: {reason}"),
        };
        format!("{} in {}: {what}", self.function, self.region)
    }
}

/// Each layer with what it takes the place of; then those that go.
pub fn layer_changes(
    before: &[FunctionLayer],
    after: &[FunctionLayer],
    account: &str,
) -> Vec<LayerChange> {
    let shown = |layer: &FunctionLayer| layer.shown(account);
    let is_in = |layers: &[FunctionLayer], one: &FunctionLayer| {
        layers.iter().any(|other| other.is_same_layer(one))
    };
    let stay: Vec<&FunctionLayer> = before.iter().filter(|old| is_in(after, old)).collect();
    let mut place = 0;
    let mut changes = Vec::new();
    for layer in after {
        let old = stay.iter().find(|old| old.is_same_layer(layer));
        let moved = old.is_some() && {
            place += 1;
            !stay[place - 1].is_same_layer(layer)
        };
        changes.push(LayerChange {
            before: old.map(|old| shown(old)),
            after: Some(shown(layer)),
            moved,
        });
    }
    let goes = before.iter().filter(|old| !is_in(after, old));
    changes.extend(goes.map(|old| LayerChange {
        before: Some(shown(old)),
        after: None,
        moved: false,
    }));
    changes
}

/// What came out for all functions.
#[derive(Clone, Debug, Serialize)]
pub struct Attached {
    /// In the order in which they were named.
    pub functions: Vec<FunctionResult>,
    /// Was it only to be told?
    pub is_dry: bool,
}

impl Attached {
    /// Done, partly done, or not at all.
    pub fn outcome(&self) -> Outcome {
        let failed = self
            .functions
            .iter()
            .filter(|result| matches!(result.done, Done::Failed { .. }));
        match failed.count() {
            0 => Outcome::Done,
            count if count < self.functions.len() => Outcome::PartlyDone,
            _ => Outcome::Fault,
        }
    }
}

impl fmt::Display for LayerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before == after => write!(f, "  {after}")?,
            (Some(before), Some(after)) => write!(f, "  {before} → {after}")?,
            (None, Some(after)) => write!(f, "+ {after}")?,
            (Some(before), None) => write!(f, "- {before}")?,
            (None, None) => {}
        }
        match self.moved {
            true => f.write_str(" (moved)"),
            false => Ok(()),
        }
    }
}

impl fmt::Display for FunctionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (function, region) = (&self.function, &self.region);
        match &self.done {
            Done::Failed { reason } => {
                writeln!(f, "{function} in {region}: failed: {reason}")?;
                if !self.steps.is_empty() {
                    writeln!(f, "  done before that: {}", self.steps.join("; "))?;
                }
                return Ok(());
            }
            Done::Unchanged => writeln!(f, "{function} in {region}: nothing to do")?,
            Done::WouldChange => writeln!(f, "{function} in {region}: would be changed")?,
            Done::Changed => writeln!(f, "{function} in {region}: changed")?,
        }
        for layer in &self.layers {
            writeln!(f, "  {layer}")?;
        }
        for difference in &self.settings {
            writeln!(f, "    {difference}")?;
        }
        if let Some(line) = self.versioned.line() {
            writeln!(f, "    {line}")?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for result in &self.functions {
            write!(f, "{result}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::layers::KnownContent;

    fn layers(names: &[&str]) -> Vec<FunctionLayer> {
        let layer = |name: &&str| FunctionLayer {
            arn: format!("arn:aws:lambda:eu-central-1:123456789012:layer:{name}")
                .parse()
                .unwrap(),
            logical_name: None,
            content: KnownContent::default(),
        };
        names.iter().map(layer).collect()
    }

    #[test]
    fn layers_that_stand_elsewhere_are_told() {
        let told = |before: &[&str], after: &[&str]| {
            let changes = layer_changes(&layers(before), &layers(after), "123456789012");
            let lines = changes.iter().map(ToString::to_string);
            lines.collect::<Vec<_>>()
        };
        assert_eq!(
            told(&["a:1", "b:1"], &["a:1", "b:2"]),
            ["  a:1", "  b:1 → b:2"]
        );
        assert_eq!(
            told(&["a:1", "b:1"], &["b:1", "a:1"]),
            ["  b:1 (moved)", "  a:1 (moved)"]
        );
        // What comes and goes moves nobody.
        assert_eq!(
            told(&["a:1", "b:1", "c:1"], &["n:1", "b:1", "c:1"]),
            ["+ n:1", "  b:1", "  c:1", "- a:1"]
        );
    }
}
