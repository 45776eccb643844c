//! One layer in one region: found there, or published; granted; recorded.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use tokio::sync::Semaphore;

use super::bodies::Bodies;
use super::grants::bring_grants;
use super::region_line::RegionLine;
use super::settings::PublishSettings;
use super::survey::Found;
use super::zips::ReadyZip;
use crate::aws::{AwsError, Bucket, Content, LayerVersion, Layers, Parameters, Refusal, Session};
use crate::commands::aws_session::Signed;
use crate::http::Patience;
use crate::publication::{
    AccountId, Partition, Publication, PublicationRecord, Region, TemplateValues,
};

/// How often a version is published whose answer is lost, or that AWS has no turn for.
const TRIES: usize = 6;

/// What all regions share.
pub struct Publishing<'a> {
    /// Who publishes.
    pub signed: &'a Signed,
    /// How.
    pub settings: &'a PublishSettings,
    /// The requests with zips in them.
    pub bodies: &'a Bodies,
    /// Limits the parts for buckets in memory.
    pub parts: Arc<Semaphore>,
    /// The folder of the record.
    pub folder: &'a Path,
}

/// What was done about one layer in one region.
#[derive(Clone, Debug)]
pub struct Placed {
    /// As it is recorded.
    pub publication: Publication,
    /// How many versions were published.
    pub published: u64,
    /// Were grants changed?
    pub granted: bool,
}

