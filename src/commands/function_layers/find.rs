//! From how a layer is named to the version that is meant, in a region, for a processor and a version of R.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::sync::Mutex;

use crate::checksum::Sha256;
use crate::commands::aws_session::Signed;
use crate::commands::our_layers::{OurLayer, OurVersion, our_layers};
use crate::function::layers::whole_name;
use crate::layer::BuildRecord;
use crate::layer::dist::records;
use crate::package::RVersion;
use crate::publication::{
    LayerNameTemplate, LayerReference, LayerVersionArn, Placeholder, PublicationRecord, Region,
    Timestamp, logical_name,
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
    /// The layer's name without number, if it was named as a whole.
    pub whole: Option<String>,
}

/// A layer of ours that there is, wherever that is known from.
#[derive(Clone, Debug)]
struct Candidate {
    logical_name: String,
    arn: LayerVersionArn,
    architecture: Option<Architecture>,
    r_minor: Option<String>,
    sha256: Sha256,
    published: Timestamp,
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
    /// description does not; the build records in `dist`, into which parts a layer is split.
    pub fn new(
        signed: &'a Signed,
        record: &'a PublicationRecord,
        template: &'a LayerNameTemplate,
        dist: &Path,
    ) -> Result<Finder<'a>> {
        let built = records(dist)?.into_iter();
        Ok(Finder {
            signed,
            record,
            template,
            built: built.map(|(_, record)| record).collect(),
            listed: Mutex::default(),
        })
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
                Err(self.nothing(name, purpose).await)
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
        for candidates in [
            self.recorded(purpose.region),
            self.own(purpose.region).await?,
        ] {
            if let Some(found) = all_parts(&candidates, &parts, name, version, purpose) {
                return Ok(Some(found));
            }
            if let Some(found) = chosen(&candidates, name, version, purpose) {
                return Ok(Some(found));
            }
        }
        // Somebody else's layer of the account, by the whole of its name.
        let versions = self.signed.layers(purpose.region).versions(name).await?;
        let mut versions = versions.into_iter();
        let meant = versions.find(|found| version.is_none_or(|number| found.version == number));
        let Some(meant) = meant else { return Ok(None) };
        Ok(Some(Found {
            versions: vec![meant.arn.parse()?],
            whole: None,
        }))
    }

    /// The names of the parts that the layer of that name was built as here; none, if it was not.
    fn built_parts(&self, name: &str, purpose: Purpose<'_>) -> BTreeSet<String> {
        let is_meant = |record: &&BuildRecord| {
            let layer = record.layer_of_packages();
            let minor = record.r_minor();
            layer.is_some_and(|layer| layer == name || Some(layer) == name.strip_prefix("r-"))
                && record.architecture == purpose.architecture
                && purpose
                    .r_minor
                    .is_none_or(|wanted| minor.as_deref() == Some(wanted))
        };
        self.built
            .iter()
            .filter(is_meant)
            .map(logical_name)
            .collect()
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
        let r_minor = of_description(&version.version.description)
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
                whole: None,
            }),
            None => bail!(
                "{zip} is not published in {region}; type first: r-layer publish {zip} --region {region}",
                zip = path.display(),
                region = purpose.region
            ),
        }
    }

    /// What is wrong with a name, and what to type.
    async fn nothing(&self, name: &str, purpose: Purpose<'_>) -> anyhow::Error {
        let Purpose {
            region,
            architecture,
            r_minor,
        } = purpose;
        let mut all = self.recorded(region);
        all.extend(self.own(region).await.unwrap_or_default());
        let of_r = r_minor.map_or(String::new(), |minor| format!("R {minor}, "));
        let others: BTreeSet<String> = all
            .iter()
            .filter(|candidate| is_named(candidate, name))
            .map(|candidate| {
                let r = candidate.r_minor.as_deref().unwrap_or("?");
                let architecture = candidate.architecture.map(|it| it.to_string());
                format!("R {r}, {}", architecture.unwrap_or_else(|| "?".to_owned()))
            })
            .collect();
        if !others.is_empty() {
            return anyhow::anyhow!(
                "there is no layer `{name}` for {of_r}{architecture} in {region}, only for {}; build it for that and publish \
                 it: r-layer publish --region {region}",
                Vec::from_iter(others).join("; ")
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
        anyhow::anyhow!(
            "there is no layer `{name}` for {of_r}{architecture} in {region} ({known}); build it and type \
             r-layer publish --region {region}, or name another: r-layer list shows them"
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

/// Is it named by its name at AWS, by `r-models` or by `models`, with or without the number of its part?
fn is_named(candidate: &Candidate, name: &str) -> bool {
    let logical = candidate.logical_name.as_str();
    let is_it = |own: &str| own == name || own.strip_prefix("r-") == Some(name);
    candidate.arn.layer.layer.as_str() == name || is_it(logical) || is_it(whole_name(logical))
}

fn chosen(
    candidates: &[Candidate],
    name: &str,
    version: Option<u64>,
    purpose: Purpose<'_>,
) -> Option<Found> {
    let fits = |candidate: &&Candidate| {
        let at_aws = candidate.arn.layer.layer.as_str() == name;
        let architecture = candidate.architecture;
        let minor = purpose.r_minor.filter(|_| !at_aws);
        is_named(candidate, name)
            && architecture.is_none_or(|it| it == purpose.architecture || at_aws)
            && (minor.is_none() || candidate.r_minor.as_deref() == minor)
    };
    let fitting: Vec<&Candidate> = candidates.iter().filter(fits).collect();
    // It may have been in one part before it was in several, or the reverse: what was published last counts.
    let last = fitting.iter().max_by_key(|candidate| candidate.published)?;
    let is_in_parts = last.logical_name != whole_name(&last.logical_name);
    let alike = |candidate: &&&Candidate| {
        let logical = candidate.logical_name.as_str();
        is_in_parts == (logical != whole_name(logical)) || logical == last.logical_name
    };
    let fitting: Vec<&Candidate> = fitting.iter().filter(alike).copied().collect();
    let newest_r = fitting.iter().filter_map(|it| version_of(it)).max();
    let mut newest: BTreeMap<&str, &Candidate> = BTreeMap::new();
    for candidate in fitting {
        let is_meant = version_of(candidate) == newest_r
            && version.is_none_or(|number| candidate.arn.version == number);
        let known = newest.get(candidate.logical_name.as_str());
        if is_meant && known.is_none_or(|known| known.arn.version < candidate.arn.version) {
            newest.insert(&candidate.logical_name, candidate);
        }
    }
    let first = newest.values().next()?;
    let whole = whole_name(&first.logical_name);
    // Named by a number of a part, or by its name at AWS, only that part is meant.
    let is_whole = whole == name || whole.strip_prefix("r-") == Some(name);
    Some(Found {
        versions: newest.values().map(|it| it.arn.clone()).collect(),
        whole: is_whole.then(|| whole.to_owned()),
    })
}

/// The newest versions of all of these parts, if there is one of each.
fn all_parts(
    candidates: &[Candidate],
    parts: &BTreeSet<String>,
    name: &str,
    version: Option<u64>,
    purpose: Purpose<'_>,
) -> Option<Found> {
    if parts.is_empty() || version.is_some() {
        return None;
    }
    let newest = parts.iter().map(|part| {
        let own = candidates
            .iter()
            .filter(|candidate| candidate.logical_name == *part);
        let own: Vec<Candidate> = own.cloned().collect();
        chosen(&own, part, None, purpose)?.versions.pop()
    });
    let layer = name.strip_prefix("r-").unwrap_or(name);
    Some(Found {
        versions: newest.collect::<Option<_>>()?,
        whole: Some(format!("r-{layer}")),
    })
}

fn version_of(candidate: &Candidate) -> Option<RVersion> {
    candidate.r_minor.as_ref()?.parse().ok()
}

fn minor(version: &str) -> Option<String> {
    let version: RVersion = version.parse().ok()?;
    Some(version.minor_text())
}

/// Descriptions that r-layer writes itself begin with `R 4.5.0 for`.
fn of_description(description: &str) -> Option<String> {
    let (version, _) = description.strip_prefix("R ")?.split_once(" for ")?;
    minor(version)
}
