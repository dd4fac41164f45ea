//! The shape of a rule set, as an operation's Charter carries it. Everything is bounded on reading.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes of a rule set: 256 rules of 500 bytes and 2000 holidays of 60 take half of it.
pub const MAX_RULES_BYTES: usize = 512 * 1024;
/// Rules in a set: an electoral law has some dozens.
pub const MAX_RULES: usize = 256;
/// Holidays in a set: forty a year for fifty years.
pub const MAX_HOLIDAYS: usize = 2000;
/// The longest limit in hours: a year.
pub const MAX_HOURS: u32 = 8784;
/// The longest limit in days: ten years.
pub const MAX_DAYS: u32 = 3660;
/// The longest limit in months: ten years.
pub const MAX_MONTHS: u32 = 120;
/// Bytes of an id, a trigger, an effect, a version.
const MAX_CODE: usize = 64;
/// Bytes of a citation: an article and the standard it follows.
const MAX_CITATION: usize = 500;
/// Bytes of a holiday's name.
const MAX_NAME: usize = 100;
/// Years a date may lie in; outside lies a mistake.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// Why a rule set was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Not JSON of the right shape.
    #[error("these are no legal clocks: {0}")]
    Shape(String),
    /// Over the byte bound.
    #[error("a rule set has at most {MAX_RULES_BYTES} bytes")]
    Size,
    /// A count over its bound.
    #[error("too many {0}")]
    Many(&'static str),
    /// A text that is empty, too long or has control characters.
    #[error("{0} is empty, too long or has control characters")]
    Text(&'static str),
    /// An id or code with other characters than it may have.
    #[error("{0} is 1 to {MAX_CODE} of a-z, 0-9, hyphen and full stop")]
    Code(&'static str),
    /// Two rules with one id.
    #[error("two rules are called {0}")]
    Twice(String),
    /// A number that cannot be dialled.
    #[error("an emergency number is 1 to 24 of digits, spaces, + * # / and -, with a digit among them")]
    Number,
    /// No day of the week is a working day.
    #[error("every day of the week is a rest day")]
    AllRest,
    /// A limit of no length, or one over its bound.
    #[error("rule {0}: the amount is out of range")]
    Amount(String),
    /// Months in working days.
    #[error("rule {0}: months are counted in the calendar")]
    WorkingMonths(String),
}

/// A rule set: the clocks of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rules {
    /// Names this set; every answer carries it.
    #[schemars(length(min = 1, max = 64))]
    pub version: String,
    /// The zone that days are counted in, unless a rule has its own.
    pub zone: Zone,
    /// Days of the week on which no limit ends.
    #[schemars(length(max = 6))]
    pub rest_days: Vec<Weekday>,
    /// Other days on which no limit ends.
    #[schemars(length(max = 2000))]
    pub holidays: Vec<Holiday>,
    /// The rules.
    #[schemars(length(max = 256))]
    pub rules: Vec<Rule>,
    /// Whom to call when someone is in danger; the Log screen opens with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9+*#/ -]{1,24}$"))]
    pub emergency_number: Option<String>,
}

/// The same without its bounds checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    version: String,
    zone: Zone,
    rest_days: Vec<Weekday>,
    holidays: Vec<Holiday>,
    rules: Vec<Rule>,
    #[serde(default)]
    emergency_number: Option<String>,
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Unchecked { version, zone, rest_days, holidays, rules, emergency_number } =
            Unchecked::deserialize(deserializer)?;
        let rules = Self { version, zone, rest_days, holidays, rules, emergency_number };
        rules.check().map_err(de::Error::custom)?;
        Ok(rules)
    }
}

/// One deadline rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Names the rule within its set.
    #[schemars(regex(pattern = r"^[a-z0-9.-]{1,64}$"))]
    pub id: String,
    /// What starts it: a complaint's state (`receipted`), or another code such as
    /// `act-or-knowledge` or `aware-significant`.
    #[schemars(regex(pattern = r"^[a-z0-9.-]{1,64}$"))]
    pub trigger: String,
    /// How many units: 1 to 8784 hours, 3660 days or 120 months.
    #[schemars(range(min = 1, max = 8784))]
    pub amount: u32,
    /// Of what.
    pub unit: Unit,
    /// Whether rest days count.
    pub counting_mode: CountingMode,
    /// Whether day 1 is the day after the trigger. Hours run from the moment itself.
    pub first_day_excluded: bool,
    /// What happens when the last day is a rest day.
    pub roll_over: RollOver,
    /// When a limit in days or months ends on its last day; without it, with the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_off_local_time: Option<LocalTime>,
    /// The rule's own zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Where the rule stands. A rule without a citation is no rule.
    #[schemars(length(min = 1, max = 500))]
    pub citation: String,
    /// What follows when the limit passes: a code.
    #[schemars(regex(pattern = r"^[a-z0-9.-]{1,64}$"))]
    pub effect_of_lapse: String,
}

/// What a limit is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Hours of 3600 seconds.
    Hour,
    /// Local days.
    Day,
    /// Months, by date.
    Month,
}

/// Whether rest days count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CountingMode {
    /// Every day counts.
    Calendar,
    /// Rest days and holidays do not count.
    Working,
}

