//! The layers of a function: in which order they end up, and what must hold of them together.

mod arrange;
mod check;
#[cfg(test)]
mod fixtures;

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

    /// Are they parts of one layer of ours, or one of them the whole of it?
    pub fn is_of_same_whole(&self, other: &FunctionLayer) -> bool {
        match (&self.logical_name, &other.logical_name) {
            (Some(own), Some(others)) => whole_name(own) == whole_name(others),
            _ => false,
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

/// Is it the name of a part of a layer, and not of a layer that ends in a number? Parts are there from the first on.
pub fn is_part(logical_name: &str, layers: &[FunctionLayer]) -> bool {
    let whole = whole_name(logical_name);
    let first = format!("{whole}-1");
    whole != logical_name
        && layers
            .iter()
            .any(|layer| layer.logical_name.as_ref() == Some(&first))
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

#[cfg(test)]
mod tests {
    use super::fixtures::layers;
    use super::*;

    #[test]
    fn a_layer_is_known_by_what_it_is_called_else_by_the_whole_of_its_arn() {
        let all = layers("models:1 models:2 other:1 other:2 other2:1 models-2:1");
        let [models, models_2, other, other_2, other2, part] = &all[..] else {
            panic!("six layers")
        };
        assert!(models.is_same_layer(models_2) && other.is_same_layer(other_2));
        assert!(!other.is_same_layer(other2) && !models.is_same_layer(part));
        assert!(models.is_of_same_whole(part) && !other.is_of_same_whole(other_2));
        // Of one name at AWS: before its description was lost, so to speak.
        let mut unmarked = models_2.clone();
        unmarked.logical_name = None;
        assert!(models.is_same_layer(&unmarked));
        for (name, whole) in [
            ("r-models", "r-models"),
            ("r-models-2", "r-models"),
            ("r-models-", "r-models-"),
            ("r-models-2b", "r-models-2b"),
        ] {
            assert_eq!(whole_name(name), whole);
        }
    }

    #[test]
    fn layers_of_others_are_shown_with_whose_they_are() {
        let layer = &layers("models:3")[0];
        assert_eq!(layer.shown("123456789012"), "r-models-4_5-x86_64:3");
        assert_eq!(layer.shown("999999999999"), layer.arn.to_string());
    }
}
