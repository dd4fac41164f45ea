//! Polling stations: a list that this vault was given, with an index for type-ahead, and when each was
//! last heard of. Reference material: no entry says it, nobody else receives it.

use std::collections::HashMap;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row as _, Sqlite};

use crate::error::{Result, VaultError};
use crate::store::Vault;

/// Stations with their hours, and a condition.
macro_rules! stations {
    ($condition:literal) => {
        concat!(
            "SELECT s.code, s.name, s.area, s.lat_e7, s.lon_e7, h.hours FROM station s \
             LEFT JOIN schedule h ON h.n = s.schedule",
            $condition
        )
    };
}

/// Words of a search that are used; more narrow nothing for a person.
const MAX_WORDS: usize = 16;
/// Different lists of hours in one vault: hours are set by law or by region, not station by station.
pub const MAX_SCHEDULES: usize = 1000;

/// A polling station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Its code, by which it is told from all others.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Where it belongs: municipality, district; empty where the list says nothing.
    pub area: String,
    /// Degrees north and east, times 10^7.
    pub at_e7: Option<(i64, i64)>,
    /// When reports are expected, as the desk spells it; empty: never.
    pub hours: String,
}

/// What became of the stations that were given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StationsKept {
    /// New ones.
    pub created: u64,
    /// Known ones, of which something was said otherwise.
    pub updated: u64,
    /// Known ones, exactly so.
    pub same: u64,
}

/// Some of the stations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StationPage {
    /// How many there are in all.
    pub total: u64,
    /// These.
    pub rows: Vec<Station>,
}

/// Hours at which reports are expected, and for how many stations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its number in this vault.
    pub number: i64,
    /// The hours, as the desk spells them.
    pub hours: String,
    /// How many stations have it.
    pub stations: u64,
}

/// A station of which nothing was heard in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard {
    /// Its code.
    pub code: String,
    /// When an incident there was last recorded, milliseconds.
    pub last_ms: Option<i64>,
}

impl Vault {
    /// Keeps stations, known ones by their code: whole or not at all.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] with more than [`MAX_SCHEDULES`] different lists of hours.
    pub async fn keep_stations(&self, stations: Vec<Station>) -> Result<StationsKept> {
        let vault = self.clone();
        self.wholly(async move {
            let mut guard = vault.writer().await?;
            let writer = guard.get()?;
            writer.begin().await?;
            match keep_all(&mut writer.connection, &stations).await {
                Ok(kept) => {
                    let tally = writer.tally;
                    writer.commit(tally, &HashMap::new()).await?;
                    Ok(kept)
                }
                Err(error) => {
                    let _ = writer.undo().await;
                    Err(error)
                }
            }
        })
        .await
    }

    /// The stations that what a person has typed may mean: first those whose code begins so, then those
    /// of which every word typed begins a word of code, name or area, whatever its accents and case.
    /// Without words, all of them by code.
    pub async fn stations(&self, search: &str, limit: u32, offset: u32) -> Result<StationPage> {
        let mut at = self.inner.readers.get().await?;
        let typed = search.trim().to_lowercase();
        let begins = Begins::of(&typed);
        let first = count(&mut at, &begins, None).await?;
        let words = words(&typed);
        let rest = if words.is_empty() { 0 } else { count(&mut at, &begins, Some(&words)).await? };
        let mut rows = page(&mut at, &begins, None, limit, offset.into()).await?;
        let left = limit.saturating_sub(rows.len() as u32);
        if left > 0 && rest > 0 {
            let passed = u64::from(offset).saturating_sub(first);
            rows.extend(page(&mut at, &begins, Some(&words), left, passed).await?);
        }
        Ok(StationPage { total: first + rest, rows })
    }

    /// One station by its code.
    pub async fn station(&self, code: &str) -> Result<Option<Station>> {
        let found = sqlx::query(stations!(" WHERE s.code = ?"))
            .bind(code)
            .fetch_optional(&mut *self.inner.readers.get().await?)
            .await?;
        found.as_ref().map(station).transpose()
    }

