//! Who may invoke a function, and the URL at which it answers.

use aws_sdk_lambda::types::FunctionUrlAuthType;
use serde_json::Value;

use super::Functions;
use crate::aws::AwsError;
use crate::aws::layers::there;

/// A statement of a function's resource policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its name.
    pub id: &'static str,
    /// `lambda:InvokeFunction`.
    pub action: &'static str,
    /// `*`, or a service's name.
    pub principal: &'static str,
    /// The ARN of what invokes, where that is one thing.
    pub source: Option<String>,
    /// For a URL that anybody may call.
    pub of_open_url: bool,
}

impl Permission {
    /// Is there a statement of that name in a policy that allows the same?
    pub fn is_in(&self, policy: Option<&str>) -> bool {
        self.statement(policy).is_some_and(|statement| {
            let principal = &statement["Principal"];
            let names = principal.as_str() == Some(self.principal)
                || principal["Service"] == self.principal
                || principal["AWS"] == self.principal;
            let conditions = statement["Condition"].to_string();
            let source = self.source.as_ref();
            statement["Action"] == self.action
                && names
                && source.is_none_or(|source| conditions.contains(source.as_str()))
        })
    }

    /// Is there a statement of that name, whatever it says?
    pub fn is_named_in(&self, policy: Option<&str>) -> bool {
        self.statement(policy).is_some()
    }

    fn statement(&self, policy: Option<&str>) -> Option<Value> {
        let policy: Value = serde_json::from_str(policy?).ok()?;
        let statements = policy["Statement"].as_array()?;
        let mut statements = statements.iter();
        statements
            .find(|statement| statement["Sid"] == self.id)
            .cloned()
    }
}

/// A function's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionUrl {
    /// The URL.
    pub url: String,
    /// `AWS_IAM` or `NONE`.
    pub auth: String,
}

impl Functions {
    /// A function's resource policy, or its alias's, as JSON; nothing if it has none.
    pub async fn policy(
        &self,
        function: &str,
        qualifier: Option<&str>,
    ) -> Result<Option<String>, AwsError> {
        let answer = self
            .client
            .get_policy()
            .function_name(function)
            .set_qualifier(qualifier.map(ToOwned::to_owned))
            .send()
            .await;
        let call = self.call("lambda:GetPolicy", function);
        Ok(there(call, answer)?.and_then(|answer| answer.policy))
    }

    /// Adds a statement to it.
    pub async fn permit(
        &self,
        function: &str,
        qualifier: Option<&str>,
        permission: &Permission,
    ) -> Result<(), AwsError> {
        let of_url = permission.action == "lambda:InvokeFunctionUrl";
        let request = self
            .client
            .add_permission()
            .function_name(function)
            .set_qualifier(qualifier.map(ToOwned::to_owned))
            .statement_id(permission.id)
            .action(permission.action)
            .principal(permission.principal)
            .set_source_arn(permission.source.clone())
            .set_function_url_auth_type(
                (permission.of_open_url && of_url).then_some(FunctionUrlAuthType::None),
            )
            .set_invoked_via_function_url((permission.of_open_url && !of_url).then_some(true));
        let answer = request.send().await;
        let call = self.call("lambda:AddPermission", function);
        answer.map(drop).map_err(|error| AwsError::of(call, error))
    }

    /// Takes a statement out of it. One that is not there is no error.
    pub async fn forbid(
        &self,
        function: &str,
        qualifier: Option<&str>,
        id: &str,
    ) -> Result<(), AwsError> {
        let answer = self
            .client
            .remove_permission()
            .function_name(function)
            .set_qualifier(qualifier.map(ToOwned::to_owned))
            .statement_id(id)
            .send()
            .await;
        let call = self.call("lambda:RemovePermission", function);
        there(call, answer).map(drop)
    }

    /// A function's URL, or its alias's; nothing if it has none.
    pub async fn url(
        &self,
        function: &str,
        qualifier: Option<&str>,
    ) -> Result<Option<FunctionUrl>, AwsError> {
        let answer = self
            .client
            .get_function_url_config()
            .function_name(function)
            .set_qualifier(qualifier.map(ToOwned::to_owned))
            .send()
            .await;
        let call = self.call("lambda:GetFunctionUrlConfig", function);
        Ok(there(call, answer)?.map(|found| FunctionUrl {
            url: found.function_url,
            auth: found.auth_type.as_str().to_owned(),
        }))
    }

    /// Gives a function a URL, or changes who may call it; returns the URL.
    pub async fn set_url(
        &self,
        function: &str,
        qualifier: Option<&str>,
        auth: &str,
        is_new: bool,
    ) -> Result<String, AwsError> {
        let auth = FunctionUrlAuthType::from(auth);
        let qualifier = qualifier.map(ToOwned::to_owned);
        if is_new {
            let answer = self
                .client
                .create_function_url_config()
                .function_name(function)
                .set_qualifier(qualifier)
                .auth_type(auth)
                .send()
                .await;
            let call = self.call("lambda:CreateFunctionUrlConfig", function);
            return answer
                .map(|made| made.function_url)
                .map_err(|error| AwsError::of(call, error));
        }
        let answer = self
            .client
            .update_function_url_config()
            .function_name(function)
            .set_qualifier(qualifier)
            .auth_type(auth)
            .send()
            .await;
        let call = self.call("lambda:UpdateFunctionUrlConfig", function);
        answer
            .map(|changed| changed.function_url)
            .map_err(|error| AwsError::of(call, error))
    }
}
