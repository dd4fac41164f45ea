//! Polling stations.

use std::path::PathBuf;

use clap::Subcommand;

/// `station …`
#[derive(Subcommand)]
pub enum Station {
    /// Bring in a list of polling stations (CSV); known ones by their code. The list is this device's own.
    Import {
        /// The list: code, name, and where it has them area, lat, lon, expected_by
        /// ("opening 07:00; turnout 12:00; closing 20:00").
        file: PathBuf,
        /// Which column says what, where their names do not tell.
        #[arg(long)]
        mapping: Option<PathBuf>,
        /// The only day that the expected hours are of, 2026-11-29; by default they are of every day.
        #[arg(long)]
        day: Option<String>,
    },
    /// List stations by code, or those that fit what is searched.
    List {
        /// The beginning of a code, or of words of name and area.
        #[arg(long)]
        search: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// After so many.
        #[arg(long, default_value_t = 0)]
        offset: u32,
    },
    /// Stations that were not heard of when they were expected to be, the longest silent first.
    Silent {
        /// By then (RFC 3339); by default now.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// After so many.
        #[arg(long, default_value_t = 0)]
        offset: u32,
    },
}
