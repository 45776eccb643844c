//! What is to be there in the end, and whether that can work, before anything is sent.

use std::path::Path;

use anyhow::{Result, bail};

use super::checks::{Loading, zips_of};
use super::settings::RoleWanted;
use super::source::{Source, SourceImage, check_kind, resolved};
use super::{Deployment, packages};
use crate::aws::DeployedFunction;
use crate::cli::RegistryOptions;
use crate::commands::function_layers::{LayerPlan, Place};
use crate::function::code::{FunctionCode, check_handler};
use crate::function::{Difference, FunctionSettings};
use crate::target::Architecture;

/// What is to be there in the end.
pub struct Goal {
    /// Its settings.
    pub settings: FunctionSettings,
    /// Its processor.
    pub architecture: Architecture,
    /// Its layers; an image has none.
    pub layers: LayerPlan,
    /// The image that it is made from, if it is made from one.
    pub image: Option<SourceImage>,
}

impl Goal {
    /// Is a function made from that already?
    pub fn is_made_from(&self, function: &DeployedFunction, source: &Source) -> bool {
        let same = match (source, &self.image) {
            (Source::Code(code), _) => function.code_sha256 == code.sha256.base64(),
            (Source::Image(_), Some(image)) => function
                .image
                .as_ref()
                .is_some_and(|uri| uri.ends_with(&image.digest.oci())),
            (Source::Image(_), None) => false,
        };
        same && function.architecture == self.architecture
    }
}

impl Goal {
    /// What is said here and different there, for people; layers apart.
    pub fn differences(&self, existing: Option<&DeployedFunction>) -> Vec<Difference> {
        let nothing = FunctionSettings::default();
        let current = existing.map_or(&nothing, |function| &function.settings);
        let mut differences = self.settings.differences(current);
        let before = existing.map(|function| function.architecture);
        if before != Some(self.architecture) {
            differences.push(Difference {
                setting: "processor".to_owned(),
                before: before.map(|before| before.to_string()),
                after: Some(self.architecture.to_string()),
            });
        }
        differences
    }
}

impl Deployment<'_> {
    /// What is to be there, with the layers that fit.
    pub(super) async fn goal(&self, existing: Option<&DeployedFunction>) -> Result<Goal> {
        if let Some(function) = existing {
            check_kind(function, self.source)?;
        }
        let own = existing.map(|function| function.architecture);
        // A new function's is the project's; one that there is keeps its own unless another is said.
        let architecture = self
            .settings
            .architecture
            .or(own)
            .or(self.settings.usual_architecture)
            .unwrap_or(Architecture::X86_64);
        let mut settings = self.settings.wanted(existing, self.source)?;
        let (layers, image) = match self.source {
            Source::Code(code) => {
                let layers = self.layers_beside(code, architecture, existing).await?;
                settings.layers = Some(layers.after_arns());
                (layers, None)
            }
            Source::Image(image) => {
                let (signed, region, reporter) = (self.signed, self.region, self.reporter);
                let registry = RegistryOptions {
                    create_repository: false,
                    aws: self.args.aws.clone(),
                };
                let image =
                    resolved(image, architecture, signed, region, &registry, reporter).await?;
                (LayerPlan::default(), Some(image))
            }
        };
        if existing.is_none() && self.settings.role == RoleWanted::Own {
            bail!(
                "there is no function {} yet, and a new one needs a role: type --role ARN, or --create-role, which makes one \
                 that may write its log",
                self.args.function
            );
        }
        if let RoleWanted::Given(arn) = &self.settings.role {
            settings.role = Some(arn.clone());
        }
        Ok(Goal {
            settings,
            architecture,
            layers,
            image,
        })
    }

    async fn layers_beside(
        &self,
        code: &FunctionCode,
        architecture: Architecture,
        existing: Option<&DeployedFunction>,
    ) -> Result<LayerPlan> {
        let place = Place {
            region: self.region,
            architecture,
            code_unzipped: Some(code.unzipped),
        };
        let current = existing.and_then(|function| function.settings.layers.clone());
        let (current, wanted) = (current.unwrap_or_default(), &self.settings.layers);
        self.layers.attached(&current, place, wanted).await
    }

    /// What can be known before anything is sent.
    pub(super) async fn check(&self, goal: &Goal) -> Result<()> {
        let Source::Code(code) = self.source else {
            return Ok(());
        };
        let handler = goal.settings.handler.as_deref().unwrap_or_default();
        check_handler(handler, &code.files)?;
        if self.args.no_check {
            return Ok(());
        }
        let layers = &goal.layers.after;
        let zips = zips_of(layers, Path::new("dist"))?;
        let here = zips.clone().unwrap_or_default();
        packages::check(code, layers, here, self.reporter).await?;
        let empty = Default::default();
        let loading = Loading {
            zips,
            code,
            handler,
            environment: goal.settings.environment.as_ref().unwrap_or(&empty),
        };
        loading.check(self.reporter).await
    }
}
