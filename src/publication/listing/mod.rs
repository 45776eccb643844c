//! What is published, for people and for those who define functions as code: tables, and files that are ready to paste.
//!
//! Everything that gets into code (names, regions, ARNs) has been checked to be letters, digits, `-`, `_` and `:`, so that
//! a record from elsewhere cannot put anything else there.

mod cdk;
mod cloudformation;
mod markdown;
mod table;
mod terraform;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::arn::{AccountId, Region};
use super::name::{PublishedName, is_named};
use super::record::{Publication, PublicationRecord};
use crate::target::Architecture;

/// Version of the JSON, whose schema is `list.schema.json` beside this file.
const VERSION: u32 = 1;

/// How many layers Lambda gives a function.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LAYERS_OF_A_FUNCTION: usize = 5;

/// What is wanted of a record; what is empty is not asked for.
#[derive(Clone, Debug, Default)]
pub struct ListingFilter {
    /// These regions.
    pub regions: Vec<Region>,
    /// Layers by their name at AWS, by their logical name, or by that of the manifest: `r-models-4_5-arm64`, `r-models`,
    /// `models`.
    pub layers: Vec<String>,
    /// These processors.
    pub architectures: Vec<Architecture>,
}

impl ListingFilter {
    fn takes(&self, publication: &Publication) -> bool {
        fn takes<T: PartialEq>(asked: &[T], value: &T) -> bool {
            asked.is_empty() || asked.contains(value)
        }
        let (layer, logical_name) = (publication.layer.as_str(), &publication.logical_name);
        let is_meant = |asked: &String| is_named(layer, logical_name, asked);
        takes(&self.regions, &publication.region)
            && takes(&self.architectures, &publication.architecture)
            && (self.layers.is_empty() || self.layers.iter().any(is_meant))
    }
}

/// A layer in all the regions that it is published in.
#[derive(Clone, Debug)]
pub struct ListedLayer {
    /// Its name at AWS; with account or processor where that alone does not tell it from another.
    pub label: String,
    /// The newest version in each region, in the order of regions. There is at least one.
    pub publications: Vec<Publication>,
}

impl ListedLayer {
    fn is_runtime(&self) -> bool {
        let mut publications = self.publications.iter();
        publications.any(|one| one.logical_name == "r-runtime")
    }

    fn architecture(&self) -> Option<Architecture> {
        self.publications.first().map(|first| first.architecture)
    }

    /// R's versions in its regions: one, unless publishing is not finished.
    fn r_versions(&self) -> String {
        joined(self.publications.iter().map(|one| one.r_version.clone()))
    }

    /// Who may use it beside the account.
    fn grants(&self) -> String {
        let grants = self.publications.iter().flat_map(|one| &one.grants);
        match joined(grants.map(ToString::to_string)) {
            none if none.is_empty() => "nobody else".to_owned(),
            grants => grants,
        }
    }
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts.dedup();
    texts.join(", ")
}

/// What of a record was asked for.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// By name.
    pub layers: Vec<ListedLayer>,
}

/// How a listing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListingFormat {
    /// For people.
    Table,
    /// For programs; `list.schema.json` beside this file is its schema.
    Json,
    /// For a README.
    Markdown,
    /// A template of AWS CloudFormation.
    CloudFormation,
    /// Locals and outputs of Terraform and OpenTofu.
    Terraform,
    /// A TypeScript module for AWS CDK.
    Cdk,
}

impl Listing {
    /// What of a record is asked for.
    pub fn of(record: &PublicationRecord, filter: &ListingFilter) -> Listing {
        type Key = (PublishedName, AccountId, Architecture);
        let mut layers: BTreeMap<Key, Vec<Publication>> = BTreeMap::new();
        for publication in record.publications().filter(|one| filter.takes(one)) {
            let key = (
                publication.layer.clone(),
                publication.account.clone(),
                publication.architecture,
            );
            layers.entry(key).or_default().push(publication.clone());
        }
        let keys: Vec<Key> = layers.keys().cloned().collect();
        let label = |(name, account, architecture): &Key| {
            let same = || keys.iter().filter(|other| other.0 == *name);
            let mut label = name.to_string();
            if same().any(|other| other.1 != *account) {
                label += &format!("-{account}");
            }
            if same().any(|other| other.2 != *architecture) {
                label += &format!("-{}", architecture.aws_name());
            }
            label
        };
        let labels = told_apart(keys.iter().map(label));
        let layers = labels.into_iter().zip(layers.into_values());
        Listing {
            layers: layers
                .map(|(label, publications)| ListedLayer {
                    label,
                    publications,
                })
                .collect(),
        }
    }

    /// Is there nothing?
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Every region of it, in order.
    pub fn regions(&self) -> Vec<&Region> {
        let publications = self.layers.iter().flat_map(|layer| &layer.publications);
        let mut regions: Vec<&Region> = publications.map(|one| &one.region).collect();
        regions.sort();
        regions.dedup();
        regions
    }

    /// Layers that a function may have together, the runtime's first: for the comment that shows how they are used.
    fn example(&self) -> Vec<&ListedLayer> {
        let layers = self.layers.iter().rev();
        let runtime = layers.clone().find(|layer| layer.is_runtime());
        let Some(first) = runtime.or_else(|| layers.clone().next()) else {
            return Vec::new();
        };
        let goes_with = |other: &&ListedLayer| {
            !other.is_runtime()
                && other.label != first.label
                && other.architecture() == first.architecture()
                && other.r_versions() == first.r_versions()
        };
        let others = self.layers.iter().filter(goes_with);
        std::iter::once(first)
            .chain(others)
            .take(LAYERS_OF_A_FUNCTION)
            .collect()
    }

    /// The listing in a format.
    ///
    /// # Errors
    /// If JSON cannot be written, which does not happen.
    pub fn written(&self, format: ListingFormat) -> serde_json::Result<String> {
        Ok(match format {
            ListingFormat::Json => serde_json::to_string_pretty(self)? + "\n",
            ListingFormat::Table => table::Table(self).to_string(),
            ListingFormat::Markdown => markdown::Markdown(self).to_string(),
            ListingFormat::CloudFormation => cloudformation::Template(self).to_string(),
            ListingFormat::Terraform => terraform::Module(self).to_string(),
            ListingFormat::Cdk => cdk::Module(self).to_string(),
        })
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table::Table(self).fmt(f)
    }
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Json<'a> {
            version: u32,
            layers: Vec<&'a Publication>,
        }
        let layers = self.layers.iter().flat_map(|layer| &layer.publications);
        let json = Json {
            version: VERSION,
            layers: layers.collect(),
        };
        json.serialize(serializer)
    }
}

/// The same names, but for a number behind those that there were already.
fn told_apart(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut apart: Vec<String> = Vec::new();
    for name in names {
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        apart.extend(candidates.find(|candidate| !apart.contains(candidate)));
    }
    apart
}
