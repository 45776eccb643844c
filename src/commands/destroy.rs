//! `r-layer destroy`: what `deploy` made goes, after it was shown.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use serde::Serialize;

use super::attach::check_account;
use super::aws_session::{open, signed};
use super::deploy::{TAG, role::MADE};
use super::function_change::FunctionChange;
use crate::aws::{Roles, Schedules};
use crate::cli::DestroyArgs;
use crate::iam::{execution_role_name, schedule_rule_name};
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::publication::Region;

/// What goes, or would.
#[derive(Clone, Debug, Serialize)]
pub struct Destroyed {
    function: String,
    region: Region,
    /// In the order in which they go.
    removed: Vec<String>,
    /// Is it still there?
    is_dry: bool,
}

/// Removes what deploy made, or shows it.
pub async fn run(args: DestroyArgs, reporter: &dyn Reporter) -> Result<Destroyed> {
    let manifest = Manifest::read(Path::new("."))?;
    let session = open(&args.aws, None, manifest.publish.profile.as_deref()).await?;
    let region = super::regions::one(&args.function, &args.regions.regions, &session)?;
    let regions = [region];
    let signed = signed(
        session,
        &regions,
        args.aws.expect_account.as_ref(),
        reporter,
    )
    .await?;
    check_account(&args.function, &signed)?;
    let [region] = &regions;
    let (functions, name) = (signed.functions(region), &args.function.name);
    let (partition, account) = (signed.identity.partition(), signed.account.as_str());
    let schedules = Schedules::new(&signed.session, region, partition, account);
    let roles = Roles::new(&signed.session, region, partition, account);
    let what = format!("{name} in {region}");
    let change = FunctionChange::begin(&functions, name, &what, Duration::ZERO, reporter);

    let (rule, role) = (schedule_rule_name(name), execution_role_name(name));
    let has_rule = schedules.expression(&rule).await?.is_some();
    let own_role = roles.get(&role).await?;
    let own_role = own_role.filter(|role| role.description.starts_with(MADE));
    let function = functions.get(name, None).await?;
    if let Some(function) = &function {
        let is_ours = function.tags.get(TAG.0).is_some_and(|value| value == TAG.1);
        if !is_ours {
            bail!(
                "{name} was not made by r-layer deploy (it has no tag {}={}); nothing was removed. r-layer detach takes \
                 r-layer's layers from it",
                TAG.0,
                TAG.1
            );
        }
    } else if !has_rule && own_role.is_none() {
        return Err(change.not_found().await);
    }

    let mut removed = Vec::new();
    if has_rule {
        removed.push(format!("the rule {rule}"));
        if args.yes {
            schedules.delete(&rule).await?;
            change.did(format!("the rule {rule} is removed"));
        }
    }
    if let Some(function) = &function {
        removed.push(format!(
            "the function {} with its versions, aliases and URL",
            function.arn
        ));
        if args.yes {
            functions.delete(name).await?;
            change.did("the function is removed");
        }
    }
    if own_role.is_some() {
        removed.push(format!("the role {role}"));
        if args.yes {
            for policy in roles.policies(&role).await? {
                roles.detach(&role, &policy).await?;
            }
            roles.delete(&role).await?;
        }
    }
    change.finish(&format!("{what}: done"));
    Ok(Destroyed {
        function: name.clone(),
        region: region.clone(),
        removed,
        is_dry: !args.yes,
    })
}

impl fmt::Display for Destroyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fate = if self.is_dry {
            "would be removed"
        } else {
            "removed"
        };
        for what in &self.removed {
            writeln!(f, "{what}: {fate}")?;
        }
        match self.is_dry {
            true => writeln!(f, "--yes removes it"),
            false => writeln!(
                f,
                "its log is kept: /aws/lambda/{} in CloudWatch Logs of {}",
                self.function, self.region
            ),
        }
    }
}
