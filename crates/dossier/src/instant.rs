//! Times as people read them, from milliseconds and an offset; no clock is read here.

/// `2026-11-24 21:14:03 +01:00`, in the author's own offset.
pub fn local(wall_ms: i64, offset_min: i16) -> String {
    let (date, time) = split(wall_ms.saturating_add(i64::from(offset_min) * 60_000));
    let sign = if offset_min < 0 { '-' } else { '+' };
    let offset = offset_min.unsigned_abs();
    format!("{date} {time} {sign}{:02}:{:02}", offset / 60, offset % 60)
}

/// `2026-11-24T20:14:03Z`, RFC 3339.
pub fn utc(wall_ms: i64) -> String {
    let (date, time) = split(wall_ms);
    format!("{date}T{time}Z")
}

fn split(ms: i64) -> (String, String) {
    let seconds = ms.div_euclid(1000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let time = format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60);
    (format!("{year:04}-{month:02}-{day:02}"), time)
}

/// Days since 1970-01-01 to a Gregorian date. (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`.)
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(utc(-1), "1969-12-31T23:59:59Z");
        assert_eq!(local(1_764_018_843_000, 60), "2025-11-24 22:14:03 +01:00");
        assert_eq!(local(1_764_018_843_000, -210), "2025-11-24 17:44:03 -03:30");
    }

    #[test]
    fn hostile_times_do_not_crash() {
        for ms in [i64::MIN, i64::MAX] {
            let _ = (utc(ms), local(ms, i16::MAX), local(ms, i16::MIN));
        }
    }
}
