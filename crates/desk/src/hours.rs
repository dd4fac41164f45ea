//! The hours at which a station is expected to report, and what of them has passed.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime};
use logbook::clock::{Zone, local_day, resolve};

use crate::moment::Moment;

/// Hours of one station: more than one an hour is no plan for a polling day.
pub const MAX_HOURS: usize = 24;
/// Bytes of what is expected at an hour.
const MAX_WHAT: usize = 60;
/// Minutes of a day; its end is an hour too.
const DAY_MIN: u16 = 24 * 60;
/// How long before its hour a report counts for it.
const EARLY_MS: i64 = 60 * 60 * 1000;
/// How far back hours are looked at: each hour of a day once.
const BACK_MS: i64 = 24 * 60 * 60 * 1000;

/// One hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour {
    /// Minutes after local midnight, up to 1440.
    minute: u16,
    /// What is expected by then; may be empty.
    what: String,
}

/// The hours of one day, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours(Vec<Hour>);

/// An hour that has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// When it was, milliseconds.
    pub due_ms: i64,
    /// From when on a report counts for it: an hour before, but not before the hour that preceded it.
    pub from_ms: i64,
    /// The hour as the list of stations has it: `turnout 12:00`.
    pub said: String,
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = if self.what.is_empty() { "" } else { " " };
        write!(f, "{}{gap}{:02}:{:02}", self.what, self.minute / 60, self.minute % 60)
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, hour) in self.0.iter().enumerate() {
            write!(f, "{}{hour}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl FromStr for Hours {
    type Err = &'static str;

    /// `opening 07:00; turnout 12:00; closing 20:00`: semicolons, commas, bars or line breaks between
    /// hours; the hour before or after what is expected, as `7:00`, `07:00` or `7h00`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split([';', ',', '|', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let mut hours = parts.map(hour).collect::<Result<Vec<Hour>, _>>()?;
        if hours.len() > MAX_HOURS {
            return Err("more than 24 hours are expected");
        }
        hours.sort();
        hours.dedup();
        Ok(Self(hours))
    }
}

fn hour(part: &str) -> Result<Hour, &'static str> {
    let mut minute = None;
    let mut what = Vec::new();
    for word in part.split_whitespace() {
        match time(word) {
            Some(time) if minute.is_none() => minute = Some(time),
            Some(_) => return Err("an hour stands beside another without a semicolon between them"),
            None => what.push(word),
        }
    }
    let what = what.join(" ").trim_end_matches(':').to_owned();
    if what.len() > MAX_WHAT {
        return Err("what is expected at an hour has more than 60 bytes");
    }
    Ok(Hour { minute: minute.ok_or("an expected report has no hour, such as 07:00")?, what })
}

/// Minutes after midnight of `7:00`, `07:00`, `7h00`, `7h`; digits of Arabic and Persian too.
fn time(word: &str) -> Option<u16> {
    let plain: String = word.chars().map(digit).collect();
    let (hours, minutes) = plain.split_once([':', 'h', 'H'])?;
    let minutes = if minutes.is_empty() && !plain.contains(':') { "00" } else { minutes };
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let fits = digits.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
        fits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    (minutes < 60).then_some(hours * 60 + minutes).filter(|at| *at <= DAY_MIN)
}

fn digit(c: char) -> char {
    let from = match c {
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        _ => return c,
    };
    char::from_digit(u32::from(c) - from, 10).unwrap_or(c)
}

/// What tells local hours: the zone of the operation's rules, or else this device's offset.
#[derive(Debug, Clone, Copy)]
pub enum Local {
    /// A zone with its changes of clock.
    Zone(Zone),
    /// Minutes east of UTC.
    Offset(i16),
}

impl Local {
    fn day(self, ms: i64) -> Option<NaiveDate> {
        match self {
            Self::Zone(zone) => local_day(zone, ms),
            Self::Offset(minutes) => {
                let local = ms.checked_add(i64::from(minutes) * 60_000)?;
                Some(DateTime::from_timestamp_millis(local)?.date_naive())
            }
        }
    }
    fn moment(self, at: NaiveDateTime) -> Option<i64> {
        match self {
            Self::Zone(zone) => resolve(zone, at).map(|(ms, _)| ms),
            Self::Offset(minutes) => Some(at.and_utc().timestamp_millis() - i64::from(minutes) * 60_000),
        }
    }
}

