//! The R packages of layers: which there are, and whether two layers hold different versions of one.

use std::collections::BTreeMap;

use super::finding::{Fault, Finding};
use crate::layer::LayerArchive;
use crate::package::Description;

/// The packages of a layer: name → version.
pub fn packages(layer: &LayerArchive) -> BTreeMap<String, Description> {
    layer
        .entries
        .iter()
        .filter_map(|entry| {
            let folder = entry.path.strip_suffix("/DESCRIPTION")?;
            let name = folder
                .strip_prefix("R/library/")
                .filter(|name| !name.contains('/'))?;
            let description = Description::parse(&String::from_utf8_lossy(&entry.content)).ok()?;
            Some((name.to_owned(), description))
        })
        .collect()
}

/// Finds packages that are in two layers at different versions.
pub fn check_together(layers: &[LayerArchive], findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<String, (String, &str)> = BTreeMap::new();
    for layer in layers {
        for (package, description) in packages(layer) {
            let version = description.version;
            match first.get(&package) {
                Some((other_version, other)) if *other_version != version => {
                    findings.push(Finding {
                        layer: layer.name.clone(),
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
                    first.insert(package, (version, &layer.name));
                }
            }
        }
    }
}