/// What happens when the last day is a rest day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RollOver {
    /// The limit ends there all the same.
    None,
    /// It ends on the next working day.
    NextWorkingDay,
    /// It ends on the last working day before.
    PreviousWorkingDay,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// A day on which no limit ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The day.
    pub date: Day,
    /// What it is called; it stands in the working.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
}

/// A calendar day, `YYYY-MM-DD`, 1900 to 2200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub NaiveDate);

/// A local time of day, `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(NaiveTime);

/// A zone of the IANA database, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(chrono_tz::Tz::UTC);

    pub(super) fn tz(self) -> chrono_tz::Tz {
        self.0
    }
}

impl LocalTime {
    pub(super) fn time(self) -> NaiveTime {
        self.0
    }
}

impl FromStr for Day {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        // The parser takes `2026-1-2` and signs; one day has one spelling here.
        day.filter(|day| YEARS.contains(&day.year()) && day.to_string() == text)
            .map(Self)
            .ok_or("a date is YYYY-MM-DD, 1900 to 2200")
    }
}

impl FromStr for LocalTime {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = NaiveTime::parse_from_str(text, "%H:%M").ok();
        time.map(Self).filter(|time| time.to_string() == text).ok_or("a time of day is HH:MM, 00:00 to 23:59")
    }
}

impl FromStr for Zone {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        chrono_tz::Tz::from_str(text).map(Self).map_err(|_| "a zone is a name of the IANA database")
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%H:%M"))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// Serde and schema of a type that is written as one string.
macro_rules! as_text {
    ($($name:ident: $schema:tt;)*) => { $(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    )* };
}

as_text! {
    Day: { "type": "string", "description": "A calendar day.", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" };
    LocalTime: { "type": "string", "description": "A local time of day.", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" };
    Zone: { "type": "string", "description": "A zone of the IANA database.", "minLength": 1, "maxLength": 64 };
}

/// Whether a text is a number for a telephone; several may be divided by strokes.
fn can_be_dialled(number: &str) -> bool {
    let known = |letter: char| letter.is_ascii_digit() || "+*#/ -".contains(letter);
    (1..=24).contains(&number.len()) && number.chars().all(known) && number.contains(|one: char| one.is_ascii_digit())
}

impl Rules {
    /// Reads a rule set.
    ///
    /// # Errors
    /// [`RulesError`] when it is too large, no JSON of this shape, or out of a bound.
    pub fn parse(bytes: &[u8]) -> Result<Self, RulesError> {
        if bytes.len() > MAX_RULES_BYTES {
            return Err(RulesError::Size);
        }
        serde_json::from_slice(bytes).map_err(|error| RulesError::Shape(error.to_string()))
    }

    /// The rule of an id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Checks every bound. Reading a rule set does it already.
    ///
    /// # Errors
    /// The first [`RulesError`] found.
    pub fn check(&self) -> Result<(), RulesError> {
        text("version", &self.version, MAX_CODE)?;
        if !self.emergency_number.as_deref().is_none_or(can_be_dialled) {
            return Err(RulesError::Number);
        }
        let rest: BTreeSet<Weekday> = self.rest_days.iter().copied().collect();
        match () {
            () if rest.len() == 7 => return Err(RulesError::AllRest),
            () if rest.len() != self.rest_days.len() => return Err(RulesError::Many("rest days")),
            () if self.holidays.len() > MAX_HOLIDAYS => return Err(RulesError::Many("holidays")),
            () if self.rules.len() > MAX_RULES => return Err(RulesError::Many("rules")),
            () => {}
        }
        self.holidays.iter().try_for_each(|holiday| text("a holiday's name", &holiday.name, MAX_NAME))?;
        let mut ids = BTreeSet::new();
        for rule in &self.rules {
            rule.check()?;
            if !ids.insert(rule.id.as_str()) {
                return Err(RulesError::Twice(rule.id.clone()));
            }
        }
        Ok(())
    }
}

impl Rule {
    fn check(&self) -> Result<(), RulesError> {
        code("a rule's id", &self.id)?;
        code("a trigger", &self.trigger)?;
        code("an effect of lapse", &self.effect_of_lapse)?;
        text("a citation", &self.citation, MAX_CITATION)?;
        let most = match self.unit {
            Unit::Hour => MAX_HOURS,
            Unit::Day => MAX_DAYS,
            Unit::Month => MAX_MONTHS,
        };
        if !(1..=most).contains(&self.amount) {
            return Err(RulesError::Amount(self.id.clone()));
        }
        if self.unit == Unit::Month && self.counting_mode == CountingMode::Working {
            return Err(RulesError::WorkingMonths(self.id.clone()));
        }
        Ok(())
    }
}

fn text(what: &'static str, text: &str, most: usize) -> Result<(), RulesError> {
    let fits = !text.trim().is_empty() && text.len() <= most && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(RulesError::Text(what)) }
}

fn code(what: &'static str, code: &str) -> Result<(), RulesError> {
    let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'.';
    let fits = (1..=MAX_CODE).contains(&code.len()) && code.bytes().all(letter);
    if fits { Ok(()) } else { Err(RulesError::Code(what)) }
}
