//! The parts that a layer becomes, each a zip that is written and looked into.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::libraries::Needs;
use super::plan::LayerPlan;
use crate::commands::packing::package_of;
use crate::layer::dist::UnfinishedZip;
use crate::layer::runtime::insert_description;
use crate::layer::split::{
    Allowance, LibrarySize, PackageSize, Part, PossibleSaving, SplitError, split,
};
use crate::layer::zip::Compressed;
use crate::layer::{ExaminedLayer, LayerTree};
use crate::repository::rpm_repository::Completed;

/// What a layer is packed from: path → bytes, and what is to be split.
pub struct Sized {
    packages: Vec<PackageSize>,
    libraries: Vec<LibrarySize>,
}

impl Sized {
    /// Measures what is compressed.
    pub fn of(
        plan: &LayerPlan<'_>,
        sizes: &[(String, u64)],
        compressed: &Compressed,
        (needs, completed): (&Needs, &Completed),
    ) -> Sized {
        let mut sized = Sized {
            packages: Vec::new(),
            libraries: Vec::new(),
        };
        for name in plan.package_names() {
            let files = sizes
                .iter()
                .filter(|(path, _)| package_of(path) == Some(name));
            let (mut zipped, mut unzipped) = (0, 0);
            for (path, size) in files {
                zipped += compressed.zipped_size(path);
                unzipped += size;
            }
            let package = plan.packages.iter().find(|package| package.name == name);
            sized.packages.push(PackageSize {
                name: name.to_owned(),
                zipped,
                unzipped,
                needs: package.map_or_else(Vec::new, |package| package.needs.clone()),
            });
        }
        for (path, size) in sizes.iter().filter(|(path, _)| package_of(path).is_none()) {
            sized.libraries.push(LibrarySize {
                path: path.clone(),
                zipped: compressed.zipped_size(path),
                unzipped: *size,
                needed_by: needs.of_path(path, completed),
            });
        }
        sized
    }

    /// Splits it, if it has to be.
    pub fn split(
        &self,
        plan: &LayerPlan<'_>,
        possible: &[PossibleSaving],
    ) -> Result<Vec<Part>, SplitError> {
        let others = plan.others.iter();
        let allowance = Allowance {
            limits: plan.target.limits,
            others_unzipped: others
                .map(|layer| layer.archive.unzipped_size())
                .fold(0, u64::saturating_add),
            other_layers: plan.others.len(),
            has_s3: plan.s3_bucket.is_some(),
        };
        let (packages, libraries) = (&self.packages, &self.libraries);
        split(plan.name, packages, libraries, &allowance, possible)
    }
}

/// A zip that is written, and not kept yet.
pub struct WrittenPart {
    /// What it is.
    pub part: Part,
    /// The zip.
    pub file: UnfinishedZip,
    /// What is in it.
    pub examined: ExaminedLayer,
}

/// Writes a part. What every part has of its own is the description of itself.
pub fn write(plan: &LayerPlan<'_>, part: Part, compressed: &mut Compressed) -> Result<WrittenPart> {
    let mut description = LayerTree::default();
    insert_description(
        &mut description,
        &part.name,
        &plan.r_version.to_string(),
        &plan.target.name,
        plan.architecture.aws_name(),
    );
    let own: Vec<String> = description
        .iter()
        .map(|(path, _)| path.to_owned())
        .collect();
    compressed.add(Compressed::of(&description)?);
    let packages: BTreeSet<&str> = part.packages.iter().map(String::as_str).collect();
    let others: BTreeSet<&str> = part
        .libraries
        .iter()
        .chain(&own)
        .map(String::as_str)
        .collect();
    let wanted = |path: &str| match package_of(path) {
        Some(package) => packages.contains(package),
        None => others.contains(path),
    };
    let file = UnfinishedZip::create(plan.out).context("the zip cannot be written")?;
    compressed
        .write(wanted, plan.entry_time, &mut file.output()?)
        .with_context(|| {
            let out = plan.out.display();
            format!("the zip cannot be written to {out}; make room there, or name another folder with --out")
        })?;
    let mut examined = ExaminedLayer::open(file.path())?;
    examined.archive.name = plan.zip_name(&part.name);
    Ok(WrittenPart {
        part,
        file,
        examined,
    })
}
