//! Rules of EventBridge that invoke functions on a schedule.

use serde_json::{Value, json};

use super::json_call::JsonService;
use super::{AwsError, Call, Refusal, Session};
use crate::publication::Region;

/// The id of a rule's one target.
const TARGET: &str = "function";

/// The rules of a region.
#[derive(Clone, Debug)]
pub struct Schedules {
    service: JsonService,
    region: Region,
    /// `arn:aws:events:eu-central-1:123456789012:rule`.
    arn: String,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRule {
    /// When it invokes; empty, if events do that.
    pub expression: String,
    /// What whoever made it says it is for.
    pub description: String,
}

impl Schedules {
    /// The rules of an account in a region.
    pub fn new(session: &Session, region: &Region, partition: &str, account: &str) -> Schedules {
        Schedules {
            service: JsonService::new(session, region, "events", "AWSEvents"),
            region: region.clone(),
            arn: format!("arn:{partition}:events:{region}:{account}:rule"),
        }
    }

    /// The ARN of a rule.
    pub fn arn(&self, rule: &str) -> String {
        format!("{}/{rule}", self.arn)
    }

    async fn call(
        &self,
        action: &'static str,
        rule: &str,
        input: &Value,
    ) -> Result<Option<Value>, AwsError> {
        let call = Call::new(action, self.arn(rule), &self.region);
        let operation = action.rsplit(':').next().unwrap_or(action);
        match self.service.call(&call, operation, input).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.refusal() == Some(Refusal::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A rule; nothing if there is none of that name.
    pub async fn get(&self, rule: &str) -> Result<Option<ScheduleRule>, AwsError> {
        let input = json!({"Name": rule});
        let found = self.call("events:DescribeRule", rule, &input).await?;
        let text = |found: &Value, name: &str| found[name].as_str().unwrap_or_default().to_owned();
        Ok(found.map(|found| ScheduleRule {
            expression: text(&found, "ScheduleExpression"),
            description: text(&found, "Description"),
        }))
    }

    /// What a rule invokes.
    pub async fn targets(&self, rule: &str) -> Result<Vec<String>, AwsError> {
        let input = json!({"Rule": rule});
        let found = self.call("events:ListTargetsByRule", rule, &input).await?;
        let targets = found.as_ref().and_then(|found| found["Targets"].as_array());
        let arns = targets.into_iter().flatten();
        Ok(arns
            .filter_map(|target| Some(target["Arn"].as_str()?.to_owned()))
            .collect())
    }

    /// Makes or changes a rule.
    pub async fn put(
        &self,
        rule: &str,
        expression: &str,
        description: &str,
    ) -> Result<(), AwsError> {
        let input = json!({
            "Name": rule, "ScheduleExpression": expression, "State": "ENABLED", "Description": description
        });
        self.call("events:PutRule", rule, &input).await.map(drop)
    }

    /// Lets a rule invoke a function.
    pub async fn put_target(&self, rule: &str, function: &str) -> Result<(), AwsError> {
        let input = json!({"Rule": rule, "Targets": [{"Id": TARGET, "Arn": function}]});
        self.call("events:PutTargets", rule, &input).await.map(drop)
    }

    /// Removes a rule. One that is not there is no error.
    pub async fn delete(&self, rule: &str) -> Result<(), AwsError> {
        let targets = json!({"Rule": rule, "Ids": [TARGET]});
        self.call("events:RemoveTargets", rule, &targets).await?;
        let input = json!({"Name": rule});
        self.call("events:DeleteRule", rule, &input).await.map(drop)
    }
}