impl Publishing<'_> {
    fn session(&self) -> &Session {
        &self.signed.session
    }

    fn account(&self) -> &AccountId {
        &self.signed.account
    }

    fn partition(&self) -> &str {
        self.signed.identity.partition()
    }

    /// Takes the version that is there, or publishes one; then grants, parameter and record.
    ///
    /// `number`: publish until the version has this number.
    pub async fn place(
        &self,
        zip: &ReadyZip,
        region: &Region,
        found: Found,
        number: Option<u64>,
        line: &RegionLine,
    ) -> Result<Placed> {
        let layers = self.signed.layers(region);
        let mut published = 0;
        let mut taken = found.taken;
        let reached = |taken: &Option<LayerVersion>| match (taken, number) {
            (None, _) => false,
            (Some(taken), Some(number)) => taken.version >= number,
            (Some(_), None) => true,
        };
        if !reached(&taken) {
            let content = self.content(zip, region, line).await?;
            let outcome = async {
                while !reached(&taken) {
                    let after = taken.as_ref().map_or(0, |taken| taken.version);
                    let version = self
                        .publish_once(zip, &layers, &content, line, after)
                        .await?;
                    published += 1;
                    taken = Some(match number {
                        Some(_) => version,
                        None => self.oldest(zip, &layers, version).await?,
                    });
                }
                Ok::<(), AwsError>(())
            };
            let outcome = outcome.await;
            if let Content::InBucket(object) = &content
                && !self.settings.keep
            {
                let bucket = self.bucket(region, &object.bucket);
                let removed = bucket.remove(object).await;
                outcome?;
                removed?;
            } else {
                outcome?;
            }
        }
        for leftover in &found.leftovers {
            layers.delete(zip.layer.as_str(), leftover.version).await?;
        }
        let Some(version) = taken else {
            anyhow::bail!("no version of {} was published in {region}", zip.layer);
        };
        line.step(&format!("{}: granting", zip.logical_name));
        let (grants, granted) = bring_grants(
            &layers,
            zip.layer.as_str(),
            version.version,
            &self.settings.grants,
            self.settings.exact,
        )
        .await?;
        self.write_parameter(zip, region, &version).await?;
        let publication = self.publication(zip, region, &version, grants)?;
        self.record(publication.clone())?;
        Ok(Placed {
            publication,
            published,
            granted,
        })
    }

    async fn content(&self, zip: &ReadyZip, region: &Region, line: &RegionLine) -> Result<Content> {
        if !zip.needs_bucket {
            return Ok(Content::InRequest(self.bodies.of(zip).await?));
        }
        let template = self.settings.bucket.as_ref();
        let values = TemplateValues {
            region: Some(region),
            account: Some(self.account()),
            ..zip.template_values()
        };
        let name = template
            .map(|template| template.fill(&values))
            .transpose()?;
        let name = name.unwrap_or_default();
        let upload = line.upload(&zip.logical_name, zip.record.zipped_size);
        let bucket = self.bucket(region, &name);
        let staged = bucket.stage(&zip.path, &zip.record.sha256, &upload).await?;
        Ok(Content::InBucket(staged))
    }

    fn bucket(&self, region: &Region, name: &str) -> Bucket {
        Bucket::new(self.session(), region, name, self.parts.clone())
    }

    /// Publishes one version. Where it is not sure whether AWS has done it, the list of versions is asked for one with
    /// this content and a number above `after`, so that an answer that is lost makes no second version.
    async fn publish_once(
        &self,
        zip: &ReadyZip,
        layers: &Layers,
        content: &Content,
        line: &RegionLine,
        after: u64,
    ) -> Result<LayerVersion, AwsError> {
        let mut pauses = Patience {
            tries: TRIES,
            ..Patience::default()
        }
        .pauses();
        let layer = zip.layer.as_str();
        loop {
            let size = match content {
                Content::InRequest(request) => request.size(),
                Content::InBucket(_) => 0,
            };
            // Uploads of many regions at once share the line; large ones take turns.
            let _turn = self.bodies.turn(size).await;
            let upload = line.upload(&zip.logical_name, size);
            let error = match layers.publish(layer, &zip.version, content, upload).await {
                Ok(version) => return Ok(version),
                Err(error) => error,
            };
            let refusal = error.refusal();
            let uncertain = refusal.is_some_and(Refusal::is_uncertain);
            if !uncertain && refusal != Some(Refusal::Throttled) {
                return Err(error);
            }
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            line.step(&format!("{}: waiting to try again", zip.logical_name));
            tokio::time::sleep(pause).await;
            if uncertain {
                let versions = layers.versions(layer).await?.into_iter();
                let mut newer = versions.filter(|version| version.version > after);
                if let Some(version) = newer.find(|version| zip.is_published_as(version)) {
                    return Ok(version);
                }
            }
        }
    }

    /// Of two runs that publish the same at once, each finds the other's version here: the older one stays, and who made
    /// the younger one removes it. Nobody has been told of it.
    async fn oldest(
        &self,
        zip: &ReadyZip,
        layers: &Layers,
        own: LayerVersion,
    ) -> Result<LayerVersion, AwsError> {
        let layer = zip.layer.as_str();
        let versions = layers.versions(layer).await?;
        let same = versions
            .into_iter()
            .filter(|version| zip.is_published_as(version));
        match same.min_by_key(|version| version.version) {
            Some(oldest) if oldest.version < own.version => {
                match layers.delete(layer, own.version).await {
                    // Who may not delete leaves a version that nobody is told of.
                    Err(error) if error.refusal() != Some(Refusal::Denied) => Err(error),
                    _ => Ok(oldest),
                }
            }
            _ => Ok(own),
        }
    }

    async fn write_parameter(
        &self,
        zip: &ReadyZip,
        region: &Region,
        version: &LayerVersion,
    ) -> Result<()> {
        let Some(template) = &self.settings.parameter else {
            return Ok(());
        };
        let name = template.fill(&zip.template_values())?;
        let parameters = Parameters::new(
            self.session(),
            region,
            self.partition(),
            self.account().as_str(),
        );
        if parameters.get(&name).await?.as_deref() != Some(&version.arn) {
            parameters.put(&name, &version.arn).await?;
        }
        Ok(())
    }

    fn publication(
        &self,
        zip: &ReadyZip,
        region: &Region,
        version: &LayerVersion,
        grants: std::collections::BTreeSet<crate::publication::Grant>,
    ) -> Result<Publication> {
        let partition: Partition = self.partition().parse()?;
        Ok(Publication {
            partition,
            account: self.account().clone(),
            layer: zip.layer.clone(),
            logical_name: zip.logical_name.clone(),
            architecture: zip.record.architecture,
            r_version: zip.record.r_version.clone(),
            region: region.clone(),
            version: version.version,
            arn: version.arn.parse()?,
            sha256: zip.record.sha256,
            grants,
            published: version.published(),
        })
    }

    /// Only now, as the grants stand, the ARN is told.
    fn record(&self, publication: Publication) -> Result<()> {
        PublicationRecord::update(self.folder, |record| record.record(publication))?;
        Ok(())
    }
}
