//! One file from one server: what is resumed, begun anew, tried again, given up.

use std::time::Duration;

use r_layer::http::{HttpError, Patience};
use r_layer::progress::Reporter;
use r_layer::progress::Silent;

use super::server::{Reply, Request, Server, nobody};
use super::{QUICK, content, http};

/// How a download ended, and what is in the file then.
async fn download(url: &str, patience: Patience) -> (Result<(), HttpError>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let task = Silent.begin("fetching", None);
    let outcome = http(patience).download(url, &path, &*task).await;
    (outcome.map(drop), std::fs::read(path).unwrap_or_default())
}

/// The error that a download of everything from that server ends with, and how often it was asked.
async fn refused(
    answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
) -> (String, usize) {
    let server = Server::start(answer);
    let url = server.url("file");
    let (outcome, _) = download(&url, QUICK).await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains(&url), "{error}");
    (error, server.requests().len())
}

/// Makes sure that a file arrives whole, and returns the ranges and conditions that were asked for.
async fn arrives(
    expected: Vec<u8>,
    patience: Patience,
    answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
) -> Vec<(String, String)> {
    let server = Server::start(answer);
    let (outcome, arrived) = download(&server.url("file"), patience).await;
    outcome.unwrap();
    assert!(
        arrived == expected,
        "{} of {} bytes, or others",
        arrived.len(),
        expected.len()
    );
    let asked = |request: Request| {
        (
            request.header("range").to_owned(),
            request.header("if-range").to_owned(),
        )
    };
    server.requests().into_iter().map(asked).collect()
}

