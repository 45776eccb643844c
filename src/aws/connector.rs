//! The one connection for all requests to AWS: the SDK's clients send through the same reqwest client that fetches R, so
//! that proxies, certificates and NO_PROXY mean the same everywhere (the SDK's own client reads neither AWS_CA_BUNDLE
//! nor SSL_CERT_FILE).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::pace::Pace;
use crate::http::{AwsClients, HttpError, UNTRUSTED, reason};
use crate::progress::Task;

/// How long a connection may be silent: Lambda takes its time to unpack a large layer.
const SILENCE: Duration = Duration::from_secs(120);

/// How much of a body in memory goes out at once, so that progress is seen.
const PIECE: usize = 256 * 1024;

/// Whom a request tells how much of it is sent.
#[derive(Clone)]
pub struct Sent(pub Arc<dyn Task>);

/// The region of a request to Lambda's control plane, which takes so many a second.
#[derive(Clone, Debug)]
pub struct Paced(pub String);

/// How long the answer to a request may take, where that is longer than a connection may be silent.
#[derive(Clone, Copy, Debug)]
pub struct AnswerTime(pub Duration);

/// Sends the SDK's requests.
#[derive(Clone, Debug)]
pub struct Connector {
    clients: AwsClients,
    pace: Arc<Pace>,
}

impl Connector {
    /// With the environment's proxies and certificates.
    pub fn from_environment() -> Result<Connector, HttpError> {
        Ok(Connector {
            clients: AwsClients::from_environment()?,
            pace: Arc::default(),
        })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request
            .try_into_http1x()
            .map_err(|error| ConnectorError::user(error.into()))?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let paced = request.extensions().get::<Paced>().cloned();
        if let Some(Paced(region)) = &paced {
            self.pace.turn(region).await;
        }
        let activity = Arc::new(Activity::new());
        let (parts, body) = request.into_parts();
        let sent = parts.extensions.get::<Sent>().cloned();
        let answer_time = parts.extensions.get::<AnswerTime>();
        let silence = answer_time.map_or(SILENCE, |AnswerTime(time)| *time);
        let body = Observed {
            body,
            rest: Bytes::new(),
            activity: activity.clone(),
            sent,
        };
        let request = http::Request::from_parts(parts, reqwest::Body::wrap(body));
        let request = reqwest::Request::try_from(request)
            .map_err(|error| ConnectorError::user(error.into()))?;
        let client = self.clients.for_host(&host);
        let response = tokio::select! {
            response = client.execute(request) => response.map_err(|error| failed(&host, &error))?,
            () = activity.silence(silence) => return Err(ConnectorError::timeout(
                format!("{host} said nothing for {} s", silence.as_secs()).into(),
            )),
        };
        self.understood(&host, paced, response).await
    }

    /// Hands an answer on, unless it is none of AWS's.
    async fn understood(
        &self,
        host: &str,
        paced: Option<Paced>,
        response: reqwest::Response,
    ) -> Result<HttpResponse, ConnectorError> {
        let status = response.status();
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let asked = header("retry-after").and_then(|value| value.parse().ok());
        if let (Some(Paced(region)), Some(seconds)) = (&paced, asked) {
            let pause = Duration::from_secs(seconds).min(LONGEST_HOLD);
            self.pace.hold(region, pause);
        }
        let is_html = header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let response: http::Response<reqwest::Body> = response.into();
        let (parts, body) = response.into_parts();
        let mut body = SdkBody::from_body_1_x(body);
        if is_html {
            // Servers that play AWS's part send their JSON so as well.
            let content = collect(body).await.map_err(ConnectorError::io)?;
            if is_page(&content) {
                let kind = status.is_server_error().then_some(ErrorKind::ServerError);
                let page = NotAws {
                    host: host.to_owned(),
                    status: status.as_u16(),
                };
                return Err(ConnectorError::other(page.into(), kind));
            }
            body = SdkBody::from(content);
        }
        HttpResponse::try_from(http::Response::from_parts(parts, body))
            .map_err(|error| ConnectorError::other(error.into(), None))
    }
}

