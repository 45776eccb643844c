//! Who we are at AWS: shown before anything is changed.

use std::fs::File;

use anyhow::{Result, bail};

use crate::aws::{AwsError, Functions, Identity, Layers, Refusal, Session, SessionSettings};
use crate::cache::Cache;
use crate::cli::AwsOptions;
use crate::manifest::PublishTarget;
use crate::progress::Reporter;
use crate::publication::{AccountId, Region};

/// A session at AWS, and whose it is.
pub struct Signed {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub identity: Identity,
    /// The account.
    pub account: AccountId,
}

impl Signed {
    /// The account's functions in a region.
    pub fn functions(&self, region: &Region) -> Functions {
        let partition = self.identity.partition();
        Functions::new(&self.session, region, partition, self.account.as_str())
    }

    /// The account's layers in a region.
    pub fn layers(&self, region: &Region) -> Layers {
        let partition = self.identity.partition();
        Layers::new(&self.session, region, partition, self.account.as_str())
    }

    /// Waits until no other run on this machine publishes or deletes layers of the account; until the file is dropped, none
    /// does. Of two at once, each would publish what the other does.
    pub async fn alone(&self, reporter: &dyn Reporter) -> Result<Option<File>> {
        let name = format!("publish-{}", self.account);
        Ok(Cache::from_environment()?.alone(&name, reporter).await?)
    }
}

/// The account that it must be, by the flags, else by the target.
pub fn expected_account(options: &AwsOptions, target: Option<&PublishTarget>) -> Option<AccountId> {
    let of_target = target.and_then(|target| target.account.clone());
    options.expect_account.clone().or(of_target)
}

/// Opens a session with the flags' settings, over those of a target and of the manifest.
pub async fn open(
    options: &AwsOptions,
    target: Option<&PublishTarget>,
    profile: Option<&str>,
) -> Result<Session> {
    let of_target = target.and_then(|target| target.profile.clone());
    let settings = SessionSettings {
        profile: options
            .profile
            .clone()
            .or(of_target)
            .or_else(|| profile.map(ToOwned::to_owned)),
        role: target.and_then(|target| target.role.as_ref().map(ToString::to_string)),
        endpoint: options.endpoint_url.clone(),
    };
    Ok(Session::open(&settings).await?)
}

/// Asks AWS who we are, and tells it; another account than the one that is expected stops the command.
pub async fn signed(
    session: Session,
    regions: &[Region],
    expected: Option<&AccountId>,
    reporter: &dyn Reporter,
) -> Result<Signed> {
    let Some(first) = asked_first(regions) else {
        bail!(AwsError::NoRegion);
    };
    let identity = session.identity(first).await?;
    let account: AccountId = identity.account.parse()?;
    if let Some(expected) = expected.filter(|expected| **expected != account) {
        bail!(
            "these credentials are of account {account} ({}), and {expected} is expected; nothing was changed. Set \
             AWS_PROFILE or --profile to one of {expected}",
            identity.arn
        );
    }
    reporter.note(&format!("account {account}, as {}", identity.arn));
    Ok(Signed {
        session,
        identity,
        account,
    })
}

/// The region that is asked who we are: one that every account has, where there is one.
fn asked_first(regions: &[Region]) -> Option<&Region> {
    let by_default = regions.iter().find(|region| region.is_enabled_by_default());
    by_default.or(regions.first())
}

/// Is it a region that the account has not enabled? Of several regions that is no failure.
pub fn is_not_enabled(error: &anyhow::Error) -> bool {
    error.downcast_ref().and_then(AwsError::refusal) == Some(Refusal::NotEnabled)
}
