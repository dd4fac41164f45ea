//! Reports that are likely the same matter: several people log one event, in their own words.
//!
//! Only a proposal. What merges them is a signed link, which a later entry takes back.

use std::collections::BTreeSet;

use logbook::action::RecordKind;
use vault::Row;

use crate::error::Result;
use crate::session::Desk;
use crate::show::board_row;
use crate::wire::{LikelyList, LikelyRow};

/// How far apart two reports of one event are recorded: a field laptop may be without signal for hours.
const APART_MS: i64 = 6 * 60 * 60 * 1000;
/// Recorded within this time of each other, which speaks for one event.
const SOON_MS: i64 = 45 * 60 * 1000;
/// Reports before the one in question that are compared, and as many after it.
const COMPARED: u32 = 1000;
/// Proposals made.
const PROPOSED: usize = 5;
/// Shorter words, in the languages that we have, are articles and prepositions.
const WORD: usize = 4;

/// What two reports have in common, most telling first; what each counts.
const STATION: (&str, u32) = ("station", 4);
const PLACE: (&str, u32) = ("place", 3);
const WORDS: (&str, u32) = ("words", 3);
const CATEGORY: (&str, u32) = ("category", 2);
const TIME: (&str, u32) = ("time", 1);
/// From here on it is worth a look: a place and a kind, a place and words, or a kind, words and time.
const ENOUGH: u32 = 5;

impl Desk {
    /// Open incidents that are likely the same matter as this one, the likeliest first.
    pub async fn likely(&self, name: &str) -> Result<LikelyList> {
        let record = self.find("incident", name).await?;
        let vault = self.vault();
        let Some(this) = vault.row(&record.id()).await? else { return Ok(LikelyList { items: Vec::new() }) };
        let around = vault.recorded_around(RecordKind::Incident, this.created_ms, APART_MS, COMPARED).await?;
        let others = around.into_iter().filter(|other| other.record != this.record);
        let mut found: Vec<(u32, Vec<&str>, Row)> = others
            .filter_map(|other| {
                let (score, common) = likeness(&this, &other);
                (score >= ENOUGH).then_some((score, common, other))
            })
            .collect();
        found.sort_by_key(|(score, _, other)| {
            (std::cmp::Reverse(*score), (other.created_ms - this.created_ms).abs(), other.record)
        });
        found.truncate(PROPOSED);
        let item = |(_, common, other): (u32, Vec<&str>, Row)| LikelyRow {
            row: board_row(other),
            common: common.into_iter().map(str::to_owned).collect(),
        };
        Ok(LikelyList { items: found.into_iter().map(item).collect() })
    }
}

/// How much two reports have in common, and what. Two stations that are both named and differ are two
/// events, whatever else is alike.
fn likeness(one: &Row, other: &Row) -> (u32, Vec<&'static str>) {
    let mut common = Vec::new();
    match (&one.station, &other.station) {
        (Some(a), Some(b)) if a == b => common.push(STATION),
        (Some(_), Some(_)) => return (0, Vec::new()),
        _ => {}
    }
    if alike(one.place.as_deref().unwrap_or(""), other.place.as_deref().unwrap_or(""), 1, 2) {
        common.push(PLACE);
    }
    if alike(&one.summary, &other.summary, 1, 3) {
        common.push(WORDS);
    }
    if one.category == other.category {
        common.push(CATEGORY);
    }
    if (one.created_ms - other.created_ms).abs() <= SOON_MS {
        common.push(TIME);
    }
    (common.iter().map(|(_, counts)| counts).sum(), common.into_iter().map(|(name, _)| name).collect())
}

/// Whether two texts share at least this part of the words of the shorter one, and more than one word
/// where both have more.
fn alike(one: &str, other: &str, part: usize, of: usize) -> bool {
    let (one, other) = (words(one), words(other));
    let shared = one.intersection(&other).count();
    let fewer = one.len().min(other.len());
    shared >= fewer.min(2) && shared > 0 && shared * of >= fewer * part
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    // A number of any length tells places apart; so does a word of few signs where signs are syllables.
    words
        .filter(|word| word.chars().count() >= WORD || word.chars().any(|c| c.is_numeric() || c > '\u{2e80}'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(summary: &str, station: Option<&str>, place: &str, category: &str, minute: i64) -> Row {
        Row {
            record: seal::RecordId([minute as u8; 16]),
            reference: format!("INC-{minute}"),
            summary: summary.into(),
            category: category.into(),
            severity: 2,
            state: "new".into(),
            owner: "emb".into(),
            disputed: Vec::new(),
            station: station.map(str::to_owned),
            place: (!place.is_empty()).then(|| place.to_owned()),
            domains: Vec::new(),
            exhibits: 0,
            assigned: None,
            created_ms: minute * 60_000,
            last_ms: 0,
            referral: None,
        }
    }

    #[test]
    fn the_same_event_in_other_words_is_likely() {
        let one = row("Ballot box destroyed, two men fled", Some("114"), "School yard", "ops:box", 0);
        let enough = |other: &Row| likeness(&one, other).0 >= ENOUGH;
        assert!(enough(&row("box was destroyed by men", Some("114"), "", "ops:box", 20)));
        assert!(enough(&row("Urne détruite", Some("114"), "", "ops:box", 200)));
        assert!(enough(&row("Destroyed ballot box", None, "", "ops:box", 10)));
        assert_eq!(
            likeness(&one, &row("Crowd outside", Some("114"), "", "ops:box", 1)).1,
            ["station", "category", "time"]
        );
    }

    #[test]
    fn another_event_is_not() {
        let one = row("Ballot box destroyed", Some("114"), "School yard", "ops:box", 0);
        let enough = |other: &Row| likeness(&one, other).0 >= ENOUGH;
        assert!(!enough(&row("Ballot box destroyed", Some("115"), "School yard", "ops:box", 1)), "another station");
        assert!(!enough(&row("Late opening", Some("114"), "", "ops:late", 100)), "the station alone");
        assert!(!enough(&row("Queue is long", None, "", "ops:box", 1)), "kind and time alone");
        assert!(!enough(&row("", None, "", "ops:late", 1)));
    }

    #[test]
    fn no_order_matters_and_nothing_panics() {
        let texts =
            ["", "a", "Ballot box destroyed", "صندوق الاقتراع", "投票箱", "\u{0}\u{202e}x 12", "box box box box"];
        for one in texts {
            for other in texts {
                let (a, b) = (row(one, None, other, "x:y", 1), row(other, None, one, "x:y", 2));
                assert_eq!(likeness(&a, &b), likeness(&b, &a));
            }
        }
    }
}
