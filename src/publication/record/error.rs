//! Why a record cannot be used.

use std::io;
use std::path::PathBuf;

use super::VERSION;
use crate::publication::LayerVersionArn;

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not read or not written.
    #[error("{path}: {source}")]
    Io {
        /// The record.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// No record.
    #[error("{origin} is not a record of published layers that this r-layer can read: {source}")]
    Malformed {
        /// The file or URL.
        origin: String,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// A merge that was not finished.
    #[error(
        "{origin}, line {line}: git left a conflict there; keep the lines of both sides, without the marks: of two \
         lines for one layer and region, the higher version counts"
    )]
    Conflict {
        /// The file or URL.
        origin: String,
        /// The first mark's line.
        line: usize,
    },
    /// Another JSON.
    #[error(
        "{origin} is not a record of published layers: it does not begin with {{\"version\": {VERSION}}}"
    )]
    NoVersion {
        /// The file or URL.
        origin: String,
    },
    /// From another r-layer.
    #[error("{origin} has version {version}; this r-layer knows {VERSION}: take a newer r-layer")]
    Version {
        /// The file or URL.
        origin: String,
        /// Its version.
        version: u64,
    },
    /// An ARN of one layer beside the name or region of another.
    #[error("{origin}: {arn} is not of {what}, which its line says")]
    Contradiction {
        /// The file or URL.
        origin: String,
        /// The ARN.
        arn: Box<LayerVersionArn>,
        /// What the line says.
        what: String,
    },
}
