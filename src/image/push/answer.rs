//! A registry's answers sorted: good, worth another try, final.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};

use super::PushError;
use super::connection::Connection;
use crate::http::{self, HttpError};

/// One try's end that was not a success.
pub enum Failure {
    /// Worth another try, after the pause that the registry asks for.
    Again(String, Option<Duration>),
    /// Final.
    Final(PushError),
}

/// The longest pause that a registry is granted.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often something was tried already.
pub struct Tries<'a> {
    connection: &'a Connection,
    what: &'a str,
    made: usize,
    pauses: Box<dyn Iterator<Item = Duration> + Send>,
}

impl<'a> Tries<'a> {
    /// None yet; `what` is tried.
    pub fn new(connection: &'a Connection, what: &'a str) -> Tries<'a> {
        Tries {
            connection,
            what,
            made: 0,
            pauses: Box::new(connection.patience.pauses()),
        }
    }

    /// Pauses before the next try, if there is to be one.
    pub async fn after(&mut self, failure: Failure) -> Result<(), PushError> {
        self.made += 1;
        match (failure, self.pauses.next()) {
            (Failure::Final(error), _) => Err(error),
            (Failure::Again(_, asked), Some(pause)) => {
                tokio::time::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                Ok(())
            }
            (Failure::Again(reason, _), None) => Err(PushError::BrokenOff {
                reference: self.connection.reference.to_string(),
                what: self.what.to_owned(),
                tries: self.made,
                reason,
            }),
        }
    }
}

/// What came instead of an answer.
pub fn unanswered(connection: &Connection, error: &reqwest::Error) -> Failure {
    match http::reason(error) {
        reason if reason.starts_with(http::UNTRUSTED) => {
            let url = connection.reference.registry().to_owned();
            Failure::Final(HttpError::Untrusted { url, reason }.into())
        }
        reason => Failure::Again(reason, None),
    }
}

/// What a registry says of what it does not do.
#[derive(serde::Deserialize)]
struct Envelope {
    errors: Vec<Word>,
}

#[derive(serde::Deserialize)]
struct Word {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Sorts an answer that is no success.
pub async fn refused(connection: &Connection, what: &str, answer: Response) -> Failure {
    let status = answer.status();
    let asked = answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|seconds| seconds.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let text = answer.text().await.unwrap_or_default();
    let words =
        serde_json::from_str::<Envelope>(&text).map_or_else(|_| Vec::new(), |all| all.errors);
    let code = words
        .first()
        .map_or("", |word| word.code.as_str())
        .to_owned();
    let messages: Vec<&str> = words.iter().map(|word| word.message.as_str()).collect();
    let said = messages.join("; ");
    let reason = match said.is_empty() {
        true => status.to_string(),
        false => format!("{}: {said}", status.as_u16()),
    };
    if status == StatusCode::TOO_MANY_REQUESTS
        || status.is_server_error()
        || code == "TOOMANYREQUESTS"
    {
        return Failure::Again(format!("the registry answers {reason}"), asked);
    }
    let reference = connection.reference.to_string();
    let registry = connection.reference.registry().to_owned();
    let is_ecr = connection.reference.ecr().is_some();
    Failure::Final(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => PushError::Denied {
            reference,
            registry,
            reason,
            hint: match is_ecr {
                true => "; or set AWS_PROFILE to one that may push (ecr:PutImage and its kin)",
                false => "",
            },
        },
        StatusCode::NOT_FOUND => PushError::NoRepository {
            reference,
            registry,
            reason,
            hint: match is_ecr {
                true => "; type the same with --create-repository",
                false => "; look at the name, or make the repository there",
            },
        },
        _ => PushError::Refused {
            reference,
            what: what.to_owned(),
            reason,
        },
    })
}
