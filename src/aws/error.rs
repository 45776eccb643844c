//! Why AWS did not do what it was asked, sorted by what helps.

mod explained;
#[cfg(test)]
mod tests;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use explained::explained;

use super::connector::{NotAws, Unreachable, Untrusted};
use super::{Call, StagedObject};
use crate::http::HttpError;
use crate::publication::{Partition, Region, RegionError};

/// What kind of no it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody told us who we are.
    NoCredentials,
    /// We were somebody until a while ago.
    Expired,
    /// The account has not enabled the region, or the keys are nobody's.
    NotEnabled,
    /// We may not.
    Denied,
    /// Too many requests, for longer than we tried.
    Throttled,
    /// This machine's clock is off.
    Clock,
    /// There is no more room for code and layers.
    StorageFull,
    /// There is no such thing.
    NotFound,
    /// There is no such bucket.
    NoBucket,
    /// The bucket is in another region.
    BucketElsewhere,
    /// There is such a thing already, or something is under way.
    Conflict,
    /// The request is larger than AWS takes.
    TooLarge,
    /// AWS does not take what the request says.
    Invalid,
    /// The name has no address: it is probably misspelt.
    NoSuchHost,
    /// There was no connection: nothing was sent.
    NotReached,
    /// No answer, or one that was lost: it may have been done, or not.
    NoAnswer,
    /// AWS has a fault of its own.
    Fault,
    /// Something else.
    Other,
}

impl Refusal {
    /// May the call have been carried out all the same?
    pub fn is_uncertain(self) -> bool {
        matches!(self, Refusal::NoAnswer | Refusal::Fault)
    }

    /// May the same call do better in a while?
    pub fn may_pass(self) -> bool {
        self.is_uncertain() || matches!(self, Refusal::NotReached | Refusal::Throttled)
    }
}

/// Why AWS did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// HTTP cannot be set up.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A call that AWS refused, or that it was not reached for.
    #[error("{}", explained(call, *refusal, detail))]
    Refused {
        /// What was asked.
        call: Box<Call>,
        /// What kind of no it is.
        refusal: Refusal,
        /// AWS's words, with the request's id.
        detail: String,
    },
    /// A setting that is no region.
    #[error(transparent)]
    NotARegion(#[from] RegionError),
    /// No region is set.
    #[error(
        "no region: type --region eu-central-1 (may be repeated) or --all-regions, set AWS_REGION, or put regions into \
         [publish] of r-layer.toml"
    )]
    NoRegion,
    /// A setting that is no address.
    #[error(
        "{setting} is `{value}`, which is no URL that begins with http:// or https://; set it right, or not at all"
    )]
    NoEndpoint {
        /// The flag or variable.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// A file that is sent cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// Something in an answer that should not be missing.
    #[error(
        "AWS's answer to {action} in {region} has no {what}; try again, and report it if it stays so"
    )]
    Incomplete {
        /// The IAM action.
        action: &'static str,
        /// Where.
        region: Region,
        /// What is missing.
        what: &'static str,
    },
}

impl AwsError {
    /// What kind of no it is, where AWS was asked.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            AwsError::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }

    /// Sorts what the SDK says of a call.
    pub fn of<E>(call: Call, error: SdkError<E, HttpResponse>) -> AwsError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let (refusal, detail) = match &error {
            SdkError::ServiceError(service) => of_service(service.err(), service.raw()),
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(error) => of_connection(error),
                None => (Refusal::NoAnswer, chain(&error)),
            },
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => {
                (Refusal::NoAnswer, chain(&error))
            }
            _ => of_construction(&error),
        };
        AwsError::Refused {
            call: Box::new(call),
            refusal,
            detail,
        }
    }

    /// A refusal that AWS gave in JSON or XML to a request that was not made by the SDK.
    pub(super) fn answered(call: Call, status: u16, code: &str, message: &str) -> AwsError {
        let detail = match message {
            "" => format!("{code} (HTTP {status})"),
            _ => format!("{code}: {message}"),
        };
        AwsError::Refused {
            call: Box::new(call),
            refusal: of_code(code, message, status),
            detail,
        }
    }

    /// An answer that broke off.
    pub(super) fn broken_off(call: Call, error: &(dyn std::error::Error + 'static)) -> AwsError {
        AwsError::Refused {
            call: Box::new(call),
            refusal: Refusal::NoAnswer,
            detail: chain(error),
        }
    }

    /// The same, of a call for which Lambda reads a zip from a bucket in the caller's name: what S3 denies is told as what
    /// S3 has to allow.
    pub(super) fn of_reading(self, object: &StagedObject, region: &Region) -> AwsError {
        match self {
            AwsError::Refused {
                refusal: Refusal::Denied,
                detail,
                ..
            } if detail.contains("S3") => AwsError::Refused {
                call: Box::new(Call::new(
                    "s3:GetObject",
                    object.arn(&Partition::of(region)),
                    region,
                )),
                refusal: Refusal::Denied,
                detail,
            },
            other => other,
        }
    }

    /// A call that nobody signs.
    pub(super) fn unsigned(call: Call, error: &CredentialsError) -> AwsError {
        let (refusal, detail) = of_credentials(error);
        AwsError::Refused {
            call: Box::new(call),
            refusal,
            detail,
        }
    }

    /// A connection that failed.
    pub(super) fn unanswered(call: Call, error: &ConnectorError) -> AwsError {
        let (refusal, detail) = of_connection(error);
        AwsError::Refused {
            call: Box::new(call),
            refusal,
            detail,
        }
    }
}

