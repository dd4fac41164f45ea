//! Polling stations: a list brought in from a table, looked up while a person types, and those not heard
//! of when they were expected to be. The list is this desk's own; what is heard is what it has.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use logbook::roster::Role;
use vault::{Schedule, Station};

use crate::error::{DeskError, Result};
use crate::files;
use crate::hours::{Hours, Local, Passed};
use crate::import::{StationMapping, StationRows};
use crate::moment::{self, Moment};
use crate::session::Desk;
use crate::wire::{
    SilentPage, SilentQuery, SilentRow, SkippedRow, StationImport, StationPage, StationQuery, StationRow,
};

/// Stations in one transaction.
const BATCH: usize = 1000;
/// Refused rows that are told one by one.
const TOLD: usize = 1000;
/// The setting that holds the only day of the expected hours, `2026-11-29`.
const DAY: &str = "stations.day";
/// Stations on one page.
const MAX_PAGE: u32 = 5000;

/// How many stations are silent, and since when all of them are, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    pub total: u64,
    pub since_ms: Option<i64>,
}

/// A schedule and those of its hours that have passed; at least one has.
struct Running {
    schedule: Schedule,
    passed: Vec<Passed>,
}

impl Running {
    /// A station heard of at or after this moment is not silent.
    fn heard_from_ms(&self) -> i64 {
        self.passed.last().map_or(i64::MAX, |passed| passed.from_ms)
    }
    fn due_ms(&self) -> i64 {
        self.passed.last().map_or(i64::MAX, |passed| passed.due_ms)
    }
}

