//! A request's way through the proxy.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::faults::{Answer, Cut, Fault};
use super::operation::{self, Operation};
use super::{Request, Shared, completing, limits};

/// Serves connections until the task is aborted.
pub async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).ok();
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| serve(shared.clone(), request));
            // An error is a cut of ours, or a client that has gone.
            http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await
                .ok();
        });
    }
}

/// An error closes the connection.
async fn serve(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> io::Result<Response<Body>> {
    let under_way = UnderWay::begin(&shared);
    let (parts, body) = request.into_parts();
    let mut body = Body::new(body).into_data_stream();
    let mut read = BytesMut::new();
    if operation::is_named_in_body(&parts.headers) {
        read_until(&mut body, &mut read, usize::MAX).await?;
    }
    let operation = Operation::of(&parts, &read);
    let faults = shared.lock(&shared.rules).meet(&operation);
    let record = shared.record(&operation, &parts);
    let cut = faults.iter().find_map(|fault| match fault {
        Fault::Cut(cut) => Some(*cut),
        _ => None,
    });
    match cut {
        Some(Cut::AtOnce) => return Err(closed()),
        Some(Cut::AfterBytes(bytes)) => {
            read_until(&mut body, &mut read, bytes).await?;
            shared.amend(record, |request| request.bytes = read.len());
            return Err(closed());
        }
        _ => {}
    }
    let length = operation::header(&parts.headers, "content-length")
        .parse()
        .unwrap_or(0);
    read.reserve(length);
    let whole = read_until(&mut body, &mut read, usize::MAX).await;
    shared.amend(record, |request| request.bytes = read.len());
    whole?;
    // In a task of its own, so that the sender's death does not end it.
    let task = tokio::spawn(async move {
        let _under_way = under_way;
        let answer = respond(&shared, record, &operation, &parts, read.freeze(), &faults).await;
        send(answer?, cut, &parts.method)
    });
    task.await.map_err(io::Error::other)?
}

/// A request, for as long as anything may come of it.
struct UnderWay(Arc<Shared>);

impl UnderWay {
    fn begin(shared: &Arc<Shared>) -> UnderWay {
        shared.under_way.fetch_add(1, Ordering::SeqCst);
        UnderWay(shared.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Status, headers and body.
pub type Reply = Response<Bytes>;

async fn respond(
    shared: &Arc<Shared>,
    record: usize,
    operation: &Operation,
    parts: &Parts,
    body: Bytes,
    faults: &[Fault],
) -> io::Result<Reply> {
    for fault in faults {
        if let Fault::Latency(latency) = fault {
            tokio::time::sleep(*latency).await;
        }
    }
    let instead = faults.iter().find_map(|fault| match fault {
        Fault::Answer(answer) => Some(answer.clone()),
        _ => None,
    });
    let reply = match instead.or_else(|| limits::refuse(operation, &body)) {
        Some(answer) => reply(&answer),
        None => {
            shared.amend(record, |request| request.reached = true);
            completing::carry_out(shared, operation, parts, body, faults).await?
        }
    };
    let cut = faults
        .iter()
        .any(|fault| matches!(fault, Fault::Cut(Cut::BeforeAnswer)));
    if cut {
        return Err(closed());
    }
    shared.amend(record, |request| {
        request.status = Some(reply.status().as_u16())
    });
    Ok(reply)
}

fn send(reply: Reply, cut: Option<Cut>, method: &Method) -> io::Result<Response<Body>> {
    let (mut parts, body) = reply.into_parts();
    if method != Method::HEAD {
        parts
            .headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let body = if cut == Some(Cut::WithinAnswer) {
        let half = body.slice(..body.len() / 2);
        Body::from_stream(futures_util::stream::iter([Ok(half), Err(closed())]))
    } else {
        Body::from(body)
    };
    Ok(Response::from_parts(parts, body))
}

/// The answer as it is sent.
pub fn reply(answer: &Answer) -> Reply {
    let mut reply = Response::new(Bytes::from(answer.body.clone()));
    *reply.status_mut() = StatusCode::from_u16(answer.status).expect("a status");
    for (name, value) in &answer.headers {
        reply
            .headers_mut()
            .insert(*name, HeaderValue::from_str(value).expect("a header"));
    }
    reply
}

async fn read_until(
    body: &mut axum::body::BodyDataStream,
    read: &mut BytesMut,
    bytes: usize,
) -> io::Result<()> {
    while read.len() < bytes {
        let Some(part) = body.next().await else { break };
        read.extend_from_slice(&part.map_err(io::Error::other)?);
    }
    Ok(())
}

fn closed() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

impl Shared {
    fn record(&self, operation: &Operation, parts: &Parts) -> usize {
        let mut requests = self.lock(&self.requests);
        requests.push(Request {
            at: self.started.elapsed(),
            operation: operation.clone(),
            access_key: operation::access_key(&parts.headers),
            path: parts.uri.to_string(),
            bytes: 0,
            status: None,
            reached: false,
        });
        requests.len() - 1
    }

    /// The record may have been forgotten since.
    fn amend(&self, record: usize, change: impl FnOnce(&mut Request)) {
        if let Some(request) = self.lock(&self.requests).get_mut(record) {
            change(request);
        }
    }
}
