//! A function is made, or changed until nothing differs from what is wanted.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};

use super::goal::Goal;
use super::settings::RoleWanted;
use super::upload::Upload;
use super::{Deployment, ROLE_SETTLES, TAG, role};
use crate::aws::{AwsError, DeployedFunction, NewFunction, Refusal};
use crate::commands::function_change::{FunctionChange, LOOKS};
use crate::function::FunctionSettings;

impl Deployment<'_> {
    pub(super) async fn create(
        &self,
        change: &FunctionChange<'_>,
        goal: &Goal,
    ) -> Result<DeployedFunction> {
        let settings = self.with_role(change, goal).await?;
        let waits_for_role = matches!(self.settings.role, RoleWanted::Made(_));
        let mut tags = self.settings.tags.clone();
        tags.insert(TAG.0.to_owned(), TAG.1.to_owned());
        let upload = Upload::begin(self, change, goal).await?;
        let new = NewFunction {
            settings,
            architecture: goal.architecture,
            code: upload.code.clone(),
            tags,
        };
        change.step("making it");
        let made = self.created(change, &new, waits_for_role).await;
        upload.finish(self.reporter).await;
        made?;
        change.did("the function is made");
        change.carried_out().await
    }

    /// The settings that are wanted, with the role's ARN where one is made: it is made now, if it is not there.
    async fn with_role(
        &self,
        change: &FunctionChange<'_>,
        goal: &Goal,
    ) -> Result<FunctionSettings> {
        let mut settings = goal.settings.clone();
        if let RoleWanted::Made(policies) = &self.settings.role {
            let (roles, partition, region) = (self.roles(), self.partition(), self.region);
            let arn = role::made_role(change, &roles, partition, region, policies).await?;
            settings.role = Some(arn);
        }
        Ok(settings)
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
    pub(super) async fn update(
        &self,
        change: &FunctionChange<'_>,
        goal: &Goal,
    ) -> Result<DeployedFunction> {
        let wanted = self.with_role(change, goal).await?;
        let mut configured = false;
        for _ in 0..LOOKS {
            let function = change.existing().await?;
            if !goal.is_made_from(&function, self.source) {
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
        let upload = Upload::begin(self, change, goal).await?;
        change.step("replacing its code");
        let (code, revision) = (&upload.code, &function.revision);
        let sent = change
            .functions
            .replace_code(change.name, code, goal.architecture, revision)
            .await;
        upload.finish(self.reporter).await;
        if change.was_taken(sent).await? {
            change.did("its code is replaced");
            change.carried_out().await?;
        }
        Ok(())
    }

    pub(super) async fn bring_tags(
        &self,
        change: &FunctionChange<'_>,
        function: &DeployedFunction,
    ) -> Result<(), AwsError> {
        let wanted = self.settings.tags.iter();
        let missing: BTreeMap<String, String> = wanted
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
}
