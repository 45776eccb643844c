//! How often a host is asked: Lambda's control plane takes 15 requests a second of an account in a region, all callers
//! together, and answers 429 with the seconds to wait beyond that
//! (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>, "Control plane API requests").

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Requests a second to one host. What else uses the account keeps a third of what Lambda takes.
const REQUESTS_A_SECOND: u32 = 10;

/// So many requests may go out at once after a pause: what one layer needs in a region.
const BURST: u32 = 5;

/// The turns of requests, host by host.
#[derive(Debug, Default)]
pub struct Pace {
    turns: Mutex<HashMap<String, Turns>>,
}

#[derive(Clone, Copy, Debug)]
struct Turns {
    /// When the next request would go out if requests went out evenly.
    even: Instant,
    /// Nothing goes out before.
    held_until: Instant,
}

impl Pace {
    /// Waits for the turn of a request to a host.
    pub async fn turn(&self, host: &str) {
        loop {
            let wait = self.reserve(host, Instant::now());
            match wait {
                Turn::Now => return,
                Turn::At(time) => {
                    tokio::time::sleep_until(time).await;
                    return;
                }
                // The host may ask for yet another pause meanwhile.
                Turn::AskAgainAt(time) => tokio::time::sleep_until(time).await,
            }
        }
    }

    /// Lets nothing go out to a host for so long.
    pub fn hold(&self, host: &str, pause: Duration) {
        let now = Instant::now();
        let mut turns = self.turns.lock().unwrap_or_else(|held| held.into_inner());
        let turns = turns.entry(host.to_owned()).or_insert(Turns {
            even: now,
            held_until: now,
        });
        turns.held_until = turns.held_until.max(now + pause);
    }

    fn reserve(&self, host: &str, now: Instant) -> Turn {
        let interval = Duration::from_secs(1) / REQUESTS_A_SECOND;
        let mut turns = self.turns.lock().unwrap_or_else(|held| held.into_inner());
        let turns = turns.entry(host.to_owned()).or_insert(Turns {
            even: now,
            held_until: now,
        });
        if turns.held_until > now {
            return Turn::AskAgainAt(turns.held_until);
        }
        turns.even = turns.even.max(now);
        let turn = turns.even.checked_sub(interval * (BURST - 1));
        turns.even += interval;
        match turn {
            Some(time) if time > now => Turn::At(time),
            _ => Turn::Now,
        }
    }
}

enum Turn {
    Now,
    At(Instant),
    AskAgainAt(Instant),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long after `now` a request goes out that is made at that time.
    fn wait(pace: &Pace, host: &str, now: Instant) -> Duration {
        match pace.reserve(host, now) {
            Turn::Now => Duration::ZERO,
            Turn::At(time) | Turn::AskAgainAt(time) => time - now,
        }
    }

    #[test]
    fn the_first_go_out_at_once_and_the_rest_evenly_below_lambdas_rate() {
        let (pace, now) = (Pace::default(), Instant::now());
        let waits: Vec<Duration> = (0..105).map(|_| wait(&pace, "eu", now)).collect();
        assert!(waits[..5].iter().all(Duration::is_zero), "{waits:?}");
        assert!(waits[5] > Duration::ZERO, "{waits:?}");
        assert_eq!(waits[104], Duration::from_secs(10));
        // Another host has turns of its own.
        assert_eq!(wait(&pace, "us", now), Duration::ZERO);
    }

    #[test]
    fn a_host_that_asks_for_a_pause_gets_it() {
        let pace = Pace::default();
        pace.hold("eu", Duration::from_secs(3));
        let wait = wait(&pace, "eu", Instant::now());
        assert!(wait > Duration::from_secs(2), "{wait:?}");
    }
}
