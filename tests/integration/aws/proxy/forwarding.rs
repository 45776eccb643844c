//! Requests to moto, in the name of one account.

use std::io;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;

use super::serving::Reply;

/// A server, and an account there.
#[derive(Clone)]
pub struct Upstream {
    client: reqwest::Client,
    port: u16,
    account: String,
}

/// What moto takes an account's number from.
const ACCOUNT: HeaderName = HeaderName::from_static("x-moto-account-id");

impl Upstream {
    /// An account of twelve digits at the server on that port.
    pub fn new(port: u16, account: &str) -> Upstream {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(300))
            .build()
            .expect("a client");
        Upstream {
            client,
            port,
            account: account.to_owned(),
        }
    }

    /// The account's number.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The same server, as another account.
    pub fn as_account(&self, account: &str) -> Upstream {
        Upstream {
            account: account.to_owned(),
            ..self.clone()
        }
    }

    /// Another server on this machine.
    pub fn at(&self, port: u16) -> Upstream {
        Upstream {
            port,
            ..self.clone()
        }
    }

    /// A request as it came, to the path given.
    pub async fn forward(&self, parts: &Parts, path: &str, body: Bytes) -> io::Result<Reply> {
        self.send(parts.method.clone(), path, parts.headers.clone(), body)
            .await
    }

    /// A request of the test's own. moto takes service and region from the signature, and does not check it.
    pub async fn ask(
        &self,
        service: &str,
        region: &str,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> io::Result<Reply> {
        self.ask_with(service, region, method, path, HeaderMap::new(), body)
            .await
    }

    /// The same with more headers.
    pub async fn ask_with(
        &self,
        service: &str,
        region: &str,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> io::Result<Reply> {
        let signature = format!(
            "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_str(&signature).expect("a header"),
        );
        headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json"));
        self.send(method, path, headers, body).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> io::Result<Reply> {
        for name in [
            header::CONNECTION,
            header::CONTENT_LENGTH,
            header::EXPECT,
            header::TRANSFER_ENCODING,
        ] {
            headers.remove(name);
        }
        headers.insert(
            ACCOUNT,
            HeaderValue::from_str(&self.account).expect("an account"),
        );
        let answer = self
            .client
            .request(method, format!("http://127.0.0.1:{}{path}", self.port))
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(io::Error::other)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(io::Error::other)?;
        Ok(with_headers(status, headers, body))
    }
}

fn with_headers(status: StatusCode, mut headers: HeaderMap, body: Bytes) -> Reply {
    headers.remove(header::CONNECTION);
    headers.remove(header::TRANSFER_ENCODING);
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    *reply.headers_mut() = headers;
    reply
}
