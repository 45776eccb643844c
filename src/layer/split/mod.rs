//! Too large for one layer: several of them, packages never cut, the same ones for the same packages.
//!
//! A function has at most five layers, and all of them with its code unpack into 250 MB: what is split is what is
//! zipped, so that each part fits into a request. <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>

mod arrange;
mod error;
mod load;

use serde::Serialize;

pub use error::{Heavy, PossibleSaving, SplitError, TooMuch};

use crate::target::Limits;
use load::Load;

/// What a part holds beside its packages: its own record in `r-layer/`, and the end of the zip.
const PART_OVERHEAD: u64 = 16 * 1024;

/// A package of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageSize {
    /// Its name.
    pub name: String,
    /// Bytes of its files in a zip, with their entries in the zip's directory.
    pub zipped: u64,
    /// Bytes of its files.
    pub unzipped: u64,
    /// The packages that it needs; those that are not of this layer do not count.
    pub needs: Vec<String>,
}

/// A shared library or other file that was added because packages need it and Lambda lacks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibrarySize {
    /// Its path in the layer: `lib/libxml2.so.2`.
    pub path: String,
    /// Bytes in a zip.
    pub zipped: u64,
    /// Bytes.
    pub unzipped: u64,
    /// The packages that need it, themselves or through other libraries.
    pub needed_by: Vec<String>,
}

/// The room that there is for a layer.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// The target's limits.
    pub limits: Limits,
    /// Bytes unzipped of the layers that the function has beside this one: the runtime's, and others.
    pub others_unzipped: u64,
    /// How many layers those are.
    pub other_layers: usize,
    /// Is there an S3 bucket, so that a zip may be larger than a request takes?
    pub has_s3: bool,
}

/// One of the layers that it becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `NAME`, or of several `NAME-1`, `NAME-2`…
    pub name: String,
    /// Its packages, sorted.
    pub packages: Vec<String>,
    /// Paths of the libraries in it, sorted.
    pub libraries: Vec<String>,
    /// Bytes zipped, about.
    pub zipped: u64,
    /// Bytes unzipped.
    pub unzipped: u64,
    /// Is it too large for a request?
    pub needs_s3: bool,
}

/// Takes the packages of a layer apart into as few parts as fit. The order that packages and libraries are given in
/// makes no difference. A package that is too large for a request by itself is a part by itself. A package and what it
/// needs are in the same part or that in an earlier one, where that costs no further part. A library is in the first
/// part that needs it; one that no package needs is in the first.
///
/// # Errors
/// More bytes unzipped than Lambda takes, or more layers; `savings` is what leaving out would save, for the message.
pub fn split(
    layer: &str,
    packages: &[PackageSize],
    libraries: &[LibrarySize],
    allowance: &Allowance,
    savings: &[PossibleSaving],
) -> Result<Vec<Part>, SplitError> {
    let load = Load::new(packages, libraries);
    let fail = |too_much| Err(SplitError::new(layer, too_much, &load, savings));
    let (unzipped, others) = (load.unzipped(), allowance.others_unzipped);
    if unzipped.saturating_add(others) > allowance.limits.unzipped {
        let limit = allowance.limits.unzipped;
        return fail(TooMuch::Unzipped {
            unzipped,
            others,
            limit,
        });
    }
    let limit = allowance
        .limits
        .zipped_in_request
        .saturating_sub(PART_OVERHEAD);
    let arrangement = match allowance.has_s3 {
        true => vec![(0..load.packages.len()).collect()],
        false => arrange::arrange(&load, limit),
    };
    let (parts, others) = (arrangement.len(), allowance.other_layers);
    if parts + others > allowance.limits.layers {
        let limit = allowance.limits.layers;
        return fail(TooMuch::Layers {
            parts,
            others,
            limit,
        });
    }
    Ok(named_parts(layer, &load, &arrangement, limit))
}

fn named_parts(layer: &str, load: &Load, arrangement: &[Vec<usize>], limit: u64) -> Vec<Part> {
    let rooms = load.rooms(arrangement);
    let several = arrangement.len() > 1;
    let part = |(index, (members, room)): (usize, (&Vec<usize>, load::PartRoom))| {
        let name_of = |&package: &usize| load.packages[package].name.clone();
        let path_of = |&library: &usize| load.libraries[library].path.clone();
        let mut packages: Vec<String> = members.iter().map(name_of).collect();
        packages.sort();
        Part {
            name: match several {
                true => format!("{layer}-{}", index + 1),
                false => layer.to_owned(),
            },
            packages,
            libraries: room.libraries.iter().map(path_of).collect(),
            zipped: room.zipped,
            unzipped: room.unzipped,
            needs_s3: room.zipped >= limit,
        }
    };
    arrangement
        .iter()
        .zip(rooms)
        .enumerate()
        .map(part)
        .collect()
}

#[cfg(test)]
mod tests;
