//! `--remote`: what AWS has, as a record.

use std::path::Path;

use anyhow::{Result, bail};
use futures_util::future::join_all;

use crate::aws::Layers;
use crate::cli::{ListArgs, RegionOptions};
use crate::commands::aws_session::{Signed, is_not_enabled, open, signed};
use crate::commands::our_layers::{OurLayer, OurVersion, our_layers};
use crate::commands::publish::grants::statements;
use crate::commands::regions::chosen_regions;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::{Publication, PublicationRecord, Region, described_r, grants_of};
use crate::target::Architecture;

/// The newest versions of our layers in the regions, with whom they are granted to.
pub async fn record(args: &ListArgs, reporter: &dyn Reporter) -> Result<PublicationRecord> {
    let manifest = Manifest::read(Path::new("."))?;
    let session = open(&args.aws, None, manifest.publish.profile.as_deref()).await?;
    let options = RegionOptions {
        regions: args.regions.clone(),
        all_regions: args.all_regions,
    };
    let regions = chosen_regions(&options, manifest.publish.regions.as_ref(), &session)?;
    let expected = args.aws.expect_account.as_ref();
    let signed = signed(session, &regions, expected, reporter).await?;
    let mut record = PublicationRecord::default();
    let in_regions = regions.iter().map(|region| in_region(region, &signed));
    for (region, found) in regions.iter().zip(join_all(in_regions).await) {
        match found {
            Ok(publications) => {
                for publication in publications {
                    record.record(publication);
                }
            }
            Err(error) if regions.len() > 1 && is_not_enabled(&error) => {
                reporter.note(&format!("{region} is not enabled for this account"));
            }
            Err(error) => return Err(error),
        }
    }
    if record.is_empty() {
        bail!(
            "account {} has no layer that r-layer published there",
            signed.account
        );
    }
    Ok(record)
}

async fn in_region(region: &Region, signed: &Signed) -> Result<Vec<Publication>> {
    let layers = signed.layers(region);
    let ours = our_layers(&layers).await?;
    let mut publications = Vec::new();
    for layer in &ours {
        for architecture in [Architecture::X86_64, Architecture::Arm64] {
            let is_for = |version: &&OurVersion| {
                let names = &version.version.architectures;
                names.iter().any(|name| name == architecture.aws_name())
            };
            // Newest first.
            if let Some(version) = layer.versions.iter().find(is_for) {
                let entry = publication(layer, version, architecture, region, signed, &layers);
                publications.push(entry.await?);
            }
        }
    }
    Ok(publications)
}

async fn publication(
    layer: &OurLayer,
    version: &OurVersion,
    architecture: Architecture,
    region: &Region,
    signed: &Signed,
    layers: &Layers,
) -> Result<Publication> {
    let statements = statements(layers, &layer.name, version.version.version).await?;
    Ok(Publication {
        partition: signed.identity.partition().parse()?,
        account: signed.account.clone(),
        layer: layer.name.parse()?,
        logical_name: version.described.logical_name.clone(),
        architecture,
        r_version: described_r(&version.version.description)
            .map(|r| r.to_string())
            .unwrap_or_default(),
        region: region.clone(),
        version: version.version.version,
        arn: version.version.arn.parse()?,
        sha256: version.described.sha256,
        grants: grants_of(&statements),
        published: version.version.published(),
    })
}
