//! A log that goes on. Events arrive late and out of order, so that each question goes back a while and what was shown
//! already is left out by its id.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::shown::Shown;
use super::{Log, is_missing};
use crate::aws::{AwsError, LogEvent, LogQuery, Refusal};
use crate::function_log::milliseconds_since_1970;
use crate::progress::Reporter;

/// How often CloudWatch is asked; it takes 5 such requests a second of an account in a region.
const PAUSE: Duration = Duration::from_secs(2);

/// So much later than a younger event an older one may arrive, in milliseconds.
const LATEST: i64 = 90_000;

/// More events than that are looked through for those that need not be remembered.
const MOST_REMEMBERED: usize = 20_000;

/// The events that were shown, as far as they can come again.
#[derive(Debug, Default)]
pub struct Seen {
    /// When each was, by its id.
    times: HashMap<String, i64>,
    newest: Option<i64>,
}

impl Seen {
    /// Has nothing been shown?
    pub fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    /// Those events that were not there before.
    pub fn new_of(&mut self, events: Vec<LogEvent>) -> Vec<LogEvent> {
        let is_new = |event: &LogEvent| {
            self.newest = self.newest.max(Some(event.timestamp));
            let id = event.event_id.clone();
            self.times.insert(id, event.timestamp).is_none()
        };
        let mut is_new = is_new;
        let new = events.into_iter().filter(|event| is_new(event)).collect();
        if self.times.len() > MOST_REMEMBERED {
            self.forget(self.newest.unwrap_or_default() - LATEST);
        }
        new
    }

    /// Forgets what is older: it is not asked for again.
    fn forget(&mut self, time: i64) {
        self.times.retain(|_, seen| *seen >= time);
    }

    /// From when on the next question asks, not before `start`; what is older is forgotten.
    fn next_start(&mut self, start: i64, now: i64) -> i64 {
        // Clocks of sandboxes may be ahead.
        let newest = self.newest.map_or(start, |newest| newest.min(now));
        let next = (newest - LATEST).max(start);
        self.forget(next);
        next
    }
}

/// Shows what comes, until nobody reads it any more.
pub async fn follow(
    log: &Log,
    mut shown: Shown<'_>,
    mut seen: Seen,
    reporter: &dyn Reporter,
) -> Result<()> {
    let mut is_told = false;
    while shown.is_read() {
        tokio::time::sleep(PAUSE).await;
        let start = log.query.start;
        let query = LogQuery {
            start: seen.next_start(start, milliseconds_since_1970(SystemTime::now())),
            ..log.query.clone()
        };
        let asked = log
            .each_page(&query, async |events| shown.show(&seen.new_of(events)))
            .await;
        match asked {
            Ok(()) => is_told = false,
            Err(error) if is_missing(&error) => {}
            // What was not read now is read later.
            Err(error) if may_pass(&error) => {
                if !is_told {
                    reporter.warn(&format!("{error:#}; trying on"));
                }
                is_told = true;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn may_pass(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<AwsError>() {
        Some(AwsError::Incomplete { .. }) => true,
        Some(error) => error.refusal().is_some_and(Refusal::may_pass),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, timestamp: i64) -> LogEvent {
        LogEvent {
            event_id: id.to_owned(),
            timestamp,
            log_stream_name: String::new(),
            message: String::new(),
        }
    }

    fn ids(events: &[LogEvent]) -> Vec<&str> {
        events.iter().map(|event| event.event_id.as_str()).collect()
    }

    #[test]
    fn no_event_is_shown_twice_and_a_late_one_is_shown() {
        let mut seen = Seen::default();
        let first = seen.new_of(vec![event("a", 200_000), event("b", 300_000)]);
        assert_eq!(ids(&first), ["a", "b"]);
        assert_eq!(seen.next_start(0, 1_000_000), 210_000);
        // The late one is within the window; what is asked for again is known.
        let second = vec![
            event("late", 250_000),
            event("b", 300_000),
            event("c", 300_000),
        ];
        assert_eq!(ids(&seen.new_of(second)), ["late", "c"]);
    }

    #[test]
    fn questions_never_begin_before_the_first_one_nor_after_now() {
        let mut seen = Seen::default();
        assert_eq!(seen.next_start(500, 1_000_000), 500);
        seen.new_of(vec![event("a", 1_000)]);
        assert_eq!(seen.next_start(500, 1_000_000), 500);
        seen.new_of(vec![event("ahead", 9_000_000)]);
        assert_eq!(seen.next_start(500, 1_000_000), 910_000);
    }

    #[test]
    fn what_cannot_come_again_is_forgotten() {
        let mut seen = Seen::default();
        seen.new_of(vec![event("old", 1_000), event("new", 500_000)]);
        seen.next_start(0, 1_000_000);
        assert_eq!(seen.times.len(), 1);
        assert!(!seen.is_empty());
    }
}