fn of_service<E: ProvideErrorMetadata>(error: &E, raw: &HttpResponse) -> (Refusal, String) {
    let code = error.code().unwrap_or_default();
    let message = error.message().unwrap_or_default();
    let status = raw.status().as_u16();
    let request = raw
        .headers()
        .get("x-amzn-requestid")
        .or_else(|| raw.headers().get("x-amz-request-id"))
        .map(|id| format!(" (request {id})"))
        .unwrap_or_default();
    let mut detail = match (code, message) {
        ("", "") => format!("HTTP {status}"),
        ("", message) => format!("HTTP {status}: {message}"),
        (code, "") => format!("{code} (HTTP {status})"),
        (code, message) => format!("{code}: {message}"),
    };
    detail.push_str(&request);
    let refusal = of_code(code, message, status);
    if refusal == Refusal::Clock
        && let Some(theirs) = raw.headers().get("date")
    {
        detail.push_str(&format!("; AWS's clock says {theirs}"));
    }
    if refusal == Refusal::BucketElsewhere
        && let Some(region) = raw.headers().get("x-amz-bucket-region")
    {
        detail.push_str(&format!("; it is in {region}"));
    }
    (refusal, detail)
}

/// Error codes as Lambda, S3, STS and SSM have them: each service's API reference, "Common Error Types".
fn of_code(code: &str, message: &str, status: u16) -> Refusal {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Refusal::Expired,
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" => {
            Refusal::NotEnabled
        }
        "RequestExpired" | "RequestTimeTooSkewed" => Refusal::Clock,
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "AuthFailure"
            if is_about_time(message) =>
        {
            Refusal::Clock
        }
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Refusal::Denied,
        "TooManyRequestsException"
        | "Throttling"
        | "ThrottlingException"
        | "SlowDown"
        | "RequestLimitExceeded" => Refusal::Throttled,
        "CodeStorageExceededException" => Refusal::StorageFull,
        "NoSuchBucket" => Refusal::NoBucket,
        "PermanentRedirect" | "AuthorizationHeaderMalformed" => Refusal::BucketElsewhere,
        "ResourceNotFoundException"
        | "NoSuchKey"
        | "NotFound"
        | "ParameterNotFound"
        | "NoSuchEntity" => Refusal::NotFound,
        "ResourceConflictException"
        | "EntityAlreadyExists"
        | "ParameterAlreadyExists"
        | "RepositoryAlreadyExistsException"
        | "PreconditionFailedException"
        | "ResourceNotReadyException" => Refusal::Conflict,
        "RequestEntityTooLargeException" | "RequestTooLargeException" | "EntityTooLarge" => {
            Refusal::TooLarge
        }
        "InvalidParameterValueException"
        | "InvalidParameterException"
        | "ValidationException"
        | "ValidationError"
        | "InvalidRequestContentException"
        | "PolicyLengthExceededException" => Refusal::Invalid,
        _ => of_status(status),
    }
}

fn of_status(status: u16) -> Refusal {
    match status {
        403 => Refusal::Denied,
        404 => Refusal::NotFound,
        409 | 412 => Refusal::Conflict,
        413 => Refusal::TooLarge,
        429 => Refusal::Throttled,
        500.. => Refusal::Fault,
        _ => Refusal::Other,
    }
}

fn is_about_time(message: &str) -> bool {
    ["Signature expired", "Signature not yet current"]
        .iter()
        .any(|words| message.contains(words))
}

fn of_connection(error: &ConnectorError) -> (Refusal, String) {
    let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(page) = cause.downcast_ref::<NotAws>() {
            return (Refusal::Other, page.to_string());
        }
        if let Some(untrusted) = cause.downcast_ref::<Untrusted>() {
            return (Refusal::Other, untrusted.to_string());
        }
        if let Some(unreachable) = cause.downcast_ref::<Unreachable>() {
            let refusal = match (unreachable.is_unresolved, unreachable.is_unconnected) {
                (true, _) => Refusal::NoSuchHost,
                (_, true) => Refusal::NotReached,
                _ => Refusal::NoAnswer,
            };
            return (refusal, unreachable.to_string());
        }
        if cause.is::<CredentialsError>() {
            return of_credentials(cause);
        }
        source = cause.source();
    }
    (Refusal::NoAnswer, chain(error))
}

/// What the SDK could not even send.
fn of_construction(error: &(dyn std::error::Error + 'static)) -> (Refusal, String) {
    let reasons = chain(error);
    let lower = reasons.to_lowercase();
    match lower.contains("credential") || lower.contains("identity") {
        true => of_credentials(error),
        false => (Refusal::Other, reasons),
    }
}

/// There are no credentials, or none any more: a login that is over is told by the providers in words alone.
fn of_credentials(error: &(dyn std::error::Error + 'static)) -> (Refusal, String) {
    let reasons = chain(error);
    let lower = reasons.to_lowercase();
    let is_expired = lower.contains("expired") || lower.contains("sso login");
    match is_expired {
        true => (Refusal::Expired, reasons),
        false => (Refusal::NoCredentials, reasons),
    }
}

/// An error and its causes on one line, without what is said twice.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut reasons: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let reason = error.to_string();
        if reasons.iter().all(|said| !said.contains(&reason)) {
            reasons.push(reason);
        }
        next = error.source();
    }
    reasons.join(": ")
}
