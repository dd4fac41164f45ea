//! Polling stations.

use desk::wire::{SilentPage, SilentQuery, StationImport, StationPage, StationQuery};
use desk::{Desk, DeskError};

use super::Context;
use super::carry::progress;
use crate::args::Station;
use crate::output::{emit, plain};
use crate::place::given;

pub async fn station(context: &Context, command: Station) -> Result<(), DeskError> {
    if let Station::Import { file, mapping, .. } = &command {
        given(file)?;
        mapping.as_deref().map(given).transpose()?;
    }
    let desk = context.open().await?;
    let done = run(context, &desk, command).await;
    desk.close().await;
    done
}

async fn run(context: &Context, desk: &Desk, command: Station) -> Result<(), DeskError> {
    let json = context.json;
    match command {
        Station::Import { file, mapping, day } => {
            let progress = progress("importing");
            let report = desk.import_stations(&file, mapping.as_deref(), day.as_deref(), progress).await?;
            emit(json, &report, imported)
        }
        Station::List { search, limit, offset } => {
            emit(json, &desk.stations(StationQuery { search, limit, offset }).await?, listed)
        }
        Station::Silent { at, limit, offset } => {
            emit(json, &desk.silent(SilentQuery { at, limit, offset }).await?, silent)
        }
    }
}

fn imported(report: &StationImport) -> String {
    let mut text = format!(
        "{} created, {} updated, {} as before, {} refused; {} stations are known",
        report.created, report.updated, report.same, report.refused, report.total
    );
    if let Some(day) = &report.day {
        text += &format!("\nreports are expected on {day}");
    }
    for row in &report.skipped {
        text += &format!("\n  row {}: {}", row.row, plain(&row.reason));
    }
    let left = report.refused - report.skipped.len() as u64;
    if left > 0 {
        text += &format!("\n  and {left} more");
    }
    text
}

fn listed(page: &StationPage) -> String {
    let mut text = format!("{} stations\n", page.total);
    for row in &page.items {
        text += &format!("{:<10} {}  {}  {}\n", plain(&row.code), plain(&row.name), plain(&row.area), row.expected_by);
    }
    text
}

fn silent(page: &SilentPage) -> String {
    let mut text = format!("{} of {} stations that report are silent\n", page.total, page.expected);
    for row in &page.items {
        let last = row.last_at.as_deref().map_or("never heard of".to_owned(), |at| format!("last heard of {at}"));
        text += &format!(
            "{:<10} {}  {}  {} did not come ({} missed), {last}\n",
            plain(&row.station.code),
            plain(&row.station.name),
            plain(&row.station.area),
            plain(&row.expected),
            row.missed,
        );
    }
    text
}
