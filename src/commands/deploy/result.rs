//! What came out of `deploy`, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::commands::function_layers::LayerChange;
use crate::commands::function_version::Versioned;
use crate::function::Difference;
use crate::function::code::LeftOut;
use crate::publication::Region;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeployOutcome {
    /// There was none before.
    Created,
    /// Something of it is different now.
    Changed,
    /// It was so already.
    Unchanged,
    /// It would be made.
    WouldCreate,
    /// Something of it would be changed.
    WouldChange,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Deployed {
    /// Its name.
    pub function: String,
    /// Where.
    pub region: Region,
    /// How it ended.
    pub outcome: DeployOutcome,
    /// Its ARN.
    pub arn: String,
    /// Is its code other than before?
    pub code_changed: bool,
    /// The image that it is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Bytes of its code, zipped.
    pub code_size: u64,
    /// Its layers.
    pub layers: Vec<LayerChange>,
    /// Its other settings, as far as they changed.
    pub settings: Vec<Difference>,
    /// What there is in the folder and was not sent.
    pub left_out: Vec<LeftOut>,
    /// What was done, in order; of a dry run what would be, beside what the settings say.
    pub steps: Vec<String>,
    /// Version and alias.
    pub versioned: Versioned,
    /// Its URL.
    pub url: Option<String>,
    /// When it is invoked by itself.
    pub schedule: Option<String>,
    /// What people should know.
    pub notes: Vec<String>,
    /// What invokes it.
    pub invoke: String,
}

impl Deployed {
    /// Is it so already? For one that would only be told.
    pub fn is_as_wanted(&self) -> bool {
        let same = |layer: &LayerChange| layer.before == layer.after && !layer.moved;
        !self.code_changed
            && self.settings.is_empty()
            && self.steps.is_empty()
            && self.layers.iter().all(same)
    }
}

impl fmt::Display for Deployed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.outcome {
            DeployOutcome::Created => "made",
            DeployOutcome::Changed => "changed",
            DeployOutcome::Unchanged => "nothing to do",
            DeployOutcome::WouldCreate => "would be made",
            DeployOutcome::WouldChange => "would be changed",
        };
        writeln!(f, "{} in {}: {what}", self.function, self.region)?;
        match &self.image {
            Some(image) => writeln!(f, "    image: {image}")?,
            None if self.code_changed => {
                writeln!(f, "    code: {} bytes zipped", self.code_size)?;
            }
            None => {}
        }
        for layer in &self.layers {
            writeln!(f, "  {layer}")?;
        }
        for difference in &self.settings {
            writeln!(f, "    {difference}")?;
        }
        if self.outcome != DeployOutcome::Created && self.outcome != DeployOutcome::Changed {
            for step in &self.steps {
                writeln!(f, "    {step}")?;
            }
        }
        if let Some(line) = self.versioned.line() {
            writeln!(f, "    {line}")?;
        }
        if let Some(schedule) = &self.schedule {
            writeln!(f, "    invoked by itself: {schedule}")?;
        }
        for out in self.left_out.iter().filter(|out| !out.is_expected) {
            writeln!(f, "  left out: {} ({})", out.path, out.reason)?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        writeln!(f, "ARN:    {}", self.arn)?;
        if let Some(url) = &self.url {
            writeln!(f, "URL:    {url}")?;
        }
        writeln!(f, "invoke: {}", self.invoke)
    }
}
