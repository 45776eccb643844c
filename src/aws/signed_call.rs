//! Calls to services of which r-layer needs two or three: requests signed by the SDK's signer. The SDK's own crate for
//! Systems Manager alone takes as long to compile as the rest of r-layer.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

use super::connector::collect;
use super::{AwsError, Call, Refusal, Session};
use crate::http::Patience;
use crate::publication::{Partition, Region};

/// A service, as far as addresses and signatures go.
#[derive(Clone, Debug)]
pub struct SignedService {
    session: Session,
    /// The region that signatures name.
    region: Region,
    /// As it is in host names and signatures: `ssm`.
    name: &'static str,
    /// AWS's own address of it.
    address: String,
}

/// What a service answered.
pub struct SignedAnswer {
    /// HTTP's status.
    pub status: u16,
    /// What was in it; nothing, where it broke off.
    pub content: Vec<u8>,
}

impl SignedService {
    /// A service that every region has one of.
    pub fn regional(session: &Session, region: &Region, name: &'static str) -> SignedService {
        SignedService::regional_at(session, region, name, name)
    }

    /// The same, whose host name begins with something else than its name: `api.ecr`.
    pub fn regional_at(
        session: &Session,
        region: &Region,
        host: &str,
        name: &'static str,
    ) -> SignedService {
        let suffix = match Partition::of(region).as_str() {
            "aws-cn" => "amazonaws.com.cn",
            _ => "amazonaws.com",
        };
        SignedService {
            session: session.clone(),
            region: region.clone(),
            name,
            address: format!("https://{host}.{region}.{suffix}"),
        }
    }

    /// A service that a partition has one of, at that address, with signatures for that region.
    pub fn global(
        session: &Session,
        signed_for: Region,
        name: &'static str,
        address: &str,
    ) -> SignedService {
        SignedService {
            session: session.clone(),
            region: signed_for,
            name,
            address: address.to_owned(),
        }
    }

    /// AWS's own address, unless AWS_ENDPOINT_URL or a flag says another.
    fn endpoint(&self) -> String {
        let service = match self.name {
            // The service's own id, by which the SDKs name the variable, is not its name in URLs.
            "logs" => "CLOUDWATCH_LOGS".to_owned(),
            name => name.to_uppercase(),
        };
        let variable = format!("AWS_ENDPOINT_URL_{service}");
        let own = std::env::var(variable).ok().filter(|url| !url.is_empty());
        let general = || self.session.config().endpoint_url().map(ToOwned::to_owned);
        own.or_else(general).unwrap_or_else(|| self.address.clone())
    }

    /// Posts a body, again where AWS was throttled, at fault or not reached. `refused` reads an answer that is a no.
    pub async fn post(
        &self,
        call: &Call,
        headers: &[(&str, &str)],
        body: &str,
        refused: impl Fn(&Call, &SignedAnswer) -> AwsError,
    ) -> Result<Vec<u8>, AwsError> {
        let mut pauses = Patience {
            tries: self.session.attempts(),
            ..Patience::default()
        }
        .pauses();
        loop {
            let error = match self.attempt(call, headers, body).await {
                Ok(answer) if answer.status < 300 => return Ok(answer.content),
                Ok(answer) => refused(call, &answer),
                Err(error) => error,
            };
            let may_pass = error.refusal().is_some_and(Refusal::may_pass);
            match pauses.next().filter(|_| may_pass) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<SignedAnswer, AwsError> {
        let mut request = http::Request::builder()
            .method("POST")
            .uri(self.endpoint() + "/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request
            .body(body.to_owned())
            .map_err(|error| unsent(call, &error))?;
        self.sign(call, &mut request).await?;
        let request = HttpRequest::try_from(request.map(SdkBody::from))
            .map_err(|error| unsent(call, &error))?;
        let answer = self.session.connector().call(request).await;
        let mut answer = answer.map_err(|error| AwsError::unanswered(call.clone(), &error))?;
        Ok(SignedAnswer {
            status: answer.status().as_u16(),
            content: collect(answer.take_body()).await.unwrap_or_default(),
        })
    }

    async fn sign(&self, call: &Call, request: &mut http::Request<String>) -> Result<(), AwsError> {
        let nobody = |detail: String| AwsError::Refused {
            call: Box::new(call.clone()),
            refusal: Refusal::NoCredentials,
            detail,
        };
        let provider = self.session.config().credentials_provider();
        let provider = provider.ok_or_else(|| nobody("no provider of credentials".to_owned()))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| AwsError::unsigned(call.clone(), &error))?;
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region.as_str())
            .name(self.name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsent(call, &error))?;
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let (method, uri) = (request.method().as_str(), request.uri().to_string());
        let body = SignableBody::Bytes(request.body().as_bytes());
        let signable = SignableRequest::new(method, uri, headers, body)
            .map_err(|error| unsent(call, &error))?;
        let (instructions, _) = sign(signable, &parameters.into())
            .map_err(|error| unsent(call, &error))?
            .into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

fn unsent(call: &Call, error: &dyn std::error::Error) -> AwsError {
    AwsError::Refused {
        call: Box::new(call.clone()),
        refusal: Refusal::Other,
        detail: error.to_string(),
    }
}
