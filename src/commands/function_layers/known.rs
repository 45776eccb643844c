//! What is known of a layer version: from the record of what was published, from the build records in `dist`, from AWS,
//! and from the zip itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};

use super::find::minor;
use super::remote_zip::RemoteZip;
use crate::aws::{Refusal, Session, SharedLayer, shared_layer};
use crate::checksum::Sha256;
use crate::function::layers::{FunctionLayer, KnownContent};
use crate::http::Http;
use crate::layer::{BuildRecord, LayerArchive};
use crate::package::Description;
use crate::publication::{Described, LayerVersionArn, Publication, PublicationRecord, described_r};

/// A layer version, and what else there is of it.
#[derive(Clone)]
pub struct Known {
    /// What is known.
    pub layer: FunctionLayer,
    /// Why AWS does not show it to us, if it does not.
    pub hidden: Option<Hidden>,
    zip: Option<Arc<RemoteZip>>,
}

/// Why a layer version cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// There is none, or it was deleted.
    NotThere,
    /// Its owner has not granted it to us, or a policy of ours forbids it; AWS's words.
    Denied(String),
}

/// Looks up what is known, each version once.
pub struct Knowledge {
    session: Session,
    http: Http,
    built: BTreeMap<Sha256, BuildRecord>,
    known: Mutex<BTreeMap<LayerVersionArn, Arc<OnceCell<Known>>>>,
}

impl Knowledge {
    /// With the build records of zips that are here.
    pub fn new(session: &Session, http: Http, built: &[BuildRecord]) -> Knowledge {
        let built = built.iter().cloned();
        Knowledge {
            session: session.clone(),
            http,
            built: built.map(|record| (record.sha256, record)).collect(),
            known: Mutex::default(),
        }
    }

    /// What is known of a layer version.
    ///
    /// # Errors
    /// If AWS cannot be asked. That it does not show a layer is no error.
    pub async fn of(&self, arn: &LayerVersionArn, record: &PublicationRecord) -> Result<Known> {
        let known = self
            .known
            .lock()
            .await
            .entry(arn.clone())
            .or_default()
            .clone();
        let look_up = || {
            let mut all = record.publications();
            self.look_up(arn, all.find(|publication| publication.arn == *arn))
        };
        Ok(known.get_or_try_init(look_up).await?.clone())
    }

    async fn look_up(
        &self,
        arn: &LayerVersionArn,
        published: Option<&Publication>,
    ) -> Result<Known> {
        let mut known = Known {
            layer: FunctionLayer {
                arn: arn.clone(),
                logical_name: None,
                content: KnownContent::default(),
            },
            hidden: None,
            zip: None,
        };
        let shared = match shared_layer(&self.session, arn).await {
            Ok(Some(shared)) => shared,
            Ok(None) => {
                known.hidden = Some(Hidden::NotThere);
                SharedLayer::default()
            }
            Err(error) if error.refusal() == Some(Refusal::Denied) => {
                known.hidden = Some(Hidden::Denied(error.to_string()));
                SharedLayer::default()
            }
            Err(error) => return Err(error.into()),
        };
        let described = Described::parse(&shared.description);
        let sha256 = published.map(|publication| publication.sha256);
        let sha256 = sha256.or(described.as_ref().map(|described| described.sha256));
        known.layer.logical_name = published
            .map(|publication| publication.logical_name.clone())
            .or(described.map(|described| described.logical_name));
        let content = &mut known.layer.content;
        content.architectures = shared.architectures;
        content.sha256 = sha256;
        let r_version = published.map(|publication| publication.r_version.clone());
        content.r_minor = match (&r_version, &known.layer.logical_name) {
            (Some(version), _) => minor(version),
            (None, Some(_)) => described_r(&shared.description).map(|version| version.minor_text()),
            (None, None) => None,
        };
        match sha256.and_then(|sha256| self.built.get(&sha256)) {
            Some(built) => of_record(content, built),
            None => known.zip = self.looked_into(shared.location.as_deref(), content).await,
        }
        Ok(known)
    }

