//! From the layers that a function has to those that it is to have, checked.

use anyhow::{Result, bail};
use futures_util::future::try_join_all;

use super::known::{Hidden, Known};
use super::{FunctionLayers, Wanted};
use crate::aws::DeployedFunction;
use crate::function::layers::{
    FunctionLayer, LayerFault, Question, Request, arrange, check, is_part, remove, unknowns,
    whole_name,
};
use crate::publication::{LayerReference, LayerVersionArn, Region, is_called};
use crate::target::{Architecture, Limits, Target};

use super::find::Purpose;

/// What is to become of the layers of a function.
#[derive(Clone, Debug, Default)]
pub struct LayerPlan {
    /// As they are.
    pub before: Vec<FunctionLayer>,
    /// As they are to be.
    pub after: Vec<FunctionLayer>,
    /// What could not be checked, and what else people should know.
    pub notes: Vec<String>,
}

impl LayerPlan {
    /// The ARNs that AWS is told.
    pub fn after_arns(&self) -> Vec<String> {
        let arns = self.after.iter();
        arns.map(|layer| layer.arn.to_string()).collect()
    }
}

/// A function whose layers are planned: one that there is, or is to be.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its region.
    pub region: &'a Region,
    /// Its processor.
    pub architecture: Architecture,
    /// Bytes of its own files, if they are known.
    pub code_unzipped: Option<u64>,
}

impl FunctionLayers<'_> {
    /// The layers of a function after `attach`.
    pub async fn attached(
        &self,
        existing: &[String],
        place: Place<'_>,
        wanted: &Wanted,
    ) -> Result<LayerPlan> {
        let before = self.existing(existing).await?;
        let minor = wanted.r_minor(self.manifest, &before);
        let mut request = Request::default();
        for reference in wanted.references(self.manifest) {
            let purpose = place.purpose(minor.as_deref());
            let found = self.finder.find(&reference, purpose).await?;
            request.whole.extend(found.whole);
            for arn in found.versions {
                request.layers.push(self.readable(&arn).await?);
            }
        }
        self.follow_r(&before, &mut request, place).await?;
        let after = arrange(&before, &request);
        self.checked(before, after, place).await
    }

    /// The layers of a function after `detach`: without those that are named, or without all of ours.
    pub async fn detached(
        &self,
        existing: &[String],
        place: Place<'_>,
        named: &[LayerReference],
    ) -> Result<LayerPlan> {
        let before = self.existing(existing).await?;
        for reference in named {
            if !before
                .iter()
                .any(|layer| is_named(layer, reference, &before))
            {
                let has: Vec<String> = before
                    .iter()
                    .map(|layer| format!("{}:{}", layer.arn.layer.layer, layer.arn.version))
                    .collect();
                match has.is_empty() {
                    true => bail!("the function has no layer `{reference}`: it has none at all"),
                    false => bail!(
                        "the function has no layer `{reference}`; it has: {}",
                        has.join(", ")
                    ),
                }
            }
        }
        let is_meant = |layer: &FunctionLayer| match named.is_empty() {
            true => layer.is_ours(),
            false => named
                .iter()
                .any(|reference| is_named(layer, reference, &before)),
        };
        let after = remove(&before, is_meant);
        if after.iter().any(FunctionLayer::is_ours) {
            return self.checked(before, after, place).await;
        }
        let mut notes = Vec::new();
        if before.iter().any(FunctionLayer::is_runtime) {
            notes.push(
                "without the runtime layer R does not start: give the function another runtime before it is invoked"
                    .to_owned(),
            );
        }
        Ok(LayerPlan {
            before,
            after,
            notes,
        })
    }

    /// What is known of a function's code; nothing, where AWS does not let it be looked at.
    pub async fn code_of(&self, function: &DeployedFunction) -> (Option<u64>, Option<String>) {
        let Some(location) = &function.code_location else {
            return (None, None);
        };
        match self.knowledge.of_code(location).await {
            Ok((size, false)) => (Some(size), None),
            Ok((size, true)) => (
                Some(size),
                Some(
                    "the function's own code has a bootstrap, which Lambda starts instead of the runtime layer's"
                        .to_owned(),
                ),
            ),
            Err(_) => (None, None),
        }
    }

    async fn existing(&self, arns: &[String]) -> Result<Vec<FunctionLayer>> {
        let arns: Vec<LayerVersionArn> = arns
            .iter()
            .map(|arn| arn.parse())
            .collect::<Result<_, _>>()?;
        let known = arns.iter().map(|arn| self.knowledge.of(arn, self.record));
        let known = try_join_all(known).await?;
        Ok(known.into_iter().map(|known| known.layer).collect())
    }

    /// A layer that is wanted, which has to be there and ours to read.
    async fn readable(&self, arn: &LayerVersionArn) -> Result<FunctionLayer> {
        let Known { layer, hidden, .. } = self.knowledge.of(arn, self.record).await?;
        match hidden {
            None => Ok(layer),
            Some(Hidden::NotThere) => bail!(
                "{arn} is not there (any more); r-layer list --remote --region {} shows what is, and r-layer publish \
                 publishes it anew",
                arn.layer.region
            ),
            Some(Hidden::Denied(reason)) if arn.layer.account == self.signed.account => {
                bail!("{arn} cannot be read: {reason}")
            }
            Some(Hidden::Denied(reason)) => bail!(
                "{arn} is of account {}, which has not granted it to {own}, or has deleted it: there, type r-layer grant \
                 --account {own} (or --organization, --public). AWS says: {reason}",
                arn.layer.account,
                own = self.signed.account
            ),
        }
    }

    /// Layers for another R than the one that is wanted now change with it: all together.
    async fn follow_r(
        &self,
        before: &[FunctionLayer],
        request: &mut Request,
        place: Place<'_>,
    ) -> Result<()> {
        let ours = request.layers.iter().filter(|layer| layer.is_ours());
        let minor = ours
            .filter_map(|layer| layer.content.r_minor.clone())
            .next();
        let Some(minor) = minor else { return Ok(()) };
        let purpose = place.purpose(Some(&minor));
        for layer in before {
            let Some(name) = &layer.logical_name else {
                continue;
            };
            let is_of_minor = layer.content.r_minor.as_ref() == Some(&minor);
            let is_wanted = request
                .layers
                .iter()
                .any(|wanted| wanted.is_same_layer(layer))
                || request.whole.contains(whole_name(name));
            if is_of_minor || is_wanted || layer.content.r_minor.is_none() {
                continue;
            }
            let found = match self
                .finder
                .named(meant(name, before), None, purpose)
                .await?
            {
                Some(found) => Some(found),
                None => self.finder.named(name, None, purpose).await?,
            };
            let Some(found) = found else {
                bail!(
                    "the function has {}:{} for R {}, and the others are for R {minor}: there is no {name} for R {minor} in \
                     {}. Build and publish it, or take it out first: r-layer detach --layer {name}",
                    layer.arn.layer.layer,
                    layer.arn.version,
                    layer.content.r_minor.as_deref().unwrap_or_default(),
                    place.region
                );
            };
            request.whole.extend(found.whole);
            for arn in found.versions {
                request.layers.push(self.readable(&arn).await?);
            }
        }
        Ok(())
    }

    async fn checked(
        &self,
        before: Vec<FunctionLayer>,
        mut after: Vec<FunctionLayer>,
        place: Place<'_>,
    ) -> Result<LayerPlan> {
        self.knowledge.compare_packages(&mut after).await?;
        let question = Question {
            architecture: place.architecture,
            code_unzipped: place.code_unzipped,
            limits: limits()?,
        };
        let faults = check(&after, &question);
        match &faults[..] {
            [] => Ok(LayerPlan {
                notes: unknowns(&after, &question),
                before,
                after,
            }),
            [fault] => bail!(fault.clone()),
            _ => bail!("{}", joined(&faults)),
        }
    }
}

