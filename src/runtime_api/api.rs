//! The server side of the Runtime API, version 2018-06-01.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::{Answer, ErrorReport, Invocation, Streamed};

/// The largest response that Lambda takes, in bytes.
const LARGEST_RESPONSE: usize = 6_291_556;

/// An invocation that waits for its answer.
struct Pending {
    request_id: String,
    answer: oneshot::Sender<Answer>,
}

struct Shared {
    /// Invocations that no runtime has asked for yet.
    queue: tokio::sync::Mutex<mpsc::Receiver<(Invocation, oneshot::Sender<Answer>)>>,
    pending: Mutex<Option<Pending>>,
    /// Has the runtime asked for an event that it does not have yet?
    asks: watch::Sender<bool>,
    init_error: watch::Sender<Option<ErrorReport>>,
    /// Has anything registered as an extension?
    has_extension: AtomicBool,
}

/// A running server for one function.
pub struct RuntimeApi {
    address: SocketAddr,
    invocations: mpsc::Sender<(Invocation, oneshot::Sender<Answer>)>,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Starts a server on a free port of this machine.
    pub async fn start() -> std::io::Result<RuntimeApi> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (invocations, queue) = mpsc::channel(1);
        let shared = Arc::new(Shared {
            queue: tokio::sync::Mutex::new(queue),
            pending: Mutex::default(),
            asks: watch::Sender::new(false),
            init_error: watch::Sender::new(None),
            has_extension: AtomicBool::new(false),
        });
        let router = router(shared.clone());
        let server = tokio::spawn(async move {
            // It ends with the process or when it is aborted; an error here is one of the listening socket.
            let _ = axum::serve(listener, router).await;
        });
        Ok(RuntimeApi {
            address,
            invocations,
            shared,
            server,
        })
    }

    /// What goes into AWS_LAMBDA_RUNTIME_API.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the runtime asks for its first event (`None`) or reports that it cannot start.
    pub async fn initialized(&self) -> Option<ErrorReport> {
        let mut error = self.shared.init_error.subscribe();
        tokio::select! {
            () = self.asks() => None,
            found = error.wait_for(Option::is_some) => found.ok().and_then(|report| report.clone()),
        }
    }

    /// Waits until the runtime asks for an event: after an answer, that says that it is done with it.
    pub async fn asks(&self) {
        // The sender lives as long as this value, so that this cannot fail.
        let _ = self.shared.asks.subscribe().wait_for(|asks| *asks).await;
    }

    /// Has anything registered as an extension? Only then Lambda tells a function that it ends.
    pub fn has_extension(&self) -> bool {
        self.shared.has_extension.load(Ordering::Relaxed)
    }

    /// Hands an event to the runtime and waits for the answer, however long it takes.
    pub async fn invoke(&self, invocation: Invocation) -> Option<Answer> {
        let (sender, answer) = oneshot::channel();
        self.invocations.send((invocation, sender)).await.ok()?;
        answer.await.ok()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let root = "/2018-06-01/runtime";
    Router::new()
        .route(&format!("{root}/invocation/next"), get(next))
        .route(
            &format!("{root}/invocation/{{id}}/response"),
            post(response),
        )
        .route(
            &format!("{root}/invocation/{{id}}/error"),
            post(invocation_error),
        )
        .route(&format!("{root}/init/error"), post(init_error))
        .route("/2020-01-01/extension/register", post(register))
        .route("/2020-01-01/extension/event/next", get(extension_event))
        .with_state(shared)
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.asks.send_replace(true);
    let Some((invocation, answer)) = shared.queue.lock().await.recv().await else {
        return refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            "no more events",
        );
    };
    shared.asks.send_replace(false);
    let deadline = invocation.deadline_ms().to_string();
    let event = invocation.event;
    let request_id = event.request_id.clone();
    *lock(&shared.pending) = Some(Pending { request_id, answer });
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", event.request_id),
        ("Lambda-Runtime-Deadline-Ms", deadline),
        ("Lambda-Runtime-Invoked-Function-Arn", invocation.arn),
        ("Lambda-Runtime-Trace-Id", invocation.trace_id),
        ("Content-Type", "application/json".to_owned()),
    ];
    let client_context = event
        .client_context
        .map(|json| [("Lambda-Runtime-Client-Context", json)]);
    (headers, client_context, event.body).into_response()
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    if Streamed::is_announced(request.headers()) {
        return streamed_response(&shared, &id, request).await;
    }
    match body(request.into_body()).await {
        Ok(body) => answer(&shared, &id, Answer::Response(body.to_vec())),
        Err(refused) => {
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes)."
            );
            let report = ErrorReport::of_lambda("Function.ResponseSizeTooLarge", message);
            answer(&shared, &id, Answer::Error(report));
            refused
        }
    }
}

/// The event is answered as soon as the response begins: nothing else is its answer from then on.
async fn streamed_response(shared: &Shared, id: &str, request: Request) -> Response {
    let Some(pending) = take_pending(shared, id) else {
        return invalid_id();
    };
    let (head, body) = request.into_parts();
    let streamed = Streamed::read(&head.headers, body).await;
    let too_large = streamed.is_too_large();
    // Nobody waits any more where the time was over.
    let _ = pending.answer.send(Answer::Streamed(streamed));
    if too_large {
        return payload_too_large();
    }
    accepted()
}

async fn invocation_error(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    match body(request.into_body()).await {
        Ok(body) => answer(&shared, &id, Answer::Error(ErrorReport::parse(&body))),
        Err(refused) => refused,
    }
}

async fn init_error(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match body(request.into_body()).await {
        Ok(body) => {
            shared
                .init_error
                .send_replace(Some(ErrorReport::parse(&body)));
            accepted()
        }
        Err(refused) => refused,
    }
}

/// Takes an extension in: what it is called and wants to be told does not matter here.
async fn register(State(shared): State<Arc<Shared>>) -> Response {
    shared.has_extension.store(true, Ordering::Relaxed);
    let id = uuid::Uuid::new_v4().to_string();
    ([("Lambda-Extension-Identifier", id)], "{}").into_response()
}

/// Extensions are told nothing.
async fn extension_event() -> Response {
    std::future::pending().await
}

/// Takes an answer if it belongs to the event that is out.
fn answer(shared: &Shared, id: &str, answer: Answer) -> Response {
    match take_pending(shared, id) {
        Some(found) => {
            // Nobody waits any more where the time was over.
            let _ = found.answer.send(answer);
            accepted()
        }
        None => invalid_id(),
    }
}

/// The event that is out, if it is this one; it is no longer out then.
fn take_pending(shared: &Shared, id: &str) -> Option<Pending> {
    lock(&shared.pending).take_if(|pending| pending.request_id == id)
}

fn invalid_id() -> Response {
    refusal(
        StatusCode::BAD_REQUEST,
        "InvalidRequestID",
        "Invalid request ID",
    )
}

async fn body(body: Body) -> Result<Bytes, Response> {
    to_bytes(body, LARGEST_RESPONSE)
        .await
        .map_err(|_| payload_too_large())
}

fn payload_too_large() -> Response {
    refusal(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        &format!("Exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes)."),
    )
}

fn accepted() -> Response {
    let body = json!({ "status": "OK" }).to_string();
    (
        StatusCode::ACCEPTED,
        [("Content-Type", "application/json")],
        body,
    )
        .into_response()
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Response {
    let body = json!({ "errorMessage": message, "errorType": error_type }).to_string();
    (status, [("Content-Type", "application/json")], body).into_response()
}

/// No code holds this lock while it may panic.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
