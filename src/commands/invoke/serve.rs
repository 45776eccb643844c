//! `invoke --serve`: calls come in at any time and are worked off one after another, in one session.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use serde_json::json;

use super::session::Session;
use super::watch::CodeChanges;
use crate::commands::Outcome;
use crate::invoke_api::{Answered, Call, InvokeApi, PATH};
use crate::progress::Reporter;
use crate::terminal::Printer;

/// Begins to take calls.
pub async fn listen(address: SocketAddr) -> Result<InvokeApi> {
    InvokeApi::bind(address).await.map_err(|error| {
        let port = address.port();
        match error.kind() {
            ErrorKind::AddrInUse => anyhow!(
                "port {port} is taken; type another one, or --serve 0 for one that is free"
            ),
            ErrorKind::PermissionDenied => anyhow!(
                "port {port} is for administrators; type one above 1023, or --serve 0 for one that is free"
            ),
            ErrorKind::AddrNotAvailable => anyhow!(
                "{} is no address of this machine; --host takes one that is, or 0.0.0.0 for all of them",
                address.ip()
            ),
            _ => anyhow!(error).context(format!("{address} cannot be listened at")),
        }
    })
}

/// Works off calls until the command is stopped; changed code ends the session between two of them.
pub async fn run(
    mut api: InvokeApi,
    mut changes: CodeChanges,
    mut session: Session<'_>,
    printer: &Printer,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    announce(api.address(), printer, reporter)?;
    loop {
        tokio::select! {
            biased;
            first = changes.next() => {
                let paths = changes.rest(first).await;
                session.end().await;
                reporter.note(&told(&paths));
            }
            call = api.next() => match call {
                Some(call) => answer(call, &mut session, reporter).await,
                None => return Ok(Outcome::Done),
            }
        }
    }
}

/// Says where the function is, as text and, for programs, as a line of JSON.
fn announce(address: SocketAddr, printer: &Printer, reporter: &dyn Reporter) -> Result<()> {
    let url = format!("http://{address}");
    if printer.json {
        let line = json!({ "address": url, "path": PATH }).to_string() + "\n";
        printer.data(line.as_bytes())?;
    }
    reporter.note(&format!(
        "the function answers at {url} until Ctrl-C:\n  \
        curl -d '{{}}' {url}{PATH}\n  \
        aws lambda invoke --endpoint-url {url} --function-name function /dev/stdout"
    ));
    Ok(())
}

async fn answer(call: Call, session: &mut Session<'_>, reporter: &dyn Reporter) {
    if call.is_abandoned() {
        reporter.note("a caller went away before its turn; its event is dropped");
        return;
    }
    let reply = match session.invoke(call.event).await {
        Ok(invoked) => Ok(Answered {
            answer: invoked.answer,
            log: invoked.log,
        }),
        Err(error) => {
            let message = format!("{error:#}");
            reporter.warn(&format!("the function cannot be started: {message}"));
            Err(message)
        }
    };
    if let Some(caller) = call.caller {
        // Who went away meanwhile needs no answer.
        let _ = caller.send(reply);
    }
}

/// What has changed, in one line.
fn told(paths: &BTreeSet<PathBuf>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = paths
        .iter()
        .take(SHOWN)
        .map(|path| path.display().to_string())
        .collect();
    let more = match paths.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "changed: {}{more}; the next event begins a new session",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_changes_are_told_in_one_line() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect();
        assert_eq!(
            told(&paths(&["b.R", "a.R"])),
            "changed: a.R, b.R; the next event begins a new session"
        );
        assert!(
            told(&paths(&["a", "b", "c", "d", "e"])).starts_with("changed: a, b, c and 2 more;")
        );
    }
}
