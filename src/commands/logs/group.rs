//! Where a function's log is: a log group of its own, or one that it shares with others.

use anyhow::{Result, bail};

use crate::aws::{LogEvent, Refusal};
use crate::commands::function_at_aws::FunctionAtAws;
use crate::progress::Reporter;

/// A function's log group.
#[derive(Debug)]
pub struct LogGroup {
    /// `/aws/lambda/my-function`, or what the function's configuration names.
    pub name: String,
    /// Is there no such function any more? Its log stays.
    pub is_left_over: bool,
    /// What the names of the function's log streams have in them, where the group is not all the function's.
    streams: Option<String>,
    /// What those of the wanted version have.
    version: Option<String>,
}

impl LogGroup {
    /// Asks AWS where a function writes to. Who may not ask gets the usual place.
    pub async fn of(at: &FunctionAtAws, reporter: &dyn Reporter) -> Result<LogGroup> {
        let function = &at.function;
        let version = version(function.qualifier.as_deref())?;
        let usual = format!("/aws/lambda/{}", function.name());
        let mut is_left_over = false;
        let named = match at
            .functions()
            .log_group(&function.for_api(&at.region))
            .await
        {
            Ok(named) => named,
            Err(error) => {
                match error.refusal() {
                    Some(Refusal::NotFound) => is_left_over = true,
                    Some(Refusal::Denied) => {
                        reporter.note(&format!("{error}; {usual} is looked into"));
                    }
                    _ => return Err(error.into()),
                }
                None
            }
        };
        let name = named.unwrap_or(usual.clone());
        Ok(LogGroup {
            is_left_over,
            ..LogGroup::named(name, &usual, function.name(), version)
        })
    }

    fn named(name: String, usual: &str, function: &str, version: Option<String>) -> LogGroup {
        // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html: in a group of one's own
        // choice streams are called 2026/11/24/my-function[$LATEST][0123…].
        let streams = (name != usual).then(|| format!("/{function}["));
        LogGroup {
            name,
            is_left_over: false,
            streams,
            version,
        }
    }

    /// Is an event of the function, and of the version that is wanted?
    pub fn has(&self, event: &LogEvent) -> bool {
        let stream = &event.log_stream_name;
        let marks = [&self.streams, &self.version];
        marks
            .into_iter()
            .flatten()
            .all(|mark| stream.contains(mark))
    }
}

/// Streams are named by versions, which aliases move between.
fn version(qualifier: Option<&str>) -> Result<Option<String>> {
    match qualifier {
        None => Ok(None),
        Some(version)
            if version == "$LATEST" || version.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Ok(Some(format!("[{version}]")))
        }
        Some(alias) => bail!(
            "logs are kept by version, and `{alias}` is an alias; leave it out, or name a version, as $LATEST or 3"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(stream: &str) -> LogEvent {
        LogEvent {
            event_id: "1".to_owned(),
            timestamp: 0,
            log_stream_name: stream.to_owned(),
            message: String::new(),
        }
    }

    #[test]
    fn a_group_of_several_functions_has_streams_by_function() {
        let usual = "/aws/lambda/f";
        let own = LogGroup::named(usual.to_owned(), usual, "f", None);
        assert!(own.has(&event("2026/11/24/[$LATEST]0123")));
        let shared = LogGroup::named("all".to_owned(), usual, "f", None);
        assert!(shared.has(&event("2026/11/24/f[$LATEST][0123]")));
        assert!(!shared.has(&event("2026/11/24/gf[$LATEST][0123]")));
        assert!(!shared.has(&event("2026/11/24/f2[$LATEST][0123]")));
    }

    #[test]
    fn a_version_has_streams_of_its_own_and_an_alias_has_none() {
        let usual = "/aws/lambda/f";
        let third = LogGroup::named(usual.to_owned(), usual, "f", version(Some("3")).unwrap());
        assert!(third.has(&event("2026/11/24/[3]0123")));
        assert!(!third.has(&event("2026/11/24/[$LATEST]0123")));
        assert_eq!(version(Some("$LATEST")).unwrap().unwrap(), "[$LATEST]");
        assert!(
            version(Some("live"))
                .unwrap_err()
                .to_string()
                .contains("alias")
        );
    }
}
