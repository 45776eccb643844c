//! Whether two layers hold different versions of an R package.

use std::collections::BTreeMap;

use super::finding::{Fault, Finding};
use crate::layer::ExaminedLayer;

/// Finds packages that are in two layers at different versions.
pub fn check_together(layers: &[ExaminedLayer], findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<String, (String, &str)> = BTreeMap::new();
    for layer in layers {
        for (package, description) in layer.packages() {
            let version = description.version;
            match first.get(&package) {
                Some((other_version, other)) if *other_version != version => {
                    findings.push(Finding {
                        layer: layer.archive.name.clone(),
                        path: None,
                        fault: Fault::PackageConflict {
                            package,
                            version,
                            other: (*other).to_owned(),
                            other_version: other_version.clone(),
                        },
                    })
                }
                Some(_) => {}
                None => {
                    first.insert(package, (version, &layer.archive.name));
                }
            }
        }
    }
}
