//! What flags, environment and manifest say of publishing, made one.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};

use crate::cli::PublishArgs;
use crate::commands::regions::is_all;
use crate::manifest::{Manifest, PublishSection, PublishTarget, RegionChoice};
use crate::publication::{AccountId, BucketTemplate, Grant, LayerNameTemplate, ParameterTemplate};

/// What is done to every zip.
#[derive(Clone, Debug)]
pub struct PublishSettings {
    /// Who may use the layers.
    pub grants: BTreeSet<Grant>,
    /// And nobody else.
    pub exact: bool,
    /// How layers are named.
    pub name: LayerNameTemplate,
    /// The licence, instead of the record's.
    pub license: Option<String>,
    /// The description, instead of one from the record.
    pub description: Option<String>,
    /// The bucket for large zips.
    pub bucket: Option<BucketTemplate>,
    /// Zips stay in it.
    pub keep: bool,
    /// Where the ARN is written.
    pub parameter: Option<ParameterTemplate>,
    /// Version numbers are brought to the same.
    pub align: bool,
    /// Nothing is changed.
    pub dry_run: bool,
    /// Every region was asked for: those that are not enabled are no failure.
    pub all_regions: bool,
}

impl PublishSettings {
    /// Flags go before the target's settings, those before `[publish]`.
    pub fn of(
        args: &PublishArgs,
        section: &PublishSection,
        target: Option<&PublishTarget>,
    ) -> Result<PublishSettings> {
        let grants = args
            .grants
            .grants()
            .or_else(|| target.and_then(PublishTarget::grants))
            .unwrap_or_else(|| section.grants());
        let of_target = target.and_then(|target| target.s3_bucket.clone());
        let bucket = args.s3_bucket.clone().or(of_target);
        let name = args.name.clone().or_else(|| section.name.clone());
        Ok(PublishSettings {
            grants,
            exact: args.grants.exact,
            name: name.unwrap_or_default(),
            license: args.license.clone().or_else(|| section.license.clone()),
            description: args
                .description
                .clone()
                .or_else(|| section.description.clone()),
            bucket: bucket.or_else(|| section.s3_bucket.clone()),
            keep: args.keep,
            parameter: args
                .ssm_parameter
                .clone()
                .or_else(|| section.ssm_parameter.clone()),
            align: args.align,
            dry_run: args.dry_run,
            all_regions: is_all(&args.regions, choice(section, target)),
        })
    }
}

/// The manifest's section, and the target that `--to` names.
pub fn target<'a>(manifest: &'a Manifest, name: Option<&str>) -> Result<Option<&'a PublishTarget>> {
    let Some(name) = name else { return Ok(None) };
    let found = manifest.publish.target(name);
    let found = found.with_context(|| {
        let known: Vec<&str> = manifest.publish.to.iter().map(|target| target.name.as_str()).collect();
        match known.as_slice() {
            [] => format!(
                "there is no target `{name}`: {} has no [[publish.to]]; add one with name = \"{name}\"",
                Manifest::NAME
            ),
            _ => format!("there is no target `{name}`; there are: {}", known.join(", ")),
        }
    })?;
    Ok(Some(found))
}

/// The account that it must be.
pub fn expected_account(args: &PublishArgs, target: Option<&PublishTarget>) -> Option<AccountId> {
    let of_target = target.and_then(|target| target.account.clone());
    args.aws.expect_account.clone().or(of_target)
}

/// The regions that the target or the manifest names.
pub fn choice<'a>(
    section: &'a PublishSection,
    target: Option<&'a PublishTarget>,
) -> Option<&'a RegionChoice> {
    let of_target = target.and_then(|target| target.regions.as_ref());
    of_target.or(section.regions.as_ref())
}

/// The folder that `dist` and the record are in.
pub fn folder() -> &'static Path {
    Path::new(".")
}
