//! One row through the mapping: each field's value, checked against the field's shape.

use chrono::{NaiveDate, NaiveDateTime};
use logbook::clock::{day_end_ms, day_start_ms, resolve};
use logbook::field::{Shape, check, shape};
use logbook::{FieldValue, Fields};

use super::csv::{MappedRow, Reason};
use super::mapping::{DateRule, Edge, Invalid, Listed, Mapping, Measured, REQUIRED, Thresholds, Unknown, Value};
use super::template;

/// The text of a column; `None` where the cell holds nothing.
type Cell<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// Characters of a cell that a refusal or a note repeats.
const QUOTED: usize = 60;

/// Maps one row.
pub(super) fn map<'a>(mapping: &Mapping, row: u64, cell: &Cell<'a>) -> Result<MappedRow, Reason> {
    let mut facts = Fields::new();
    let mut notes = Vec::new();
    for (name, value) in &mapping.fields {
        // The mapping was checked: a field that is not known has no value.
        let Some(shape) = shape(name) else { continue };
        let Some(found) = evaluate(value, shape, cell, &mut notes)? else { continue };
        let cut = mapping.cut_when_too_long.contains(name);
        if let Some(found) = fit(name, found, shape, cut, &mut notes) {
            facts.insert(name.clone(), found);
        }
    }
    pair(&mut facts, &mut notes);
    if let Some(absent) = REQUIRED.into_iter().find(|name| !facts.contains_key(*name)) {
        return Err(Reason::Missing(absent));
    }
    let number = |name: &str| facts.get(name).and_then(FieldValue::number);
    if let (Some(from), Some(to)) = (number("occurred_from_ms"), number("occurred_to_ms"))
        && to < from
    {
        return Err(Reason::Order);
    }
    check(&facts).map_err(Reason::Field)?;
    let source_id = facts.get("source_id").and_then(FieldValue::text).unwrap_or_default().to_owned();
    Ok(MappedRow { row, source_id, facts, notes })
}

/// Half a place is none.
fn pair(facts: &mut Fields, notes: &mut Vec<String>) {
    for (has, lacks) in [("lat_e7", "lon_e7"), ("lon_e7", "lat_e7")] {
        if facts.contains_key(has) && !facts.contains_key(lacks) {
            facts.remove(has);
            notes.push(format!("{has} is left out, because there is no {lacks}"));
        }
    }
}

/// Cleans text, and cuts it where the mapping allows.
fn fit(name: &str, value: FieldValue, shape: Shape, cut: bool, notes: &mut Vec<String>) -> Option<FieldValue> {
    let (FieldValue::Text(text), Shape::Text(most)) = (&value, shape) else { return Some(value) };
    let mut text = clean(text, name == "description");
    if text.is_empty() {
        return None;
    }
    if cut && text.len() > most {
        let room = most.saturating_sub('…'.len_utf8());
        let at = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        notes.push(format!("{name} is cut: {} of {} bytes are kept", at, text.len()));
        text.truncate(at);
        text.push('…');
    }
    Some(FieldValue::Text(text))
}

/// Without control characters and marks that turn the direction of writing, which could make a
/// line read otherwise than it is stored. Line breaks stay where a text may have several lines.
pub(super) fn clean(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\n' if lines => out.push('\n'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

fn evaluate<'a>(
    value: &Value,
    field: Shape,
    cell: &Cell<'a>,
    notes: &mut Vec<String>,
) -> Result<Option<FieldValue>, Reason> {
    match value {
        Value::Constant(value) => Ok(Some(value.clone())),
        Value::Column(column) => Ok(cell(column).map(FieldValue::from)),
        Value::Template(pattern) => {
            let text = template::fill(pattern, cell);
            Ok(Some(text).filter(|text| !text.trim().is_empty()).map(FieldValue::from))
        }
        Value::Number(rule) => measured(rule, cell, notes, "no whole number", |text| text.parse().ok()),
        Value::Degrees(rule) => measured(rule, cell, notes, "no number of degrees", |text| {
            degrees_e7(text).filter(|e7| in_bounds(field, *e7))
        }),
        Value::Date(rule) => {
            let Some(text) = cell(&rule.column) else { return Ok(None) };
            read(&rule.column, text, rule.invalid, notes, "no date in the mapping's patterns", date_ms(rule, text))
        }
        Value::Code(rule) => {
            let Some(text) = cell(&rule.column) else { return Ok(None) };
            let code = translate(&rule.column, text, &rule.codes, &rule.unknown, notes)?;
            Ok(code.map(FieldValue::from))
        }
        Value::List(rule) => {
            let codes = listed(rule, cell, notes)?;
            Ok(match field {
                _ if codes.is_empty() => None,
                Shape::Codes => Some(FieldValue::List(codes)),
                _ => Some(FieldValue::Text(codes.join(", "))),
            })
        }
        Value::Thresholds(rule) => thresholds(rule, cell, notes),
        Value::Choose(rule) => {
            let chosen = cell(&rule.column).and_then(|text| rule.when.get(text));
            match chosen.or(rule.otherwise.as_deref()) {
                Some(value) => evaluate(value, field, cell, notes),
                None => Ok(None),
            }
        }
    }
}

fn in_bounds(field: Shape, number: i64) -> bool {
    matches!(field, Shape::Number(least, most) if (least..=most).contains(&number))
}

