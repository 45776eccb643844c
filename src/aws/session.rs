//! Who we are to AWS: credentials, profile, role, region and endpoint as every AWS tool takes them.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use serde::Serialize;

use super::connector::Paced;
use super::endpoint::check_endpoints;
use super::marked::Marked;
use super::{AwsError, Call, Connector};
use crate::publication::Region;

/// What flags and the manifest say beyond AWS's own settings (`AWS_PROFILE`, `~/.aws/config` …), which the SDK reads.
#[derive(Clone, Debug, Default)]
pub struct SessionSettings {
    /// A profile of `~/.aws/config`, over AWS_PROFILE.
    pub profile: Option<String>,
    /// The ARN of a role to assume with those credentials.
    pub role: Option<String>,
    /// A URL instead of AWS's own, over AWS_ENDPOINT_URL.
    pub endpoint: Option<String>,
}

/// How often a call is made, unless AWS_MAX_ATTEMPTS says otherwise. AWS's own default, three, is little for thirty-four
/// regions.
const ATTEMPTS: u32 = 6;

/// Who AWS takes us for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    /// `arn:aws:iam::123456789012:user/name`.
    pub arn: String,
}

impl Identity {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }
}

/// Credentials and connection for every region.
#[derive(Clone, Debug)]
pub struct Session {
    config: SdkConfig,
    connector: Connector,
}

impl Session {
    /// Reads AWS's settings. Credentials are looked for when the first call is made.
    pub async fn open(settings: &SessionSettings) -> Result<Session, AwsError> {
        check_endpoints(settings.endpoint.as_deref())?;
        let connector = Connector::from_environment()?;
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(connector.clone())
            .retry_config(retries());
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &settings.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let mut config = loader.load().await;
        // Roles are assumed somewhere, also where every region is named by flags: where AWS's own tools do it then.
        let region = config.region().cloned();
        let region = region.unwrap_or(aws_config::Region::from_static("us-east-1"));
        if let Some(profile) = &settings.profile {
            // The SDK's own chain looks at the environment's keys first, whatever profile is named.
            let provider = of_profile(profile, &region, &connector);
            let provider = SharedCredentialsProvider::new(provider);
            config = config.into_builder().credentials_provider(provider).build();
        }
        if let Some(role) = &settings.role {
            let provider = AssumeRoleProvider::builder(role)
                .session_name("r-layer")
                .configure(&config)
                .region(region)
                .build()
                .await;
            let provider = SharedCredentialsProvider::new(provider);
            config = config.into_builder().credentials_provider(provider).build();
        }
        Ok(Session { config, connector })
    }

    /// The region of AWS_REGION or of the profile.
    pub fn region(&self) -> Result<Option<Region>, AwsError> {
        // Set to nothing is not set.
        let set = |text: &String| !text.is_empty();
        let region = self.config.region().map(ToString::to_string).filter(set);
        let region = region.or_else(|| std::env::var("AWS_DEFAULT_REGION").ok().filter(set));
        Ok(region.map(|region| Region::typed(&region)).transpose()?)
    }

    /// Asks AWS who we are.
    pub async fn identity(&self, region: &Region) -> Result<Identity, AwsError> {
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .region(sdk_region(region))
            .build();
        let call = || Call::new("sts:GetCallerIdentity", "*", region);
        let answer = aws_sdk_sts::Client::from_conf(config)
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| AwsError::of(call(), error))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => Err(AwsError::Incomplete {
                action: call().action,
                region: region.clone(),
                what: "account",
            }),
        }
    }

    pub(super) fn lambda(&self, region: &Region) -> aws_sdk_lambda::Client {
        let config = aws_sdk_lambda::config::Builder::from(&self.config)
            .region(sdk_region(region))
            .interceptor(Marked(Paced(region.as_str().to_owned())))
            .build();
        aws_sdk_lambda::Client::from_conf(config)
    }

    pub(super) fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .region(sdk_region(region))
            // A server of one's own seldom has a name for every bucket.
            .force_path_style(self.config.endpoint_url().is_some())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// How often a call is made that is throttled, or that a fault of AWS or of the line ended.
    pub fn attempts(&self) -> usize {
        let retries = self.config.retry_config();
        let attempts = retries.map_or(ATTEMPTS, RetryConfig::max_attempts);
        usize::try_from(attempts).unwrap_or(usize::MAX)
    }

    pub(super) fn config(&self) -> &SdkConfig {
        &self.config
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }
}

/// The credentials of a profile that was named, as `aws --profile` takes them.
fn of_profile(
    profile: &str,
    region: &aws_config::Region,
    connector: &Connector,
) -> ProfileFileCredentialsProvider {
    let config = ProviderConfig::default()
        .with_http_client(connector.clone())
        .with_region(Some(region.clone()));
    ProfileFileCredentialsProvider::builder()
        .configure(&config)
        .profile_name(profile)
        .build()
}

fn sdk_region(region: &Region) -> aws_config::Region {
    aws_config::Region::new(region.as_str().to_owned())
}

/// Calls are made again with pauses that double, and that chance makes different; as often as AWS_MAX_ATTEMPTS says.
fn retries() -> RetryConfig {
    let set = std::env::var("AWS_MAX_ATTEMPTS").ok();
    let set = set.and_then(|attempts| attempts.trim().parse().ok());
    let attempts = set.filter(|attempts| *attempts > 0).unwrap_or(ATTEMPTS);
    RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(Duration::from_millis(500))
        .with_max_backoff(Duration::from_secs(10))
}
