//! Every request that r-layer makes: one setting of proxies, certificates, time-outs and retries.
//!
//! Proxies are taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, certificates from the system,
//! SSL_CERT_FILE and AWS_CA_BUNDLE.

mod aws;
mod certificates;
mod download;
mod error;
mod range;
mod validators;

use std::path::Path;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode};

pub use aws::AwsClients;
pub(crate) use certificates::unusable_setup;
pub use error::HttpError;
pub(crate) use error::{UNTRUSTED, reason};
pub use validators::Validators;

use crate::credentials::Credentials;
use crate::progress::Task;
use certificates::{BUNDLE, certificates, named_file};
use download::Download;

/// How often and how patiently a request is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How many times a request is made that ends in a connection error, 429 or 5xx.
    pub tries: usize,
    /// The pause before the second try; it doubles from then on.
    pub first_pause: Duration,
    /// How long a server may send nothing.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            tries: 5,
            first_pause: Duration::from_millis(500),
            silence: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// The pauses between tries.
    pub fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(Duration::from_secs(30))
            .with_max_times(self.tries.saturating_sub(1))
            .with_jitter()
            .build()
    }

    /// How long a connection may take.
    pub fn connect_timeout(&self) -> Duration {
        self.silence.min(Duration::from_secs(15))
    }
}

/// Who asks.
pub const USER_AGENT: &str = concat!("r-layer/", env!("CARGO_PKG_VERSION"));

/// The certificates that AWS_CA_BUNDLE names, as PEM, for clients that other crates set up.
pub fn named_authorities() -> Result<Option<Vec<u8>>, HttpError> {
    if certificates(BUNDLE)?.is_empty() {
        return Ok(None);
    }
    Ok(named_file(BUNDLE).and_then(|path| fs_err::read(path).ok()))
}

/// The client that everything is fetched with.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    patience: Patience,
    credentials: Credentials,
    offline: bool,
}

/// One try's end: done, worth another try (with the pause that the server asks for), or final.
enum Try {
    Again(String, Option<Duration>),
    Final(HttpError),
}

/// A client for uploads: while something large is sent, the server says nothing, so that only connecting has a limit.
pub(crate) fn upload_client(patience: Patience) -> Result<Client, HttpError> {
    client(patience, |builder| builder)
}

/// A client with the settings of the environment.
fn client(
    patience: Patience,
    limited: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, HttpError> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(patience.connect_timeout());
    for certificate in certificates(BUNDLE)? {
        builder = builder.add_root_certificate(certificate);
    }
    limited(builder).build().map_err(unusable_setup)
}

impl Http {
    /// A client with the settings of the environment, known to servers by these credentials.
    pub fn from_environment(
        patience: Patience,
        credentials: Credentials,
    ) -> Result<Http, HttpError> {
        let client = client(patience, |builder| builder.read_timeout(patience.silence))?;
        Ok(Http {
            client,
            patience,
            credentials,
            offline: false,
        })
    }

    /// The same without a network: every request fails, and says so.
    pub fn offline(self, offline: bool) -> Http {
        Http { offline, ..self }
    }

    /// The same for questions that can do without an answer: each is asked once.
    pub fn once(&self) -> Http {
        let mut once = self.clone();
        once.patience.tries = 1;
        once
    }

    fn check_online(&self, url: &str) -> Result<(), HttpError> {
        match self.offline {
            false => Ok(()),
            true => Err(HttpError::Offline {
                url: without_query(url).to_owned(),
            }),
        }
    }

    /// By what servers know us.
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn get(&self, url: &str) -> RequestBuilder {
        self.credentials.authorize(url, self.client.get(url))
    }

    /// Is there something at a URL? Asked once, without its content.
    pub async fn is_there(&self, url: &str) -> bool {
        if self.offline {
            return false;
        }
        let request = self.credentials.authorize(url, self.client.head(url));
        let answer = request.send().await;
        answer.is_ok_and(|response| response.status().is_success())
    }

    /// Does a server answer, whatever it says? Its status, or why it cannot be reached.
    pub async fn reach(&self, url: &str) -> Result<StatusCode, String> {
        let answer = self.client.head(url).send().await;
        answer
            .map(|response| response.status())
            .map_err(|error| reason(&error))
    }

    /// The text at a URL.
    pub async fn text(&self, url: &str) -> Result<String, HttpError> {
        self.check_online(url)?;
        let mut pauses = self.patience.pauses();
        let mut tries = 0;
        loop {
            tries += 1;
            let attempt = async {
                let response = check(url, self.get(url).send().await)?;
                response
                    .text()
                    .await
                    .map_err(|error| Try::Again(reason(&error), None))
            };
            match attempt.await {
                Ok(text) => return Ok(text),
                Err(Try::Final(error)) => return Err(error),
                Err(Try::Again(reason, asked)) => {
                    self.pause(url, &mut pauses, tries, reason, asked).await?;
                }
            }
        }
    }

