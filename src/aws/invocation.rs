//! A function at AWS, invoked.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>,
//! <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>. A call is made once: a function that
//! is invoked twice does twice what it does, so that neither the SDK nor anybody here repeats one whose answer was lost.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::operation::invoke::builders::InvokeFluentBuilder;
use aws_sdk_lambda::operation::invoke_with_response_stream::InvokeWithResponseStreamOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    InvocationType, InvokeWithResponseStreamResponseEvent as StreamEvent, LogType,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::connector::AnswerTime;
use super::marked::Marked;
use super::{AwsError, Call, Session};
use crate::function::QualifiedFunction;
use crate::publication::Region;

/// The longest that a function may take is 900 seconds; starting it and the way there and back come on top.
const LONGEST: Duration = Duration::from_secs(960);

/// What a function is invoked with.
#[derive(Clone, Debug)]
pub struct InvokeRequest {
    /// The function; without a qualifier its `$LATEST`.
    pub function: QualifiedFunction,
    /// The event: JSON, or nothing.
    pub event: Vec<u8>,
}

/// What a function answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoked {
    /// The invocation's id.
    pub request_id: String,
    /// `Unhandled`, where the answer is an error.
    pub function_error: Option<String>,
    /// The result, or the error as JSON.
    pub payload: Vec<u8>,
    /// The last 4 KB of the log, as they are.
    pub log: Vec<u8>,
}

/// A part of a response that is sent while it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponsePart {
    /// So much more of it.
    Chunk(Vec<u8>),
    /// Its end.
    End {
        /// Code and details of the error that ended it.
        error: Option<(String, String)>,
        /// The last 4 KB of the log, as they are.
        log: Vec<u8>,
    },
}

/// A response that comes while it is made.
pub struct ResponseStream {
    answer: InvokeWithResponseStreamOutput,
    call: Call,
}

/// A region's functions, invoked.
#[derive(Clone, Debug)]
pub struct Invocations {
    client: aws_sdk_lambda::Client,
    region: Region,
}

impl Invocations {
    /// The functions of a region.
    pub fn new(session: &Session, region: &Region) -> Invocations {
        Invocations {
            client: session.lambda(region),
            region: region.clone(),
        }
    }

    fn request(&self, request: &InvokeRequest) -> InvokeFluentBuilder {
        self.client
            .invoke()
            .function_name(request.function.for_api(&self.region))
            .set_qualifier(request.function.qualifier.clone())
            .payload(Blob::new(request.event.clone()))
    }

    /// Invokes a function and waits for its answer.
    pub async fn invoke(&self, request: &InvokeRequest) -> Result<Invoked, AwsError> {
        let answer = self
            .request(request)
            .log_type(LogType::Tail)
            .customize()
            .config_override(once())
            .interceptor(Marked(AnswerTime(LONGEST)))
            .send()
            .await;
        let answer = answer.map_err(|error| AwsError::of(self.call(request), error))?;
        Ok(Invoked {
            request_id: answer.request_id().unwrap_or_default().to_owned(),
            function_error: answer.function_error,
            payload: answer.payload.map(Blob::into_inner).unwrap_or_default(),
            log: decoded(answer.log_result.as_deref()),
        })
    }

    /// Hands a function an event, for which nobody waits, and returns the invocation's id.
    pub async fn send(&self, request: &InvokeRequest) -> Result<String, AwsError> {
        let answer = self
            .request(request)
            .invocation_type(InvocationType::Event)
            .customize()
            .config_override(once())
            .send()
            .await;
        let answer = answer.map_err(|error| AwsError::of(self.call(request), error))?;
        Ok(answer.request_id().unwrap_or_default().to_owned())
    }

    /// Invokes a function and lets its response come while it is made.
    pub async fn stream(&self, request: &InvokeRequest) -> Result<ResponseStream, AwsError> {
        let answer = self
            .client
            .invoke_with_response_stream()
            .function_name(request.function.for_api(&self.region))
            .set_qualifier(request.function.qualifier.clone())
            .log_type(LogType::Tail)
            .payload(Blob::new(request.event.clone()))
            .customize()
            .config_override(once())
            .interceptor(Marked(AnswerTime(LONGEST)))
            .send()
            .await;
        let answer = answer.map_err(|error| AwsError::of(self.call(request), error))?;
        Ok(ResponseStream {
            answer,
            call: self.call(request),
        })
    }

    fn call(&self, request: &InvokeRequest) -> Call {
        let arn = request.function.arn(&self.region);
        Call::new("lambda:InvokeFunction", arn, &self.region)
    }
}

impl ResponseStream {
    /// The next part. A response that ends without its end broke off.
    pub async fn next(&mut self) -> Result<ResponsePart, AwsError> {
        loop {
            let event = self.answer.event_stream.recv().await;
            let event = event.map_err(|error| AwsError::broken_off(self.call.clone(), &error))?;
            match event {
                Some(StreamEvent::PayloadChunk(chunk)) => {
                    let chunk = chunk.payload.map(Blob::into_inner);
                    return Ok(ResponsePart::Chunk(chunk.unwrap_or_default()));
                }
                Some(StreamEvent::InvokeComplete(end)) => {
                    let details = end.error_details.unwrap_or_default();
                    return Ok(ResponsePart::End {
                        error: end.error_code.map(|code| (code, details)),
                        log: decoded(end.log_result.as_deref()),
                    });
                }
                // Kinds of events that are younger than this program.
                Some(_) => {}
                None => {
                    let early = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
                    return Err(AwsError::broken_off(self.call.clone(), &early));
                }
            }
        }
    }
}

/// No second try, and no limit to how long a response may pause: the function's own time-out is one.
fn once() -> aws_sdk_lambda::config::Builder {
    aws_sdk_lambda::config::Builder::new()
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

fn decoded(log: Option<&str>) -> Vec<u8> {
    log.and_then(|log| STANDARD.decode(log).ok())
        .unwrap_or_default()
}
