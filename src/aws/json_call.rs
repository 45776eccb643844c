//! Calls to services of which r-layer needs two or three: JSON in a POST, signed by the SDK's signer. The SDK's own crate
//! for Systems Manager alone takes as long to compile as the rest of r-layer.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::connector::collect;
use super::{AwsError, Call, Refusal, Session};
use crate::http::Patience;
use crate::publication::{Partition, Region};

/// A service that speaks AWS's JSON protocol 1.1.
#[derive(Clone, Debug)]
pub struct JsonService {
    session: Session,
    region: Region,
    /// As it is in signatures: `ssm`.
    name: &'static str,
    /// As host names begin: `ssm`, `api.ecr`.
    host: &'static str,
    /// What stands before an operation's name: `AmazonSSM`.
    prefix: &'static str,
}

impl JsonService {
    /// A service in a region.
    pub fn new(
        session: &Session,
        region: &Region,
        name: &'static str,
        prefix: &'static str,
    ) -> JsonService {
        JsonService {
            session: session.clone(),
            region: region.clone(),
            name,
            host: name,
            prefix,
        }
    }

    /// The same for a service whose host name begins with something else.
    pub fn at_host(self, host: &'static str) -> JsonService {
        JsonService { host, ..self }
    }

    /// AWS's own address, unless AWS_ENDPOINT_URL or a flag says another.
    fn endpoint(&self) -> String {
        let variable = format!("AWS_ENDPOINT_URL_{}", self.name.to_uppercase());
        let own = std::env::var(variable).ok().filter(|url| !url.is_empty());
        let general = || self.session.config().endpoint_url().map(ToOwned::to_owned);
        own.or_else(general).unwrap_or_else(|| {
            let suffix = match Partition::of(&self.region).as_str() {
                "aws-cn" => "amazonaws.com.cn",
                _ => "amazonaws.com",
            };
            format!("https://{}.{}.{suffix}", self.host, self.region)
        })
    }

    /// Makes a call, again where AWS was throttled, at fault or not reached.
    pub async fn call(
        &self,
        call: &Call,
        operation: &str,
        input: &Value,
    ) -> Result<Value, AwsError> {
        let mut pauses = Patience::default().pauses();
        loop {
            let error = match self.attempt(call, operation, input).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let may_pass = error
                .refusal()
                .is_some_and(|refusal| refusal.is_uncertain() || refusal == Refusal::Throttled);
            match pauses.next().filter(|_| may_pass) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        operation: &str,
        input: &Value,
    ) -> Result<Value, AwsError> {
        let body = input.to_string();
        let mut request = http::Request::builder()
            .method("POST")
            .uri(self.endpoint() + "/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{}.{operation}", self.prefix))
            .body(body)
            .map_err(|error| self.unsent(call, &error))?;
        self.sign(call, &mut request).await?;
        let request = HttpRequest::try_from(request.map(SdkBody::from))
            .map_err(|error| self.unsent(call, &error))?;
        let answer = self.session.connector().call(request).await;
        let mut answer = answer.map_err(|error| AwsError::unanswered(call.clone(), &error))?;
        let status = answer.status().as_u16();
        // One that breaks off is not JSON, and is told so.
        let content = collect(answer.take_body()).await.unwrap_or_default();
        let json: Value = serde_json::from_slice(&content).unwrap_or(Value::Null);
        if status < 300 {
            return Ok(json);
        }
        let text = |names: [&str; 2]| names.iter().find_map(|name| json[name].as_str());
        let code = text(["__type", "code"]).unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or(code);
        let message = text(["message", "Message"]).unwrap_or_default();
        Err(AwsError::answered(call.clone(), status, code, message))
    }

    async fn sign(&self, call: &Call, request: &mut http::Request<String>) -> Result<(), AwsError> {
        let refused = |refusal, detail: String| AwsError::Refused {
            call: Box::new(call.clone()),
            refusal,
            detail,
        };
        let nobody = "no provider of credentials".to_owned();
        let provider = self.session.config().credentials_provider();
        let provider = provider.ok_or_else(|| refused(Refusal::NoCredentials, nobody))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| refused(Refusal::NoCredentials, error.to_string()))?;
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region.as_str())
            .name(self.name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| self.unsent(call, &error))?;
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let (method, uri) = (request.method().as_str(), request.uri().to_string());
        let body = SignableBody::Bytes(request.body().as_bytes());
        let signable = SignableRequest::new(method, uri, headers, body)
            .map_err(|error| self.unsent(call, &error))?;
        let (instructions, _) = sign(signable, &parameters.into())
            .map_err(|error| self.unsent(call, &error))?
            .into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }

    fn unsent(&self, call: &Call, error: &dyn std::error::Error) -> AwsError {
        AwsError::Refused {
            call: Box::new(call.clone()),
            refusal: Refusal::Other,
            detail: error.to_string(),
        }
    }
}
