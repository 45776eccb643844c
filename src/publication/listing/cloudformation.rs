//! A whole template of CloudFormation: a mapping from region to the ARNs of all layers, and outputs that look them up.
//!
//! FindInMap fails where a key is not there, and there is no condition that asks for one. So every region has every layer,
//! `none` where it is not published, and such a layer has no output there.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-findinmap.html>

use std::fmt;

use super::{ListedLayer, Listing, told_apart};
use crate::publication::arn::Region;

pub(super) struct Template<'a>(pub &'a Listing);

const ABSENT: &str = "none";

const HEAD: &str = r#"# Written by `r-layer list --format cloudformation`. Copy the mapping into your own template, and let a function have
# its layers, the runtime's first:
#     Layers:
"#;

const RESOURCES: &str = r#"
# A template has to have a resource; this one costs nothing and does nothing.
Resources:
  Nothing:
    Type: AWS::CloudFormation::WaitConditionHandle
"#;

/// `RRuntime45X8664` of `r-runtime-4_5-x86_64`: keys of mappings and outputs are letters and digits.
fn key(label: &str) -> String {
    let words = label.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

fn arn_in(layer: &ListedLayer, region: &Region) -> Option<String> {
    let mut publications = layer.publications.iter();
    let found = publications.find(|one| one.region == *region);
    found.map(|publication| publication.arn.to_string())
}

impl Template<'_> {
    /// The layers with their keys.
    fn keyed(&self) -> Vec<(String, &ListedLayer)> {
        let layers = &self.0.layers;
        let keys = told_apart(layers.iter().map(|layer| key(&layer.label)));
        // The number that tells two apart has a hyphen.
        let keys = keys.into_iter().map(|key| key.replace('-', "N"));
        keys.zip(layers).collect()
    }
}

impl fmt::Display for Template<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (layers, regions) = (self.keyed(), self.0.regions());
        let is_everywhere = |layer: &ListedLayer| layer.publications.len() == regions.len();
        f.write_str(HEAD)?;
        for example in self.0.example() {
            let mut keyed = layers.iter();
            let Some((key, _)) = keyed.find(|(_, layer)| layer.label == example.label) else {
                continue;
            };
            writeln!(f, "#       - !FindInMap [RLayers, !Ref AWS::Region, {key}]")?;
        }
        writeln!(f, "AWSTemplateFormatVersion: \"2010-09-09\"")?;
        writeln!(f, "Description: ARNs of layers with R and R packages")?;
        writeln!(f, "\nMappings:\n  RLayers:")?;
        for region in &regions {
            writeln!(f, "    {region}:")?;
            for (key, layer) in &layers {
                let arn = arn_in(layer, region).unwrap_or_else(|| ABSENT.to_owned());
                writeln!(f, "      {key}: \"{arn}\"")?;
            }
        }
        let partial: Vec<&String> = layers
            .iter()
            .filter(|(_, layer)| !is_everywhere(layer))
            .map(|(key, _)| key)
            .collect();
        if !partial.is_empty() {
            writeln!(f, "\nConditions:")?;
        }
        for key in partial {
            let look_up = format!("!FindInMap [RLayers, !Ref AWS::Region, {key}]");
            writeln!(f, "  Has{key}: !Not [!Equals [{look_up}, {ABSENT}]]")?;
        }
        f.write_str(RESOURCES)?;
        writeln!(f, "\nOutputs:")?;
        for (key, layer) in &layers {
            writeln!(f, "  {key}:")?;
            if !is_everywhere(layer) {
                writeln!(f, "    Condition: Has{key}")?;
            }
            writeln!(f, "    Description: {}", layer.label)?;
            writeln!(
                f,
                "    Value: !FindInMap [RLayers, !Ref AWS::Region, {key}]"
            )?;
        }
        Ok(())
    }
}
