//! Every request that r-layer makes: one setting of proxies, certificates, time-outs and retries.
//!
//! Proxies are taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, certificates from the system,
//! SSL_CERT_FILE and AWS_CA_BUNDLE.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::StreamExt;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE, RETRY_AFTER,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use crate::credentials::Credentials;
use crate::progress::Task;

/// Why something was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A certificate file that is none.
    #[error("{variable} names {path}, which cannot be used: {reason}")]
    Certificates {
        /// The environment variable.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The client could not be set up.
    #[error(
        "HTTP cannot be set up; are the system's certificates installed (the package ca-certificates)?"
    )]
    Setup(#[source] reqwest::Error),
    /// No such thing there.
    #[error("{url} is not there (HTTP {status})")]
    NotFound {
        /// What was asked for.
        url: String,
        /// 404 or 410.
        status: StatusCode,
    },
    /// The server refuses.
    #[error("{url}: the server answers {status}")]
    Refused {
        /// What was asked for.
        url: String,
        /// Its status.
        status: StatusCode,
    },
    /// It wants to know who asks.
    #[error(
        "{url}: the server answers {status}: it wants credentials, or others; put them into ~/.netrc, or set \
         R_LAYER_REPO_<NAME>_TOKEN (or _USER and _PASSWORD), <NAME> being POSIT, P3M or CRAN"
    )]
    Unauthorized {
        /// What was asked for.
        url: String,
        /// 401 or 403.
        status: StatusCode,
    },
    /// It could be anybody.
    #[error(
        "{url}: {reason}. If the certificate is from an authority of your own, as a company's proxy has one, \
         name a file with that authority's certificate in AWS_CA_BUNDLE"
    )]
    Untrusted {
        /// What was asked for.
        url: String,
        /// What is wrong with the certificate.
        reason: String,
    },
    /// Not reached, or broken off, and tried again in vain.
    #[error("{url} cannot be fetched ({tries} tries): {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// How often it was tried.
        tries: usize,
        /// What the last try ended with.
        reason: String,
    },
    /// Something else than what should be there, as a portal's page is.
    #[error("what is at {url} is not understood: {reason}")]
    NotUnderstood {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file could not be written.
    #[error("{url} cannot be saved: {source}")]
    NotSaved {
        /// What was asked for.
        url: String,
        /// The system's word.
        source: std::io::Error,
    },
}

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
}

/// One try's end: done, worth another try (with the pause that the server asks for), or final.
enum Try {
    Again(String, Option<Duration>),
    Final(HttpError),
}

impl Http {
    /// A client with the settings of the environment, known to servers by these credentials.
    pub fn from_environment(
        patience: Patience,
        credentials: Credentials,
    ) -> Result<Http, HttpError> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(patience.connect_timeout())
            .read_timeout(patience.silence);
        for certificate in certificates(BUNDLE)? {
            builder = builder.add_root_certificate(certificate);
        }
        let client = builder.build().map_err(unusable_setup)?;
        Ok(Http {
            client,
            patience,
            credentials,
        })
    }

    fn get(&self, url: &str) -> RequestBuilder {
        self.credentials.authorize(url, self.client.get(url))
    }

    /// Is there something at a URL? Asked once, without its content.
    pub async fn is_there(&self, url: &str) -> bool {
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
        let not_saved = |source| HttpError::NotSaved {
            url: url.to_owned(),
            source,
        };
        let mut file = fs_err::File::create(path).map_err(not_saved)?;
        let mut download = Download {
            url,
            have: 0,
            etag: None,
        };
        let mut pauses = self.patience.pauses();
        let mut tries = 0;
        loop {
            tries += 1;
            let before = download.have;
            match download.attempt(self, &mut file, task).await {
                Ok(headers) => {
                    file.sync_all().map_err(not_saved)?;
                    return Ok(headers);
                }
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
                url: url.to_owned(),
                tries,
                reason,
            }),
        }
    }
}

/// A file on its way.
struct Download<'a> {
    url: &'a str,
    /// Bytes that are in the file already.
    have: u64,
    /// By which the server knows whether it still has the same content.
    etag: Option<String>,
}

