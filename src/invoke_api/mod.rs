//! Lambda's Invoke API on this machine: what the AWS SDKs, SAM's clients and curl call, at the path that AWS's
//! emulator has too. It turns requests into calls and their ends into answers; whoever started it lets a function work
//! off the calls.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

mod refusal;
mod request;
mod server;

use tokio::sync::oneshot;

use crate::runtime_api::{Answer, Event};

pub use request::InvocationType;
pub use server::InvokeApi;

/// Where events are posted. In place of the last `function` there may be any name.
pub const PATH: &str = "/2015-03-31/functions/function/invocations";

/// An event that somebody wants to have answered.
pub struct Call {
    /// The event.
    pub event: Event,
    /// Where the caller waits. Nowhere, if only the event counts.
    pub caller: Option<oneshot::Sender<Reply>>,
}

impl Call {
    /// Has the caller gone away?
    pub fn is_abandoned(&self) -> bool {
        self.caller.as_ref().is_some_and(oneshot::Sender::is_closed)
    }
}

/// What comes of a call: what the function answered, or why it could not be asked.
pub type Reply = Result<Answered, String>;

/// What a function answered.
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The end of the log.
    pub log: Vec<u8>,
}
