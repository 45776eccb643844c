//! `r-layer deploy`: R code as a function, made or brought up to date; only what differs is sent.

mod announced;
mod checks;
mod goal;
mod invokers;
mod making;
mod packages;
mod result;
pub mod role;
mod settings;
mod source;
mod upload;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::aws_session::{Signed, open, signed};
use super::function_change::{FunctionChange, check_account};
use super::function_layers::{FunctionLayers, layer_changes};
use crate::aws::{DeployedFunction, Roles, Schedules};
use crate::cli::DeployArgs;
use crate::function::{FunctionSettings, ManagedBy};
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::{PublicationRecord, Region};
use goal::Goal;
pub use result::{DeployOutcome, Deployed};
use settings::DeploySettings;
use source::Source;

/// The tag by which `destroy` knows what `deploy` made.
pub const TAG: (&str, &str) = ("r-layer", "deploy");

/// How long a new role may be unknown to Lambda.
const ROLE_SETTLES: Duration = Duration::from_secs(60);

/// Makes a function, or brings it up to date.
pub async fn run(args: DeployArgs, reporter: &dyn Reporter) -> Result<Deployed> {
    let folder = Path::new(".");
    let manifest = Manifest::read(folder)?;
    let settings = DeploySettings::of(&args, &manifest)?;
    let source = Source::of(settings.code.clone(), args.image.as_ref()).await?;
    for out in source.code().into_iter().flat_map(|code| &code.left_out) {
        reporter.detail(&format!("left out: {} ({})", out.path, out.reason));
    }
    let session = open(&args.aws, None, None).await?;
    let region = super::regions::one(&args.function, args.region.region.as_ref(), &session)?;
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
        source: &source,
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
    source: &'a Source,
    args: &'a DeployArgs,
    reporter: &'a dyn Reporter,
}

impl Deployment<'_> {
    async fn bring(&self, change: &FunctionChange<'_>) -> Result<Deployed> {
        let existing = change.settled().await?;
        let goal = self.goal(existing.as_ref()).await?;
        self.check(&goal).await?;
        let mut deployed = self.planned(change, existing.as_ref(), &goal);
        if self.args.change.dry_run {
            deployed.steps = self.announced(change, existing.as_ref(), &goal).await?;
            if existing.is_some() && deployed.is_as_wanted() {
                deployed.outcome = DeployOutcome::Unchanged;
            }
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
        let same_code = existing.is_some_and(|function| goal.is_made_from(function, self.source));
        if let Some(function) = existing
            && let Some(managed) = ManagedBy::of(&function.tags)
            && !(same_code && goal.settings.other_than(current).is_empty())
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
            code_size: self.source.code().map_or(0, |code| code.zip.len() as u64),
            layers: layer_changes(&plan.before, &plan.after, self.signed.account.as_str()),
            settings: goal.differences(existing),
            left_out: self
                .source
                .code()
                .map(|code| code.left_out.clone())
                .unwrap_or_default(),
            image: goal.image.as_ref().map(|image| image.uri.clone()),
            steps: Vec::new(),
            versioned: Default::default(),
            url: None,
            schedule: self.settings.schedule.clone(),
            notes,
            invoke: self.invocation(change.name),
        }
    }

    /// What invokes it: with the flags by which it was found.
    fn invocation(&self, name: &str) -> String {
        let mut words = format!("r-layer invoke --function {name} --region {}", self.region);
        let aws = &self.args.aws;
        for (flag, value) in [
            ("alias", &self.settings.version.alias),
            ("profile", &aws.profile),
            ("endpoint-url", &aws.endpoint_url),
        ] {
            if let Some(value) = value {
                words.push_str(&format!(" --{flag} {value}"));
            }
        }
        words + " --event '{}'"
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
