//! `r-layer verify-published`: is what the record says still so?

use std::fmt;
use std::path::Path;

use anyhow::Result;
use futures_util::future::join_all;
use serde::Serialize;

use super::aws_session::Signed;
use super::publish::grants::statements;
use super::recorded::Selection;
use crate::cli::VerifyPublishedArgs;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::{Publication, grants_of};

/// What was found of a version.
#[derive(Debug, Serialize)]
struct Verified {
    arn: String,
    /// What differs; nothing if all is as it should be.
    differences: Vec<String>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct AllVerified {
    versions: Vec<Verified>,
}

impl AllVerified {
    /// Is all as the record says?
    pub fn is_well(&self) -> bool {
        self.versions
            .iter()
            .all(|version| version.differences.is_empty())
    }
}

/// Compares the record with what AWS has.
pub async fn run(args: VerifyPublishedArgs, reporter: &dyn Reporter) -> Result<AllVerified> {
    let manifest = Manifest::read(Path::new("."))?;
    let section = &manifest.publish;
    let selection = Selection {
        layers: &args.layers,
        regions: &args.regions,
        aws: &args.aws,
        target: section.chosen_target(args.to.as_deref())?,
    };
    let (signed, own) = selection.own(section, reporter).await?;
    let verified = own.iter().map(|publication| verify(publication, &signed));
    Ok(AllVerified {
        versions: join_all(verified).await,
    })
}

async fn verify(publication: &Publication, signed: &Signed) -> Verified {
    let differences = match differences(publication, signed).await {
        Ok(differences) => differences,
        Err(error) => vec![format!("it cannot be looked at: {error:#}")],
    };
    Verified {
        arn: publication.arn.to_string(),
        differences,
    }
}

async fn differences(publication: &Publication, signed: &Signed) -> Result<Vec<String>> {
    let layers = signed.layers(&publication.region);
    let (layer, version) = (publication.layer.as_str(), publication.version);
    let Some(published) = layers.code_sha256(layer, version).await? else {
        return Ok(vec![
            "there is no such version any more; `r-layer publish` makes a new one".to_owned(),
        ]);
    };
    let mut differences = Vec::new();
    let recorded = publication.sha256.base64();
    if published != recorded {
        differences.push(format!(
            "its content is another: CodeSha256 {published}, and the record has {recorded}"
        ));
    }
    let granted = grants_of(&statements(&layers, layer, version).await?);
    for lost in publication.grants.difference(&granted) {
        differences.push(format!(
            "it is not granted to {lost} any more; `r-layer grant` does it again"
        ));
    }
    for other in granted.difference(&publication.grants) {
        differences.push(format!(
            "it is granted to {other}, which the record does not say"
        ));
    }
    Ok(differences)
}

impl fmt::Display for AllVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut differing = 0;
        for version in &self.versions {
            if version.differences.is_empty() {
                continue;
            }
            differing += 1;
            writeln!(f, "{}", version.arn)?;
            for difference in &version.differences {
                writeln!(f, "  {difference}")?;
            }
        }
        let all = self.versions.len();
        match differing {
            0 => writeln!(f, "{all} versions are as they were published"),
            _ => writeln!(f, "{differing} of {all} versions differ"),
        }
    }
}
