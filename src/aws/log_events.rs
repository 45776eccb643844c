//! The events of a log group in CloudWatch Logs.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>

use serde::Deserialize;
use serde_json::json;

use super::json_call::JsonService;
use super::{AwsError, Call, Session};
use crate::publication::{Partition, Region};

/// A log group of a region.
#[derive(Clone, Debug)]
pub struct LogEvents {
    service: JsonService,
    group: String,
    call: Call,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Not before, in milliseconds since 1970.
    pub start: i64,
    /// Not after, in milliseconds since 1970.
    pub end: Option<i64>,
    /// CloudWatch's own filter pattern.
    pub pattern: Option<String>,
}

/// An event.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LogEvent {
    /// Unique in its group.
    pub event_id: String,
    /// In milliseconds since 1970.
    #[serde(default)]
    pub timestamp: i64,
    /// Of a sandbox: `2026/11/24/[$LATEST]0123…`.
    #[serde(default)]
    pub log_stream_name: String,
    /// The text.
    #[serde(default)]
    pub message: String,
}

/// Some of the events, in the order of their times, and where there are more.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogPage {
    /// The events; there may be none while there is a next page.
    pub events: Vec<LogEvent>,
    /// What asks for the next page.
    pub next_token: Option<String>,
}

impl LogEvents {
    /// A log group, in an account (`*` where nobody said it).
    pub fn new(session: &Session, region: &Region, account: &str, group: &str) -> LogEvents {
        let partition = Partition::of(region);
        let arn = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:*");
        LogEvents {
            service: JsonService::new(session, region, "logs", "Logs_20140328"),
            group: group.to_owned(),
            call: Call::new("logs:FilterLogEvents", arn, region),
        }
    }

    /// The page of a token, or the first one.
    pub async fn page(&self, query: &LogQuery, token: Option<&str>) -> Result<LogPage, AwsError> {
        let mut input = json!({"logGroupName": self.group, "startTime": query.start});
        let more = [
            ("endTime", query.end.map(|end| json!(end))),
            ("filterPattern", query.pattern.as_ref().map(|it| json!(it))),
            ("nextToken", token.map(|token| json!(token))),
        ];
        for (name, value) in more {
            if let Some(value) = value {
                input[name] = value;
            }
        }
        let answer = self.service.call(&self.call, "FilterLogEvents", &input);
        // An answer that broke off has no events.
        serde_json::from_value(answer.await?).map_err(|_| AwsError::Incomplete {
            action: self.call.action,
            region: self.call.region.clone(),
            what: "events",
        })
    }
}
