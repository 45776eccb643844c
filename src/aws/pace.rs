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

    async fn ask(pace: &Pace, host: &str, times: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..times {
            pace.turn(host).await;
        }
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_go_out_at_once_and_the_rest_evenly_below_lambdas_rate() {
        let pace = Pace::default();
        assert_eq!(ask(&pace, "eu", BURST).await, Duration::ZERO);
        let elapsed = ask(&pace, "eu", 100).await;
        assert!(elapsed >= Duration::from_millis(9900), "{elapsed:?}");
        assert!(elapsed <= Duration::from_millis(10_100), "{elapsed:?}");
        // Another host has turns of its own.
        assert_eq!(ask(&pace, "us", BURST).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_asks_for_a_pause_gets_it() {
        let pace = Pace::default();
        pace.hold("eu", Duration::from_secs(3));
        let elapsed = ask(&pace, "eu", 1).await;
        assert!(elapsed >= Duration::from_secs(3), "{elapsed:?}");
    }
}
