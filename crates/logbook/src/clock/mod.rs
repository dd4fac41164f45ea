//! Legal deadlines: a rule, the moment that starts it, and the working of the answer.
//!
//! Every rule is configuration with its citation; without one the answer is [`NO_RULE`]. Nothing
//! here reads a clock: the moment comes in as milliseconds, the answer is the same on every device.
//! `schemas/spec/clocks.md` states the arithmetic; the names follow the European Convention on the
//! Calculation of Time-Limits (ETS 076) and Regulation (EEC, Euratom) 1182/71.

mod calendar;
mod rules;
mod working;

#[cfg(test)]
mod tests;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use calendar::Calendar;
pub use calendar::{Landing, day_end_ms, day_start_ms, local_day, resolve};
pub use rules::{
    CountingMode, Day, Holiday, LocalTime, MAX_DAYS, MAX_HOLIDAYS, MAX_HOURS, MAX_MONTHS, MAX_RULES, MAX_RULES_BYTES,
    RollOver, Rule, Rules, RulesError, Unit, Weekday, Zone,
};

/// What is shown where no rule gives a deadline.
pub const NO_RULE: &str = "no rule configured";

/// Milliseconds in an hour.
const HOUR_MS: i64 = 3_600_000;
/// The moments that a deadline may start from: 1900 to 2200. Outside lies a mistake, and the
/// calendar arithmetic below stays far from the edges of its types.
const MOMENTS: std::ops::Range<i64> = -2_208_988_800_000..7_258_118_400_000;
/// Days that one count may walk: the longest count with one working day a week, and every holiday.
const MAX_WALK: usize = MAX_DAYS as usize * 7 + MAX_HOLIDAYS;

/// A computed deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// The rule's id.
    pub rule: String,
    /// The last moment that is in time, in milliseconds since 1970-01-01T00:00Z.
    pub at_ms: i64,
    /// The same as RFC 3339 with the zone's offset, to the second.
    pub at: String,
    /// The zone that days were counted in.
    pub zone: String,
    /// The count in one sentence.
    pub working: String,
    /// Where the rule stands.
    pub citation: String,
    /// What follows when the moment passes: a code.
    pub effect_of_lapse: String,
    /// The version of the rule set, with its holidays.
    pub rules_version: String,
}

/// Why no deadline comes out of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The trigger or the amount lies outside what is counted.
    #[error("the moment or the length of the limit is out of range")]
    OutOfRange,
    /// Every day is a day of rest, so that no working day comes.
    #[error("the calendar of these rules has no working day")]
    NoWorkingDay,
    /// Months are counted in the calendar: there is no working month.
    #[error("months cannot be counted in working days")]
    WorkingMonths,
}

/// What the rules say about a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The deadlines, in the order of the rules.
    Due(Vec<Due>),
    /// No rule names the trigger; shown as [`NO_RULE`].
    NoRule,
}

/// All deadlines that `trigger` starts at `trigger_ms`.
///
/// # Errors
/// The first rule that cannot be counted, see [`due`].
pub fn answer(rules: Option<&Rules>, trigger: &str, trigger_ms: i64) -> Result<Answer, ClockError> {
    let Some(rules) = rules else { return Ok(Answer::NoRule) };
    let named: Vec<&Rule> = rules.rules.iter().filter(|rule| rule.trigger == trigger).collect();
    if named.is_empty() {
        return Ok(Answer::NoRule);
    }
    let counted: Result<Vec<Due>, ClockError> = named.into_iter().map(|rule| due(rule, trigger_ms, rules)).collect();
    Ok(Answer::Due(counted?))
}

/// Counts one deadline.
///
/// # Errors
/// [`ClockError`] where the input cannot be counted; never a panic, whatever the input.
pub fn due(rule: &Rule, trigger_ms: i64, rules: &Rules) -> Result<Due, ClockError> {
    let most = match rule.unit {
        Unit::Hour => MAX_HOURS,
        Unit::Day => MAX_DAYS,
        Unit::Month => MAX_MONTHS,
    };
    if !MOMENTS.contains(&trigger_ms) || !(1..=most).contains(&rule.amount) {
        return Err(ClockError::OutOfRange);
    }
    let zone = rule.zone.unwrap_or(rules.zone);
    let calendar = Calendar::new(rules, zone);
    let count = match rule.unit {
        Unit::Hour => hours(rule, trigger_ms, &calendar)?,
        Unit::Day | Unit::Month => days(rule, trigger_ms, &calendar)?,
    };
    Ok(Due {
        rule: rule.id.clone(),
        at_ms: count.at_ms,
        at: calendar::rfc3339(zone, count.at_ms),
        zone: zone.to_string(),
        working: working::sentence(rule, trigger_ms, &count, &calendar),
        citation: rule.citation.clone(),
        effect_of_lapse: rule.effect_of_lapse.clone(),
        rules_version: rules.version.clone(),
    })
}

/// A finished count, from which the sentence is written.
struct Count {
    /// The first day counted.
    first: NaiveDate,
    /// The day on which the count ended, before any rolling over.
    last: NaiveDate,
    /// Days that were stepped over while counting.
    skipped: Vec<NaiveDate>,
    /// Days that were stepped over at the end.
    rolled: Vec<NaiveDate>,
    /// The month has no such day, so its last day was taken.
    clamped: bool,
    /// The deadline.
    at_ms: i64,
    /// Whether the deadline is a day's end or cut-off, not a counted minute.
    by_day: bool,
    /// How the cut-off met a change of the clocks.
    landing: Landing,
}

