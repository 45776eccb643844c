//! Who invokes a function beside its owner: whoever calls its URL, and the clock.

use anyhow::{Result, bail};

use super::role::MADE;
use crate::aws::{Permission, Schedules};
use crate::commands::function_change::FunctionChange;
use crate::iam::{FunctionUrlAuth, schedule_rule_name};

/// What a URL for everybody needs: since October 2025 both.
/// <https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>
fn open_url() -> [Permission; 2] {
    let permission = |id, action| Permission {
        id,
        action,
        principal: "*",
        source: None,
        of_open_url: true,
    };
    [
        permission("r-layer-function-url", "lambda:InvokeFunctionUrl"),
        permission("r-layer-function-url-invoke", "lambda:InvokeFunction"),
    ]
}

/// Gives a function the URL that is wanted, and returns it. `alias`: the URL is that of the alias.
pub async fn bring_url(
    change: &FunctionChange<'_>,
    alias: Option<&str>,
    auth: FunctionUrlAuth,
) -> Result<String> {
    let (functions, name) = (change.functions, change.name);
    let existing = functions.url(name, alias).await?;
    let url = match &existing {
        Some(existing) if existing.auth == auth.as_str() => existing.url.clone(),
        _ => {
            change.step("giving it a URL");
            let is_new = existing.is_none();
            let url = functions
                .set_url(name, alias, auth.as_str(), is_new)
                .await?;
            change.did(format!("its URL is {url}"));
            url
        }
    };
    let policy = functions.policy(name, alias).await?;
    for permission in open_url() {
        match auth {
            FunctionUrlAuth::None => {
                bring_permission(change, alias, policy.as_deref(), &permission).await?;
            }
            FunctionUrlAuth::Iam if permission.is_named_in(policy.as_deref()) => {
                functions.forbid(name, alias, permission.id).await?;
                change.did("not everybody may call the URL any more");
            }
            FunctionUrlAuth::Iam => {}
        }
    }
    Ok(url)
}

/// Lets a rule invoke a function when it is wanted.
pub async fn bring_schedule(
    change: &FunctionChange<'_>,
    schedules: &Schedules,
    alias: Option<&str>,
    expression: &str,
) -> Result<()> {
    let rule = schedule_rule_name(change.name);
    let existing = schedules.get(&rule).await?;
    if let Some(other) = existing
        .as_ref()
        .filter(|it| !it.description.starts_with(MADE))
    {
        bail!(
            "there is a rule {rule} that r-layer did not make ({}): rename or remove it first",
            other.description
        );
    }
    if existing.is_none_or(|existing| existing.expression != expression) {
        change.step("scheduling it");
        let description = format!("{MADE} for the function {}", change.name);
        schedules.put(&rule, expression, &description).await?;
        change.did(format!("the rule {rule} is {expression}"));
    }
    let permission = Permission {
        id: "r-layer-schedule",
        action: "lambda:InvokeFunction",
        principal: "events.amazonaws.com",
        source: Some(schedules.arn(&rule)),
        of_open_url: false,
    };
    let policy = change.functions.policy(change.name, alias).await?;
    bring_permission(change, alias, policy.as_deref(), &permission).await?;
    let mut target = change.functions.arn(change.name);
    if let Some(alias) = alias {
        target = format!("{target}:{alias}");
    }
    if schedules.targets(&rule).await? != [target.clone()] {
        schedules.put_target(&rule, &target).await?;
        change.did(format!("the rule {rule} invokes it"));
    }
    Ok(())
}

async fn bring_permission(
    change: &FunctionChange<'_>,
    alias: Option<&str>,
    policy: Option<&str>,
    permission: &Permission,
) -> Result<()> {
    if permission.is_in(policy) {
        return Ok(());
    }
    let (functions, name) = (change.functions, change.name);
    if permission.is_named_in(policy) {
        functions.forbid(name, alias, permission.id).await?;
    }
    functions.permit(name, alias, permission).await?;
    change.did(format!("{} is allowed", permission.id));
    Ok(())
}
