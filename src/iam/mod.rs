//! The least IAM policies for what r-layer does at AWS, as values.
//!
//! Which action takes which resources and conditions is from the Service Authorization Reference, for Lambda
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html> and its neighbours for IAM, S3,
//! Systems Manager and EventBridge.

mod attach;
mod deploy;
mod function;
mod invoke;
mod publish;
mod scope;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use attach::{AttachPermissions, UsedLayers};
pub use deploy::{
    BASIC_EXECUTION, DeployPermissions, FunctionUrlAuth, execution_role_name, schedule_rule_name,
};
pub use function::{FunctionPattern, FunctionPatternError};
pub use invoke::InvokePermissions;
pub use publish::PublishPermissions;
pub use scope::{Scope, ScopeError};

/// A policy of IAM.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IamPolicy {
    version: &'static str,
    statement: Vec<IamStatement>,
}

/// A statement that allows actions on resources.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IamStatement {
    sid: &'static str,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    condition: Map<String, Value>,
}

impl IamPolicy {
    fn new(statements: impl IntoIterator<Item = IamStatement>) -> IamPolicy {
        IamPolicy {
            // The version of the language of policies.
            version: "2012-10-17",
            statement: statements.into_iter().collect(),
        }
    }
}

impl fmt::Display for IamPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?;
        writeln!(f, "{text}")
    }
}

impl IamStatement {
    fn allow(
        sid: &'static str,
        action: impl IntoIterator<Item = &'static str>,
        resource: impl IntoIterator<Item = String>,
    ) -> IamStatement {
        IamStatement {
            sid,
            effect: "Allow",
            action: action.into_iter().collect(),
            resource: resource.into_iter().collect(),
            condition: Map::new(),
        }
    }

    /// The same where a key of the request has one of these values; one condition more, if there are some.
    fn with(mut self, operator: &str, key: &str, values: Vec<String>) -> IamStatement {
        let keys = self.condition.entry(operator).or_insert_with(|| json!({}));
        let value = match <[String; 1]>::try_from(values) {
            Ok([one]) => json!(one),
            Err(many) => json!(many),
        };
        keys[key] = value;
        self
    }
}
