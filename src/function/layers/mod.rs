//! The layers of a function: in which order they end up, and what must hold of them together.

mod arrange;
mod check;

use std::collections::BTreeMap;

use crate::checksum::Sha256;
use crate::publication::LayerVersionArn;

pub use arrange::{Request, arrange, remove};
pub use check::{LayerFault, Question, check, unknowns};

/// The logical name of the layer with R and the runtime.
pub const RUNTIME: &str = "r-runtime";

/// A layer version that a function has or is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionLayer {
    /// Which it is.
    pub arn: LayerVersionArn,
    /// What it is called whatever R, processor and region it is for: `r-runtime`, `r-models`. Nothing for layers that
    /// r-layer did not publish.
    pub logical_name: Option<String>,
    /// What is known of what is in it.
    pub content: KnownContent,
}

/// What is known of the content of a layer version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownContent {
    /// Has it a `bootstrap`, with which a function can start? Nothing, where the zip could not be looked into.
    pub has_bootstrap: Option<bool>,
    /// The minor version of R that it is for: `4.5`.
    pub r_minor: Option<String>,
    /// The processors that it is for, as AWS names them; empty where whoever published it said nothing.
    pub architectures: Vec<String>,
    /// The hash of the zip.
    pub sha256: Option<Sha256>,
    /// Bytes of its files.
    pub unzipped: Option<u64>,
    /// The R packages in it, with their versions as far as they are known.
    pub packages: BTreeMap<String, Option<String>>,
}

impl FunctionLayer {
    /// Is it a layer with R and the runtime?
    pub fn is_runtime(&self) -> bool {
        match &self.logical_name {
            Some(name) => name == RUNTIME,
            None => self.content.has_bootstrap == Some(true),
        }
    }

    /// Did r-layer publish it?
    pub fn is_ours(&self) -> bool {
        self.logical_name.is_some()
    }

    /// Are they versions of one layer? Ours are known by what they are called, whatever R they are for; others by the
    /// whole of their ARN.
    pub fn is_same_layer(&self, other: &FunctionLayer) -> bool {
        match (&self.logical_name, &other.logical_name) {
            (Some(own), Some(others)) => own == others,
            _ => self.arn.layer == other.arn.layer,
        }
    }

    /// As it is shown: its name and version, and whose it is if it is somebody else's.
    pub fn shown(&self, account: &str) -> String {
        let layer = &self.arn.layer;
        match layer.account.as_str() == account {
            true => format!("{}:{}", layer.layer, self.arn.version),
            false => self.arn.to_string(),
        }
    }
}

/// The name of a layer without the number of a part: `r-models` of `r-models-2`.
pub fn whole_name(logical_name: &str) -> &str {
    match logical_name.rsplit_once('-') {
        Some((whole, number))
            if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            whole
        }
        _ => logical_name,
    }
}
