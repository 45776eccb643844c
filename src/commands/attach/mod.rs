//! `r-layer attach` and `r-layer detach`: the layers of functions, changed in place.

mod result;

use std::path::Path;

use anyhow::{Result, bail};
use futures_util::future::join_all;

use super::aws_session::{Signed, open, signed};
use super::function_change::{FunctionChange, LOOKS, check_account};
use super::function_layers::{FunctionLayers, LayerPlan, Place, Wanted};
use super::function_version::VersionWanted;
use crate::aws::{DeployedFunction, Session};
use crate::cli::{AttachArgs, AwsOptions, ChangeOptions, DetachArgs};
use crate::function::{FunctionReference, FunctionSettings, ManagedBy};
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::{LayerReference, PublicationRecord, Region};
use crate::target::Target;
pub use result::Attached;
use result::{Done, FunctionResult};

/// What is done with the layers of functions.
enum Intent {
    Attach { wanted: Wanted, set_runtime: bool },
    Detach { named: Vec<LayerReference> },
}

/// Gives functions their layers.
pub async fn attach(args: AttachArgs, reporter: &dyn Reporter) -> Result<Attached> {
    let intent = Intent::Attach {
        wanted: Wanted {
            layers: args.layers,
            r_version: args.r_version,
        },
        set_runtime: args.set_runtime,
    };
    let regions = &args.regions.regions;
    run(
        &args.functions,
        regions,
        &intent,
        &args.change,
        &args.aws,
        reporter,
    )
    .await
}

/// Takes layers away from functions.
pub async fn detach(args: DetachArgs, reporter: &dyn Reporter) -> Result<Attached> {
    let intent = Intent::Detach { named: args.layers };
    let regions = &args.regions.regions;
    run(
        &args.functions,
        regions,
        &intent,
        &args.change,
        &args.aws,
        reporter,
    )
    .await
}

async fn run(
    functions: &[FunctionReference],
    regions: &[Region],
    intent: &Intent,
    options: &ChangeOptions,
    aws: &AwsOptions,
    reporter: &dyn Reporter,
) -> Result<Attached> {
    let folder = Path::new(".");
    let manifest = Manifest::read(folder)?;
    let session = open(aws, None, None).await?;
    let places = places(functions, regions, &session)?;
    let all: Vec<Region> = places.iter().map(|(_, region)| region.clone()).collect();
    let signed = signed(session, &all, aws.expect_account.as_ref(), reporter).await?;
    for (function, _) in &places {
        check_account(function, &signed)?;
    }
    let record = PublicationRecord::read(folder)?;
    let template = manifest.publish.name.clone().unwrap_or_default();
    let layers = FunctionLayers::new(&signed, &manifest, &record, &template)?;
    let run = Run {
        signed: &signed,
        layers: &layers,
        intent,
        options,
        reporter,
    };
    let each = places
        .iter()
        .map(|(function, region)| run.function(&function.name, region));
    Ok(Attached {
        functions: join_all(each).await,
        is_dry: options.dry_run,
    })
}

/// Each function in each of its regions.
fn places(
    functions: &[FunctionReference],
    regions: &[Region],
    session: &Session,
) -> Result<Vec<(FunctionReference, Region)>> {
    let mut places = Vec::new();
    for function in functions {
        let named = match super::regions::of_arn(function, regions)? {
            Some(own) => vec![own],
            None => super::regions::typed_or_set(regions, session)?,
        };
        for region in named {
            if !places.contains(&(function.clone(), region.clone())) {
                places.push((function.clone(), region));
            }
        }
    }
    Ok(places)
}

/// A run over functions.
struct Run<'a> {
    signed: &'a Signed,
    layers: &'a FunctionLayers<'a>,
    intent: &'a Intent,
    options: &'a ChangeOptions,
    reporter: &'a dyn Reporter,
}