/// Days and months: whole local days, ending at the cut-off or at the end of the day.
fn days(rule: &Rule, trigger_ms: i64, calendar: &Calendar<'_>) -> Result<Count, ClockError> {
    let started = calendar.day_of(trigger_ms).ok_or(ClockError::OutOfRange)?;
    let after = if rule.first_day_excluded { next(started)? } else { started };
    let mut skipped = Vec::new();
    let mut clamped = false;
    let (first, last) = match (rule.unit, rule.counting_mode) {
        (Unit::Month, CountingMode::Working) => return Err(ClockError::WorkingMonths),
        (Unit::Month, CountingMode::Calendar) => {
            let same = started.checked_add_months(Months::new(rule.amount)).ok_or(ClockError::OutOfRange)?;
            clamped = same.day() != started.day();
            // Counted with its first day, a month ends on the day before the same date; a month
            // that lacks the date ends on its last day either way.
            let last = if rule.first_day_excluded || clamped { same } else { previous(same)? };
            (after, last)
        }
        (_, CountingMode::Calendar) => {
            let more = Days::new(u64::from(rule.amount - 1));
            (after, after.checked_add_days(more).ok_or(ClockError::OutOfRange)?)
        }
        (_, CountingMode::Working) => working_days(after, rule.amount, calendar, &mut skipped)?,
    };
    let mut rolled = Vec::new();
    let end = roll(rule.roll_over, last, calendar, &mut rolled)?;
    let (at_ms, landing) = calendar.day_deadline(end, rule.cut_off_local_time).ok_or(ClockError::OutOfRange)?;
    Ok(Count { first, last, skipped, rolled, clamped, at_ms, by_day: true, landing })
}

/// The first and last of `amount` working days from `from` on.
fn working_days(
    from: NaiveDate,
    amount: u32,
    calendar: &Calendar<'_>,
    skipped: &mut Vec<NaiveDate>,
) -> Result<(NaiveDate, NaiveDate), ClockError> {
    let (mut day, mut first, mut counted) = (from, None, 0);
    for _ in 0..MAX_WALK {
        if calendar.rests(day) {
            skipped.push(day);
        } else {
            counted += 1;
            let first = *first.get_or_insert(day);
            if counted == amount {
                return Ok((first, day));
            }
        }
        day = next(day)?;
    }
    Err(ClockError::NoWorkingDay)
}

/// Hours: to the minute, from the moment itself. Calendar hours run through nights, rest days and
/// changes of the clocks; working hours stand still on rest days.
fn hours(rule: &Rule, trigger_ms: i64, calendar: &Calendar<'_>) -> Result<Count, ClockError> {
    let length = i64::from(rule.amount) * HOUR_MS;
    let first = calendar.day_of(trigger_ms).ok_or(ClockError::OutOfRange)?;
    let mut skipped = Vec::new();
    let mut at_ms = match rule.counting_mode {
        CountingMode::Calendar => trigger_ms + length,
        CountingMode::Working => working_hours(first, trigger_ms, length, calendar, &mut skipped)?,
    };
    let last = calendar.day_of(at_ms).ok_or(ClockError::OutOfRange)?;
    let mut rolled = Vec::new();
    let end = roll(rule.roll_over, last, calendar, &mut rolled)?;
    let by_day = end != last;
    let mut landing = Landing::Plain;
    if by_day {
        // A rolled limit has no minute of its own any more: it ends like a day.
        (at_ms, landing) = calendar.day_deadline(end, rule.cut_off_local_time).ok_or(ClockError::OutOfRange)?;
    }
    Ok(Count { first, last, skipped, rolled, clamped: false, at_ms, by_day, landing })
}

fn working_hours(
    first: NaiveDate,
    trigger_ms: i64,
    length: i64,
    calendar: &Calendar<'_>,
    skipped: &mut Vec<NaiveDate>,
) -> Result<i64, ClockError> {
    let (mut day, mut from, mut left) = (first, trigger_ms, length);
    for _ in 0..MAX_WALK {
        let end = calendar.end_of(day).ok_or(ClockError::OutOfRange)?;
        if calendar.rests(day) {
            skipped.push(day);
        } else if left <= end + 1 - from {
            // Ending exactly at midnight is the end of this day, not the start of a rest day.
            return Ok((from + left).min(end));
        } else {
            left -= end + 1 - from;
        }
        from = end + 1;
        day = next(day)?;
    }
    Err(ClockError::NoWorkingDay)
}

/// Moves a last day off the days of rest.
fn roll(
    how: RollOver,
    last: NaiveDate,
    calendar: &Calendar<'_>,
    rolled: &mut Vec<NaiveDate>,
) -> Result<NaiveDate, ClockError> {
    let step: fn(NaiveDate) -> Result<NaiveDate, ClockError> = match how {
        RollOver::None => return Ok(last),
        RollOver::NextWorkingDay => next,
        RollOver::PreviousWorkingDay => previous,
    };
    let mut day = last;
    for _ in 0..MAX_WALK {
        if !calendar.rests(day) {
            return Ok(day);
        }
        rolled.push(day);
        day = step(day)?;
    }
    Err(ClockError::NoWorkingDay)
}

fn next(day: NaiveDate) -> Result<NaiveDate, ClockError> {
    day.succ_opt().ok_or(ClockError::OutOfRange)
}

fn previous(day: NaiveDate) -> Result<NaiveDate, ClockError> {
    day.pred_opt().ok_or(ClockError::OutOfRange)
}
