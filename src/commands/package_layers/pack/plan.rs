//! What a layer of packages is to be made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cyclonedx_bom::prelude::Component;
use rawzip::time::UtcDateTime;

use crate::commands::packing::package_of;
use crate::layer::library_data::DataRule;
use crate::layer::record::SourceRecord;
use crate::layer::{ExaminedLayer, LayerTree};
use crate::manifest::Compression;
use crate::package::RVersion;
use crate::repository::rpm_repository::{LockedRpm, RpmRepository};
use crate::target::{Architecture, Target};

/// A layer of packages that is to be packed. Several layers that become one are one plan with the packages of all.
pub struct LayerPlan<'a> {
    /// Its name: `packages`, `models`.
    pub name: &'a str,
    /// What it is, for people: at AWS at most 256 characters.
    pub description: String,
    /// The R that its packages are for.
    pub r_version: &'a RVersion,
    /// The Lambda runtime.
    pub target: &'static Target,
    /// The processor.
    pub architecture: Architecture,
    /// The packages that are packed: those of which no other layer of the function has them.
    pub packages: Vec<LayerPackage>,
    /// What it holds beside packages.
    pub beside_packages: BesidePackages,
    /// The packages that were asked for; they are what is loaded as a proof.
    pub requested: Vec<String>,
    /// Names of rules that are not applied: `help`, `include`.
    pub keep: Vec<String>,
    /// How hard is tried to make its zips small.
    pub compression: Compression,
    /// The layers that the function has beside this one, in their order, the runtime's first.
    pub others: &'a [ExaminedLayer],
    /// The roots in which packages were compiled, which have the libraries that these were linked to.
    pub build_roots: Vec<PathBuf>,
    /// The system's own packages, for the libraries of what was fetched.
    pub rpm: Option<&'a RpmRepository<'a>>,
    /// Those of them that r-layer.lock pins.
    pub pinned: &'a [LockedRpm],
    /// The bucket for zips that are too large for a request.
    pub s3_bucket: Option<&'a str>,
    /// The time of the zips' entries.
    pub entry_time: UtcDateTime,
    /// The folder that zips go to.
    pub out: &'a Path,
    /// What decided how it came out: name → hash or other mark.
    pub inputs: BTreeMap<String, String>,
    /// Whether packages are loaded as a proof, and where.
    pub proof: Proof,
}

/// A package that goes into the layer.
pub struct LayerPackage {
    /// Its name.
    pub name: String,
    /// Its version, as its DESCRIPTION has it.
    pub version: String,
    /// The files of the installed package, by their path in it.
    pub files: LayerTree,
    /// What it was made from.
    pub source: SourceRecord,
    /// The packages that it needs when it runs.
    pub needs: Vec<String>,
    /// Where its system libraries come from.
    pub libraries: LibrariesFrom,
}

/// What a ready layer holds beside packages.
#[derive(Default)]
pub struct BesidePackages {
    /// A part of R that the runtime layer leaves out, and where the system libraries that it needs come from.
    pub of_r: Option<(LayerTree, LibrariesFrom)>,
    /// The R that it is of.
    pub r_sources: Vec<SourceRecord>,
    /// What a prebuilt R's own bill says of the libraries that it brings.
    pub distributed: Vec<Component>,
    /// Data, as fonts.
    pub data: Vec<&'static DataRule>,
    /// Functions in `layers/proof` that are called to prove that the layer works.
    pub proofs: Vec<&'static str>,
}

/// Where the system libraries of a package come from. The same soname is not the same library everywhere: one from another
/// system may lack the symbol versions that a package was linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibrariesFrom {
    /// It was compiled here: from the root in which that was done.
    BuildRoot,
    /// It was fetched compiled: from the target's own RPM repository.
    Repository,
}

/// Whether the requested packages are loaded before the layer is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// In this root: `auto`, `debian:SUITE`, `oci:IMAGE` or `dir:PATH`.
    In(String),
    /// They are not, as somebody said so (`--no-check`).
    Skipped,
}

impl LayerPlan<'_> {
    /// The packages that the layer has files of: those that are packed, and those of R that a part of R is of.
    pub fn package_names(&self) -> BTreeSet<&str> {
        let packed = self.packages.iter().map(|package| package.name.as_str());
        packed.chain(self.packages_of_r()).collect()
    }

    /// The packages of R that the layer has files of.
    fn packages_of_r(&self) -> impl Iterator<Item = &str> {
        let trees = self.beside_packages.of_r.iter().map(|(tree, _)| tree);
        trees.flat_map(|tree| tree.iter().filter_map(|(path, _)| package_of(path)))
    }

    /// The packages whose libraries come from there.
    pub fn packages_with(&self, from: LibrariesFrom) -> BTreeSet<&str> {
        let packed = self.packages.iter();
        let packed = packed.filter(|package| package.libraries == from);
        let names = packed.map(|package| package.name.as_str());
        let of_r = self.beside_packages.of_r.as_ref();
        let is_of_r = of_r.is_some_and(|(_, libraries)| *libraries == from);
        names
            .chain(self.packages_of_r().filter(|_| is_of_r))
            .collect()
    }

    /// The file name of a part's zip. Packages are for a minor version of R, as R itself has it.
    pub fn zip_name(&self, part: &str) -> String {
        format!(
            "r-{part}-{}-{}-{}.zip",
            self.r_version.minor_text(),
            self.target.short_name,
            self.architecture
        )
    }
}
