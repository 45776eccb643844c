//! The publications of the record that a command is about: those that its flags name, of the account that it asks as.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};

use super::asked_layers::{Known, check_asked};
use super::aws_session::{Signed, expected_account, open, signed};
use crate::cli::AwsOptions;
use crate::manifest::{PublishSection, PublishTarget, RegionChoice};
use crate::progress::Reporter;
use crate::publication::{
    AccountId, Listing, ListingFilter, Publication, PublicationRecord, Region,
};

/// What flags say of it.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// `--layer`.
    pub layers: &'a [String],
    /// `--region`.
    pub regions: &'a [Region],
    /// Who asks.
    pub aws: &'a AwsOptions,
    /// `--to`.
    pub target: Option<&'a PublishTarget>,
}

impl Selection<'_> {
    /// Reads the record, asks AWS who we are, and takes the publications of that account. One record may be of several
    /// accounts, as `publish --to` makes it: those of the others are told.
    pub async fn own(
        self,
        section: &PublishSection,
        reporter: &dyn Reporter,
    ) -> Result<(Signed, Vec<Publication>)> {
        let named = self.named()?;
        let expected = expected_account(self.aws, self.target);
        // The regions of the account that is expected come first: those of another may be of another partition.
        let mut regions: Vec<(bool, Region)> = named
            .iter()
            .map(|one| (Some(&one.account) != expected.as_ref(), one.region.clone()))
            .collect();
        regions.sort();
        let regions: Vec<Region> = regions.into_iter().map(|(_, region)| region).collect();
        let session = open(self.aws, self.target, section.profile.as_deref()).await?;
        let signed = signed(session, &regions, expected.as_ref(), reporter).await?;
        let (own, others): (Vec<_>, Vec<_>) = named
            .into_iter()
            .partition(|one| one.account == signed.account);
        let others = counted(&others);
        if own.is_empty() {
            bail!(
                "these credentials are of account {}, and what is asked for is of {others}; nothing was changed. Name \
                 its target with --to, or its profile with --profile",
                signed.account
            );
        }
        if !others.is_empty() {
            reporter.note(&format!(
                "only what account {} has; left out is what is of {others} (--to or --profile asks as that account)",
                signed.account
            ));
        }
        Ok((signed, own))
    }

    /// What the flags name, of whatever account.
    fn named(&self) -> Result<Vec<Publication>> {
        let record = PublicationRecord::read(Path::new("."))?;
        let name = PublicationRecord::NAME;
        if record.is_empty() {
            bail!(
                "nothing is published from this folder yet ({name} would say what); type first: r-layer publish --region \
                 REGION"
            );
        }
        let known = record.publications().map(|one| Known {
            layer: one.layer.to_string(),
            logical_name: one.logical_name.clone(),
        });
        check_asked(self.layers, &known.collect())?;
        let of_target = self.target.and_then(|target| target.regions.as_ref());
        let regions = match (self.regions, of_target) {
            ([], Some(RegionChoice::Named(regions))) => regions,
            (typed, _) => typed,
        };
        let filter = ListingFilter {
            regions: regions.to_vec(),
            layers: self.layers.to_vec(),
            architectures: Vec::new(),
        };
        let layers = Listing::of(&record, &filter).layers.into_iter();
        let named: Vec<Publication> = layers.flat_map(|layer| layer.publications).collect();
        if named.is_empty() {
            bail!("{name} has nothing of that there; `r-layer list` shows what it has");
        }
        Ok(named)
    }
}

/// `account 123456789012 (2), account 210987654321 (1)`.
fn counted(publications: &[Publication]) -> String {
    let mut counts: BTreeMap<&AccountId, usize> = BTreeMap::new();
    for publication in publications {
        *counts.entry(&publication.account).or_default() += 1;
    }
    let counts = counts.into_iter();
    let counts: Vec<String> = counts
        .map(|(account, count)| format!("account {account} ({count})"))
        .collect();
    counts.join(", ")
}
