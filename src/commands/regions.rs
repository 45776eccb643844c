//! Where: the regions of flags, manifest and AWS's own settings.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::aws::{AwsError, Session};
use crate::cli::RegionOptions;
use crate::function::FunctionReference;
use crate::manifest::RegionChoice;
use crate::publication::Region;

/// Was every region asked for?
pub fn is_all(options: &RegionOptions, choice: Option<&RegionChoice>) -> bool {
    options.all_regions || options.regions.is_empty() && choice == Some(&RegionChoice::All)
}

/// The regions that were typed, each once, else the one of AWS's settings.
pub fn typed_or_set(typed: &[Region], session: &Session) -> Result<Vec<Region>> {
    let options = RegionOptions {
        regions: typed.to_vec(),
        all_regions: false,
    };
    chosen_regions(&options, None, session)
}

/// The region that a function's ARN names, if it is one; flags can only say the same.
pub fn of_arn(function: &FunctionReference, typed: &[Region]) -> Result<Option<Region>> {
    let Some(own) = &function.region else {
        return Ok(None);
    };
    if let Some(other) = typed.iter().find(|region| *region != own) {
        bail!(
            "the ARN of {function} is of {own}, and --region says {other}; leave one of them out"
        );
    }
    Ok(Some(own.clone()))
}

/// The one region of a function: its ARN's, the one that was typed, or the one of AWS's settings.
pub fn one(
    function: &FunctionReference,
    typed: Option<&Region>,
    session: &Session,
) -> Result<Region> {
    let typed: Vec<Region> = typed.into_iter().cloned().collect();
    if let Some(own) = of_arn(function, &typed)? {
        return Ok(own);
    }
    let first = typed_or_set(&typed, session)?.into_iter().next();
    Ok(first.ok_or(AwsError::NoRegion)?)
}

/// The regions of the flags, else the manifest's, else the one of AWS's settings; each once, in their order.
pub fn chosen_regions(
    options: &RegionOptions,
    choice: Option<&RegionChoice>,
    session: &Session,
) -> Result<Vec<Region>> {
    if is_all(options, choice) {
        return Ok(Region::all());
    }
    let mut regions = options.regions.clone();
    if let (true, Some(RegionChoice::Named(named))) = (regions.is_empty(), choice) {
        regions.clone_from(named);
    }
    if regions.is_empty() {
        regions.extend(session.region()?);
    }
    let mut seen = BTreeSet::new();
    regions.retain(|region| seen.insert(region.clone()));
    match regions.is_empty() {
        true => bail!(AwsError::NoRegion),
        false => Ok(regions),
    }
}
