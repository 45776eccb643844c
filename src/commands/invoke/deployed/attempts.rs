//! A call that AWS refuses before it begins is made again.

use std::time::Duration;

use tokio::time::Instant;

use crate::aws::{AwsError, Refusal};
use crate::http::Patience;
use crate::progress::Reporter;

/// How long a function may be on its way to a state in which it can be invoked.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// How often it is tried meanwhile.
const PAUSE: Duration = Duration::from_secs(2);

/// Makes a call until it is taken: again where there was no connection, where AWS throttles, and while the function is
/// being made (Pending, Inactive). None of these ran it.
pub async fn until_taken<T>(
    name: &str,
    reporter: &dyn Reporter,
    attempt: impl AsyncFn() -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    let begun = Instant::now();
    let mut pauses = Patience::default().pauses();
    let mut waiting = None;
    loop {
        let error = match attempt().await {
            Ok(taken) => return Ok(taken),
            Err(error) => error,
        };
        let pause = match error.refusal() {
            Some(Refusal::NotReached | Refusal::Throttled) => pauses.next(),
            Some(Refusal::Conflict) if is_on_its_way(&error) => {
                let begin =
                    || reporter.begin(&format!("waiting until {name} can be invoked"), None);
                waiting.get_or_insert_with(begin);
                (begun.elapsed() < LONGEST_WAIT).then_some(PAUSE)
            }
            _ => None,
        };
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(error),
        }
    }
}

/// A function that was invoked and has not answered: whoever interrupts r-layer now does not interrupt it.
pub struct Unanswered<'a> {
    name: &'a str,
    reporter: &'a dyn Reporter,
    is_over: bool,
}

impl<'a> Unanswered<'a> {
    /// It is invoked now.
    pub fn new(name: &'a str, reporter: &'a dyn Reporter) -> Unanswered<'a> {
        Unanswered {
            name,
            reporter,
            is_over: false,
        }
    }

    /// It has answered, or will not.
    pub fn over(mut self) {
        self.is_over = true;
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let name = self.name;
            self.reporter.note(&format!(
                "{name} may run on at AWS; `r-layer logs {name}` shows what comes of it"
            ));
        }
    }
}

/// A function that could not be made stays so.
fn is_on_its_way(error: &AwsError) -> bool {
    !error.to_string().contains("state: Failed")
}
