//! Which versions of a layer are old.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::cli::PruneArgs;
use crate::commands::our_layers::{OurLayer, OurVersion};
use crate::publication::{Timestamp, described_r, is_named};

/// What makes a version old.
#[derive(Clone, Copy, Debug)]
pub struct Old<'a> {
    /// How many of the newest are not; one at least.
    keep: usize,
    /// How long ago it was published.
    older_than: Option<Duration>,
    /// The layers that are asked for; all, if there are none.
    layers: &'a [String],
}

/// What stands in for each other: versions of a layer for the same processors and the same minor version of R. The name at
/// AWS tells them apart only as far as its template does. Nothing is known of R where the description is somebody's own.
type Kind<'a> = (&'a str, &'a [String], Option<String>);

impl<'a> Old<'a> {
    /// As flags say.
    pub fn of(args: &'a PruneArgs) -> Old<'a> {
        Old {
            keep: args.keep,
            older_than: args.older_than,
            layers: &args.layers,
        }
    }

    /// The old versions of a layer, newest first.
    pub fn versions<'l>(self, layer: &'l OurLayer) -> impl Iterator<Item = &'l OurVersion> {
        let mut newer: BTreeMap<Kind<'l>, usize> = BTreeMap::new();
        layer.versions.iter().filter(move |version| {
            let count = newer.entry(kind(version)).or_default();
            *count += 1;
            // The newest never goes.
            *count > self.keep.max(1) && self.is_aged(version) && self.is_asked_for(layer, version)
        })
    }

    fn is_aged(&self, version: &OurVersion) -> bool {
        self.older_than.is_none_or(|age| {
            let earliest = SystemTime::now().checked_sub(age);
            earliest.is_some_and(|earliest| version.version.published() < Timestamp::from(earliest))
        })
    }

    fn is_asked_for(&self, layer: &OurLayer, version: &OurVersion) -> bool {
        let logical_name = &version.described.logical_name;
        let is_meant = |name: &String| is_named(&layer.name, logical_name, name);
        self.layers.is_empty() || self.layers.iter().any(is_meant)
    }
}

fn kind(version: &OurVersion) -> Kind<'_> {
    let r = described_r(&version.version.description);
    (
        &version.described.logical_name,
        &version.version.architectures,
        r.map(|r| r.minor_text()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::LayerVersion;
    use crate::publication::Described;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// A version of the layer `mine`: its number, its logical name, its processor, its R.
    fn version((number, name, architecture, r): (u64, &str, &str, &str)) -> OurVersion {
        let description = format!("{r} r-layer {name} sha256:{}", "0".repeat(64));
        OurVersion {
            described: Described::parse(&description).unwrap(),
            version: LayerVersion {
                version: number,
                arn: String::new(),
                description,
                // Each is thirty days younger than the one before.
                created: Timestamp::from(SystemTime::now() - DAY * 30 * (10 - number as u32))
                    .to_string(),
                architectures: vec![architecture.to_owned()],
            },
        }
    }

    fn layer() -> OurLayer {
        let r_4_5 = "R 4.5.1 for provided.al2023, x86_64.";
        let r_4_4 = "R 4.4.2 for provided.al2023, x86_64.";
        let versions = [
            (9, "r-models", "x86_64", r_4_5),
            (8, "r-models", "x86_64", "R 4.5.0 for provided.al2, x86_64."),
            (7, "r-models", "x86_64", r_4_4),
            (6, "r-models", "x86_64", r_4_4),
            (5, "r-models", "arm64", r_4_5),
            (4, "r-reports", "x86_64", r_4_5),
            (3, "r-models", "x86_64", "ours"),
            (2, "r-models", "x86_64", "ours, too"),
            (1, "r-models", "arm64", r_4_5),
        ];
        OurLayer {
            name: "mine".to_owned(),
            versions: versions.map(version).to_vec(),
        }
    }

    fn old(keep: usize, older_than: Option<Duration>, layers: &[&str]) -> Vec<u64> {
        let layers: Vec<String> = layers.iter().map(ToString::to_string).collect();
        let old = Old {
            keep,
            older_than,
            layers: &layers,
        };
        let layer = layer();
        let versions = old.versions(&layer);
        versions.map(|version| version.version.version).collect()
    }

    #[test]
    fn versions_are_counted_by_logical_name_processor_and_r_whatever_the_name_at_aws_tells() {
        assert_eq!(old(1, None, &[]), [8, 6, 2, 1]);
        assert_eq!(old(0, None, &[]), [8, 6, 2, 1], "the newest never goes");
        assert_eq!(old(2, None, &[]), [0; 0]);
        assert_eq!(old(1, None, &["reports"]), [0; 0]);
        assert_eq!(old(1, None, &["r-models"]), [8, 6, 2, 1]);
        assert_eq!(old(1, None, &["mine"]), [8, 6, 2, 1]);
    }

    #[test]
    fn only_what_is_older_than_the_age_is_old() {
        assert_eq!(old(1, Some(DAY * 225), &[]), [2, 1]);
        assert_eq!(old(1, Some(DAY * 365), &[]), [0; 0]);
    }
}