impl Hours {
    /// The hours that have passed by now, of the last 24: each hour of the list once, oldest first.
    /// `day` is the only day they are of; without it they are of every day.
    pub fn passed(&self, now: Moment, local: Local, day: Option<NaiveDate>) -> Vec<Passed> {
        let Some(today) = local.day(now.wall_ms) else { return Vec::new() };
        let days = (0..=2).rev().filter_map(|back| today.checked_sub_days(Days::new(back)));
        let days = days.filter(|of| day.is_none_or(|day| *of == day));
        let mut all: Vec<Passed> = Vec::new();
        for (of, hour) in days.flat_map(|of| self.0.iter().map(move |hour| (of, hour))) {
            let at = of.and_time(NaiveTime::MIN) + Duration::minutes(hour.minute.into());
            let Some(due_ms) = local.moment(at) else { continue };
            let early = due_ms - EARLY_MS;
            let from_ms = all.last().map_or(early, |before| before.due_ms.max(early).min(due_ms));
            all.push(Passed { due_ms, from_ms, said: hour.to_string() });
        }
        all.retain(|passed| passed.due_ms <= now.wall_ms && passed.due_ms > now.wall_ms - BACK_MS);
        all
    }
}

#[cfg(test)]
mod tests {
    use seal::ClockConfidence;

    use super::*;

    fn hours(text: &str) -> Hours {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Moment {
        let wall_ms = crate::moment::parse_rfc3339(text).unwrap();
        Moment { wall_ms, offset_min: 60, clock: ClockConfidence::OsSynced }
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        for (text, read) in [
            ("opening 07:00; turnout 12:00; closing 20:00", "opening 07:00; turnout 12:00; closing 20:00"),
            ("closing 20:00;opening 7:00", "opening 07:00; closing 20:00"),
            ("7h00 ouverture, participation 12h | 20H30", "ouverture 07:00; participation 12:00; 20:30"),
            ("opening: 07:00\n\n", "opening 07:00"),
            ("الافتتاح ٠٧:٠٠", "الافتتاح 07:00"),
            ("07:00; 07:00", "07:00"),
            ("end 24:00", "end 24:00"),
            ("", ""),
        ] {
            assert_eq!(hours(text).to_string(), read, "{text}");
            assert_eq!(hours(read).to_string(), read, "{text}: again");
        }
        let many = (0..25).map(|n| format!("x{n} 07:00")).collect::<Vec<_>>().join(";");
        let long = format!("{} 07:00", "x".repeat(61));
        for bad in ["opening", "25:00", "24:01", "07:60", "opening 07:00 12:00", "7:0", "-1:00", &many, &long] {
            assert!(bad.parse::<Hours>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_hour_has_passed_when_its_local_time_has() {
        let list = hours("opening 07:00; turnout 12:00; closing 20:00");
        let paris = Local::Zone("Europe/Paris".parse().unwrap());
        let said = |now: &str, local, day| {
            let passed = list.passed(at(now), local, day);
            passed.into_iter().map(|passed| passed.said).collect::<Vec<_>>()
        };
        assert_eq!(said("2026-11-29T12:30:00+01:00", paris, None), ["closing 20:00", "opening 07:00", "turnout 12:00"]);
        assert_eq!(said("2026-11-29T12:30:00+01:00", Local::Offset(60), None).len(), 3);
        let day = NaiveDate::from_ymd_opt(2026, 11, 29);
        assert_eq!(said("2026-11-29T12:00:00+01:00", paris, day), ["opening 07:00", "turnout 12:00"]);
        assert_eq!(said("2026-11-29T06:59:59+01:00", paris, day), [""; 0]);
        assert_eq!(said("2026-11-30T01:00:00+01:00", paris, day).len(), 3, "past midnight the day is not forgotten");
        assert_eq!(said("2026-11-30T20:00:00+01:00", paris, day), [""; 0], "a day later it is");
        assert_eq!(said("2026-11-28T20:00:00+01:00", paris, day), [""; 0]);
    }

    #[test]
    fn a_report_counts_for_the_hour_that_follows_it_within_an_hour() {
        let list = hours("07:00; 07:30; 12:00");
        let passed =
            list.passed(at("2026-11-29T13:00:00+01:00"), Local::Offset(60), NaiveDate::from_ymd_opt(2026, 11, 29));
        let minutes = |ms: i64| (ms - at("2026-11-29T00:00:00+01:00").wall_ms) / 60_000;
        let windows: Vec<_> = passed.iter().map(|p| (minutes(p.from_ms), minutes(p.due_ms))).collect();
        assert_eq!(windows, [(360, 420), (420, 450), (660, 720)]);
    }

    #[test]
    fn where_the_clocks_change_an_hour_is_still_one() {
        let list = hours("02:30");
        let paris = Local::Zone("Europe/Paris".parse().unwrap());
        let spring = list.passed(at("2026-03-29T05:00:00+02:00"), paris, NaiveDate::from_ymd_opt(2026, 3, 29));
        assert_eq!(spring.len(), 1);
        assert_eq!(spring[0].due_ms, at("2026-03-29T03:00:00+02:00").wall_ms, "the clocks jump over it");
        let autumn = list.passed(at("2026-10-25T05:00:00+01:00"), paris, NaiveDate::from_ymd_opt(2026, 10, 25));
        assert_eq!(autumn[0].due_ms, at("2026-10-25T02:30:00+01:00").wall_ms, "the later of two");
    }
}