impl Desk {
    /// Brings in a list of stations; known ones by their code, so that a list brought in again changes
    /// nothing. `progress` is told (rows done, 0: how many is not known).
    pub async fn import_stations(
        &self,
        file: &Path,
        mapping: Option<&Path>,
        day: Option<&str>,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<StationImport> {
        let mapping = match mapping {
            Some(path) => StationMapping::parse(&files::read(path)?),
            None => Ok(StationMapping::default()),
        };
        let mapping = mapping.map_err(|error| DeskError::usage(error.to_string()))?;
        self.take_stations(std::fs::File::open(file)?, &mapping, day, progress).await
    }

    pub(crate) async fn take_stations(
        &self,
        list: impl Read + Send,
        mapping: &StationMapping,
        day: Option<&str>,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<StationImport> {
        let day = day.map(read_day).transpose()?;
        let rows = StationRows::open(list, mapping).map_err(|error| DeskError::usage(error.to_string()))?;
        let known = self.vault().schedules().await?.into_iter().map(|schedule| schedule.hours);
        let mut hours: HashSet<String> = known.collect();
        let mut report =
            StationImport { created: 0, updated: 0, same: 0, refused: 0, skipped: Vec::new(), total: 0, day: None };
        let mut batch = Vec::with_capacity(BATCH);
        let mut done = 0;
        for row in rows {
            done += 1;
            match row {
                Ok(station) if !fits(&mut hours, &station) => {
                    let reason = format!("there are more than {} different lists of hours", vault::MAX_SCHEDULES);
                    refuse(&mut report, done, reason);
                }
                Ok(station) => batch.push(station),
                Err(refused) => refuse(&mut report, refused.row, refused.reason.to_string()),
            }
            if batch.len() >= BATCH {
                self.keep_stations(std::mem::take(&mut batch), &mut report).await?;
                progress(done, 0);
            }
        }
        self.keep_stations(batch, &mut report).await?;
        if let Some(day) = day {
            self.vault().put_setting(DAY, &day.to_string()).await?;
        }
        report.total = self.vault().station_count().await?;
        report.day = self.vault().setting(DAY).await?;
        progress(done, done);
        Ok(report)
    }

    async fn keep_stations(&self, batch: Vec<Station>, report: &mut StationImport) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let kept = self.vault().keep_stations(batch).await?;
        report.created += kept.created;
        report.updated += kept.updated;
        report.same += kept.same;
        Ok(())
    }

    /// The stations that a person may mean by what was typed.
    pub async fn stations(&self, query: StationQuery) -> Result<StationPage> {
        let search = query.search.unwrap_or_default();
        if search.len() > 1000 {
            return Err(DeskError::usage("a search for a station has at most 1000 bytes"));
        }
        let page = self.vault().stations(&search, query.limit.min(MAX_PAGE), query.offset).await?;
        Ok(StationPage { total: page.total, items: page.rows.into_iter().map(station_row).collect() })
    }

    /// Stations that were not heard of when they were expected to be, now or by a stated time.
    pub async fn silent(&self, query: SilentQuery) -> Result<SilentPage> {
        let at = query.at.as_deref().map(|text| {
            moment::parse_rfc3339(text).ok_or_else(|| DeskError::usage("--at takes a time in RFC 3339 with zone"))
        });
        match at.transpose()? {
            // What was recorded later was not yet heard then.
            Some(at) => self.silent_by(moment::at(at), at, query.limit, query.offset).await,
            // A device whose clock runs ahead was heard of all the same.
            None => self.silent_by(moment::now(), i64::MAX, query.limit, query.offset).await,
        }
    }

    /// As [`Desk::silent`], by a clock that is handed in; what was recorded after `until_ms` is not heard.
    pub(crate) async fn silent_by(&self, now: Moment, until_ms: i64, limit: u32, offset: u32) -> Result<SilentPage> {
        let schedules = self.vault().schedules().await?;
        let expected = schedules.iter().map(|schedule| schedule.stations).sum();
        let mut silent: Vec<(i64, String, usize, usize, Option<i64>)> = Vec::new();
        let running = self.running(schedules, now).await?;
        for (which, plan) in running.iter().enumerate() {
            for unheard in self.vault().unheard(plan.schedule.number, plan.heard_from_ms(), until_ms).await? {
                // The first hour whose report did not come.
                let last_ms = unheard.last_ms.unwrap_or(i64::MIN);
                let missed = plan.passed.iter().position(|passed| passed.from_ms > last_ms).unwrap_or(0);
                silent.push((plan.passed[missed].due_ms, unheard.code, which, missed, unheard.last_ms));
            }
        }
        silent.sort();
        let total = silent.len() as u64;
        let since = silent.iter().map(|(_, _, which, ..)| running[*which].due_ms()).max();
        let mut items = Vec::new();
        let page = silent.into_iter().skip(offset as usize).take(limit.min(MAX_PAGE) as usize);
        for (since_ms, code, which, missed, last_ms) in page {
            let Some(station) = self.vault().station(&code).await? else { continue };
            let passed = &running[which].passed;
            items.push(SilentRow {
                station: station_row(station),
                expected: passed[missed].said.clone(),
                since: moment::rfc3339(since_ms),
                missed: (passed.len() - missed) as u64,
                last_at: last_ms.map(moment::rfc3339),
            });
        }
        Ok(SilentPage {
            stations: self.vault().station_count().await?,
            expected,
            total,
            since: since.map(moment::rfc3339),
            items,
        })
    }

    /// How many stations are silent. A field device hears only itself: it counts none.
    pub(crate) async fn silent_count(&self, now: Moment) -> Result<Silence> {
        if self.role(&[Role::Desk, Role::Commander, Role::Auditor]).is_err() {
            return Ok(Silence::default());
        }
        let running = self.running(self.vault().schedules().await?, now).await?;
        let Some(from_ms) = running.iter().map(Running::heard_from_ms).min() else { return Ok(Silence::default()) };
        let mut heard: HashMap<i64, Vec<i64>> = HashMap::new();
        for (schedule, last_ms) in self.vault().heard(from_ms).await? {
            heard.entry(schedule).or_default().push(last_ms);
        }
        let mut silence = Silence::default();
        for plan in &running {
            let last = heard.get(&plan.schedule.number).map(Vec::as_slice).unwrap_or_default();
            let heard = last.iter().filter(|last_ms| **last_ms >= plan.heard_from_ms()).count() as u64;
            let silent = plan.schedule.stations.saturating_sub(heard);
            if silent > 0 {
                silence.total += silent;
                silence.since_ms = silence.since_ms.max(Some(plan.due_ms()));
            }
        }
        Ok(silence)
    }

    /// The schedules of which an hour has passed.
    async fn running(&self, schedules: Vec<Schedule>, now: Moment) -> Result<Vec<Running>> {
        if schedules.is_empty() {
            return Ok(Vec::new());
        }
        let day = self.vault().setting(DAY).await?.and_then(|day| read_day(&day).ok());
        let local = self.local(now);
        let running = schedules.into_iter().filter_map(|schedule| {
            // What this version cannot read, a newer one wrote.
            let passed = schedule.hours.parse::<Hours>().ok()?.passed(now, local, day);
            (!passed.is_empty()).then_some(Running { schedule, passed })
        });
        Ok(running.collect())
    }

    /// Local time: the zone of the operation's rules, else what this device's clock shows.
    fn local(&self, now: Moment) -> Local {
        let roster = self.roster();
        let rules = roster.rules().and_then(|text| serde_json::from_str::<logbook::clock::Rules>(text).ok());
        rules.map_or(Local::Offset(now.offset_min), |rules| Local::Zone(rules.zone))
    }
}

fn read_day(text: &str) -> Result<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| DeskError::usage("a day is written 2026-11-29"))
}

/// Whether there is room for the station's hours.
fn fits(hours: &mut HashSet<String>, station: &Station) -> bool {
    if hours.contains(&station.hours) || station.hours.is_empty() {
        return true;
    }
    hours.len() < vault::MAX_SCHEDULES && hours.insert(station.hours.clone())
}

fn refuse(report: &mut StationImport, row: u64, reason: String) {
    report.refused += 1;
    if report.skipped.len() < TOLD {
        report.skipped.push(SkippedRow { row, reason });
    }
}

fn station_row(station: Station) -> StationRow {
    StationRow {
        code: station.code,
        name: station.name,
        area: station.area,
        lat: station.at_e7.map(|(lat, _)| lat as f64 / 1e7),
        lon: station.at_e7.map(|(_, lon)| lon as f64 / 1e7),
        expected_by: station.hours,
    }
}

#[cfg(test)]
mod tests;
