//! The only place where a clock is read and randomness is drawn.

use chrono::{Local, SecondsFormat, TimeZone, Utc};
use seal::ClockConfidence;

/// A moment by this device's clock.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00Z.
    pub wall_ms: i64,
    /// Minutes east of UTC.
    pub offset_min: i16,
    /// How far the device trusts it.
    pub clock: ClockConfidence,
}

/// Now.
pub fn now() -> Moment {
    let now = Local::now();
    // Offsets lie between -12:00 and +14:00.
    let offset_min = (now.offset().local_minus_utc() / 60) as i16;
    Moment { wall_ms: now.timestamp_millis(), offset_min, clock: confidence() }
}

/// Another moment, as this device's clock would show it.
pub fn at(wall_ms: i64) -> Moment {
    let local = Local.timestamp_millis_opt(wall_ms).earliest().unwrap_or_else(Local::now);
    let offset_min = (local.offset().local_minus_utc() / 60) as i16;
    Moment { wall_ms, offset_min, clock: confidence() }
}

/// What the operating system says of its clock: systemd leaves a file once it has synchronised.
fn confidence() -> ClockConfidence {
    let marker = std::path::Path::new("/run/systemd/timesync/synchronized");
    let Ok(modified) = marker.metadata().and_then(|found| found.modified()) else {
        return ClockConfidence::OsUnsynced;
    };
    match modified.elapsed() {
        Ok(age) if age.as_secs() < 24 * 3600 => ClockConfidence::OsSynced,
        _ => ClockConfidence::OsUnsynced,
    }
}

/// Fresh random bytes from the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Fills a buffer with random bytes. A machine without randomness cannot make keys: it stops.
pub fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives randomness");
}

/// RFC 3339 in UTC, with milliseconds.
pub fn rfc3339(ms: i64) -> String {
    Utc.timestamp_millis_opt(ms).single().map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// RFC 3339 in the offset that the author had.
pub fn rfc3339_in(ms: i64, offset_min: i16) -> String {
    let offset = chrono::FixedOffset::east_opt(i32::from(offset_min) * 60);
    match (offset, Utc.timestamp_millis_opt(ms).single()) {
        (Some(offset), Some(at)) => at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Secs, true),
        _ => rfc3339(ms),
    }
}

/// Reads RFC 3339 with a zone.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
}

/// Reads a duration such as `90s`, `5m`, `4h`, `3d`, in milliseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let count: i64 = digits.parse().ok().filter(|count| (0..=100_000).contains(count))?;
    Some(count * seconds * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("90s"), Some(90_000));
        assert_eq!(parse_duration("3d"), Some(259_200_000));
        for bad in ["", "m", "5", "5w", "-5m", "é", "99999999999999999999d"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
