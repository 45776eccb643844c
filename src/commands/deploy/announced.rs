//! What a dry run says beside code, settings and layers.

use anyhow::Result;

use super::Deployment;
use super::goal::Goal;
use super::settings::RoleWanted;
use crate::aws::DeployedFunction;
use crate::commands::function_change::FunctionChange;
use crate::iam::{execution_role_name, schedule_rule_name};

impl Deployment<'_> {
    /// What would be done to a function that is there, or is to be; only reads.
    pub(super) async fn announced(
        &self,
        change: &FunctionChange<'_>,
        existing: Option<&DeployedFunction>,
        goal: &Goal,
    ) -> Result<Vec<String>> {
        let (functions, name) = (change.functions, change.name);
        let alias = self.settings.version.alias.as_deref();
        let mut steps = Vec::new();
        if let RoleWanted::Made(_) = &self.settings.role {
            let role = execution_role_name(name, self.region.as_str());
            if self.roles().get(&role).await?.is_none() {
                steps.push(format!("the role {role} would be made"));
            }
        }
        let has = |key: &String, value: &String| {
            existing.is_some_and(|function| function.tags.get(key) == Some(value))
        };
        let tags = self.settings.tags.iter();
        for (key, value) in tags.filter(|(key, value)| !has(key, value)) {
            steps.push(format!("the tag {key}={value} would be set"));
        }
        let is_same = existing.is_some_and(|function| {
            goal.is_made_from(function, self.source)
                && goal.settings.other_than(&function.settings).is_empty()
        });
        let has_alias = match alias {
            Some(alias) => functions.alias(name, alias).await?.is_some(),
            None => false,
        };
        if !(is_same && has_alias) {
            steps.extend(self.settings.version.announced());
        }
        if let Some(auth) = self.settings.url {
            let url = functions.url(name, alias).await?;
            if url.is_none_or(|url| url.auth != auth.as_str()) {
                steps.push(format!("it would get a URL, {}", auth.as_str()));
            }
        }
        if let Some(expression) = &self.settings.schedule {
            let rule = self.schedules().get(&schedule_rule_name(name)).await?;
            if rule.is_none_or(|rule| rule.expression != *expression) {
                steps.push(format!("the schedule {expression} would be set"));
            }
        }
        Ok(steps)
    }
}