impl Run<'_> {
    /// One function; what fails, fails alone.
    async fn function(&self, name: &str, region: &Region) -> FunctionResult {
        let functions = self.signed.functions(region);
        let what = format!("{name} in {region}");
        let change =
            FunctionChange::begin(&functions, name, &what, self.options.wait, self.reporter);
        let mut result = FunctionResult::new(name, region, &self.signed.account);
        match self.changed(&change, region, &mut result).await {
            Ok(done) => result.done = done,
            Err(error) => {
                result.steps = change.done();
                result.done = Done::Failed {
                    reason: format!("{error:#}"),
                };
            }
        }
        change.finish(&result.line());
        result
    }

    async fn changed(
        &self,
        change: &FunctionChange<'_>,
        region: &Region,
        result: &mut FunctionResult,
    ) -> Result<Done> {
        let wanted = VersionWanted {
            publish: self.options.publish_version,
            alias: self.options.alias.clone(),
        };
        for _ in 0..LOOKS {
            let function = change.existing().await?;
            check_kind(&function)?;
            let plan = self.plan(&function, region).await?;
            let settings = self.settings(&function, &plan)?;
            let managed = ManagedBy::of(&function.tags);
            result.plan(&function, &plan, &settings);
            if let Some(managed) = managed.filter(|_| !settings.is_empty()) {
                let warning = managed.warning(&function.name, &plan.after_arns());
                result.notes.push(warning);
            }
            if self.options.dry_run {
                result.notes.extend(wanted.announced());
                return Ok(match settings.is_empty() && wanted.is_nothing() {
                    true => Done::Unchanged,
                    false => Done::WouldChange,
                });
            }
            if settings.is_empty() {
                result.versioned = wanted.bring(change, &function).await?;
                return Ok(Done::of(
                    result.versioned.is_new || result.versioned.is_moved,
                ));
            }
            change.step("changing its layers");
            if !change.configure(&function, &settings).await? {
                continue;
            }
            change.did("the layers are changed");
            let function = change.carried_out().await?;
            result.versioned = wanted.bring(change, &function).await?;
            return Ok(Done::Changed);
        }
        bail!(
            "somebody else keeps changing {}; type the same again later",
            change.name
        )
    }

    async fn plan(&self, function: &DeployedFunction, region: &Region) -> Result<LayerPlan> {
        let (code_unzipped, shadowed) = self.layers.code_of(function).await;
        let place = Place {
            region,
            architecture: function.architecture,
            code_unzipped,
        };
        let existing = function.settings.layers.clone().unwrap_or_default();
        let mut plan = match self.intent {
            Intent::Attach { wanted, .. } => self.layers.attached(&existing, place, wanted).await?,
            Intent::Detach { named } => self.layers.detached(&existing, place, named).await?,
        };
        plan.notes.extend(shadowed);
        Ok(plan)
    }

    /// What is sent: the layers, and the runtime if that is wrong and may be changed.
    fn settings(&self, function: &DeployedFunction, plan: &LayerPlan) -> Result<FunctionSettings> {
        let mut wanted = FunctionSettings {
            layers: Some(plan.after_arns()),
            ..FunctionSettings::default()
        };
        if let Intent::Attach { set_runtime, .. } = self.intent {
            let has = function.settings.runtime.as_deref().unwrap_or_default();
            match (has == Target::DEFAULT, set_runtime) {
                (true, _) => {}
                (false, true) => wanted.runtime = Some(Target::DEFAULT.to_owned()),
                (false, false) => bail!(
                    "{} has the runtime {has}, and these layers are for {}; --set-runtime changes it (the handler is then \
                     file.function, of R)",
                    function.name,
                    Target::DEFAULT
                ),
            }
        }
        Ok(wanted.other_than(&function.settings))
    }
}

/// Images have no layers.
fn check_kind(function: &DeployedFunction) -> Result<()> {
    if function.is_image {
        bail!(
            "{} is a container image, and those have no layers: R goes into the image (r-layer image build), or the function \
             is made anew from a zip (r-layer deploy under another name)",
            function.name
        );
    }
    Ok(())
}
