//! The Lambda Runtime API on this machine: what a bootstrap talks to, with the deadlines, identities and
//! refusals of the real one.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

mod api;
mod invocation;
#[cfg(unix)]
mod sandbox;
mod stream;

pub use api::RuntimeApi;
pub use invocation::{Answer, ErrorReport, Event, FunctionIdentity, Invocation};
#[cfg(unix)]
pub use sandbox::{
    FunctionFiles, FunctionSandbox, ImageStart, Init, PeakMemory, SandboxError, announce_end,
    initialize,
};
pub use stream::{HTTP_RESPONSE, Prelude, Streamed};
