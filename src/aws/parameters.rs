//! ARNs in Systems Manager's Parameter Store, where templates find the newest.

use serde_json::json;

use super::json_call::JsonService;
use super::{AwsError, Call, Refusal, Session};
use crate::publication::Region;

/// The parameters of a region.
#[derive(Clone, Debug)]
pub struct Parameters {
    service: JsonService,
    region: Region,
    arn: String,
}

impl Parameters {
    /// The parameters of an account in a region.
    pub fn new(session: &Session, region: &Region, partition: &str, account: &str) -> Parameters {
        Parameters {
            service: JsonService::new(session, region, "ssm", "AmazonSSM"),
            region: region.clone(),
            arn: format!("arn:{partition}:ssm:{region}:{account}:parameter"),
        }
    }

    fn call(&self, action: &'static str, name: &str) -> Call {
        let slash = if name.starts_with('/') { "" } else { "/" };
        Call::new(action, format!("{}{slash}{name}", self.arn), &self.region)
    }

    /// A parameter's value; nothing if there is no such parameter.
    pub async fn get(&self, name: &str) -> Result<Option<String>, AwsError> {
        let call = self.call("ssm:GetParameter", name);
        let input = json!({"Name": name});
        match self.service.call(&call, "GetParameter", &input).await {
            Ok(answer) => Ok(answer["Parameter"]["Value"].as_str().map(ToOwned::to_owned)),
            Err(error) if error.refusal() == Some(Refusal::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets a parameter, whatever it was.
    pub async fn put(&self, name: &str, value: &str) -> Result<(), AwsError> {
        let call = self.call("ssm:PutParameter", name);
        let input = json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
        self.service.call(&call, "PutParameter", &input).await?;
        Ok(())
    }
}
