//! Times as CloudWatch has them: milliseconds since 1970.

use std::time::{SystemTime, UNIX_EPOCH};

use ::time::OffsetDateTime;

/// A time in milliseconds since 1970, before which there are no logs.
pub fn milliseconds_since_1970(time: SystemTime) -> i64 {
    let elapsed = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// A time in UTC, `2026-11-24T17:51:23.321Z`.
pub fn utc(milliseconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{}T{:02}:{:02}:{:02}.{:03}Z",
        time.date(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        assert_eq!(utc(1_764_006_683_321), "2025-11-24T17:51:23.321Z");
        assert_eq!(utc(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(milliseconds_since_1970(UNIX_EPOCH), 0);
    }
}
