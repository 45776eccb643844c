//! A layer as a value: what it holds, what is left out, whether it would load, and its zip.

pub mod archive;
pub mod audit;
pub mod bundled;
pub mod complete;
pub mod diff;
pub mod dist;
pub mod elf_files;
pub mod examine;
pub mod inspect;
pub mod layer_data;
pub mod library_data;
pub mod library_rules;
pub mod package_recipe;
pub mod part;
pub mod prune;
pub mod recipe;
pub mod recompress;
pub mod record;
pub mod runtime;
mod runtime_start;
pub mod sbom;
mod sparse;
pub mod split;
pub mod strip;
pub mod system_package;
pub mod tree;
pub mod unpack;
pub mod zip;
pub mod zoneinfo;

pub use archive::LayerArchive;
pub use examine::ExaminedLayer;
pub use package_recipe::{PackageLayerRecipe, PackagePruning};
pub use recipe::RuntimeRecipe;
pub use record::BuildRecord;
pub use sparse::SparseZip;
pub use tree::{Entry, LayerTree};
