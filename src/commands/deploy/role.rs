//! The role that a function runs as: made where that is wanted, with the policies that it lacks.

use anyhow::Result;

use crate::aws::Roles;
use crate::commands::function_change::FunctionChange;
use crate::iam::{BASIC_EXECUTION, execution_role_name};
use crate::publication::Region;

/// How descriptions of roles and rules begin that r-layer made.
pub const MADE: &str = "made by r-layer deploy";

/// Makes the role of a function, unless it is there, and gives it what it lacks. Returns its ARN.
pub async fn made_role(
    change: &FunctionChange<'_>,
    roles: &Roles,
    partition: &str,
    region: &Region,
    more: &[String],
) -> Result<String> {
    let name = execution_role_name(change.name, region.as_str());
    change.step("making its role");
    let (arn, is_new) = match roles.get(&name).await? {
        Some(role) => (role.arn, false),
        None => {
            let description = format!("{MADE} for the function {} in {region}", change.name);
            let arn = roles.create(&name, &description).await?;
            change.did(format!("the role {name} is made"));
            (arn, true)
        }
    };
    let has = match is_new {
        true => Vec::new(),
        false => roles.policies(&name).await?,
    };
    let basic = format!("arn:{partition}:iam::aws:policy/{BASIC_EXECUTION}");
    for policy in std::iter::once(&basic).chain(more) {
        if !has.contains(policy) {
            roles.attach(&name, policy).await?;
            change.did(format!("the role {name} has the policy {policy}"));
        }
    }
    Ok(arn)
}