    /// A range of the bytes at a URL (`0-99`, or `-100` for the last hundred), and how many there are in all.
    pub async fn range(&self, url: &str, range: &str) -> Result<(Vec<u8>, u64), HttpError> {
        self.check_online(url)?;
        let mut pauses = self.patience.pauses();
        let mut tries = 0;
        loop {
            tries += 1;
            match range::attempt(self, url, range).await {
                Ok(part) => return Ok(part),
                Err(Try::Final(error)) => return Err(error),
                Err(Try::Again(reason, asked)) => {
                    self.pause(url, &mut pauses, tries, reason, asked).await?;
                }
            }
        }
    }

    /// Saves what is at a URL in a file. A connection that breaks off is resumed where it ended, as long
    /// as the server says that the content is still the same.
    ///
    /// Returns the headers of the last answer.
    pub async fn download(
        &self,
        url: &str,
        path: &Path,
        task: &dyn Task,
    ) -> Result<HeaderMap, HttpError> {
        let headers = self
            .download_unless(&Validators::default(), url, path, task)
            .await?;
        let file = fs_err::OpenOptions::new().write(true).open(path);
        file.and_then(|file| file.sync_all())
            .map_err(|source| HttpError::NotSaved {
                url: without_query(url).to_owned(),
                source,
            })?;
        // Only who names a content that is there already is told that it is the same.
        headers.ok_or_else(|| HttpError::Refused {
            url: without_query(url).to_owned(),
            status: StatusCode::NOT_MODIFIED,
        })
    }

    /// The same, unless what is at the URL is a content that is there already: nothing is sent and returned then. Nobody
    /// waits until the disk has the file: who keeps it knows its hash.
    pub async fn download_unless(
        &self,
        unless: &Validators,
        url: &str,
        path: &Path,
        task: &dyn Task,
    ) -> Result<Option<HeaderMap>, HttpError> {
        self.check_online(url)?;
        let not_saved = |source| HttpError::NotSaved {
            url: without_query(url).to_owned(),
            source,
        };
        let mut file = fs_err::File::create(path).map_err(not_saved)?;
        let mut download = Download {
            url,
            have: 0,
            etag: None,
            unless,
        };
        let mut pauses = self.patience.pauses();
        let mut tries = 0;
        loop {
            tries += 1;
            let before = download.have;
            match download.attempt(self, &mut file, task).await {
                Ok(headers) => return Ok(headers),
                Err(Try::Final(error)) => return Err(error),
                Err(Try::Again(reason, asked)) => {
                    if download.have > before {
                        // It went on: a long download may break off more often than `tries`.
                        tries = 1;
                        pauses = self.patience.pauses();
                    }
                    self.pause(url, &mut pauses, tries, reason, asked).await?;
                }
            }
        }
    }

    async fn pause(
        &self,
        url: &str,
        pauses: &mut impl Iterator<Item = Duration>,
        tries: usize,
        reason: String,
        asked: Option<Duration>,
    ) -> Result<(), HttpError> {
        match pauses.next() {
            Some(pause) => {
                tokio::time::sleep(asked.unwrap_or(pause).min(Duration::from_secs(60))).await;
                Ok(())
            }
            None => Err(HttpError::Unreachable {
                url: without_query(url).to_owned(),
                tries,
                reason,
            }),
        }
    }
}

/// A URL without its query, which may be a signature that gives access: for messages and files.
pub fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// A header of an answer, if it is text.
fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// Sorts an answer into good, worth another try, and final.
fn check(url: &str, answer: Result<Response, reqwest::Error>) -> Result<Response, Try> {
    let response = answer.map_err(|error| match reason(&error) {
        reason if reason.starts_with(UNTRUSTED) => Try::Final(HttpError::Untrusted {
            url: without_query(url).to_owned(),
            reason,
        }),
        reason => Try::Again(reason, None),
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let url = without_query(url).to_owned();
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let asked = header(&response, RETRY_AFTER.as_str())
            .and_then(|seconds| seconds.parse().ok())
            .map(Duration::from_secs);
        return Err(Try::Again(format!("the server answers {status}"), asked));
    }
    Err(Try::Final(match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => HttpError::NotFound { url, status },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => HttpError::Unauthorized { url, status },
        _ => HttpError::Refused { url, status },
    }))
}
