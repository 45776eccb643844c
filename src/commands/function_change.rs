//! A change to a function: after what is under way already, if nobody else changed it meanwhile, and until AWS has carried
//! it out.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use tokio::time::Instant;

use super::aws_session::Signed;
use crate::aws::{AwsError, DeployedFunction, Functions, is_conflict};
use crate::function::{FunctionReference, FunctionSettings};
use crate::nearest::nearest_names;
use crate::progress::{Reporter, Task};

/// Pauses between questions whether a change is over; the last goes on.
const PAUSES: [u64; 5] = [200, 500, 1000, 2000, 4000];

/// How often a function is looked at anew because somebody else changed it.
pub const LOOKS: usize = 10;

/// Another account's functions cannot be changed with these credentials.
pub fn check_account(function: &FunctionReference, signed: &Signed) -> Result<()> {
    if let Some(account) = &function.account
        && *account != signed.account
    {
        bail!(
            "{function} belongs to account {account}, and these credentials are of {}; nothing was changed. Set AWS_PROFILE \
             or --profile to one of {account}",
            signed.account
        );
    }
    Ok(())
}

/// A function that is changed.
pub struct FunctionChange<'a> {
    /// The region's functions.
    pub functions: &'a Functions,
    /// Its name.
    pub name: &'a str,
    /// How long AWS may take over one change.
    pub patience: Duration,
    /// Whom it is told.
    pub reporter: &'a dyn Reporter,
    task: Box<dyn Task>,
    done: Mutex<Vec<String>>,
    /// The revision that settings were sent for: what AWS shows once it has taken them is another.
    outdated: Mutex<Option<String>>,
    /// Settings are sent, and AWS has not answered yet.
    is_sending: AtomicBool,
    is_over: AtomicBool,
}

impl<'a> FunctionChange<'a> {
    /// Begins; `what` is the name that is told.
    pub fn begin(
        functions: &'a Functions,
        name: &'a str,
        what: &str,
        patience: Duration,
        reporter: &'a dyn Reporter,
    ) -> FunctionChange<'a> {
        FunctionChange {
            functions,
            name,
            patience,
            reporter,
            task: reporter.begin(what, None),
            done: Mutex::default(),
            outdated: Mutex::default(),
            is_sending: false.into(),
            is_over: false.into(),
        }
    }

    /// What is done now.
    pub fn step(&self, step: &str) {
        self.task.step(step);
    }

    /// Something is done that stays done.
    pub fn did(&self, what: impl Display) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.push(what.to_string());
    }

    /// What was done so far.
    pub fn done(&self) -> Vec<String> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.clone()
    }

    /// It is over, well or not; from now on an interruption has nothing to tell.
    pub fn finish(mut self, line: &str) {
        self.is_over.store(true, Ordering::Relaxed);
        let task = std::mem::replace(&mut self.task, crate::progress::Silent.begin("", None));
        task.finish(line);
    }

    /// The function, once nothing is under way; nothing if there is none.
    pub async fn settled(&self) -> Result<Option<DeployedFunction>> {
        let end = Instant::now() + self.patience;
        let mut pauses = PAUSES.iter().copied();
        let mut pause = Duration::ZERO;
        loop {
            let Some(function) = self.functions.get(self.name, None).await? else {
                return Ok(None);
            };
            if !function.is_changing && !self.is_outdated(&function) {
                return Ok(Some(function));
            }
            if Instant::now() + pause > end {
                bail!(
                    "{}: AWS is still at a change after {} s; type the same again later, or wait longer with --wait",
                    self.name,
                    self.patience.as_secs()
                );
            }
            self.step("waiting for a change that is under way");
            pause = pauses.next().map_or(pause, Duration::from_millis);
            tokio::time::sleep(pause).await;
        }
    }

    /// Is it still as it was before settings were sent that AWS took?
    fn is_outdated(&self, function: &DeployedFunction) -> bool {
        let outdated = self.outdated.lock().unwrap_or_else(PoisonError::into_inner);
        !function.revision.is_empty() && outdated.as_ref() == Some(&function.revision)
    }

    /// The function, once nothing is under way; that there is none is an error with the nearest names.
    pub async fn existing(&self) -> Result<DeployedFunction> {
        match self.settled().await? {
            Some(function) => Ok(function),
            None => Err(self.not_found().await),
        }
    }

    /// Why there is no such function, and which there are.
    pub async fn not_found(&self) -> anyhow::Error {
        let arn = self.functions.arn(self.name);
        let names = self.functions.names().await.unwrap_or_default();
        let near = nearest_names(self.name, names.iter().map(String::as_str));
        match near[..] {
            [] if names.is_empty() => anyhow!(
                "there is no function {arn}, nor any other there; r-layer deploy {} makes it, or is it in another region \
                 (--region), or of another account (--profile)?",
                self.name
            ),
            [] => anyhow!(
                "there is no function {arn}; there are {}. r-layer deploy {} makes it",
                listed(&names),
                self.name
            ),
            _ => anyhow!(
                "there is no function {arn}; did you mean {}?",
                near.join(" or ")
            ),
        }
    }

    /// Sends settings. False, if somebody else was faster: then it is to be looked at anew.
    pub async fn configure(
        &self,
        function: &DeployedFunction,
        settings: &FunctionSettings,
    ) -> Result<bool> {
        self.is_sending.store(true, Ordering::Relaxed);
        let sent = self
            .functions
            .configure(self.name, settings, &function.revision)
            .await;
        self.is_sending.store(false, Ordering::Relaxed);
        let is_taken = self.was_taken(sent).await?;
        if is_taken {
            let mut outdated = self.outdated.lock().unwrap_or_else(PoisonError::into_inner);
            *outdated = Some(function.revision.clone());
        }
        Ok(is_taken)
    }

    /// Was a change taken? A conflict is none, and worth another look.
    pub async fn was_taken(&self, sent: Result<(), AwsError>) -> Result<bool> {
        match sent {
            Ok(()) => Ok(true),
            Err(error) if is_conflict(&error) => {
                self.step("somebody else changes it too; looking again");
                tokio::time::sleep(Duration::from_millis(PAUSES[1])).await;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The function after a change, once AWS has carried it out.
    pub async fn carried_out(&self) -> Result<DeployedFunction> {
        let function = self.existing().await?;
        match &function.failure {
            None => Ok(function),
            Some(reason) => bail!(
                "{}: AWS could not carry out the change: {reason}",
                self.name
            ),
        }
    }
}

/// The first names, and how many more there are.
pub fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut names = names.to_vec();
    names.sort();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.truncate(SHOWN);
    names.join(", ") + &more
}

impl Drop for FunctionChange<'_> {
    fn drop(&mut self) {
        let is_over = self.is_over.load(Ordering::Relaxed);
        let is_sending = self.is_sending.load(Ordering::Relaxed);
        let done = self.done();
        let done = match (done.is_empty(), is_sending) {
            _ if is_over => return,
            (true, false) => return,
            (true, true) => "a change was sent, which AWS may have taken or not".to_owned(),
            (false, true) => format!(
                "done: {}; another change was sent, which AWS may have taken or not",
                done.join("; ")
            ),
            (false, false) => format!("done: {}", done.join("; ")),
        };
        self.reporter.warn(&format!(
            "{}: stopped in the middle; {done}. The same command does what is left",
            self.name
        ));
    }
}
