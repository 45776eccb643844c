//! `r-layer destroy`: what `deploy` made goes, after it was shown.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, bail};
use serde::Serialize;

use super::aws_session::{open, signed};
use super::deploy::{TAG, role::MADE};
use super::function_change::{FunctionChange, check_account};
use crate::aws::{DeployedFunction, Functions, Roles, Schedules};
use crate::cli::DestroyArgs;
use crate::iam::{execution_role_name, schedule_rule_name};
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
    let session = open(&args.aws, None, None).await?;
    let region = super::regions::one(&args.function, args.region.region.as_ref(), &session)?;
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

    let made = Made::look(&functions, &schedules, &roles, name, region).await?;
    if made.is_nothing() {
        return Err(change.not_found().await);
    }
    if args.yes {
        made.remove(&functions, &schedules, &roles, &change).await?;
    }
    change.finish(&format!("{what}: done"));
    Ok(Destroyed {
        function: name.clone(),
        region: region.clone(),
        removed: made.lines(),
        is_dry: !args.yes,
    })
}

/// What deploy made of a function, as far as it is there.
struct Made {
    rule: Option<String>,
    function: Option<DeployedFunction>,
    role: Option<String>,
}

impl Made {
    async fn look(
        functions: &Functions,
        schedules: &Schedules,
        roles: &Roles,
        name: &str,
        region: &Region,
    ) -> Result<Made> {
        let function = functions.get(name, None).await?;
        if let Some(function) = &function
            && function.tags.get(TAG.0).map(String::as_str) != Some(TAG.1)
        {
            bail!(
                "{name} was not made by r-layer deploy (it has no tag {}={}); nothing was removed. r-layer detach takes \
                 r-layer's layers from it",
                TAG.0,
                TAG.1
            );
        }
        let rule = schedule_rule_name(name);
        let own = schedules.get(&rule).await?;
        let own = own.filter(|rule| rule.description.starts_with(MADE));
        let role = execution_role_name(name, region.as_str());
        let own_role = roles.get(&role).await?;
        let own_role = own_role.filter(|role| role.description.starts_with(MADE));
        Ok(Made {
            rule: own.map(|_| rule),
            function,
            role: own_role.map(|_| role),
        })
    }

    fn is_nothing(&self) -> bool {
        self.rule.is_none() && self.function.is_none() && self.role.is_none()
    }

    /// In the order in which they go.
    fn lines(&self) -> Vec<String> {
        let function = self.function.as_ref();
        let rule = self.rule.as_ref().map(|rule| format!("the rule {rule}"));
        let function = function.map(|function| {
            format!(
                "the function {} with its versions, aliases and URL",
                function.arn
            )
        });
        let role = self.role.as_ref().map(|role| format!("the role {role}"));
        rule.into_iter().chain(function).chain(role).collect()
    }

    async fn remove(
        &self,
        functions: &Functions,
        schedules: &Schedules,
        roles: &Roles,
        change: &FunctionChange<'_>,
    ) -> Result<()> {
        if let Some(rule) = &self.rule {
            schedules.delete(rule).await?;
            change.did(format!("the rule {rule} is removed"));
        }
        if let Some(function) = &self.function {
            functions.delete(&function.name).await?;
            change.did("the function is removed");
        }
        if let Some(role) = &self.role {
            for policy in roles.policies(role).await? {
                roles.detach(role, &policy).await?;
            }
            roles.delete(role).await?;
        }
        Ok(())
    }
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
