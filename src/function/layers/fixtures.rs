//! Layers as tests write them: `runtime:1 other:2` are version 1 of our runtime and version 2 of somebody else's layer.

use super::{FunctionLayer, KnownContent};

/// Names that are not ours.
const OTHERS: [&str; 3] = ["other", "other2", "third"];

/// The layers of a text.
pub fn layers(text: &str) -> Vec<FunctionLayer> {
    text.split_whitespace().map(layer).collect()
}

fn layer(text: &str) -> FunctionLayer {
    let (name, version) = text.split_once(':').unwrap();
    let is_ours = !OTHERS.contains(&name);
    let at_aws = match is_ours {
        true => format!("r-{name}-4_5-x86_64"),
        false => name.to_owned(),
    };
    let arn = format!("arn:aws:lambda:eu-central-1:123456789012:layer:{at_aws}:{version}");
    FunctionLayer {
        arn: arn.parse().unwrap(),
        logical_name: is_ours.then(|| format!("r-{name}")),
        content: KnownContent {
            has_bootstrap: Some(name == "runtime"),
            r_minor: is_ours.then(|| "4.5".to_owned()),
            architectures: vec!["x86_64".to_owned()],
            unzipped: Some(1_000_000),
            ..KnownContent::default()
        },
    }
}

/// The text of layers.
pub fn names(layers: &[FunctionLayer]) -> String {
    let name = |layer: &FunctionLayer| {
        let at_aws = layer.arn.layer.layer.as_str();
        let name = layer.logical_name.as_deref();
        let name = name.map_or(at_aws, |name| name.trim_start_matches("r-"));
        format!("{name}:{}", layer.arn.version)
    };
    layers.iter().map(name).collect::<Vec<_>>().join(" ")
}
