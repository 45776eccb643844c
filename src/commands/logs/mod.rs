//! `r-layer logs`: what a function wrote into its log.

mod follow;
mod group;
mod shown;

use std::collections::VecDeque;
use std::time::SystemTime;

use anyhow::{Result, anyhow, bail};

use super::function_at_aws::FunctionAtAws;
use crate::aws::{AwsError, LogEvent, LogEvents, LogQuery, Refusal};
use crate::cli::LogsArgs;
use crate::function_log::{Moment, milliseconds_since_1970, utc};
use crate::progress::Reporter;
use crate::terminal::Printer;
use follow::Seen;
use group::LogGroup;
use shown::Shown;

/// Shows what there is and, if that is wanted, what comes.
pub async fn run(args: LogsArgs, printer: &Printer, reporter: &dyn Reporter) -> Result<()> {
    let query = query(&args, SystemTime::now())?;
    let at = FunctionAtAws::open(args.function, &args.region, &args.aws, reporter).await?;
    let group = LogGroup::of(&at, reporter).await?;
    let log = Log {
        events: LogEvents::new(&at.session, &at.region, at.account(), &group.name),
        group,
        query,
        limit: args.limit.map(|limit| limit as usize),
    };
    if log.group.is_left_over {
        reporter.note(&format!(
            "there is no function {} in {} (any more); its log {} is looked for all the same",
            at.name(),
            at.region,
            log.group.name
        ));
    }
    let mut shown = Shown::new(printer);
    let mut seen = Seen::default();
    match log.show(&mut shown, &mut seen).await {
        Ok(()) => {}
        Err(error) if is_missing(&error) && log.group.is_left_over => {
            return Err(at.missing("it has no log either").await);
        }
        Err(error) if is_missing(&error) && args.follow => {
            reporter.note(&format!("{}; waiting for it", log.no_group(&at)));
        }
        Err(error) if is_missing(&error) => return Err(anyhow!(log.no_group(&at))),
        Err(error) => return Err(error),
    }
    if args.follow {
        return follow::follow(&log, shown, seen, reporter).await;
    }
    if seen.is_empty() {
        reporter.note(&format!(
            "{} has no such entry since {}; --since 7d looks further back",
            log.group.name,
            utc(log.query.start)
        ));
    }
    Ok(())
}

fn query(args: &LogsArgs, now: SystemTime) -> Result<LogQuery> {
    let start = args.since.milliseconds(now);
    let end = args.until.map(|until: Moment| until.milliseconds(now));
    if end.is_some_and(|end| end < start) {
        bail!("--until is before --since; nothing is between them");
    }
    if start > milliseconds_since_1970(now) && !args.follow {
        bail!("--since {} is yet to come", utc(start));
    }
    Ok(LogQuery {
        start,
        end,
        pattern: args.filter.clone(),
    })
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref().and_then(AwsError::refusal) == Some(Refusal::NotFound)
}

/// What is wanted of a function's log.
struct Log {
    events: LogEvents,
    group: LogGroup,
    query: LogQuery,
    /// The last so many.
    limit: Option<usize>,
}

impl Log {
    /// Shows what there is, page by page; with a limit at the end.
    async fn show(&self, shown: &mut Shown<'_>, seen: &mut Seen) -> Result<()> {
        let mut last = VecDeque::new();
        self.each_page(&self.query, async |events| {
            let new = seen.new_of(events);
            let Some(limit) = self.limit else {
                return shown.show(&new);
            };
            last.extend(new);
            last.drain(..last.len().saturating_sub(limit));
            Ok(true)
        })
        .await?;
        shown.show(last.make_contiguous()).map(drop)
    }

    /// Hands on the function's events, page by page, until nobody wants more.
    async fn each_page(
        &self,
        query: &LogQuery,
        mut take: impl AsyncFnMut(Vec<LogEvent>) -> Result<bool>,
    ) -> Result<()> {
        let mut token: Option<String> = None;
        loop {
            let page = self.events.page(query, token.as_deref()).await?;
            let mut events = page.events;
            events.retain(|event| self.group.has(event));
            // Log streams by themselves are in order, and merged so where the server does not.
            events.sort_by_key(|event| event.timestamp);
            let goes_on = take(events).await?;
            // The same token again is the end for some servers.
            match page.next_token {
                Some(next) if goes_on && Some(&next) != token.as_ref() => token = Some(next),
                _ => return Ok(()),
            }
        }
    }

    fn no_group(&self, at: &FunctionAtAws) -> String {
        let (name, region, group) = (at.name(), &at.region, &self.group.name);
        format!(
            "{name} has no log in {region} (there is no log group {group}): it was never invoked, or its role may not write \
             logs, which the policy AWSLambdaBasicExecutionRole allows"
        )
    }
}
