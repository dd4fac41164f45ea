//! Polling stations, and those that are silent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkippedRow;

wire! {
    /// A polling station, as a list that was brought in says it.
    StationRow {
        /// Its code.
        code: String,
        /// Its name.
        name: String,
        /// Municipality, district, region; empty where the list says nothing.
        area: String,
        /// Degrees north.
        lat: Option<f64>,
        /// Degrees east.
        lon: Option<f64>,
        /// When reports are expected: `opening 07:00; closing 20:00`.
        expected_by: String,
    }
    /// Which stations.
    StationQuery {
        /// What was typed: the beginning of a code, or of words of name and area.
        #[serde(default)]
        search: Option<String>,
        /// At most so many.
        limit: u32,
        /// After so many.
        offset: u32,
    }
    /// Stations.
    StationPage {
        /// How many there are.
        total: u64,
        /// This page.
        items: Vec<StationRow>,
    }
    /// What became of a list of stations.
    StationImport {
        /// New stations.
        created: u64,
        /// Known ones, of which the list says something else.
        updated: u64,
        /// Known ones, exactly so.
        same: u64,
        /// Rows that were refused.
        refused: u64,
        /// The first thousand of those, each with its reason.
        skipped: Vec<SkippedRow>,
        /// How many stations this device knows now.
        total: u64,
        /// The only day that the hours are of; absent: every day.
        day: Option<String>,
    }
    /// Which silent stations.
    SilentQuery {
        /// By then, RFC 3339 with zone; absent: now.
        #[serde(default)]
        at: Option<String>,
        /// At most so many.
        limit: u32,
        /// After so many.
        offset: u32,
    }
    /// A station that was not heard of when it was expected to be.
    SilentRow {
        /// It.
        station: StationRow,
        /// The first report that did not come, in the list's own words: `turnout 12:00`.
        expected: String,
        /// When that was expected, RFC 3339: since then it is silent.
        since: String,
        /// How many expected reports did not come.
        missed: u64,
        /// When an incident there was last recorded.
        last_at: Option<String>,
    }
    /// Silent stations, the longest silent first.
    SilentPage {
        /// How many stations this device knows.
        stations: u64,
        /// How many of them are expected to report.
        expected: u64,
        /// How many are silent.
        total: u64,
        /// Since when all of them are: the last hour that passed.
        since: Option<String>,
        /// This page.
        items: Vec<SilentRow>,
    }
}
