//! `r-layer deploy`: R code as a function, made or brought up to date; only what differs is sent.

mod checks;
mod invokers;
mod packages;
mod result;
pub mod role;
mod settings;
mod upload;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use super::attach::{check_account, layer_changes};
use super::aws_session::{Signed, open, signed};
use super::function_change::FunctionChange;
use super::function_layers::{FunctionLayers, LayerPlan, Place};
use crate::aws::{AwsError, DeployedFunction, NewFunction, Refusal, Roles, Schedules};
use crate::cli::DeployArgs;
use crate::function::code::{FunctionCode, check_handler};
use crate::function::{FunctionSettings, ManagedBy};
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::{PublicationRecord, Region};
use crate::target::Architecture;
use checks::Loading;
pub use result::{DeployOutcome, Deployed};
use settings::{DeploySettings, RoleWanted};
use upload::Upload;

/// The tag by which `destroy` knows what `deploy` made.
pub const TAG: (&str, &str) = ("r-layer", "deploy");

/// How often a function is looked at anew because somebody else changed it.
const LOOKS: usize = 10;

/// How long a new role may be unknown to Lambda.
const ROLE_SETTLES: Duration = Duration::from_secs(60);

/// Makes a function, or brings it up to date.
pub async fn run(args: DeployArgs, reporter: &dyn Reporter) -> Result<Deployed> {
    let folder = Path::new(".");
    let manifest = Manifest::read(folder)?;
    let settings = DeploySettings::of(&args, &manifest)?;
    let (path, epoch) = (
        settings.code.clone(),
        std::env::var("SOURCE_DATE_EPOCH").ok(),
    );
    // In a thread of its own, so that an interruption is heard while it reads.
    let pack = move || FunctionCode::pack(&path, epoch.as_deref());
    let code = tokio::task::spawn_blocking(pack).await??;
    for out in &code.left_out {
        reporter.detail(&format!("left out: {} ({})", out.path, out.reason));
    }
    let session = open(&args.aws, None, manifest.publish.profile.as_deref()).await?;
    let region = super::regions::one(&args.function, &args.regions.regions, &session)?;
    let regions = [region];
    let expected = args.aws.expect_account.as_ref();
    let signed = signed(session, &regions, expected, reporter).await?;
    check_account(&args.function, &signed)?;
    let record = PublicationRecord::read(folder)?;
    let template = manifest.publish.name.clone().unwrap_or_default();
    let [region] = &regions;
    let deployment = Deployment {
        layers: FunctionLayers::new(&signed, &manifest, &record, &template)?,
        signed: &signed,
        region,
        settings: &settings,
        code: &code,
        args: &args,
        reporter,
    };
    let functions = signed.functions(region);
    let (name, what) = (
        &args.function.name,
        format!("{} in {region}", args.function),
    );
    let change = FunctionChange::begin(&functions, name, &what, args.change.wait, reporter);
    let deployed = deployment.bring(&change).await?;
    change.finish(&format!("{what}: done"));
    Ok(deployed)
}

/// A function that is made or brought up to date.
struct Deployment<'a> {
    signed: &'a Signed,
    layers: FunctionLayers<'a>,
    region: &'a Region,
    settings: &'a DeploySettings,
    code: &'a FunctionCode,
    args: &'a DeployArgs,
    reporter: &'a dyn Reporter,
}

/// What is to be there in the end.
struct Goal {
    settings: FunctionSettings,
    architecture: Architecture,
    layers: LayerPlan,
}