    /// The lists of hours that stations have.
    pub async fn schedules(&self) -> Result<Vec<Schedule>> {
        let rows: Vec<(i64, String, i64)> =
            sqlx::query_as("SELECT n, hours, stations FROM schedule WHERE stations > 0 ORDER BY n")
                .fetch_all(&mut *self.inner.readers.get().await?)
                .await?;
        let schedule = |(number, hours, stations): (i64, String, i64)| Schedule {
            number,
            hours,
            stations: stations.max(0) as u64,
        };
        Ok(rows.into_iter().map(schedule).collect())
    }

    /// How many stations this vault knows.
    pub async fn station_count(&self) -> Result<u64> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM station").fetch_one(&mut *self.inner.readers.get().await?).await?;
        Ok(count as u64)
    }

    /// Of each station with hours at which an incident was recorded since a moment: its schedule's number,
    /// and when the last was. Milliseconds.
    pub async fn heard(&self, from_ms: i64) -> Result<Vec<(i64, i64)>> {
        Ok(sqlx::query_as(
            "SELECT s.schedule, h.last_ms FROM heard h CROSS JOIN station s ON s.code = h.station \
             WHERE h.last_ms >= ? AND s.schedule IS NOT NULL",
        )
        .bind(from_ms)
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?)
    }

    /// The stations of a schedule at which no incident was recorded from one moment to another, by code.
    pub async fn unheard(&self, schedule: i64, from_ms: i64, until_ms: i64) -> Result<Vec<Unheard>> {
        let rows: Vec<(String, Option<i64>)> = sqlx::query_as(
            "SELECT code, last FROM (SELECT s.code, (SELECT MAX(p.created_ms) FROM projection p WHERE p.kind = 'incident' \
             AND p.station = s.code AND p.created_ms <= ?3) AS last FROM station s WHERE s.schedule = ?1) \
             WHERE last IS NULL OR last < ?2 ORDER BY code",
        )
        .bind(schedule)
        .bind(from_ms)
        .bind(until_ms)
        .fetch_all(&mut *self.inner.readers.get().await?)
        .await?;
        Ok(rows.into_iter().map(|(code, last_ms)| Unheard { code, last_ms }).collect())
    }
}

/// The range of codes that begin so.
struct Begins {
    from: String,
    /// The first text after all of them; none where every code begins so.
    to: Option<String>,
}

impl Begins {
    fn of(typed: &str) -> Self {
        let to = (!typed.is_empty()).then(|| format!("{typed}\u{10ffff}"));
        Self { from: typed.to_owned(), to }
    }
    fn push(&self, to: &mut QueryBuilder<Sqlite>) {
        to.push("(s.begins >= ").push_bind(self.from.clone());
        if let Some(end) = &self.to {
            to.push(" AND s.begins < ").push_bind(end.clone());
        }
        to.push(")");
    }
}

/// Each word as FTS5 takes it: quoted, so that nothing in it is an operator, and begun, not whole.
fn words(typed: &str) -> String {
    let parts = typed.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(MAX_WORDS);
    parts.map(|word| format!("\"{word}\"*")).collect::<Vec<_>>().join(" ")
}

/// By code; or, with words, what those find and the code does not.
fn matching(to: &mut QueryBuilder<Sqlite>, begins: &Begins, words: Option<&str>) {
    match words {
        None => {
            to.push(" WHERE ");
            begins.push(to);
        }
        Some(words) => {
            to.push(" WHERE s.n IN (SELECT rowid FROM station_search WHERE station_search MATCH ");
            to.push_bind(words.to_owned()).push(") AND NOT ");
            begins.push(to);
        }
    }
}

async fn count(at: &mut SqliteConnection, begins: &Begins, words: Option<&str>) -> Result<u64> {
    let mut count = QueryBuilder::<Sqlite>::new("SELECT COUNT(*) FROM station s");
    matching(&mut count, begins, words);
    let (count,): (i64,) = count.build_query_as().fetch_one(at).await?;
    Ok(count as u64)
}

