//! Local days and times of a zone, safe where the clocks change, and the days of rest.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone};
use chrono_tz::Tz;

use super::rules::{LocalTime, Rules, Zone};

/// How a local time met a change of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// The time exists once.
    Plain,
    /// The clocks jump over it: the first moment after the gap is taken.
    Gap,
    /// It exists twice: the later moment is taken, which favours whoever is bound by the limit.
    Overlap,
}

/// The moment of a local time, in milliseconds, and how it was found. `None` outside the range
/// that dates can hold.
pub fn resolve(zone: Zone, local: NaiveDateTime) -> Option<(i64, Landing)> {
    match zone.tz().from_local_datetime(&local) {
        MappedLocalTime::Single(at) => Some((at.timestamp_millis(), Landing::Plain)),
        MappedLocalTime::Ambiguous(_, later) => Some((later.timestamp_millis(), Landing::Overlap)),
        MappedLocalTime::None => Some((first_reaching(zone.tz(), local)?, Landing::Gap)),
    }
}

/// The first moment whose local time is at or after `local`: the end of the gap it fell in.
fn first_reaching(tz: Tz, local: NaiveDateTime) -> Option<i64> {
    // Offsets lie within a day of UTC, and the longest gap there was is one day (Samoa, 2011).
    const REACH_MS: i64 = 2 * 86_400_000;
    let middle = local.and_utc().timestamp_millis();
    let (mut before, mut reached) = (middle.checked_sub(REACH_MS)?, middle.checked_add(REACH_MS)?);
    while reached - before > 1 {
        let probe = before + (reached - before) / 2;
        if local_time(tz, probe)? >= local { reached = probe } else { before = probe }
    }
    Some(reached)
}

fn local_time(tz: Tz, ms: i64) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp_millis(ms)?.with_timezone(&tz).naive_local())
}

/// The local day of a moment.
pub fn local_day(zone: Zone, ms: i64) -> Option<NaiveDate> {
    Some(local_time(zone.tz(), ms)?.date())
}

/// The first moment of a local day. Where midnight exists twice, the earlier one.
pub fn day_start_ms(zone: Zone, day: NaiveDate) -> Option<i64> {
    let midnight = day.and_time(NaiveTime::MIN);
    match zone.tz().from_local_datetime(&midnight) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.timestamp_millis()),
        MappedLocalTime::None => first_reaching(zone.tz(), midnight),
    }
}

/// The last millisecond of a local day, which may have 23, 24 or 25 hours.
pub fn day_end_ms(zone: Zone, day: NaiveDate) -> Option<i64> {
    day_start_ms(zone, day.checked_add_days(Days::new(1))?)?.checked_sub(1)
}

/// RFC 3339 with the zone's offset, to the second.
pub(super) fn rfc3339(zone: Zone, ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .map(|at| at.with_timezone(&zone.tz()).to_rfc3339_opts(SecondsFormat::Secs, false))
        .unwrap_or_default()
}

/// `HH:MM` of a moment.
pub(super) fn clock_time(zone: Zone, ms: i64) -> String {
    local_time(zone.tz(), ms).map(|at| at.format("%H:%M").to_string()).unwrap_or_default()
}

/// The days of rest of a rule set, in a zone.
pub(super) struct Calendar<'a> {
    zone: Zone,
    rest: [bool; 7],
    holidays: BTreeMap<NaiveDate, &'a str>,
}

impl<'a> Calendar<'a> {
    pub(super) fn new(rules: &'a Rules, zone: Zone) -> Self {
        let mut rest = [false; 7];
        for day in &rules.rest_days {
            rest[*day as usize] = true;
        }
        let holidays = rules.holidays.iter().map(|holiday| (holiday.date.0, holiday.name.as_str())).collect();
        Self { zone, rest, holidays }
    }

    pub(super) fn zone(&self) -> Zone {
        self.zone
    }

    /// Whether nothing is counted or due on a day.
    pub(super) fn rests(&self, day: NaiveDate) -> bool {
        self.rest[day.weekday().num_days_from_monday() as usize] || self.holidays.contains_key(&day)
    }

    /// The holiday's name, if the day is one.
    pub(super) fn holiday(&self, day: NaiveDate) -> Option<&'a str> {
        self.holidays.get(&day).copied()
    }

    pub(super) fn day_of(&self, ms: i64) -> Option<NaiveDate> {
        local_day(self.zone, ms)
    }

    pub(super) fn end_of(&self, day: NaiveDate) -> Option<i64> {
        day_end_ms(self.zone, day)
    }

    /// When a day's limit ends: at the cut-off, which is itself in time, or with the day.
    pub(super) fn day_deadline(&self, day: NaiveDate, cut_off: Option<LocalTime>) -> Option<(i64, Landing)> {
        let end = self.end_of(day)?;
        let Some(cut_off) = cut_off else { return Some((end, Landing::Plain)) };
        let (at, landing) = resolve(self.zone, day.and_time(cut_off.time()))?;
        // A gap that swallows midnight would put the cut-off into the next day.
        Some((at.min(end), landing))
    }
}
