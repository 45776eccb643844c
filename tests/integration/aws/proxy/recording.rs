//! What the proxy was asked, and what it answered: what tests count.

use std::time::Duration;

use super::operation::Operation;

/// A request, as far as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Since the proxy was started.
    pub at: Duration,
    /// Service, region and name.
    pub operation: Operation,
    /// The access key that it is signed with.
    pub access_key: String,
    /// With the query.
    pub path: String,
    /// Of the body, that were read.
    pub bytes: usize,
    /// Of the answer; none while there is none, or when the connection was cut instead.
    pub status: Option<u16>,
    /// Whether moto had it.
    pub reached: bool,
}

impl Request {
    /// Its operation's name.
    pub fn name(&self) -> &str {
        &self.operation.name
    }

    /// The region it is signed for.
    pub fn region(&self) -> &str {
        &self.operation.region
    }

    /// Whether its operation may change anything.
    pub fn changes(&self) -> bool {
        self.operation.changes()
    }
}