fn measured<'a>(
    rule: &Measured,
    cell: &Cell<'a>,
    notes: &mut Vec<String>,
    what: &'static str,
    reads: impl Fn(&str) -> Option<i64>,
) -> Result<Option<FieldValue>, Reason> {
    let Some(text) = cell(&rule.column) else { return Ok(None) };
    read(&rule.column, text, rule.invalid, notes, what, reads(text))
}

/// A number that was read, or what the mapping says of one that was not.
fn read(
    column: &str,
    text: &str,
    invalid: Invalid,
    notes: &mut Vec<String>,
    what: &'static str,
    found: Option<i64>,
) -> Result<Option<FieldValue>, Reason> {
    match (found, invalid) {
        (Some(number), _) => Ok(Some(number.into())),
        (None, Invalid::Refuse) => Err(unreadable(column, text, what)),
        (None, Invalid::Omit) => {
            notes.push(format!("column {column} is left out: \"{}\" is {what}", quoted(text)));
            Ok(None)
        }
    }
}

fn thresholds<'a>(rule: &Thresholds, cell: &Cell<'a>, notes: &mut Vec<String>) -> Result<Option<FieldValue>, Reason> {
    let Some(text) = cell(&rule.column) else { return Ok(None) };
    let Ok(number) = text.parse::<i64>() else {
        return read(&rule.column, text, rule.invalid, notes, "no whole number", None);
    };
    let step = rule.steps.iter().rev().find(|step| number >= step.at_least);
    Ok(step.map(|step| step.value.into()))
}

fn listed<'a>(rule: &Listed, cell: &Cell<'a>, notes: &mut Vec<String>) -> Result<Vec<String>, Reason> {
    let mut codes = Vec::new();
    for column in &rule.columns {
        let Some(text) = cell(column) else { continue };
        for part in text.split(|c| rule.separators.contains(&c)).map(str::trim).filter(|part| !part.is_empty()) {
            if let Some(code) = translate(column, part, &rule.codes, &rule.unknown, notes)?
                && !codes.contains(&code)
            {
                codes.push(code);
            }
        }
    }
    Ok(codes)
}

fn translate(
    column: &str,
    text: &str,
    codes: &std::collections::BTreeMap<String, Option<String>>,
    unknown: &Unknown,
    notes: &mut Vec<String>,
) -> Result<Option<String>, Reason> {
    if let Some(code) = codes.get(text) {
        return Ok(code.clone());
    }
    const WHAT: &str = "a code that the mapping does not know";
    match unknown {
        Unknown::Refuse => Err(unreadable(column, text, WHAT)),
        Unknown::Omit => {
            notes.push(format!("column {column}: \"{}\" is {WHAT}, and is left out", quoted(text)));
            Ok(None)
        }
        Unknown::Prefix(prefix) => {
            let code = format!("{prefix}{}", text.to_lowercase());
            if logbook::vocab::is_code(&code) { Ok(Some(code)) } else { Err(unreadable(column, text, WHAT)) }
        }
    }
}

fn unreadable(column: &str, text: &str, what: &'static str) -> Reason {
    Reason::Cell { column: column.to_owned(), found: quoted(text), what }
}

fn quoted(text: &str) -> String {
    clean(&text.chars().take(QUOTED).collect::<String>(), false)
}

/// Decimal degrees in 1e-7 degree, about a centimetre. Digits beyond the seventh are dropped.
pub(super) fn degrees_e7(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    // Three digits reach 180; the fractions of floating point numbers run to seventeen and more.
    if digits.len() == usize::from(digits.contains('.'))
        || whole.len() > 3
        || fraction.len() > 40
        || !all_digits(whole)
        || !all_digits(fraction)
    {
        return None;
    }
    let kept: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    // Statistical programs write `.5` and `-.25`.
    let degrees: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let e7 = degrees * 10_000_000 + kept.parse::<i64>().ok()?;
    Some(if negative { -e7 } else { e7 })
}

fn date_ms(rule: &DateRule, text: &str) -> Option<i64> {
    rule.formats.iter().find_map(|pattern| {
        if let Ok(moment) = NaiveDateTime::parse_from_str(text, pattern) {
            return resolve(rule.zone, moment).map(|(ms, _)| ms);
        }
        let day = NaiveDate::parse_from_str(text, pattern).ok()?;
        match rule.edge {
            Edge::Start => day_start_ms(rule.zone, day),
            Edge::End => day_end_ms(rule.zone, day),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees() {
        for (text, e7) in [
            ("13.969184", 139_691_840),
            ("-28.761974", -287_619_740),
            ("74.36920000000001", 743_692_000),
            ("8", 80_000_000),
            ("-0.5", -5_000_000),
            ("-.283333", -2_833_330),
            (".5", 5_000_000),
            ("180.0", 1_800_000_000),
        ] {
            assert_eq!(degrees_e7(text), Some(e7), "{text}");
        }
        for bad in ["", "-", ".", "-.", "1e5", "123.58333Masbate", "1,5", "1.2.3", "9999", "NaN", "--1", "1.-5", "٣"] {
            assert_eq!(degrees_e7(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_is_cleaned() {
        assert_eq!(clean("a\r\nb\tc\u{202e}d\u{0}", true), "a\nb cd");
        assert_eq!(clean(" a\nb ", false), "a b");
    }
}
