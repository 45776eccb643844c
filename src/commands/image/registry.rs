//! By what a registry knows us: Docker's files, and for ECR the user's credentials at AWS.

use anyhow::{Context, Result, bail};

use crate::aws::Ecr;
use crate::cli::RegistryOptions;
use crate::commands::aws_session::open;
use crate::image::{EcrRegistry, ImageReference, RegistryLogin};
use crate::progress::Reporter;

/// By what an image's registry knows us.
pub async fn login(
    reference: &ImageReference,
    options: &RegistryOptions,
    reporter: &dyn Reporter,
) -> Result<RegistryLogin> {
    let left = RegistryLogin::of(reference, reporter).await;
    match reference.ecr() {
        Some(registry) if left.is_anonymous() => {
            let ecr = ecr(&registry, options).await?;
            let password = ecr.password().await.with_context(|| {
                format!(
                    "{} wants credentials, and Docker's files have none for it",
                    reference.registry()
                )
            })?;
            let (user, password) = (&password.user, &password.password);
            Ok(RegistryLogin::with_password(reference, user, password))
        }
        _ => Ok(left),
    }
}

/// Makes the repository of an image, if that was asked for.
pub async fn make_repository(
    reference: &ImageReference,
    options: &RegistryOptions,
    reporter: &dyn Reporter,
) -> Result<()> {
    if !options.create_repository {
        return Ok(());
    }
    let Some(registry) = reference.ecr() else {
        bail!(
            "--create-repository is for ECR (ACCOUNT.dkr.ecr.REGION.amazonaws.com), and {} is another registry; most make \
             repositories by themselves",
            reference.registry()
        );
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
    let expected = options.aws.expect_account.as_ref();
    if let Some(expected) = expected.filter(|expected| **expected != registry.account) {
        bail!(
            "the registry is of account {}, and {expected} is expected; nothing was changed",
            registry.account
        );
    }
    let session = open(&options.aws, None, None).await?;
    Ok(Ecr::new(&session, &registry.account, &registry.region))
}