/// The whole of a body.
pub(super) async fn collect(mut body: SdkBody) -> Result<Vec<u8>, aws_smithy_types::body::Error> {
    let mut content = Vec::new();
    while let Some(frame) =
        std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        content.extend(frame?.into_data().unwrap_or_default());
    }
    Ok(content)
}

fn is_page(content: &[u8]) -> bool {
    let begin = &content[..content.len().min(512)];
    let begin = String::from_utf8_lossy(begin).trim_start().to_lowercase();
    begin.starts_with("<!doctype") || begin.starts_with("<html")
}

/// A server that asks for a longer pause fails instead.
const LONGEST_HOLD: Duration = Duration::from_secs(30);

/// A page where AWS's answer should be: a portal's or a proxy's.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "what answers for {host} is not AWS (HTML, HTTP {status}): a proxy or a portal is in the way; see HTTPS_PROXY and \
     NO_PROXY"
)]
pub struct NotAws {
    host: String,
    status: u16,
}

/// A certificate that is not to be trusted.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "{host}: {reason}. If the certificate is from an authority of your own, as a company's proxy has one, name a file \
     with that authority's certificate in AWS_CA_BUNDLE"
)]
pub struct Untrusted {
    host: String,
    reason: String,
}

/// A host that was not reached, or that hung up.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{host} cannot be reached: {reason}")]
pub struct Unreachable {
    /// The host.
    pub host: String,
    /// Was there no address for the name?
    pub is_unresolved: bool,
    /// Was there no connection, so that nothing was sent?
    pub is_unconnected: bool,
    reason: String,
}

fn failed(host: &str, error: &reqwest::Error) -> ConnectorError {
    let reason = reason(error);
    let host = host.to_owned();
    if reason.starts_with(UNTRUSTED) {
        return ConnectorError::other(Untrusted { host, reason }.into(), None);
    }
    let words = format!("{error:?}");
    let says = |any: &[&str]| any.iter().any(|some| words.contains(some));
    let is_unresolved = error.is_connect() && says(&["dns error", "failed to lookup"]);
    let may_pass = says(&["Temporary failure", "try again"]);
    let unreachable = Unreachable {
        host,
        is_unresolved,
        is_unconnected: error.is_connect(),
        reason,
    };
    match (is_unresolved && !may_pass, error.is_timeout()) {
        // A name that is misspelt has no address a second later either.
        (true, _) => ConnectorError::other(unreachable.into(), None),
        (false, true) => ConnectorError::timeout(unreachable.into()),
        (false, false) => ConnectorError::io(unreachable.into()),
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.send(request).await })
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// When something was last sent.
#[derive(Debug)]
struct Activity {
    begin: Instant,
    /// In milliseconds since the beginning.
    last: AtomicU64,
}

impl Activity {
    fn new() -> Activity {
        Activity {
            begin: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    fn note(&self) {
        let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Ends when nothing was sent, and nothing answered, for too long.
    async fn silence(&self, most: Duration) {
        loop {
            let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
            let end = self.begin + last + most;
            if Instant::now() >= end {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}

/// A body that tells how much of it is sent.
struct Observed {
    body: SdkBody,
    /// What the body has given and is not sent yet.
    rest: Bytes,
    activity: Arc<Activity>,
    sent: Option<Sent>,
}

impl Body for Observed {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return other,
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.activity.note();
        if let Some(Sent(task)) = &self.sent {
            task.advance(length as u64);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        match self.body.size_hint().exact() {
            Some(length) => SizeHint::with_exact(length + rest),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_has_the_time_for_its_answer_that_it_says() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut request = HttpRequest::empty();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        request.set_uri(url).unwrap();
        request.add_extension(AnswerTime(Duration::from_millis(20)));
        let error = Connector::from_environment().unwrap().send(request).await;
        assert!(error.unwrap_err().is_timeout());
    }
}
