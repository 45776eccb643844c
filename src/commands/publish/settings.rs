//! What flags, environment and manifest say of publishing, made one.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::cli::PublishArgs;
use crate::commands::regions::is_all;
use crate::manifest::{PublishSection, PublishTarget};
use crate::publication::{BucketTemplate, Grant, LayerNameTemplate, ParameterTemplate};

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
            all_regions: is_all(&args.regions, section.regions_for(target)),
        })
    }
}

/// The folder that `dist` and the record are in.
pub fn folder() -> &'static Path {
    Path::new(".")
}
