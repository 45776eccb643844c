//! Downloads against a real server that stalls, breaks off, refuses and lies; mirrors; proxies; certificates.

pub mod certificates;
mod command;
mod mirrors;
pub mod server;
mod transfers;

use std::time::Duration;

use r_layer::credentials::Credentials;
use r_layer::http::{Http, Patience};

/// Tries again at once, and gives up early; a server may take its time.
const QUICK: Patience = Patience {
    tries: 4,
    first_pause: Duration::from_millis(1),
    silence: Duration::from_secs(20),
};

fn http(patience: Patience) -> Http {
    Http::from_environment(patience, Credentials::default()).unwrap()
}

/// A content of which no part is like another.
fn content() -> Vec<u8> {
    (0..25_000_u32).flat_map(u32::to_le_bytes).collect()
}

/// A .tar.gz with one file in it.
fn tarball(path: &str, content: &str) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    archive
        .append_data(&mut header, path, content.as_bytes())
        .unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}