impl Deployment<'_> {
    async fn bring(&self, change: &FunctionChange<'_>) -> Result<Deployed> {
        let existing = change.settled().await?;
        let goal = self.goal(existing.as_ref()).await?;
        self.check(&goal).await?;
        let mut deployed = self.planned(change, existing.as_ref(), &goal);
        if self.args.change.dry_run {
            return Ok(deployed);
        }
        let function = match existing {
            None => self.create(change, &goal).await?,
            Some(_) => self.update(change, &goal).await?,
        };
        self.bring_tags(change, &function).await?;
        deployed.versioned = self.settings.version.bring(change, &function).await?;
        let alias = self.settings.version.alias.as_deref();
        if let Some(auth) = self.settings.url {
            deployed.url = Some(invokers::bring_url(change, alias, auth).await?);
        }
        if let Some(expression) = &self.settings.schedule {
            let schedules = self.schedules();
            invokers::bring_schedule(change, &schedules, alias, expression).await?;
        }
        deployed.steps = change.done();
        if deployed.outcome == DeployOutcome::WouldChange {
            deployed.outcome = match deployed.steps.is_empty() {
                true => DeployOutcome::Unchanged,
                false => DeployOutcome::Changed,
            };
        } else {
            deployed.outcome = DeployOutcome::Created;
        }
        Ok(deployed)
    }

    /// What is to be there, with the layers that fit.
    async fn goal(&self, existing: Option<&DeployedFunction>) -> Result<Goal> {
        if let Some(function) = existing
            && function.is_image
        {
            bail!(
                "{} is a container image, and code for one cannot be replaced by a zip; r-layer deploy --image REF brings \
                 another image, or deploy under another name",
                function.name
            );
        }
        let own = existing.map(|function| function.architecture);
        // A new function's is the project's; one that there is keeps its own unless another is typed.
        let typed = self.args.arch;
        let architecture = typed
            .or(own)
            .or(self.settings.architecture)
            .unwrap_or(Architecture::X86_64);
        let place = Place {
            region: self.region,
            architecture,
            code_unzipped: Some(self.code.unzipped),
        };
        let current = existing.and_then(|function| function.settings.layers.clone());
        let current = current.unwrap_or_default();
        let plan = self
            .layers
            .attached(&current, place, &self.settings.layers)
            .await?;
        let mut settings = self.settings.wanted(existing)?;
        settings.layers = Some(plan.after_arns());
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
            layers: plan,
        })
    }

    /// What can be known before anything is sent.
    async fn check(&self, goal: &Goal) -> Result<()> {
        let handler = goal.settings.handler.as_deref().unwrap_or_default();
        check_handler(handler, &self.code.files)?;
        if self.args.no_check {
            return Ok(());
        }
        packages::check(self.code, &goal.layers.after, self.reporter).await?;
        let empty = Default::default();
        let loading = Loading {
            layers: &goal.layers.after,
            code: self.code,
            handler,
            environment: goal.settings.environment.as_ref().unwrap_or(&empty),
        };
        loading.check(self.reporter).await
    }

    fn planned(
        &self,
        change: &FunctionChange<'_>,
        existing: Option<&DeployedFunction>,
        goal: &Goal,
    ) -> Deployed {
        let nothing = FunctionSettings::default();
        let current = existing.map_or(&nothing, |function| &function.settings);
        let plan = &goal.layers;
        let mut notes = plan.notes.clone();
        let same_code = existing.is_some_and(|function| self.is_code_of(function, goal));
        if let Some(function) = existing
            && let Some(managed) = ManagedBy::of(&function.tags)
        {
            notes.push(managed.warning(&function.name, &plan.after_arns()));
        }
        Deployed {
            function: change.name.to_owned(),
            region: self.region.clone(),
            outcome: match existing {
                None => DeployOutcome::WouldCreate,
                Some(_) => DeployOutcome::WouldChange,
            },
            arn: change.functions.arn(change.name),
            code_changed: !same_code,
            code_size: self.code.zip.len() as u64,
            layers: layer_changes(&plan.before, &plan.after, self.signed.account.as_str()),
            settings: goal.settings.differences(current),
            left_out: self.code.left_out.clone(),
            steps: Vec::new(),
            versioned: Default::default(),
            url: None,
            schedule: self.settings.schedule.clone(),
            notes,
            invoke: format!(
                "r-layer invoke --function {} --region {} --event '{{}}'",
                change.name, self.region
            ),
        }
    }

    fn is_code_of(&self, function: &DeployedFunction, goal: &Goal) -> bool {
        function.code_sha256 == self.code.sha256.base64()
            && function.architecture == goal.architecture
    }

    async fn create(&self, change: &FunctionChange<'_>, goal: &Goal) -> Result<DeployedFunction> {
        let mut settings = goal.settings.clone();
        let mut waits_for_role = false;
        if let RoleWanted::Made(policies) = &self.settings.role {
            let arn = role::made_role(change, &self.roles(), self.partition(), policies).await?;
            settings.role = Some(arn);
            waits_for_role = true;
        }
        let mut tags = self.settings.tags.clone();
        tags.insert(TAG.0.to_owned(), TAG.1.to_owned());
        let upload = Upload::begin(self, change).await?;
        let new = NewFunction {
            settings,
            architecture: goal.architecture,
            code: upload.code.clone(),
            tags,
        };
        change.step("making it");
        let made = self.created(change, &new, waits_for_role).await;
        upload.finish().await;
        made?;
        change.did("the function is made");
        change.carried_out().await
    }

    /// Creates it, again as long as Lambda does not know its new role.
    async fn created(
        &self,
        change: &FunctionChange<'_>,
        new: &NewFunction,
        waits_for_role: bool,
    ) -> Result<()> {
        let end = tokio::time::Instant::now() + ROLE_SETTLES;
        loop {
            let error = match change.functions.create(change.name, new).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let is_role = error.refusal() == Some(Refusal::Invalid)
                && error.to_string().contains("cannot be assumed");
            if !is_role {
                return Err(error.into());
            }
            if !waits_for_role || tokio::time::Instant::now() > end {
                let role = new.settings.role.as_deref().unwrap_or_default();
                bail!(
                    "Lambda may not take the role {role}: its trust policy has to let lambda.amazonaws.com assume it \
                     (--create-role makes one that does). AWS says: {error}"
                );
            }
            change.step("waiting until its new role is known");
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    /// Sends what differs, and looks again until nothing does.
    async fn update(&self, change: &FunctionChange<'_>, goal: &Goal) -> Result<DeployedFunction> {
        let mut wanted = goal.settings.clone();
        if let RoleWanted::Made(policies) = &self.settings.role {
            let arn = role::made_role(change, &self.roles(), self.partition(), policies).await?;
            wanted.role = Some(arn);
        }
        let mut configured = false;
        for _ in 0..LOOKS {
            let function = change.existing().await?;
            if !self.is_code_of(&function, goal) {
                self.replace_code(change, &function, goal).await?;
                continue;
            }
            let settings = wanted.other_than(&function.settings);
            // What AWS has in another form than it was sent is sent once.
            if settings.is_empty() || configured {
                return Ok(function);
            }
            change.step("changing its settings");
            if change.configure(&function, &settings).await? {
                change.did("its settings are changed");
                change.carried_out().await?;
                configured = true;
            }
        }
        bail!(
            "somebody else keeps changing {}; type the same again later",
            change.name
        )
    }

    async fn replace_code(
        &self,
        change: &FunctionChange<'_>,
        function: &DeployedFunction,
        goal: &Goal,
    ) -> Result<()> {
        let upload = Upload::begin(self, change).await?;
        change.step("replacing its code");
        let (code, revision) = (&upload.code, &function.revision);
        let sent = change
            .functions
            .replace_code(change.name, code, goal.architecture, revision)
            .await;
        upload.finish().await;
        if change.was_taken(sent).await? {
            change.did("its code is replaced");
            change.carried_out().await?;
        }
        Ok(())
    }

    async fn bring_tags(
        &self,
        change: &FunctionChange<'_>,
        function: &DeployedFunction,
    ) -> Result<(), AwsError> {
        let wanted = self.settings.tags.iter();
        let missing: std::collections::BTreeMap<String, String> = wanted
            .filter(|(key, value)| function.tags.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        change.functions.tag(change.name, &missing).await?;
        change.did("its tags are set");
        Ok(())
    }

    fn partition(&self) -> &str {
        self.signed.identity.partition()
    }

    fn roles(&self) -> Roles {
        let account = self.signed.account.as_str();
        Roles::new(&self.signed.session, self.region, self.partition(), account)
    }

    fn schedules(&self) -> Schedules {
        let account = self.signed.account.as_str();
        Schedules::new(&self.signed.session, self.region, self.partition(), account)
    }
}
