//! From how a layer is named to the version that is meant, in a region, for a processor and a version of R.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use tokio::sync::Mutex;

use super::candidate::{Candidate, all_parts, chosen};
use crate::checksum::Sha256;
use crate::commands::aws_session::Signed;
use crate::commands::our_layers::{OurLayer, OurVersion, our_layers};
use crate::function::layers::whole_name;
use crate::layer::BuildRecord;
use crate::package::RVersion;
use crate::publication::{
    LayerNameTemplate, LayerReference, LayerVersionArn, Placeholder, PublicationRecord, Region,
    described_r, is_called, logical_name,
};
use crate::target::Architecture;

/// What a layer is wanted for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    /// The function's region.
    pub region: &'a Region,
    /// Its processor.
    pub architecture: Architecture,
    /// The minor version of R; nothing means the newest that there is.
    pub r_minor: Option<&'a str>,
}

/// The versions that a name means: several, if the layer is in parts.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// In the order of their names.
    pub versions: Vec<LayerVersionArn>,
    /// The layer's name without number, if the versions are the whole of it.
    pub whole: Option<String>,
}

/// Finds layers: in the record, else at AWS.
pub struct Finder<'a> {
    signed: &'a Signed,
    record: &'a PublicationRecord,
    template: &'a LayerNameTemplate,
    built: Vec<BuildRecord>,
    listed: Mutex<BTreeMap<Region, Arc<Vec<OurLayer>>>>,
}