async fn page(
    at: &mut SqliteConnection,
    begins: &Begins,
    words: Option<&str>,
    limit: u32,
    offset: u64,
) -> Result<Vec<Station>> {
    let mut page = QueryBuilder::<Sqlite>::new(stations!(""));
    matching(&mut page, begins, words);
    // What words find stands as the list had it: no sorting of thousands at each keystroke.
    page.push(if words.is_none() { " ORDER BY s.begins, s.n" } else { " ORDER BY s.n" });
    page.push(" LIMIT ").push_bind(limit).push(" OFFSET ").push_bind(i64::try_from(offset).unwrap_or(i64::MAX));
    page.build().fetch_all(at).await?.iter().map(station).collect()
}

fn station(row: &SqliteRow) -> Result<Station> {
    let (lat, lon): (Option<i64>, Option<i64>) = (row.try_get("lat_e7")?, row.try_get("lon_e7")?);
    Ok(Station {
        code: row.try_get("code")?,
        name: row.try_get("name")?,
        area: row.try_get("area")?,
        at_e7: lat.zip(lon),
        hours: row.try_get::<Option<String>, _>("hours")?.unwrap_or_default(),
    })
}

async fn keep_all(at: &mut SqliteConnection, stations: &[Station]) -> Result<StationsKept> {
    let known: Vec<(String, i64)> = sqlx::query_as("SELECT hours, n FROM schedule").fetch_all(&mut *at).await?;
    let mut schedules: HashMap<String, i64> = known.into_iter().collect();
    let mut kept = StationsKept::default();
    for given in stations {
        let held =
            sqlx::query(stations!(" WHERE s.code = ?")).bind(given.code.as_str()).fetch_optional(&mut *at).await?;
        match held.as_ref().map(station).transpose()? {
            Some(held) if held == *given => {
                kept.same += 1;
                continue;
            }
            Some(_) => kept.updated += 1,
            None => kept.created += 1,
        }
        let schedule = match given.hours.as_str() {
            "" => None,
            hours => Some(schedule(at, &mut schedules, hours).await?),
        };
        keep(at, given, schedule).await?;
    }
    let counted = "UPDATE schedule SET stations = (SELECT COUNT(*) FROM station s WHERE s.schedule = schedule.n)";
    sqlx::query(counted).execute(&mut *at).await?;
    sqlx::query("DELETE FROM schedule WHERE stations = 0").execute(at).await?;
    Ok(kept)
}

/// The number of a list of hours; a new one gets one.
async fn schedule(at: &mut SqliteConnection, known: &mut HashMap<String, i64>, hours: &str) -> Result<i64> {
    if let Some(number) = known.get(hours) {
        return Ok(*number);
    }
    if known.len() >= MAX_SCHEDULES {
        return Err(VaultError::Invalid(format!("more than {MAX_SCHEDULES} different lists of hours")));
    }
    let done = sqlx::query("INSERT INTO schedule (hours) VALUES (?)").bind(hours).execute(at).await?;
    known.insert(hours.to_owned(), done.last_insert_rowid());
    Ok(done.last_insert_rowid())
}

async fn keep(at: &mut SqliteConnection, given: &Station, schedule: Option<i64>) -> Result<()> {
    let (number,): (i64,) = sqlx::query_as(
        "INSERT INTO station (code, begins, name, area, lat_e7, lon_e7, schedule) VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (code) DO UPDATE SET begins = excluded.begins, name = excluded.name, area = excluded.area, \
         lat_e7 = excluded.lat_e7, lon_e7 = excluded.lon_e7, schedule = excluded.schedule RETURNING n",
    )
    .bind(given.code.as_str())
    .bind(given.code.to_lowercase())
    .bind(given.name.as_str())
    .bind(given.area.as_str())
    .bind(given.at_e7.map(|(lat, _)| lat))
    .bind(given.at_e7.map(|(_, lon)| lon))
    .bind(schedule)
    .fetch_one(&mut *at)
    .await?;
    sqlx::query("DELETE FROM station_search WHERE rowid = ?").bind(number).execute(&mut *at).await?;
    sqlx::query("INSERT INTO station_search (rowid, text) VALUES (?, ?)")
        .bind(number)
        .bind(format!("{} {} {}", given.code, given.name, given.area))
        .execute(at)
        .await?;
    Ok(())
}
