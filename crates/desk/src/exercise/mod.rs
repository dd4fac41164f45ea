//! Exercises: a scripted night is played into the desks of an operation that was founded as an
//! exercise, at a chosen speed. A live operation takes none: its id, which every link carries, is
//! another one, and this refuses before anything is written.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Code, DeskError, Result};
use crate::session::Desk;
use crate::wire::{LogIncident, PlayReport};

/// The night that comes with the program: 300 reports of four institutions in ninety minutes.
pub const NIGHT: &str = include_str!("night.json");
/// Bytes of a script that are read.
pub const MAX_SCRIPT: u64 = 8 * 1024 * 1024;
/// Injects in a script.
const MAX_INJECTS: usize = 20_000;
/// A day: no script is longer, seconds.
const MAX_AT: u32 = 24 * 3600;
/// How fast a script may run.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=10_000.0;

/// A scripted night.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// What happens, in the order of time.
    pub injects: Vec<Inject>,
}

/// One thing that somebody reports.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inject {
    /// When, in seconds from the start.
    pub at: u32,
    /// The institution that reports it.
    pub by: String,
    /// What later injects call it.
    #[serde(default)]
    pub key: Option<String>,
    /// A new report, as the Log form takes it.
    #[serde(default)]
    pub log: Option<LogIncident>,
    /// Or a note on an earlier one.
    #[serde(default)]
    pub note: Option<Note>,
}

/// What is added to an earlier report.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    to: String,
    text: String,
}

/// How far a script was played on this device, kept in its vault.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Played {
    /// The number of injects that are done, of whichever institution.
    done: usize,
    /// References by key.
    keys: BTreeMap<String, String>,
}

impl Script {
    /// Reads a script.
    pub fn parse(text: &str) -> Result<Self> {
        let script: Self = serde_json::from_str(text)
            .map_err(|error| DeskError::usage(format!("the script cannot be read: line {}: {error}", error.line())))?;
        if script.injects.len() > MAX_INJECTS || script.name.len() > 200 {
            return Err(DeskError::usage(format!("a script has at most {MAX_INJECTS} injects and a short name")));
        }
        let mut before = 0;
        for (at, inject) in script.injects.iter().enumerate() {
            if inject.at < before || inject.at > MAX_AT || inject.log.is_some() == inject.note.is_some() {
                return Err(DeskError::usage(format!(
                    "inject {} is out of order, beyond a day, or not exactly one of log and note",
                    at + 1
                )));
            }
            before = inject.at;
        }
        Ok(script)
    }

    /// What this institution reports in it.
    fn own(&self, agency: &str) -> usize {
        self.injects.iter().filter(|inject| inject.by == agency).count()
    }
}

impl Desk {
    /// Plays what this institution reports in a script, at so many times its speed; goes on where it
    /// was left, unless `anew`. Ends early, and says where, when `stop` comes.
    pub async fn play(
        &self,
        script: &Script,
        speed: f64,
        anew: bool,
        stop: impl Future<Output = ()>,
        progress: impl Fn(u64, u64),
    ) -> Result<PlayReport> {
        self.only_in_an_exercise()?;
        if !SPEEDS.contains(&speed) {
            return Err(DeskError::usage("the speed is from 0.1 to 10000 times that of the script"));
        }
        let name = format!("exercise:{}", script.name);
        let kept = self.vault().setting(&name).await?.filter(|_| !anew);
        let mut played: Played = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let agency = self.agency().to_string();
        let total = script.own(&agency) as u64;
        let mut count = script.injects.iter().take(played.done).filter(|inject| inject.by == agency).count() as u64;
        let first = script.injects.get(played.done).map_or(0, |inject| inject.at);
        let begun = tokio::time::Instant::now();
        tokio::pin!(stop);
        let mut report = PlayReport { name: script.name.clone(), logged: 0, noted: 0, total, stopped: false };
        for inject in script.injects.iter().skip(played.done) {
            if inject.by == agency {
                let due = begun + Duration::from_secs_f64(f64::from(inject.at - first) / speed);
                tokio::select! {
                    biased;
                    () = &mut stop => { report.stopped = true; break; }
                    () = tokio::time::sleep_until(due) => {}
                }
                self.inject(inject, &mut played, &mut report).await?;
                count += 1;
                progress(count, total);
            }
            played.done += 1;
            if inject.by == agency {
                self.vault().put_setting(&name, &serde_json::to_string(&played).unwrap_or_default()).await?;
            }
        }
        Ok(report)
    }

    async fn inject(&self, inject: &Inject, played: &mut Played, report: &mut PlayReport) -> Result<()> {
        if let Some(log) = &inject.log {
            let logged = self.log(incident(log)).await?;
            if let Some(key) = &inject.key {
                played.keys.insert(key.clone(), logged.reference);
            }
            report.logged += 1;
        }
        if let Some(note) = &inject.note {
            let unknown = || DeskError::usage(format!("the script notes on {}, which it has not reported", note.to));
            self.note(played.keys.get(&note.to).ok_or_else(unknown)?, &note.text).await?;
            report.noted += 1;
        }
        Ok(())
    }

    fn only_in_an_exercise(&self) -> Result<()> {
        let roster = self.roster();
        self.me(&roster)?;
        if roster.epoch().is_some_and(|epoch| epoch.exercise) {
            return Ok(());
        }
        Err(DeskError::new(
            Code::NotAllowed,
            "this is a live operation: no inject is played here",
            "Nothing was written. Open a vault of an exercise, or found one with `intact init --exercise`.",
        ))
    }
}

/// A report of a script, with the domain that follows from its category.
fn incident(report: &LogIncident) -> LogIncident {
    let mut input = report.clone();
    let scheme = input.category.split(':').next().unwrap_or_default();
    let domain = match scheme {
        "ops" => Some("operational"),
        "rsit" => Some("cyber"),
        "act" => Some("physical"),
        "info" => Some("information"),
        _ => None,
    };
    if input.domains.is_empty() {
        input.domains.extend(domain.map(str::to_owned));
    }
    input
}

#[cfg(test)]
mod tests;
