//! Services that take JSON in a POST and answer in JSON: AWS's JSON protocol 1.1.

use serde_json::Value;

use super::signed_call::{SignedAnswer, SignedService};
use super::{AwsError, Call, Session};
use crate::publication::Region;

/// A service that speaks AWS's JSON protocol 1.1.
#[derive(Clone, Debug)]
pub struct JsonService {
    service: SignedService,
    /// What stands before an operation's name: `AmazonSSM`.
    prefix: &'static str,
}

impl JsonService {
    /// A service in a region; `name` as it is in host names and signatures: `ssm`.
    pub fn new(
        session: &Session,
        region: &Region,
        name: &'static str,
        prefix: &'static str,
    ) -> JsonService {
        JsonService {
            service: SignedService::regional(session, region, name),
            prefix,
        }
    }

    /// The same for a service whose host name begins with something else than its name.
    pub fn at_host(
        session: &Session,
        region: &Region,
        (host, name): (&str, &'static str),
        prefix: &'static str,
    ) -> JsonService {
        JsonService {
            service: SignedService::regional_at(session, region, host, name),
            prefix,
        }
    }

    /// Makes a call, again where AWS was throttled, at fault or not reached.
    pub async fn call(
        &self,
        call: &Call,
        operation: &str,
        input: &Value,
    ) -> Result<Value, AwsError> {
        let target = format!("{}.{operation}", self.prefix);
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target.as_str()),
        ];
        let body = input.to_string();
        let content = self.service.post(call, &headers, &body, refused).await?;
        // One that breaks off is not JSON, and what is missing in it is told then.
        Ok(serde_json::from_slice(&content).unwrap_or(Value::Null))
    }
}

fn refused(call: &Call, answer: &SignedAnswer) -> AwsError {
    let json: Value = serde_json::from_slice(&answer.content).unwrap_or(Value::Null);
    let text = |names: [&str; 2]| names.iter().find_map(|name| json[name].as_str());
    let code = text(["__type", "code"]).unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or(code);
    let message = text(["message", "Message"]).unwrap_or_default();
    AwsError::answered(call.clone(), answer.status, code, message)
}