impl<'a> Finder<'a> {
    /// Looks in the record, else in the account's own layers. The template tells from names which R layers are for whose
    /// description does not; the build records, into which parts a layer is split.
    pub fn new(
        signed: &'a Signed,
        record: &'a PublicationRecord,
        template: &'a LayerNameTemplate,
        built: Vec<BuildRecord>,
    ) -> Finder<'a> {
        Finder {
            signed,
            record,
            template,
            built,
            listed: Mutex::default(),
        }
    }

    /// The versions that are meant; what there is not is an error that says what to type.
    pub async fn find(&self, reference: &LayerReference, purpose: Purpose<'_>) -> Result<Found> {
        match reference {
            LayerReference::Arn(arn) => of_region(arn, purpose.region),
            LayerReference::Zip(path) => self.zip(path, purpose).await,
            LayerReference::Named { name, version } => {
                if let Some(found) = self.named(name, *version, purpose).await? {
                    return Ok(found);
                }
                Err(self.nothing(name, *version, purpose).await)
            }
        }
    }

    /// The layer of that name; nothing if there is none for the purpose.
    pub async fn named(
        &self,
        name: &str,
        version: Option<u64>,
        purpose: Purpose<'_>,
    ) -> Result<Option<Found>> {
        let parts = self.built_parts(name, purpose);
        let meant = |candidates: &[Candidate]| {
            let as_built = match version {
                None => all_parts(candidates, &parts, purpose),
                Some(_) => None,
            };
            as_built.or_else(|| chosen(candidates, name, version, purpose))
        };
        if let Some(found) = meant(&self.recorded(purpose.region)) {
            return Ok(Some(found));
        }
        if let Some(found) = meant(&self.own(purpose.region).await?) {
            return Ok(Some(found));
        }
        // Any layer of the account, by the whole of its name.
        let versions = self.signed.layers(purpose.region).versions(name).await?;
        let mut versions = versions.into_iter();
        let meant = versions.find(|found| version.is_none_or(|number| found.version == number));
        let Some(meant) = meant else { return Ok(None) };
        Ok(Some(Found {
            versions: vec![meant.arn.parse()?],
            whole: None,
        }))
    }

    /// The names of the parts that the layer of that name was built as here, for the newest R that it was built for; none, if
    /// it was not.
    fn built_parts(&self, name: &str, purpose: Purpose<'_>) -> BTreeSet<String> {
        let is_meant = |record: &&BuildRecord| {
            let layer = record.layer_of_packages();
            let minor = record.r_minor();
            layer.is_some_and(|layer| is_called(&format!("r-{layer}"), name))
                && record.architecture == purpose.architecture
                && purpose
                    .r_minor
                    .is_none_or(|wanted| minor.as_deref() == Some(wanted))
        };
        let meant: Vec<&BuildRecord> = self.built.iter().filter(is_meant).collect();
        let r_version = |record: &BuildRecord| record.r_minor()?.parse::<RVersion>().ok();
        let newest = meant.iter().filter_map(|record| r_version(record)).max();
        let newest = meant
            .into_iter()
            .filter(|record| r_version(record) == newest);
        newest.map(logical_name).collect()
    }

    fn recorded(&self, region: &Region) -> Vec<Candidate> {
        let publications = self.record.publications();
        let here = publications.filter(|publication| publication.region == *region);
        let candidates: Vec<Candidate> = here
            .map(|publication| Candidate {
                logical_name: publication.logical_name.clone(),
                arn: publication.arn.clone(),
                architecture: Some(publication.architecture),
                r_minor: minor(&publication.r_version),
                sha256: publication.sha256,
                published: publication.published,
            })
            .collect();
        // Our own come before those of an account that publishes for others.
        let is_own = |candidate: &Candidate| candidate.arn.layer.account == self.signed.account;
        match candidates.iter().any(is_own) {
            true => candidates.into_iter().filter(is_own).collect(),
            false => candidates,
        }
    }

    async fn own(&self, region: &Region) -> Result<Vec<Candidate>> {
        let listed = self.listed_in(region).await?;
        let mut candidates = Vec::new();
        for layer in listed.iter() {
            for version in &layer.versions {
                candidates.extend(self.candidate(layer, version));
            }
        }
        Ok(candidates)
    }

    async fn listed_in(&self, region: &Region) -> Result<Arc<Vec<OurLayer>>> {
        let mut all = self.listed.lock().await;
        if let Some(listed) = all.get(region) {
            return Ok(listed.clone());
        }
        let listed = Arc::new(our_layers(&self.signed.layers(region)).await?);
        all.insert(region.clone(), listed.clone());
        Ok(listed)
    }

    fn candidate(&self, layer: &OurLayer, version: &OurVersion) -> Option<Candidate> {
        let described = &version.described;
        let architectures = &version.version.architectures;
        let architecture = architectures.first().and_then(|name| name.parse().ok());
        let r_minor = described_r(&version.version.description)
            .map(|version| version.minor_text())
            .or_else(|| self.minor_in(&layer.name, &described.logical_name, architecture));
        Some(Candidate {
            logical_name: described.logical_name.clone(),
            arn: version.version.arn.parse().ok()?,
            architecture,
            r_minor,
            sha256: described.sha256,
            published: version.version.published(),
        })
    }

    /// The R that a layer's name says it is for: what stands where the template has it.
    fn minor_in(
        &self,
        layer: &str,
        logical_name: &str,
        architecture: Option<Architecture>,
    ) -> Option<String> {
        let pattern = self.template.pattern(|placeholder| match placeholder {
            Placeholder::Name => Some(logical_name.to_owned()),
            Placeholder::Arch => architecture.map(|it| it.aws_name().to_owned()),
            _ => None,
        });
        let (before, after) = pattern.split_once('*')?;
        let between = layer.strip_prefix(before)?.strip_suffix(after)?;
        minor(&between.replace('_', "."))
    }

    async fn zip(&self, path: &Path, purpose: Purpose<'_>) -> Result<Found> {
        if !path.is_file() {
            bail!(
                "--layer {}: there is no such zip; name a layer as models, models:3, by its ARN, or by its zip",
                path.display()
            );
        }
        let sha256 = Sha256::of_file(path)?;
        let mut candidates = self.recorded(purpose.region);
        if !candidates
            .iter()
            .any(|candidate| candidate.sha256 == sha256)
        {
            candidates = self.own(purpose.region).await?;
        }
        let same = candidates
            .iter()
            .filter(|candidate| candidate.sha256 == sha256);
        match same.min_by_key(|candidate| candidate.arn.version) {
            Some(candidate) => Ok(Found {
                versions: vec![candidate.arn.clone()],
                whole: candidate.whole(),
            }),
            None => bail!(
                "{zip} is not published in {region}; type first: r-layer publish {zip} --region {region}",
                zip = path.display(),
                region = purpose.region
            ),
        }
    }

    /// What is wrong with a name, and what to type.
    async fn nothing(
        &self,
        name: &str,
        version: Option<u64>,
        purpose: Purpose<'_>,
    ) -> anyhow::Error {
        let Purpose {
            region,
            architecture,
            r_minor,
        } = purpose;
        let mut all = self.recorded(region);
        all.extend(self.own(region).await.unwrap_or_default());
        let of_r = r_minor.map_or(String::new(), |minor| format!("R {minor}, "));
        let layer = match version {
            Some(number) => format!("`{name}:{number}`"),
            None => format!("`{name}`"),
        };
        let others: BTreeSet<String> = all
            .iter()
            .filter(|one| one.is_named(name) || one.part_of(name).is_some())
            .map(|one| {
                let at_aws = format!("{}:{}", one.arn.layer.layer, one.arn.version);
                let r = one.r_minor.as_deref().unwrap_or("?");
                let architecture = one.architecture.map(|it| it.to_string());
                let architecture = architecture.unwrap_or_else(|| "?".to_owned());
                format!("{at_aws} (R {r}, {architecture})")
            })
            .collect();
        if !others.is_empty() {
            let others = Vec::from_iter(others).join(", ");
            return anyhow!(
                "there is no layer {layer} for {of_r}{architecture} in {region}, only {others}; name one of these, or build \
                 it and publish it: r-layer publish --region {region}"
            );
        }
        let names: BTreeSet<&str> = all
            .iter()
            .map(|candidate| whole_name(&candidate.logical_name))
            .collect();
        let known = match names.is_empty() {
            true => format!("no layer of r-layer's is published in {region}"),
            false => format!("there are: {}", Vec::from_iter(names).join(", ")),
        };
        anyhow!(
            "there is no layer {layer} for {of_r}{architecture} in {region} ({known}); build it and type r-layer publish \
             --region {region}, or name another: r-layer list shows them"
        )
    }
}

/// An ARN that is typed is taken, if the function's region can have it.
fn of_region(arn: &LayerVersionArn, region: &Region) -> Result<Found> {
    if arn.layer.region != *region {
        bail!(
            "{arn} is in {}, and the function is in {region}: a function can only have layers of its own region; publish \
             the layer there (r-layer publish --region {region})",
            arn.layer.region
        );
    }
    Ok(Found {
        versions: vec![arn.clone()],
        whole: None,
    })
}

/// `4.5` of `4.5.0`.
pub fn minor(version: &str) -> Option<String> {
    let version: RVersion = version.parse().ok()?;
    Some(version.minor_text())
}