fn asked(ranges: &[(&str, &str)]) -> Vec<(String, String)> {
    ranges
        .iter()
        .map(|(range, tag)| ((*range).to_owned(), (*tag).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_download_that_breaks_off_is_resumed_as_often_as_it_takes() {
    let breaks = |request: &Request, _| {
        let left = content().len() - start(request);
        Reply::file(request, &content(), "\"one\"").broken_after(left.min(15_000))
    };
    let ranges = arrives(content(), QUICK, breaks).await;
    let tag = "\"one\"";
    assert_eq!(
        ranges,
        asked(&[
            ("", ""),
            ("bytes=15000-", tag),
            ("bytes=30000-", tag),
            ("bytes=45000-", tag),
            ("bytes=60000-", tag),
            ("bytes=75000-", tag),
            ("bytes=90000-", tag),
        ])
    );
    assert!(ranges.len() > QUICK.tries);
}

fn start(request: &Request) -> usize {
    let range = request.header("range");
    range
        .trim_start_matches("bytes=")
        .trim_end_matches('-')
        .parse()
        .unwrap_or(0)
}

#[tokio::test]
async fn a_server_that_falls_silent_is_asked_for_the_rest() {
    let silence = Duration::from_secs(1);
    let ranges = arrives(
        content(),
        Patience { silence, ..QUICK },
        |request, before| {
            let reply = Reply::file(request, &content(), "\"one\"");
            if before == 0 {
                reply.stalled_after(40_000)
            } else {
                reply
            }
        },
    );
    assert_eq!(
        ranges.await,
        asked(&[("", ""), ("bytes=40000-", "\"one\"")])
    );
}

#[tokio::test]
async fn a_content_that_changes_in_between_is_fetched_anew() {
    let newer: Vec<u8> = content().into_iter().rev().collect();
    let served = newer.clone();
    let ranges = arrives(newer, QUICK, move |request, before| match before {
        0 => Reply::file(request, &content(), "\"one\"").broken_after(40_000),
        1 => Reply::file(request, &served, "\"two\"").broken_after(10_000),
        _ => Reply::file(request, &served, "\"two\""),
    });
    assert_eq!(
        ranges.await,
        asked(&[
            ("", ""),
            ("bytes=40000-", "\"one\""),
            ("bytes=10000-", "\"two\"")
        ])
    );
}

#[tokio::test]
async fn what_cannot_be_known_to_be_the_same_is_fetched_anew() {
    for tag in [None, Some("W/\"weak\"")] {
        let ranges = arrives(content(), QUICK, move |_, before| {
            let reply = Reply::ok(content());
            let reply = tag.map_or(reply.clone(), |tag| reply.header("ETag", tag));
            if before == 0 {
                reply.broken_after(40_000)
            } else {
                reply
            }
        });
        assert_eq!(ranges.await, asked(&[("", ""), ("", "")]), "{tag:?}");
    }
}

/// Servers and caches that answer a request for a part with something else.
#[tokio::test]
async fn a_part_is_only_taken_for_what_it_is() {
    let length = content().len();
    let first =
        |request: &Request| Reply::file(request, &content(), "\"one\"").broken_after(40_000);
    let part = |range| Reply::part(&content(), range).header("ETag", "\"one\"");
    // It is another part.
    let ranges = arrives(content(), QUICK, move |request, before| match before {
        0 => first(request),
        1 => part(20_000..length),
        _ => Reply::file(request, &content(), "\"one\""),
    });
    assert_eq!(
        ranges.await,
        asked(&[("", ""), ("bytes=40000-", "\"one\""), ("", "")])
    );
    // It is a part of another content.
    let ranges = arrives(content(), QUICK, move |request, before| match before {
        0 => Reply::file(request, &vec![0; length], "\"other\"").broken_after(40_000),
        1 => part(40_000..length),
        _ => Reply::file(request, &content(), "\"one\""),
    });
    assert_eq!(
        ranges.await,
        asked(&[("", ""), ("bytes=40000-", "\"other\""), ("", "")])
    );
    // It is shorter than what was asked for.
    let ranges = arrives(content(), QUICK, move |request, before| match before {
        0 => first(request),
        1 => part(40_000..60_000),
        _ => Reply::file(request, &content(), "\"one\""),
    });
    let tag = "\"one\"";
    assert_eq!(
        ranges.await,
        asked(&[("", ""), ("bytes=40000-", tag), ("bytes=60000-", tag)])
    );
}

/// All bytes came, but not the word that they are all: the server has no part behind them to send.
#[tokio::test]
async fn a_part_behind_the_end_is_no_fault() {
    let ranges = arrives(content(), QUICK, |request, before| match before {
        0 => Reply::ok(content()).header("ETag", "\"one\"").unfinished(),
        _ => Reply::file(request, &content(), "\"one\""),
    });
    assert_eq!(
        ranges.await,
        asked(&[("", ""), ("bytes=100000-", "\"one\""), ("", "")])
    );
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_when_it_says() {
    // Without the server's word the pause would be longer than anybody waits for a test.
    let patience = Patience {
        first_pause: Duration::from_secs(3600),
        ..QUICK
    };
    for status in [429, 500, 502, 503] {
        let download = arrives(content(), patience, move |request, before| match before {
            0 => Reply::status(status).header("Retry-After", "0"),
            _ => Reply::file(request, &content(), "\"one\""),
        });
        let ranges = tokio::time::timeout(Duration::from_secs(25), download).await;
        assert_eq!(
            ranges.expect("Retry-After counts"),
            asked(&[("", ""), ("", "")]),
            "{status}"
        );
    }
}

#[tokio::test]
async fn what_does_not_get_better_is_given_up() {
    for (status, words, times) in [
        (503, "(4 tries): the server answers 503", QUICK.tries),
        (404, "is not there (HTTP 404", 1),
        (410, "is not there (HTTP 410", 1),
        (403, "the server answers 403", 1),
    ] {
        let (error, asked) = refused(move |_, _| Reply::status(status)).await;
        assert!(error.contains(words), "{error}");
        assert_eq!(asked, times, "{error}");
    }
    let (error, asked) = refused(|_, _| Reply::ok(content()).broken_after(0)).await;
    assert!(error.contains("(4 tries)"), "{error}");
    assert_eq!(asked, QUICK.tries);
}

#[tokio::test]
async fn a_file_that_has_moved_is_followed_and_resumed_there() {
    let server = Server::start(|request, before| match (request.target.as_str(), before) {
        ("/file", _) => Reply::status(302).header("Location", "/moved/file"),
        (_, 1) => Reply::file(request, &content(), "\"one\"").broken_after(40_000),
        _ => Reply::file(request, &content(), "\"one\""),
    });
    let (outcome, arrived) = download(&server.url("file"), QUICK).await;
    outcome.unwrap();
    assert!(arrived == content());
    assert_eq!(
        server.targets(),
        ["/file", "/moved/file", "/file", "/moved/file"]
    );
    assert_eq!(server.requests()[3].header("range"), "bytes=40000-");
}

#[tokio::test]
async fn a_file_that_moves_in_a_circle_is_an_error() {
    let (error, _) = refused(|_, _| Reply::status(301).header("Location", "/file")).await;
    assert!(error.contains("redirect"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_and_a_place_that_cannot_be_written_are_named() {
    let url = nobody() + "/file";
    let error = download(&url, QUICK).await.0.unwrap_err().to_string();
    assert!(
        error.contains(&format!(
            "{url} cannot be fetched (4 tries): Connection refused"
        )),
        "{error}"
    );

    let server = Server::of_files(&[("file", b"content")]);
    let folder = tempfile::tempdir().unwrap();
    let task = Silent.begin("fetching", None);
    let place = folder.path().join("absent/file");
    let outcome = http(QUICK)
        .download(&server.url("file"), &place, &*task)
        .await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("absent/file"), "{error}");
}

#[tokio::test]
async fn a_text_is_fetched_whole_or_not_at_all() {
    let server = Server::start(|_, before| match before {
        0 => Reply::status(503).header("Retry-After", "0"),
        1 => Reply::ok("Package: jsonlite").broken_after(8),
        _ => Reply::ok("Package: jsonlite"),
    });
    assert_eq!(
        http(QUICK).text(&server.url("PACKAGES")).await.unwrap(),
        "Package: jsonlite"
    );
    assert_eq!(server.requests().len(), 3);
}