impl Place<'_> {
    fn purpose<'a>(&'a self, r_minor: Option<&'a str>) -> Purpose<'a> {
        Purpose {
            region: self.region,
            architecture: self.architecture,
            r_minor,
        }
    }
}

/// What a layer is asked for by that a function has: a part by the whole, whose parts for another R may be others.
fn meant<'a>(name: &'a str, before: &[FunctionLayer]) -> &'a str {
    match is_part(name, before) {
        true => whole_name(name),
        false => name,
    }
}

fn limits() -> Result<&'static Limits> {
    Ok(&Target::named(Target::DEFAULT)?.limits)
}

fn joined(faults: &[LayerFault]) -> String {
    let lines = faults.iter().map(|fault| format!("\n  {fault}"));
    format!(
        "these layers do not go together:{}",
        lines.collect::<String>()
    )
}

/// Is a layer the one that is named, of those that a function has?
fn is_named(layer: &FunctionLayer, reference: &LayerReference, all: &[FunctionLayer]) -> bool {
    match reference {
        LayerReference::Arn(arn) => layer.arn == *arn,
        LayerReference::Zip(_) => false,
        LayerReference::Named { name, version } => {
            let logical = layer.logical_name.as_deref();
            let is_it = |logical: &str| {
                let is_whole = is_part(logical, all) && is_called(whole_name(logical), name);
                is_called(logical, name) || is_whole
            };
            let named = layer.arn.layer.layer.as_str() == name || logical.is_some_and(is_it);
            named && version.is_none_or(|number| layer.arn.version == number)
        }
    }
}
