//! A file on its way: begun, resumed where it broke off, begun anew where the server has another content.

use std::io::{Seek, SeekFrom, Write};

use futures_util::StreamExt;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    RANGE,
};
use reqwest::{Response, StatusCode};

use super::{Http, HttpError, Try, Validators, check, header, reason, without_query};
use crate::progress::Task;

/// A file on its way.
pub struct Download<'a> {
    /// Where it comes from.
    pub url: &'a str,
    /// Bytes that are in the file already.
    pub have: u64,
    /// By which the server knows whether it still has the same content.
    pub etag: Option<String>,
    /// A content that is there already: the server need not send it again.
    pub unless: &'a Validators,
}

impl Download<'_> {
    /// One try. Nothing if the content is the one that is there already.
    pub async fn attempt(
        &mut self,
        http: &Http,
        file: &mut fs_err::File,
        task: &dyn Task,
    ) -> Result<Option<HeaderMap>, Try> {
        let mut request = http.get(self.url).header(ACCEPT_ENCODING, "identity");
        if let (true, Some(etag)) = (self.have > 0, &self.etag) {
            request = request
                .header(RANGE, format!("bytes={}-", self.have))
                .header(IF_RANGE, etag);
        } else {
            if let Some(etag) = &self.unless.etag {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(time) = &self.unless.last_modified {
                request = request.header(IF_MODIFIED_SINCE, time);
            }
        }
        let answer = request.send().await;
        if self.is_unchanged(&answer) {
            return Ok(None);
        }
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
            _ => Ok(Some(headers)),
        }
    }

    /// Does the server say that its content is the one that is there already?
    fn is_unchanged(&self, answer: &Result<Response, reqwest::Error>) -> bool {
        let same = |response: &Response| response.status() == StatusCode::NOT_MODIFIED;
        !self.unless.is_empty() && answer.as_ref().is_ok_and(same)
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
            url: without_query(self.url).to_owned(),
            source,
        })
    }
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
