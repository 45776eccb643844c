//! ECR, the registry of an AWS account: who may push, and repositories.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::json_call::JsonService;
use super::{AwsError, Call, Refusal, Session};
use crate::publication::{AccountId, Partition, Region};

/// The registry of an account in a region.
#[derive(Clone, Debug)]
pub struct Ecr {
    service: JsonService,
    account: AccountId,
    region: Region,
}

/// What a registry of ECR takes for twelve hours. It is in no output.
pub struct EcrPassword {
    /// `AWS`.
    pub user: String,
    /// The token.
    pub password: String,
}

impl Ecr {
    /// A registry.
    pub fn new(session: &Session, account: &AccountId, region: &Region) -> Ecr {
        // https://docs.aws.amazon.com/general/latest/gr/ecr.html
        let prefix = "AmazonEC2ContainerRegistry_V20150921";
        Ecr {
            service: JsonService::at_host(session, region, ("api.ecr", "ecr"), prefix),
            account: account.clone(),
            region: region.clone(),
        }
    }

    /// By what the registry knows us.
    pub async fn password(&self) -> Result<EcrPassword, AwsError> {
        let call = Call::new("ecr:GetAuthorizationToken", "*", &self.region);
        let answer = self
            .service
            .call(&call, "GetAuthorizationToken", &json!({}))
            .await?;
        let token = answer["authorizationData"][0]["authorizationToken"].as_str();
        let decoded = token.and_then(|token| STANDARD.decode(token).ok());
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
        match pair {
            Some((user, password)) => Ok(EcrPassword {
                user: user.to_owned(),
                password: password.to_owned(),
            }),
            None => Err(AwsError::Incomplete {
                action: call.action,
                region: self.region.clone(),
                what: "token",
            }),
        }
    }

    /// Makes a repository whose images are scanned when they are pushed; false if there is one of that name.
    pub async fn create_repository(&self, name: &str) -> Result<bool, AwsError> {
        let partition = Partition::of(&self.region);
        let arn = format!(
            "arn:{}:ecr:{}:{}:repository/{name}",
            partition.as_str(),
            self.region,
            self.account
        );
        let call = Call::new("ecr:CreateRepository", arn, &self.region);
        let input = json!({
            "registryId": self.account,
            "repositoryName": name,
            "imageScanningConfiguration": {"scanOnPush": true},
        });
        match self.service.call(&call, "CreateRepository", &input).await {
            Ok(_) => Ok(true),
            Err(error) if error.refusal() == Some(Refusal::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
