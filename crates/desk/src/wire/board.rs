//! What the board and the map ask for and show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

wire! {
    /// What the board asks for.
    BoardQuery {
        /// `all`, `open`, `new`, `mine`, `waiting`, `overdue`, `critical`.
        #[serde(default)]
        view: Option<String>,
        /// In this state.
        #[serde(default)]
        state: Option<String>,
        /// Of this category.
        #[serde(default)]
        category: Option<String>,
        /// Of this severity.
        #[serde(default)]
        severity: Option<i64>,
        /// Containing these words.
        #[serde(default)]
        search: Option<String>,
        /// Recorded at or after this, RFC 3339.
        #[serde(default)]
        since: Option<String>,
        /// Recorded before this, RFC 3339.
        #[serde(default)]
        until: Option<String>,
        /// Of these references, and no others: the rows of a report's figure.
        #[serde(default)]
        references: Vec<String>,
        /// At most so many.
        limit: u32,
        /// After so many.
        offset: u32,
    }
    /// Numbers on top of the board.
    Counts {
        /// Not yet triaged.
        new: u64,
        /// Not closed.
        open: u64,
        /// Open and critical.
        critical: u64,
        /// Referrals from here without an answer.
        unanswered: u64,
        /// Referrals whose time is over.
        overdue: u64,
        /// Assigned to this device's operator.
        mine: u64,
        /// Stations that were not heard of when they were expected to be.
        silent: u64,
        /// Since when all of those are.
        silent_since: Option<String>,
    }
    /// A referral in a row.
    RowReferral {
        /// The institution asked.
        to: String,
        /// The state.
        state: String,
        /// By when an answer is expected.
        respond_by: Option<String>,
    }
    /// An incident in a list.
    BoardRow {
        /// The record's id.
        id: String,
        /// Its reference.
        reference: String,
        /// In one line.
        summary: String,
        /// `scheme:code`.
        category: String,
        /// 1 to 4; 0 where none was stated.
        severity: i64,
        /// The state's code.
        state: String,
        /// The owner.
        owner: String,
        /// Fields in dispute.
        disputed: Vec<String>,
        /// The polling station's code.
        station: Option<String>,
        /// The place.
        place: Option<String>,
        /// Domains.
        domains: Vec<String>,
        /// How many exhibits.
        exhibits: u64,
        /// When it was recorded.
        recorded_at: String,
        /// When it last changed.
        last_at: String,
        /// The newest referral.
        referral: Option<RowReferral>,
        /// To whom it is assigned.
        assigned: Option<String>,
        /// Whether it holds an entry that was written after its device was revoked.
        apart: bool,
    }
    /// A page of the board.
    BoardPage {
        /// How many there are.
        total: u64,
        /// This page.
        items: Vec<BoardRow>,
        /// Numbers on top.
        counts: Counts,
    }
    /// An incident on the map.
    MapPoint {
        /// The record's id.
        id: String,
        /// Its reference.
        reference: String,
        /// In one line.
        summary: String,
        /// 1 to 4; 0 where none was stated.
        severity: i64,
        /// The state's code.
        state: String,
        /// Degrees north.
        lat: f64,
        /// Degrees east.
        lon: f64,
        /// Whether the place is in dispute.
        disputed: bool,
        /// When it was recorded.
        recorded_at: String,
    }
    /// What the map shows.
    MapPage {
        /// How many incidents the view has.
        total: u64,
        /// How many of them have coordinates.
        placed: u64,
        /// The newest of those; fewer than `placed` where not all fit.
        points: Vec<MapPoint>,
        /// Numbers on top.
        counts: Counts,
    }
    /// An incident that is likely the same matter as another.
    LikelyRow {
        /// It.
        row: BoardRow,
        /// What both have in common: `station`, `place`, `words`, `category`, `time`; most telling first.
        common: Vec<String>,
    }
    /// Likely duplicates, the likeliest first.
    LikelyList {
        /// They.
        items: Vec<LikelyRow>,
    }
}
