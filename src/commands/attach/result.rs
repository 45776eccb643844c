//! What came out of `attach` and `detach`, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::aws::DeployedFunction;
use crate::commands::Outcome;
use crate::commands::function_layers::{LayerChange, LayerPlan, layer_changes};
use crate::commands::function_version::Versioned;
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
