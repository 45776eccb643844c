//! The server: its paths, and what it answers at them.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::refusal::Refusal;
use super::request::{self, InvocationType};
use super::{Answered, Call, PATH};
use crate::runtime_api::{Answer, Event};

const JSON: &str = "application/json";

type Calls = mpsc::UnboundedSender<Call>;

/// A running server. It ends with this value.
pub struct InvokeApi {
    address: SocketAddr,
    calls: mpsc::UnboundedReceiver<Call>,
    server: JoinHandle<()>,
}

impl InvokeApi {
    /// Listens at an address; port 0 is a free one.
    pub async fn bind(address: SocketAddr) -> std::io::Result<InvokeApi> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::unbounded_channel();
        let server = tokio::spawn(async move {
            // It ends with the process or when it is aborted; an error here is one of the listening socket.
            let _ = axum::serve(listener, router(sender)).await;
        });
        Ok(InvokeApi {
            address,
            calls,
            server,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the next call. Nothing is lost if the waiting is given up.
    pub async fn next(&mut self) -> Option<Call> {
        self.calls.recv().await
    }
}

impl Drop for InvokeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn router(calls: Calls) -> Router {
    let path = "/2015-03-31/functions/{name}/invocations";
    Router::new()
        .route("/", get(greeting))
        .route(path, post(invoke))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(calls)
}

async fn greeting() -> String {
    format!("An R function answers here: POST its events to {PATH}\n")
}

async fn unknown(method: Method, uri: Uri) -> Refusal {
    let path = uri.path();
    Refusal::operation(format!(
        "{method} {path} is not served; POST an event to {PATH}"
    ))
}

async fn invoke(State(calls): State<Calls>, request: Request) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let kind = InvocationType::of(&head.headers)?;
    let client_context = request::client_context(&head.headers)?;
    let event = Event {
        client_context,
        ..Event::new(request::event(body, kind).await?)
    };
    let request_id = [("x-amzn-RequestId", event.request_id.clone())];
    if kind == InvocationType::DryRun {
        return Ok((StatusCode::NO_CONTENT, request_id).into_response());
    }
    let (caller, reply) = oneshot::channel();
    let caller = (kind == InvocationType::RequestResponse).then_some(caller);
    let waits = caller.is_some();
    calls
        .send(Call { event, caller })
        .map_err(|_| Refusal::ended())?;
    if !waits {
        return Ok((StatusCode::ACCEPTED, request_id).into_response());
    }
    let reply = reply.await.map_err(|_| Refusal::ended())?;
    let answered = reply.map_err(Refusal::service)?;
    let answer = answer(answered, request::wants_log(&head.headers));
    Ok((request_id, answer).into_response())
}

/// The answer as Lambda sends it: errors of the function are no errors of the API.
fn answer(answered: Answered, with_log: bool) -> Response {
    let failed = answered.answer.error().is_some();
    let (content_type, body) = match answered.answer {
        Answer::Response(body) => (JSON.to_owned(), body),
        // Whole, at its end: who wants it while it is made calls another operation, which is not served.
        Answer::Streamed(streamed) => (streamed.content_type, streamed.bytes),
        Answer::Error(report) => (JSON.to_owned(), report.json()),
    };
    let headers = [
        ("Content-Type", content_type),
        ("X-Amz-Executed-Version", "$LATEST".to_owned()),
    ];
    let error = failed.then_some([("X-Amz-Function-Error", "Unhandled")]);
    let log = with_log.then(|| [("X-Amz-Log-Result", STANDARD.encode(answered.log))]);
    (headers, error, log, body).into_response()
}
