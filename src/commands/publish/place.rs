//! One layer in one region: found there, or published; granted.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::sync::Semaphore;

use super::bodies::Bodies;
use super::grants::{Asked, bring_grants};
use super::region_line::RegionLine;
use super::settings::PublishSettings;
use super::survey::Found;
use super::zips::ReadyZip;
use crate::aws::{
    Bucket, Content, LayerVersion, Layers, Parameters, PublishedVersion, Refusal, Session,
};
use crate::commands::aws_session::Signed;
use crate::http::Patience;
use crate::progress::Reporter;
use crate::publication::{AccountId, Grant, Partition, Publication, Region, TemplateValues};

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
    /// Who is told of what goes wrong and stops nothing.
    pub reporter: &'a dyn Reporter,
}

/// What was done about one layer in one region.
#[derive(Clone, Debug)]
pub struct Placed {
    /// As it is to be recorded.
    pub publication: Publication,
    /// How many versions were published.
    pub published: u64,
    /// Were grants changed?
    pub granted: bool,
}

/// The version that counts.
struct Taken {
    version: LayerVersion,
    /// How many versions were published.
    published: u64,
    /// Was it published just now, so that nobody is granted anything?
    is_new: bool,
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

    /// Takes the version that is there, or publishes one; then grants and parameter. Only then it may be told of.
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
        // A name that cannot be is told before anything is published.
        let parameter = self.settings.parameter.as_ref();
        let parameter = parameter
            .map(|template| template.fill(&self.template_values(zip, region)))
            .transpose()?;
        let taken = found.reaching(number).map(|version| Taken {
            version,
            published: 0,
            is_new: false,
        });
        let Taken {
            version,
            published,
            is_new,
        } = match taken {
            Some(taken) => taken,
            None => self.published(zip, region, &found, number, line).await?,
        };
        for wrong in &found.of_other_content {
            self.remove_wrong(&layers, zip, wrong).await?;
        }
        for leftover in &found.leftovers {
            self.remove_duplicate(&layers, zip.layer.as_str(), leftover.version)
                .await?;
        }
        line.step(&format!("{}: granting", zip.logical_name));
        let (grants, granted) = bring_grants(
            &layers,
            zip.layer.as_str(),
            version.version,
            is_new,
            &Asked {
                grants: &self.settings.grants,
                exact: self.settings.exact,
            },
        )
        .await?;
        self.write_parameter(parameter.as_deref(), region, &version)
            .await?;
        Ok(Placed {
            publication: self.publication(zip, region, &version, grants)?,
            published,
            granted,
        })
    }

    /// Publishes one version, or as many as it takes to get that number. Returns the one that counts.
    async fn published(
        &self,
        zip: &ReadyZip,
        region: &Region,
        found: &Found,
        number: Option<u64>,
        line: &RegionLine,
    ) -> Result<Taken> {
        let layers = self.signed.layers(region);
        let content = self.content(zip, region, line).await?;
        let outcome = self
            .publish_from(&content, zip, &layers, found, number, line)
            .await;
        if let Content::InBucket(object) = &content
            && !self.settings.keep
            && let Err(error) = self.bucket(region, &object.bucket).remove(object).await
        {
            let (bucket, key) = (&object.bucket, &object.key);
            self.reporter
                .warn(&format!("s3://{bucket}/{key} is left there: {error}"));
        }
        outcome
    }

    async fn publish_from(
        &self,
        content: &Content,
        zip: &ReadyZip,
        layers: &Layers,
        found: &Found,
        number: Option<u64>,
        line: &RegionLine,
    ) -> Result<Taken> {
        let mut after = found.newest;
        let mut published = 0;
        loop {
            let version = self.publish_once(zip, layers, content, line, after).await?;
            published += 1;
            after = version.version;
            let version = match number {
                Some(number) if after < number => continue,
                Some(_) => version,
                None => self.settled(zip, layers, version, found.newest).await?,
            };
            return Ok(Taken {
                is_new: version.version == after,
                version,
                published,
            });
        }
    }

    async fn content(&self, zip: &ReadyZip, region: &Region, line: &RegionLine) -> Result<Content> {
        if !zip.needs_bucket {
            return Ok(Content::InRequest(self.bodies.of(zip).await?));
        }
        let template = self.settings.bucket.as_ref();
        let name = template
            .map(|template| template.fill(&self.template_values(zip, region)))
            .transpose()?;
        let name = name.unwrap_or_default();
        let upload = line.upload(&zip.logical_name, zip.record.zipped_size);
        let bucket = self.bucket(region, &name);
        let staged = bucket.stage(&zip.path, &zip.record.sha256, &upload).await?;
        Ok(Content::InBucket(staged))
    }

    /// What stands for placeholders of buckets' and parameters' names.
    fn template_values<'v>(&'v self, zip: &'v ReadyZip, region: &'v Region) -> TemplateValues<'v> {
        TemplateValues {
            region: Some(region),
            account: Some(self.account()),
            ..zip.template_values()
        }
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
    ) -> Result<LayerVersion> {
        let mut pauses = Patience {
            tries: self.session().attempts(),
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
                Ok(version) => return self.whole(zip, layers, version).await,
                Err(error) => error,
            };
            let refusal = error.refusal();
            let uncertain = refusal.is_some_and(Refusal::is_uncertain);
            if !refusal.is_some_and(Refusal::may_pass) {
                return Err(error.into());
            }
            let Some(pause) = pauses.next() else {
                return Err(error.into());
            };
            line.step(&format!("{}: waiting to try again", zip.logical_name));
            tokio::time::sleep(pause).await;
            if uncertain {
                let versions = layers.versions(layer).await?.into_iter();
                let mut newer = versions.filter(|version| version.version > after);
                if let Some(version) = newer.find(|version| zip.is_published_as(version))
                    && let Some(code_sha256) = layers.code_sha256(layer, version.version).await?
                {
                    let published = PublishedVersion {
                        version,
                        code_sha256,
                    };
                    return self.whole(zip, layers, published).await;
                }
            }
        }
    }

    /// A version, if Lambda has got the zip that was audited: one from a bucket may be another, or the file was changed.
    async fn whole(
        &self,
        zip: &ReadyZip,
        layers: &Layers,
        published: PublishedVersion,
    ) -> Result<LayerVersion> {
        let PublishedVersion {
            version,
            code_sha256,
        } = published;
        if code_sha256 == zip.record.sha256.base64() {
            return Ok(version);
        }
        let (layer, number) = (zip.layer.as_str(), version.version);
        let left = match layers.delete(layer, number).await {
            Ok(()) => String::new(),
            Err(error) => format!(
                ". The version {layer}:{number} with that content could not be deleted, and is not used: {error}"
            ),
        };
        bail!(
            "Lambda has got another content than that of {}; the file was changed while it was published: type the same \
             again{left}",
            zip.path.display()
        )
    }

    async fn write_parameter(
        &self,
        name: Option<&str>,
        region: &Region,
        version: &LayerVersion,
    ) -> Result<()> {
        let Some(name) = name else { return Ok(()) };
        let parameters = Parameters::new(
            self.session(),
            region,
            self.partition(),
            self.account().as_str(),
        );
        if parameters.get(name).await?.as_deref() != Some(&version.arn) {
            parameters.put(name, &version.arn).await?;
        }
        Ok(())
    }

    fn publication(
        &self,
        zip: &ReadyZip,
        region: &Region,
        version: &LayerVersion,
        grants: BTreeSet<Grant>,
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
}
