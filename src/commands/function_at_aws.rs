//! A function that is at AWS already: where, for whom, and what it was meant by a name that there is not.

use anyhow::{Result, anyhow, bail};

use super::aws_session::{open, signed};
use super::function_change::listed;
use crate::aws::{Functions, Session};
use crate::cli::{AwsOptions, OneRegionOption};
use crate::function::QualifiedFunction;
use crate::nearest::nearest_names;
use crate::progress::Reporter;
use crate::publication::{AccountId, Partition, Region};

/// A function, and who asks for it.
pub struct FunctionAtAws {
    /// What was typed.
    pub function: QualifiedFunction,
    /// Where it is.
    pub region: Region,
    /// Who asks.
    pub session: Session,
    /// Its account, as far as it is known.
    account: Option<AccountId>,
}

impl FunctionAtAws {
    /// Opens a session in the function's region. Who we are is asked only where an account is expected.
    pub async fn open(
        function: QualifiedFunction,
        region: &OneRegionOption,
        aws: &AwsOptions,
        reporter: &dyn Reporter,
    ) -> Result<FunctionAtAws> {
        let mut session = open(aws, None, None).await?;
        let region = chosen(&function, region.region.as_ref(), &session)?;
        let mut account = function.function.account.clone();
        if let Some(expected) = &aws.expect_account {
            let regions = [region.clone()];
            let signed = signed(session, &regions, Some(expected), reporter).await?;
            session = signed.session;
            account = account.or(Some(signed.account));
        }
        Ok(FunctionAtAws {
            function,
            region,
            session,
            account,
        })
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        self.function.name()
    }

    /// The functions of its region.
    pub fn functions(&self) -> Functions {
        let partition = Partition::of(&self.region);
        Functions::new(
            &self.session,
            &self.region,
            partition.as_str(),
            self.account(),
        )
    }

    /// Its account, as policies have it.
    pub fn account(&self) -> &str {
        self.account.as_ref().map_or("*", AccountId::as_str)
    }

    /// The error for AWS's word that there is no such function, version or alias: with what was probably meant.
    pub async fn missing(&self, detail: &str) -> anyhow::Error {
        let (name, region) = (self.name(), &self.region);
        let Ok(names) = self.functions().names().await else {
            return anyhow!("there is no function {name} in {region} ({detail})");
        };
        if names.iter().any(|other| other == name) {
            return anyhow!("{} in {region}: {detail}", self.function);
        }
        match nearest_names(name, names.iter().map(String::as_str))[..] {
            [] if names.is_empty() => anyhow!(
                "there is no function {name} in {region}, nor any other; is it in another region (--region), or of another \
                 account (--profile)?"
            ),
            [] => anyhow!(
                "there is no function {name} in {region}; there are {}. Or is it in another region (--region)?",
                listed(&names)
            ),
            ref near => anyhow!(
                "there is no function {name} in {region}; did you mean {}?",
                near.join(" or ")
            ),
        }
    }
}

/// The flag's region, the ARN's, or AWS's own setting.
fn chosen(
    function: &QualifiedFunction,
    typed: Option<&Region>,
    session: &Session,
) -> Result<Region> {
    match (typed, &function.function.region) {
        (Some(typed), Some(own)) if typed != own => bail!(
            "--region is {typed}, and the ARN is of a function in {own}; leave out --region"
        ),
        (Some(region), _) | (None, Some(region)) => Ok(region.clone()),
        (None, None) => session.region()?.ok_or_else(|| {
            anyhow!("no region: type --region eu-central-1, set AWS_REGION, or name the function by its ARN")
        }),
    }
}
