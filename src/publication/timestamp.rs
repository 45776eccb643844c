//! When something was published.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use time::OffsetDateTime;
use time::UtcOffset;
use time::format_description::well_known::Rfc3339;

use super::text::serde_as_text;

/// A time in UTC, to the second: `2025-04-01T12:30:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

/// A text that is no such time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time as 2025-04-01T12:30:00Z (RFC 3339)")]
pub struct TimestampError(String);

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        Timestamp::of(time.into())
    }
}

impl Timestamp {
    /// Its day, `2025-04-01`.
    pub fn day(&self) -> String {
        self.0.date().to_string()
    }

    fn of(time: OffsetDateTime) -> Timestamp {
        let time = time.to_offset(UtcOffset::UTC);
        Timestamp(time.replace_nanosecond(0).unwrap_or(time))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let time = OffsetDateTime::parse(text, &Rfc3339);
        time.map(Timestamp::of)
            .map_err(|_| TimestampError(text.to_owned()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

serde_as_text!(Timestamp);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_is_in_utc_and_to_the_second() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_743_510_600_900);
        assert_eq!(Timestamp::from(time).to_string(), "2025-04-01T12:30:00Z");
        let elsewhere: Timestamp = "2025-04-01T14:30:00.25+02:00".parse().unwrap();
        assert_eq!(elsewhere, Timestamp::from(time));
        assert_eq!(elsewhere.day(), "2025-04-01");
        let error = "yesterday".parse::<Timestamp>().unwrap_err().to_string();
        assert!(error.contains("RFC 3339"), "{error}");
    }
}