    /// Looks into the zip; what cannot be fetched stays unknown.
    async fn looked_into(
        &self,
        location: Option<&str>,
        content: &mut KnownContent,
    ) -> Option<Arc<RemoteZip>> {
        let zip = RemoteZip::open(&self.http, location?).await.ok()?;
        of_directory(content, &zip.archive);
        if content.r_minor.is_none() {
            content.r_minor = of_itself(&zip).await;
        }
        Some(Arc::new(zip))
    }

    /// Bytes of a function's own files, and whether there is a bootstrap among them.
    pub async fn of_code(&self, location: &str) -> Result<(u64, bool)> {
        let zip = RemoteZip::open(&self.http, location).await?;
        let mut content = KnownContent::default();
        of_directory(&mut content, &zip.archive);
        Ok((
            zip.archive.unzipped_size(),
            content.has_bootstrap == Some(true),
        ))
    }

    async fn zip_of(&self, arn: &LayerVersionArn) -> Option<Arc<RemoteZip>> {
        let known = self.known.lock().await.get(arn).cloned()?;
        known.get()?.zip.clone()
    }

    /// Reads the versions of packages that are in several of these layers, as far as they are not known.
    pub async fn compare_packages(&self, layers: &mut [FunctionLayer]) -> Result<()> {
        let mut seen = BTreeSet::new();
        let packages = layers
            .iter()
            .flat_map(|layer| layer.content.packages.keys());
        let twice: BTreeSet<String> = packages
            .filter(|package| !seen.insert(*package))
            .cloned()
            .collect();
        for layer in layers {
            let Some(zip) = self.zip_of(&layer.arn).await else {
                continue;
            };
            let unknown = layer.content.packages.iter_mut();
            let unknown =
                unknown.filter(|(package, version)| version.is_none() && twice.contains(*package));
            for (package, version) in unknown {
                let path = format!("R/library/{package}/DESCRIPTION");
                let text = zip.content(&path).await?.unwrap_or_default();
                let description = Description::parse(&String::from_utf8_lossy(&text)).ok();
                *version = description.map(|description| description.version);
            }
        }
        Ok(())
    }
}

fn of_record(content: &mut KnownContent, record: &BuildRecord) {
    content.has_bootstrap = Some(record.layer_of_packages().is_none());
    content.r_minor = content.r_minor.take().or_else(|| record.r_minor());
    content.unzipped = Some(record.unzipped_size);
    let packages = record.packages.iter();
    content.packages = packages
        .map(|(name, package)| (name.clone(), Some(package.version.clone())))
        .collect();
}

fn of_directory(content: &mut KnownContent, archive: &LayerArchive) {
    content.unzipped = Some(archive.unzipped_size());
    let paths = || archive.entries.iter().map(|entry| entry.path.as_str());
    content.has_bootstrap = Some(paths().any(|path| path == "bootstrap"));
    let package = |path: &str| {
        let package = path
            .strip_prefix("R/library/")?
            .strip_suffix("/DESCRIPTION")?;
        (!package.contains('/')).then(|| (package.to_owned(), None))
    };
    content.packages = paths().filter_map(package).collect();
}

/// What a layer of ours says of itself: `r-layer/NAME.json`.
async fn of_itself(zip: &RemoteZip) -> Option<String> {
    #[derive(Deserialize)]
    struct Itself {
        r_version: String,
    }
    let is_it = |path: &&str| {
        let name = path.strip_prefix("r-layer/");
        name.is_some_and(|name| name.ends_with(".json") && !name.contains('/'))
    };
    let mut paths = zip.archive.entries.iter().map(|entry| entry.path.as_str());
    let text = zip.content(paths.find(is_it)?).await.ok()??;
    let itself: Itself = serde_json::from_slice(&text).ok()?;
    minor(&itself.r_version)
}
