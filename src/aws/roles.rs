//! Roles of IAM that functions run as: made, given policies, removed.

use super::query_call::QueryService;
use super::signed_call::SignedService;
use super::{AwsError, Call, Refusal, Session};
use crate::publication::Region;

/// The roles of an account.
#[derive(Clone, Debug)]
pub struct Roles {
    service: QueryService,
    region: Region,
    /// `arn:aws:iam::123456789012:role`.
    arn: String,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What whoever made it says it is for.
    pub description: String,
}

impl Roles {
    /// The roles of an account. IAM is the same in all regions of a partition; the region tells which partition.
    pub fn new(session: &Session, region: &Region, partition: &str, account: &str) -> Roles {
        // <https://docs.aws.amazon.com/general/latest/gr/iam-service.html>
        let (signed_for, address) = match partition {
            "aws-cn" => ("cn-north-1", "https://iam.cn-north-1.amazonaws.com.cn"),
            "aws-us-gov" => ("us-gov-west-1", "https://iam.us-gov.amazonaws.com"),
            _ => ("us-east-1", "https://iam.amazonaws.com"),
        };
        let signed_for = signed_for.parse().unwrap_or_else(|_| region.clone());
        Roles {
            service: QueryService {
                service: SignedService::global(session, signed_for, "iam", address),
                version: "2010-05-08",
            },
            region: region.clone(),
            arn: format!("arn:{partition}:iam::{account}:role"),
        }
    }

    fn call(&self, action: &'static str, role: &str) -> Call {
        Call::new(action, format!("{}/{role}", self.arn), &self.region)
    }

    /// A role; nothing if there is none of that name.
    pub async fn get(&self, role: &str) -> Result<Option<Role>, AwsError> {
        let call = self.call("iam:GetRole", role);
        let input = [("RoleName", role)];
        let answer = match self.service.call(&call, "GetRole", &input).await {
            Ok(answer) => answer,
            Err(error) if error.refusal() == Some(Refusal::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Role {
            arn: answer
                .text("Arn")
                .unwrap_or_else(|| format!("{}/{role}", self.arn)),
            description: answer.text("Description").unwrap_or_default(),
        }))
    }

    /// Makes a role that Lambda may take, and returns its ARN.
    pub async fn create(&self, role: &str, description: &str) -> Result<String, AwsError> {
        /// Who may take it.
        const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let call = self.call("iam:CreateRole", role);
        let input = [
            ("RoleName", role),
            ("AssumeRolePolicyDocument", TRUST),
            ("Description", description),
        ];
        let answer = self.service.call(&call, "CreateRole", &input).await?;
        Ok(answer
            .text("Arn")
            .unwrap_or_else(|| format!("{}/{role}", self.arn)))
    }

    /// The ARNs of the managed policies that a role has.
    pub async fn policies(&self, role: &str) -> Result<Vec<String>, AwsError> {
        let call = self.call("iam:ListAttachedRolePolicies", role);
        let input = [("RoleName", role)];
        let operation = "ListAttachedRolePolicies";
        let answer = self.service.call(&call, operation, &input).await?;
        Ok(answer.texts("PolicyArn"))
    }

    /// Gives a role a managed policy. One that it has is no error.
    pub async fn attach(&self, role: &str, policy: &str) -> Result<(), AwsError> {
        let call = self.call("iam:AttachRolePolicy", role);
        let input = [("RoleName", role), ("PolicyArn", policy)];
        self.service.call(&call, "AttachRolePolicy", &input).await?;
        Ok(())
    }

    /// Takes a managed policy from a role.
    pub async fn detach(&self, role: &str, policy: &str) -> Result<(), AwsError> {
        let call = self.call("iam:DetachRolePolicy", role);
        let input = [("RoleName", role), ("PolicyArn", policy)];
        self.service.call(&call, "DetachRolePolicy", &input).await?;
        Ok(())
    }

    /// Removes a role, which has no policies any more.
    pub async fn delete(&self, role: &str) -> Result<(), AwsError> {
        let call = self.call("iam:DeleteRole", role);
        let input = [("RoleName", role)];
        self.service.call(&call, "DeleteRole", &input).await?;
        Ok(())
    }
}
