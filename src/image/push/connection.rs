//! A registry that is written to: one client, and the token that the registry gave for this repository.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oci_client::RegistryOperation;
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use tokio::sync::RwLock;

use super::answer::{Failure, refused, unanswered};
use super::{Push, PushError};
use crate::http::{self, Patience};
use crate::image::registry::{distribution_client, scheme_of};
use crate::image::{Blob, ImageReference};

/// How long a registry may take to put together what it was sent: it computes the digest of all of it.
const ASSEMBLY: Duration = Duration::from_secs(300);

/// What a request is made known by.
#[derive(Clone)]
enum Proof {
    Nothing,
    Token(String),
    Password(String, String),
}

/// A repository of a registry, for writing.
pub struct Connection {
    /// The image.
    pub reference: ImageReference,
    /// How patiently it is asked.
    pub patience: Patience,
    client: Client,
    /// The client that knows how tokens are asked for.
    tokens: oci_client::Client,
    credentials: RegistryAuth,
    proof: RwLock<Proof>,
}

impl Connection {
    /// Asks the registry for leave to push.
    pub async fn open(push: &Push<'_>) -> Result<Connection, PushError> {
        let reference = push.reference.clone();
        let tokens = distribution_client(&reference, push.patience)?;
        let connection = Connection {
            client: http::upload_client(push.patience)?,
            tokens,
            credentials: push.login.auth(),
            proof: RwLock::new(Proof::Nothing),
            patience: push.patience,
            reference,
        };
        let mut tries = super::Tries::new(&connection, "the question for leave");
        loop {
            match connection.ask_for_leave().await {
                Ok(()) => break,
                Err(failure) => tries.after(failure).await?,
            }
        }
        drop(tries);
        Ok(connection)
    }

    async fn ask_for_leave(&self) -> Result<(), Failure> {
        let image = self.reference.oci();
        let operation = RegistryOperation::Push;
        let token = self.tokens.auth(image, &self.credentials, operation).await;
        let token = token.map_err(|error| match error {
            OciDistributionError::RequestError(error) => unanswered(self, &error),
            other => {
                let reason = other.to_string();
                Failure::Final(PushError::Denied {
                    reference: self.reference.to_string(),
                    registry: self.reference.registry().to_owned(),
                    reason: match reason.trim() {
                        "" => "the credentials are not taken".to_owned(),
                        reason => reason.to_owned(),
                    },
                    hint: "",
                })
            }
        })?;
        *self.proof.write().await = match (token, &self.credentials) {
            (Some(token), _) => Proof::Token(token),
            (None, RegistryAuth::Basic(user, password)) => {
                Proof::Password(user.clone(), password.clone())
            }
            (None, _) => Proof::Nothing,
        };
        Ok(())
    }

    /// The URL of something of the repository: `blobs/uploads/`.
    pub fn url(&self, path: &str) -> Result<Url, Failure> {
        let registry = self.reference.oci().resolve_registry();
        let repository = self.reference.oci().repository();
        let text = format!(
            "{}://{registry}/v2/{repository}/{path}",
            scheme_of(registry)
        );
        Url::parse(&text).map_err(|error| self.odd(&error.to_string()))
    }

    /// Where the registry wants to go on.
    pub fn location(&self, answer: &Response) -> Result<Url, Failure> {
        let location = answer.headers().get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let location = location.ok_or_else(|| self.odd("it does not say where to send to"))?;
        let url = answer.url().join(location);
        url.map_err(|error| self.odd(&error.to_string()))
    }

    /// A registry that does not do as registries do.
    pub fn odd(&self, reason: &str) -> Failure {
        Failure::Final(PushError::Refused {
            reference: self.reference.to_string(),
            what: "what the registry answers".to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// A request, with the proof if it goes to the registry itself: what it sends elsewhere to needs none.
    async fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let is_own = self.url("").is_ok_and(|own| own.origin() == url.origin());
        let request = self.client.request(method, url);
        match &*self.proof.read().await {
            Proof::Token(token) if is_own => request.bearer_auth(token),
            Proof::Password(user, password) if is_own => request.basic_auth(user, Some(password)),
            _ => request,
        }
    }

    /// Sends a request without a body, again with a new token if the old one is not taken any more.
    pub async fn ask(&self, method: Method, url: Url) -> Result<Response, Failure> {
        let mut was_renewed = false;
        loop {
            let request = self.request(method.clone(), url.clone()).await;
            let request = match method {
                // Some registries want to be told that there is nothing.
                Method::POST | Method::PUT => request.header("Content-Length", 0),
                _ => request,
            };
            let limit = match method {
                Method::PUT => ASSEMBLY,
                _ => self.patience.silence,
            };
            let answer = self.answer(request.timeout(limit)).await?;
            if answer.status() != StatusCode::UNAUTHORIZED || was_renewed {
                return Ok(answer);
            }
            self.ask_for_leave().await?;
            was_renewed = true;
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await;
        answer.map_err(|error| unanswered(self, &error))
    }

    /// Sends a body of so many bytes. It ends as a failure when nothing of it is taken any more, or when the registry, or a
    /// proxy that has kept all of it for the registry, does not answer.
    pub async fn send(
        &self,
        url: Url,
        (taken, length): (&AtomicU64, u64),
        with_body: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let request = with_body(self.request(Method::PATCH, url).await);
        let mut answer = std::pin::pin!(self.answer(request));
        loop {
            let before = taken.load(Ordering::Relaxed);
            let limit = match before < length {
                true => self.patience.silence,
                false => ASSEMBLY,
            };
            match tokio::time::timeout(limit, &mut answer).await {
                Ok(answer) => return answer,
                Err(_) if taken.load(Ordering::Relaxed) == before => {
                    let reason = "the registry takes nothing any more".to_owned();
                    return Err(Failure::Again(reason, None));
                }
                Err(_) => {}
            }
        }
    }

    /// Puts a manifest under a tag, or under its digest.
    pub async fn put_manifest(&self, blob: &Blob, name: &str) -> Result<(), Failure> {
        let content = blob.read().map_err(|source| self.unreadable(source))?;
        let url = self.url(&format!("manifests/{name}"))?;
        let mut was_renewed = false;
        let answer = loop {
            let request = self.request(Method::PUT, url.clone()).await;
            let request = request.header(CONTENT_TYPE, &blob.media_type);
            let request = request.body(content.clone()).timeout(ASSEMBLY);
            let answer = self.answer(request).await?;
            if answer.status() != StatusCode::UNAUTHORIZED || was_renewed {
                break answer;
            }
            self.ask_for_leave().await?;
            was_renewed = true;
        };
        if !answer.status().is_success() {
            return Err(refused(self, &format!("the manifest {name}"), answer).await);
        }
        let found = answer.headers().get("docker-content-digest");
        match found.and_then(|digest| digest.to_str().ok()) {
            Some(found) if found != blob.digest.oci() => {
                Err(Failure::Final(PushError::OtherDigest {
                    reference: self.reference.to_string(),
                    expected: blob.digest.oci(),
                    found: found.to_owned(),
                }))
            }
            _ => Ok(()),
        }
    }

    /// A blob's file that is not read.
    pub fn unreadable(&self, source: std::io::Error) -> Failure {
        Failure::Final(PushError::Io {
            path: self.reference.to_string().into(),
            source,
        })
    }
}
