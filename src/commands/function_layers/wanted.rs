//! Which layers are wanted where they are not named: the runtime, and the layers of packages of the manifest, for the R that
//! the project or the function has.

use crate::function::layers::{FunctionLayer, RUNTIME};
use crate::manifest::Manifest;
use crate::package::RVersion;
use crate::publication::LayerReference;

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The layers; none means those of the project.
    pub layers: Vec<LayerReference>,
    /// The version of R.
    pub r_version: Option<RVersion>,
}

impl Wanted {
    /// The layers that are named, else the runtime and those of the manifest.
    pub fn references(&self, manifest: &Manifest) -> Vec<LayerReference> {
        if !self.layers.is_empty() {
            return self.layers.clone();
        }
        let named = |name: &str| LayerReference::Named {
            name: name.to_owned(),
            version: None,
        };
        let packages = manifest.layers.keys().map(|layer| named(layer.as_str()));
        std::iter::once(named(RUNTIME)).chain(packages).collect()
    }

    /// The minor version of R that is wanted: as it was typed, else the manifest's (of several the function's own, if it is
    /// among them), else the function's own. Nothing means the newest that is published.
    pub fn r_minor(&self, manifest: &Manifest, existing: &[FunctionLayer]) -> Option<String> {
        if let Some(typed) = &self.r_version {
            return Some(typed.minor_text());
        }
        let own = minor_of(existing);
        let of_manifest = manifest.runtime.r_version.0.iter();
        let of_manifest: Vec<String> = of_manifest
            .filter_map(|version| version.parse::<RVersion>().ok())
            .filter(|version| version.parts() > 1)
            .map(|version| version.minor_text())
            .collect();
        match &own {
            Some(own) if of_manifest.contains(own) => Some(own.clone()),
            _ => of_manifest.first().cloned().or(own),
        }
    }
}

/// The R of the layers of ours that a function has, the runtime's first.
fn minor_of(layers: &[FunctionLayer]) -> Option<String> {
    let runtime = layers.iter().filter(|layer| layer.is_runtime());
    let packages = layers.iter().filter(|layer| layer.is_ours());
    let mut minors = runtime
        .chain(packages)
        .map(|layer| layer.content.r_minor.clone());
    minors.find_map(|minor| minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::layers::KnownContent;

    #[test]
    fn the_r_that_is_wanted_is_typed_else_the_projects_else_the_functions() {
        let runtime = |minor: &str| FunctionLayer {
            arn: "arn:aws:lambda:eu-central-1:123456789012:layer:r:1"
                .parse()
                .unwrap(),
            logical_name: Some(RUNTIME.to_owned()),
            content: KnownContent {
                r_minor: Some(minor.to_owned()),
                ..KnownContent::default()
            },
        };
        let mut manifest = Manifest::default();
        let mut wanted = Wanted::default();
        let minor = |wanted: &Wanted, manifest: &Manifest, existing: &[FunctionLayer]| {
            wanted.r_minor(manifest, existing)
        };
        assert_eq!(minor(&wanted, &manifest, &[]), None);
        assert_eq!(
            minor(&wanted, &manifest, &[runtime("4.4")]).as_deref(),
            Some("4.4")
        );
        manifest.runtime.r_version.0 = vec!["4.5.0".to_owned(), "4.4".to_owned()];
        assert_eq!(
            minor(&wanted, &manifest, &[runtime("4.4")]).as_deref(),
            Some("4.4")
        );
        assert_eq!(
            minor(&wanted, &manifest, &[runtime("4.3")]).as_deref(),
            Some("4.5")
        );
        wanted.r_version = Some("4.3".parse().unwrap());
        assert_eq!(
            minor(&wanted, &manifest, &[runtime("4.4")]).as_deref(),
            Some("4.3")
        );
    }
}
