//! Why a manifest is not changed.

use std::path::PathBuf;

use crate::manifest::{LayerName, ManifestError};

/// Why a manifest is not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// A layer that is not there.
    #[error("{}: there is no layer `{layer}`{}", path.display(), hint(nearest))]
    NoLayer {
        /// The manifest.
        path: PathBuf,
        /// The name.
        layer: LayerName,
        /// Layers with a name like it.
        nearest: Vec<String>,
    },
    /// A package that a layer does not ask for.
    #[error(
        "{}, [layers.{layer}] does not list `{package}`{}{}",
        path.display(), hint(nearest), elsewhere_hint(package, elsewhere)
    )]
    NoPackage {
        /// The manifest.
        path: PathBuf,
        /// The layer.
        layer: LayerName,
        /// The name.
        package: String,
        /// Packages of the layer with a name like it.
        nearest: Vec<String>,
        /// The layers that list it.
        elsewhere: Vec<LayerName>,
    },
    /// A name that no repository can have.
    #[error("`{0}` is no name of a repository; take letters, digits, `-` and `_`, a letter first")]
    RepositoryName(String),
    /// Laid out in a way that cannot be changed without changing its meaning.
    #[error(
        "{}: [layers.{layer}] is written in a way that r-layer does not change; change its packages by hand to: {}",
        path.display(), wanted.join(", ")
    )]
    NotEditable {
        /// The manifest.
        path: PathBuf,
        /// The layer.
        layer: LayerName,
        /// What it was to list.
        wanted: Vec<String>,
    },
    /// The same of how the layer is made.
    #[error(
        "{}: [layers.{layer}] is written in a way that r-layer does not change; write there by hand: {}",
        path.display(), wanted.join(", ")
    )]
    OptionsNotEditable {
        /// The manifest.
        path: PathBuf,
        /// The layer.
        layer: LayerName,
        /// What it was to say.
        wanted: Vec<String>,
    },
    /// Not understood after the change.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Not written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The manifest.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
}

fn hint(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        _ => format!("; did you mean {}?", nearest.join(", ")),
    }
}

fn elsewhere_hint(package: &str, elsewhere: &[LayerName]) -> String {
    match elsewhere {
        [] => String::new(),
        [layer, ..] => {
            let names: Vec<&str> = elsewhere.iter().map(LayerName::as_str).collect();
            let names = names.join(", ");
            format!("; it is in {names}: type r-layer remove-packages {package} --layer {layer}")
        }
    }
}