impl Download<'_> {
    async fn attempt(
        &mut self,
        http: &Http,
        file: &mut fs_err::File,
        task: &dyn Task,
    ) -> Result<HeaderMap, Try> {
        let mut request = http.get(self.url).header(ACCEPT_ENCODING, "identity");
        if let (true, Some(etag)) = (self.have > 0, &self.etag) {
            request = request
                .header(RANGE, format!("bytes={}-", self.have))
                .header(IF_RANGE, etag);
        }
        let answer = request.send().await;
        if self.have > 0 && answer.as_ref().is_ok_and(is_beyond_the_end) {
            return Err(self.begin_anew("the server has nothing behind what it sent"));
        }
        let response = check(self.url, answer)?;
        let expected = self.begin_or_resume(&response, file)?;
        if let Some(length) = expected {
            task.set_total(length);
        }
        task.set_done(self.have);
        let headers = response.headers().clone();
        let mut body = response.bytes_stream();
        while let Some(part) = body.next().await {
            let part = part.map_err(|error| Try::Again(reason(&error), None))?;
            file.write_all(&part)
                .map_err(|source| self.not_saved(source))?;
            self.have += part.len() as u64;
            task.advance(part.len() as u64);
        }
        match expected {
            Some(length) if length != self.have => {
                let reason = format!("{} of {length} bytes arrived", self.have);
                Err(Try::Again(reason, None))
            }
            _ => Ok(headers),
        }
    }

    /// Goes on behind what is there if the server does, and begins anew if it sends the whole. Returns how long
    /// the file will be, as far as the server says.
    fn begin_or_resume(
        &mut self,
        response: &Response,
        file: &mut fs_err::File,
    ) -> Result<Option<u64>, Try> {
        // A weak tag promises the same meaning, not the same bytes.
        let tag = header(response, ETAG.as_str()).filter(|tag| !tag.starts_with("W/"));
        let length = response.content_length();
        let expected = if response.status() == StatusCode::PARTIAL_CONTENT {
            let range = header(response, CONTENT_RANGE.as_str()).and_then(content_range);
            let is_other = tag.is_some() && self.etag.as_deref() != tag && self.have > 0;
            let Some((_, total)) = range.filter(|(start, _)| *start == self.have && !is_other)
            else {
                return Err(self.begin_anew("the server sent another part than it was asked for"));
            };
            total.or_else(|| length.map(|length| self.have + length))
        } else {
            self.have = 0;
            file.set_len(0).map_err(|source| self.not_saved(source))?;
            length
        };
        file.seek(SeekFrom::Start(self.have))
            .map_err(|source| self.not_saved(source))?;
        self.etag = tag.map(str::to_owned);
        Ok(expected)
    }

    /// What is there cannot be added to: the next try asks for the whole.
    fn begin_anew(&mut self, reason: &str) -> Try {
        self.have = 0;
        self.etag = None;
        Try::Again(reason.to_owned(), None)
    }

    fn not_saved(&self, source: std::io::Error) -> Try {
        Try::Final(HttpError::NotSaved {
            url: self.url.to_owned(),
            source,
        })
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

fn is_beyond_the_end(response: &Response) -> bool {
    response.status() == StatusCode::RANGE_NOT_SATISFIABLE
}

/// `bytes 100-199/200` → (100, 200); the total may be unknown (`*`).
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.parse().ok()?;
    Some((start, total.parse().ok()))
}

/// Sorts an answer into good, worth another try, and final.
fn check(url: &str, answer: Result<Response, reqwest::Error>) -> Result<Response, Try> {
    let response = answer.map_err(|error| match reason(&error) {
        reason if reason.starts_with(UNTRUSTED) => Try::Final(HttpError::Untrusted {
            url: url.to_owned(),
            reason,
        }),
        reason => Try::Again(reason, None),
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let url = url.to_owned();
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

/// How rustls begins to say what is wrong with a certificate. It does not get better by asking again.
pub(crate) const UNTRUSTED: &str = "invalid peer certificate";

/// The innermost reason, which says more than «error sending request».
pub(crate) fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut source = error;
    while let Some(next) = source.source() {
        source = next;
    }
    source.to_string()
}

/// Certificates are only looked into when the client is made; of the system's, those that are no good are passed over.
pub(crate) fn unusable_setup(error: reqwest::Error) -> HttpError {
    let reason = reason(&error);
    for (variable, words) in [(BUNDLE, UNTRUSTED), ("SSL_CERT_FILE", NO_CERTIFICATES)] {
        if let (Some(path), true) = (named_file(variable), reason.contains(words)) {
            return HttpError::Certificates {
                variable,
                path,
                reason,
            };
        }
    }
    HttpError::Setup(error)
}

/// What is said when neither the system nor SSL_CERT_FILE has any certificate.
const NO_CERTIFICATES: &str = "No CA certificates";

/// The variable by which AWS's tools take certificates.
const BUNDLE: &str = "AWS_CA_BUNDLE";

/// The file that an environment variable names.
fn named_file(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// The certificates in the file that an environment variable names.
fn certificates(variable: &'static str) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let Some(path) = named_file(variable) else {
        return Ok(Vec::new());
    };
    let unusable = |reason: String| HttpError::Certificates {
        variable,
        path: path.clone(),
        reason,
    };
    let pem = fs_err::read(&path).map_err(|error| unusable(error.to_string()))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if certificates.is_empty() => Err(unusable(
            "it holds no certificate (BEGIN CERTIFICATE)".to_owned(),
        )),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unusable(reason(&error))),
    }
}
