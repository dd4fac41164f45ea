//! The sentence that shows how a deadline was counted, so that a person can check it by hand.

use chrono::{Datelike, NaiveDate};

use super::calendar::{Calendar, Landing, clock_time};
use super::rules::{CountingMode, Rule, Unit};
use super::{Count, working};

/// Days named one by one in a sentence; a longer list gives its number.
const NAMED: usize = 8;

/// For instance "Fri 3 Oct counted as day 1; Sun 5 Oct is a rest day; due Mon 6 Oct 17:00
/// Europe/Paris, art. 12(3)". A year is named where it is not the trigger's.
pub(super) fn sentence(rule: &Rule, trigger_ms: i64, count: &Count, calendar: &Calendar<'_>) -> String {
    let started = calendar.day_of(trigger_ms).unwrap_or(count.first);
    let show = |day: NaiveDate| working::show(day, started.year());
    let zone = calendar.zone();
    let mut parts = Vec::new();
    match rule.unit {
        Unit::Hour => {
            parts.push(format!(
                "{} {} counted from {} {}",
                rule.amount,
                plural(rule.amount, "hour"),
                show(started),
                clock_time(zone, trigger_ms)
            ));
        }
        Unit::Day => parts.push(format!("{} counted as day 1", show(count.first))),
        Unit::Month => {
            let by = if count.clamped { ", the last day of that month" } else { "" };
            parts.push(format!(
                "{} {} from {} end on {}{by}",
                rule.amount,
                plural(rule.amount, "month"),
                show(started),
                show(count.last)
            ));
        }
    }
    if rule.counting_mode == CountingMode::Working {
        parts.extend(resting(&count.skipped, calendar, ", not counted", &show));
    }
    parts.extend(resting(&count.rolled, calendar, "", &show));
    match count.landing {
        Landing::Plain => {}
        Landing::Gap => {
            parts.push("the clocks go forward over the cut-off, so the first moment after it is taken".into())
        }
        Landing::Overlap => parts.push("the clocks go back over the cut-off, so the later of the two is taken".into()),
    }
    if count.at_ms < trigger_ms {
        parts.push("this had passed when the limit began".into());
    }
    let day = calendar.day_of(count.at_ms).unwrap_or(count.last);
    let time = match (count.by_day, rule.cut_off_local_time) {
        (true, None) => "end of day".to_owned(),
        _ => clock_time(zone, count.at_ms),
    };
    parts.push(format!("due {} {time} {zone}, {}", show(day), rule.citation));
    parts.join("; ")
}

/// "Sat 4 Oct and Sun 5 Oct are rest days", "Wed 11 Nov is Armistice Day".
fn resting(
    days: &[NaiveDate],
    calendar: &Calendar<'_>,
    remark: &str,
    show: &dyn Fn(NaiveDate) -> String,
) -> Vec<String> {
    if days.len() > NAMED {
        let ends = days.iter().min().zip(days.iter().max());
        let between = ends.map(|(first, last)| format!(" between {} and {}", show(*first), show(*last)));
        return vec![format!("{} days{} are rest days or holidays{remark}", days.len(), between.unwrap_or_default())];
    }
    let (mut plain, mut named) = (Vec::new(), Vec::new());
    for day in days {
        match calendar.holiday(*day) {
            Some(name) => named.push(format!("{} is {name}{remark}", show(*day))),
            None => plain.push(show(*day)),
        }
    }
    let mut parts = Vec::new();
    if let Some((last, others)) = plain.split_last() {
        parts.push(match others {
            [] => format!("{last} is a rest day{remark}"),
            others => format!("{} and {last} are rest days{remark}", others.join(", ")),
        });
    }
    parts.extend(named);
    parts
}

fn plural(amount: u32, word: &str) -> String {
    if amount == 1 { word.to_owned() } else { format!("{word}s") }
}

fn show(day: NaiveDate, year: i32) -> String {
    let pattern = if day.year() == year { "%a %-d %b" } else { "%a %-d %b %Y" };
    day.format(pattern).to_string()
}
