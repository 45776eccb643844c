//! By what a registry knows us: Docker's files, and for ECR first of all the user's credentials at AWS.

use anyhow::{Context, Result, bail};

use crate::aws::Ecr;
use crate::cli::RegistryOptions;
use crate::commands::aws_session::open;
use crate::image::{EcrRegistry, ImageReference, PushError, RegistryLogin};
use crate::progress::Reporter;

/// By what an image's registry knows us. At ECR that is who AWS takes us for, if it knows us: what Docker keeps for it
/// is gone after twelve hours, and may be of another profile than the one that was typed.
pub async fn login(
    reference: &ImageReference,
    options: &RegistryOptions,
    reporter: &dyn Reporter,
) -> Result<RegistryLogin> {
    let Some(registry) = reference.ecr() else {
        return Ok(RegistryLogin::of(reference, reporter).await);
    };
    let error = match ecr(&registry, options).await?.password().await {
        Ok(given) => {
            let (user, password) = (&given.user, &given.password);
            return Ok(RegistryLogin::with_password(reference, user, password));
        }
        Err(error) => error,
    };
    let host = reference.registry();
    if options.aws.profile.is_some() || options.aws.expect_account.is_some() {
        return Err(error).with_context(|| format!("{host} wants credentials"));
    }
    let left = RegistryLogin::of(reference, reporter).await;
    if left.is_anonymous() {
        return Err(error).with_context(|| {
            format!("{host} wants credentials, and Docker's files have none for it")
        });
    }
    reporter.detail(&format!(
        "{error}; {host} is asked with what docker login left"
    ));
    Ok(left)
}

/// Refuses what cannot be pushed, before anything is done for it.
pub fn check_push(reference: &ImageReference, options: &RegistryOptions) -> Result<()> {
    if reference.digest().is_some() {
        bail!(PushError::NamesDigest(reference.to_string()));
    }
    match reference.ecr() {
        Some(registry) => check_account(&registry, options),
        None if options.create_repository => bail!(
            "--create-repository is for ECR (ACCOUNT.dkr.ecr.REGION.amazonaws.com), and {} is another registry; most make \
             repositories by themselves",
            reference.registry()
        ),
        None => Ok(()),
    }
}

/// Makes the repository of an image, if that was asked for.
pub async fn make_repository(
    reference: &ImageReference,
    options: &RegistryOptions,
    reporter: &dyn Reporter,
) -> Result<()> {
    let Some(registry) = reference.ecr().filter(|_| options.create_repository) else {
        return Ok(());
    };
    let ecr = ecr(&registry, options).await?;
    let repository = reference.repository();
    match ecr.create_repository(repository).await? {
        true => reporter.note(&format!(
            "made the repository {repository} in {}; what is pushed to it is scanned",
            registry.region
        )),
        false => reporter.detail(&format!("the repository {repository} is there already")),
    }
    Ok(())
}

/// The registry of a name, if it is in the account that was expected.
async fn ecr(registry: &EcrRegistry, options: &RegistryOptions) -> Result<Ecr> {
    check_account(registry, options)?;
    let session = open(&options.aws, None, None).await?;
    Ok(Ecr::new(&session, &registry.account, &registry.region))
}

fn check_account(registry: &EcrRegistry, options: &RegistryOptions) -> Result<()> {
    let expected = options.aws.expect_account.as_ref();
    match expected.filter(|expected| **expected != registry.account) {
        Some(expected) => bail!(
            "the registry is of account {}, and {expected} is expected; nothing was changed",
            registry.account
        ),
        None => Ok(()),
    }
}
