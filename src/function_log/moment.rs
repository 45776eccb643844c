//! When a part of a log begins or ends, as it is typed: so long ago, or a time.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;

use super::time::milliseconds_since_1970;

/// A moment that somebody typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long before now.
    Ago(Duration),
    /// A time, in milliseconds since 1970.
    At(i64),
}

/// A text that is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no time; type how long ago, as 30s, 10m, 1h, 1h30m, 2d or 1w, or a time with its zone, as \
     2026-11-24T17:51:00Z, or a day in UTC, as 2026-11-24"
)]
pub struct MomentError(String);

impl Moment {
    /// In milliseconds since 1970.
    pub fn milliseconds(&self, now: SystemTime) -> i64 {
        match self {
            Moment::At(milliseconds) => *milliseconds,
            Moment::Ago(ago) => {
                let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
                milliseconds_since_1970(now).saturating_sub(ago).max(0)
            }
        }
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let time = ago(text).map(Moment::Ago).or_else(|| at(text));
        time.ok_or_else(|| MomentError(text.to_owned()))
    }
}

/// `1h30m`: numbers, each with its unit.
fn ago(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let mut units = rest[digits..].chars();
        let unit = match units.next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = units.as_str();
    }
    (!text.is_empty()).then(|| Duration::from_secs(seconds))
}

/// A time with its zone, or a day in UTC.
fn at(text: &str) -> Option<Moment> {
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339));
    let milliseconds = time.ok()?.unix_timestamp_nanos() / 1_000_000;
    i64::try_from(milliseconds).ok().map(Moment::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_so_long_ago_or_a_time() {
        let seconds = |text: &str| match text.parse().unwrap() {
            Moment::Ago(ago) => ago.as_secs(),
            Moment::At(_) => panic!("{text}"),
        };
        let lengths = ["45s", "10m", "1h", "1h30m", "2d", "1w"].map(seconds);
        assert_eq!(lengths, [45, 600, 3_600, 5_400, 172_800, 604_800]);
        let at = |text: &str| text.parse::<Moment>().unwrap();
        assert_eq!(at("2025-04-01T12:30:00Z"), Moment::At(1_743_510_600_000));
        assert_eq!(
            at("2025-04-01T14:30:00.25+02:00"),
            Moment::At(1_743_510_600_250)
        );
        assert_eq!(at("2025-04-01"), Moment::At(1_743_465_600_000));
    }

    #[test]
    fn what_is_none_is_told_what_to_type() {
        for text in [
            "",
            "1",
            "h",
            "1x",
            "1h30",
            "-1h",
            "yesterday",
            "2025-04-01T12:30:00",
            "2025-13-01",
            "99999999999999999999s",
        ] {
            let error = text.parse::<Moment>().unwrap_err().to_string();
            assert!(error.contains("1h30m"), "{error}");
        }
    }

    #[test]
    fn so_long_ago_counts_from_now_and_never_begins_before_1970() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let ago = |seconds| Moment::Ago(Duration::from_secs(seconds)).milliseconds(now);
        assert_eq!((ago(40), ago(1000)), (60_000, 0));
    }
}
