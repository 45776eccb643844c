//! A part of what is at a URL.

use reqwest::StatusCode;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE};

use super::{Http, HttpError, Try, check, header, reason, without_query};

/// One try.
pub async fn attempt(http: &Http, url: &str, range: &str) -> Result<(Vec<u8>, u64), Try> {
    let request = http.get(url).header(ACCEPT_ENCODING, "identity");
    let answer = request.header(RANGE, format!("bytes={range}")).send().await;
    let response = check(url, answer)?;
    // A server that knows no ranges would send everything.
    let whole = header(&response, CONTENT_RANGE.as_str())
        .filter(|_| response.status() == StatusCode::PARTIAL_CONTENT)
        .and_then(|told| told.rsplit('/').next()?.parse().ok());
    let Some(whole) = whole else {
        return Err(Try::Final(HttpError::NotUnderstood {
            url: without_query(url).to_owned(),
            reason: "the server does not send a part of it".to_owned(),
        }));
    };
    let bytes = response
        .bytes()
        .await
        .map_err(|error| Try::Again(reason(&error), None))?;
    Ok((bytes.to_vec(), whole))
}
