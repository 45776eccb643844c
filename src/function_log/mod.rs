//! A function's log: what Lambda and the runtime in R write into it, as text or as JSON, read and laid out for people.
//!
//! Lambda's own lines: <https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html> for text,
//! <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html> for JSON. The runtime's: `log.R` and
//! `log_json.R` of `layers/runtime/r-layer`.

mod entry;
mod json;
mod layout;
mod moment;
mod report;
mod text;
mod time;

pub use entry::{Entry, Label};
pub use layout::{LaidOut, Layout};
pub use moment::{Moment, MomentError};
pub use report::Report;
pub use time::{milliseconds_since_1970, utc};
