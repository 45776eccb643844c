//! A blob on its way to a registry: looked for, taken over from another repository, or sent; resumed where it broke off, if
//! the registry can tell where that was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use reqwest::{Body, Method, StatusCode, Url};

use super::Arrival;
use super::answer::{Failure, refused};
use super::connection::Connection;
use super::progress::Progress;
use crate::image::{Blob, ImageReference};

/// How much of a file is read at once.
const PIECE: usize = 1 << 18;

/// An upload, over as many tries as it takes.
pub struct Upload<'a> {
    connection: &'a Connection,
    blob: &'a Blob,
    what: String,
    /// The repository that may have the blob.
    from: Option<&'a ImageReference>,
    progress: &'a Progress<'a>,
    /// Where the registry takes the rest.
    session: Option<Url>,
    /// How many bytes the registry says that it has.
    sent: u64,
}

impl<'a> Upload<'a> {
    /// Nothing is sent yet.
    pub fn new(
        connection: &'a Connection,
        blob: &'a Blob,
        base: Option<&'a ImageReference>,
        progress: &'a Progress<'a>,
    ) -> Upload<'a> {
        let is_elsewhere = |base: &&ImageReference| {
            base.registry() == connection.reference.registry()
                && !base.is_of_the_repository_of(&connection.reference)
        };
        Upload {
            connection,
            blob,
            what: format!("the blob {}", blob.digest.oci()),
            from: base.filter(is_elsewhere),
            progress,
            session: None,
            sent: 0,
        }
    }

    /// How many bytes the registry has of it, as far as is known.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Makes sure that the blob is there.
    pub async fn attempt(&mut self) -> Result<Arrival, Failure> {
        if self.is_there().await? {
            self.progress.arrived(self.blob.size, false);
            return Ok(Arrival::There);
        }
        let session = match self.session.take() {
            Some(session) => self.resumed(session).await?,
            None => None,
        };
        let session = match session {
            Some(session) => session,
            None => match self.begin().await? {
                Some(session) => session,
                None => {
                    self.progress.arrived(self.blob.size, false);
                    return Ok(Arrival::There);
                }
            },
        };
        // Kept for the next try.
        self.session = Some(session.clone());
        let mut end = self.send_rest(session).await?;
        end.query_pairs_mut()
            .append_pair("digest", &self.blob.digest.oci());
        let answer = self.connection.ask(Method::PUT, end).await?;
        if !answer.status().is_success() {
            self.session = None;
            self.sent = 0;
            return Err(refused(self.connection, &self.what, answer).await);
        }
        self.progress.arrived(self.blob.size, true);
        Ok(Arrival::Sent)
    }

    async fn is_there(&self) -> Result<bool, Failure> {
        let url = self
            .connection
            .url(&format!("blobs/{}", self.blob.digest.oci()))?;
        let answer = self.connection.ask(Method::HEAD, url).await?;
        match answer.status() {
            status if status.is_success() => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(refused(self.connection, &self.what, answer).await),
        }
    }

    /// Begins an upload; nothing if the registry has taken the blob over from the other repository.
    async fn begin(&mut self) -> Result<Option<Url>, Failure> {
        let mut url = self.connection.url("blobs/uploads/")?;
        if let Some(from) = self.from {
            url.query_pairs_mut()
                .append_pair("mount", &self.blob.digest.oci())
                .append_pair("from", from.oci().repository());
        }
        self.sent = 0;
        let answer = self.connection.ask(Method::POST, url).await?;
        match answer.status() {
            StatusCode::CREATED => Ok(None),
            StatusCode::ACCEPTED => Ok(Some(self.connection.location(&answer)?)),
            _ if self.from.is_some() => {
                // Where taking over is not understood or not allowed, it is sent.
                self.from = None;
                let reason = format!("the registry answers {}", answer.status());
                Err(Failure::Again(reason, Some(std::time::Duration::ZERO)))
            }
            _ => Err(refused(self.connection, &self.what, answer).await),
        }
    }

    /// Where an upload that broke off goes on; nothing if the registry does not know it any more.
    async fn resumed(&mut self, session: Url) -> Result<Option<Url>, Failure> {
        let answer = self.connection.ask(Method::GET, session).await?;
        let last = answer
            .headers()
            .get(RANGE)
            .and_then(|range| range.to_str().ok()?.split('-').nth(1)?.parse::<u64>().ok());
        match (answer.status(), last) {
            (StatusCode::NO_CONTENT, Some(last)) if last > 0 && last < self.blob.size => {
                self.sent = last + 1;
                Ok(Some(self.connection.location(&answer)?))
            }
            _ => Ok(None),
        }
    }

    /// Sends what the registry does not have yet; returns where the end is to be told.
    async fn send_rest(&mut self, session: Url) -> Result<Url, Failure> {
        let (start, size) = (self.sent, self.blob.size);
        if start == size {
            return Ok(session);
        }
        let taken = Arc::new(AtomicU64::new(0));
        let body = Body::wrap_stream(pieces(self.blob.clone(), start, taken.clone()));
        let answer = self
            .connection
            .send(session, (&taken, size - start), |request| {
                let request = request
                    .header(CONTENT_TYPE, "application/octet-stream")
                    .header(CONTENT_LENGTH, size - start)
                    .body(body);
                match start {
                    // As docker does it, which every registry knows.
                    0 => request,
                    _ => request.header(CONTENT_RANGE, format!("{start}-{}", size - 1)),
                }
            });
        let answer = answer.await?;
        match answer.status() {
            status if status.is_success() => {
                self.sent = size;
                self.connection.location(&answer)
            }
            StatusCode::NOT_FOUND
            | StatusCode::RANGE_NOT_SATISFIABLE
            | StatusCode::UNAUTHORIZED => {
                // The upload is not known any more, or the token is too old: from the beginning.
                self.session = None;
                self.sent = 0;
                let reason = format!("the registry answers {}", answer.status());
                Err(Failure::Again(reason, None))
            }
            _ => Err(refused(self.connection, &self.what, answer).await),
        }
    }
}

/// The bytes of a blob from a place on, read when the connection takes them.
fn pieces(
    blob: Blob,
    start: u64,
    taken: Arc<AtomicU64>,
) -> impl Stream<Item = std::io::Result<Bytes>> {
    enum State {
        Closed(Blob),
        Open(Box<dyn std::io::Read + Send>),
    }
    stream::try_unfold(State::Closed(blob), move |state| {
        let taken = taken.clone();
        async move {
            let read = tokio::task::spawn_blocking(move || -> std::io::Result<_> {
                let mut file = match state {
                    State::Closed(blob) => blob.open_at(start)?,
                    State::Open(file) => file,
                };
                let mut piece = vec![0; PIECE];
                let mut length = 0;
                while length < PIECE {
                    match file.read(&mut piece[length..])? {
                        0 => break,
                        read => length += read,
                    }
                }
                piece.truncate(length);
                Ok((piece, file))
            });
            let (piece, file) = read.await.map_err(std::io::Error::other)??;
            taken.fetch_add(piece.len() as u64, Ordering::Relaxed);
            match piece.is_empty() {
                true => Ok(None),
                false => Ok(Some((Bytes::from(piece), State::Open(file)))),
            }
        }
    })
}
