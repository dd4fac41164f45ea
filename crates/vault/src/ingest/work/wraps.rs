//! Keys wrapped to recipients: opened where they are for us, kept where nothing opens them yet.

use std::collections::HashSet;
use std::sync::Arc;

use logbook::action::GrantTo;
use seal::{KeyId, RecordId, SealError, Wrap};
use sqlx::Row;

use super::Work;
use crate::error::{Result, VaultError};
use crate::ingest::{Refused, grant_to, who_of};
use crate::rows::{self, WrapRow};
use crate::store::read;
use crate::writer::{Writer, tried_as};

/// Wraps for us that are kept although nothing opens them yet: one for each record of a large
/// operation, from before its desks got the agency's new key.
const MAX_UNOPENED: i64 = 200_000;

impl Work {
    /// How this device and its agency are spelt as recipients.
    fn own_names(&self) -> Vec<String> {
        let Some(id) = self.own else { return Vec::new() };
        let device = self.grounds.roster.device(&id);
        device.map(|device| format!("a:{}", device.agency)).into_iter().chain([format!("d:{id}")]).collect()
    }

    /// Tries the wraps for us that nothing opened so far, if there are other identities now, or the
    /// roster tells now who we are. That they were tried is remembered beyond this opening: to find
    /// them, each wrap for us is looked up among the keys, which a large vault has tens of thousands of.
    pub(super) async fn unopened(&mut self, writer: &mut Writer) -> Result<Vec<KeyId>> {
        let identities = read(&self.vault.inner.identities).clone();
        let names = self.own_names();
        if Arc::ptr_eq(&identities, &writer.tried.0) && names == writer.tried.1 {
            return Ok(Vec::new());
        }
        let tried = tried_as(&identities, &names);
        if writer.tried_before.as_ref() == Some(&tried) {
            writer.tried = (identities, names);
            return Ok(Vec::new());
        }
        let mut wraps = Vec::new();
        for name in &names {
            let rows = sqlx::query(
                "SELECT w.record, w.key, w.epoch, w.sealed FROM wrap w WHERE w.who = ? \
                 AND NOT EXISTS (SELECT 1 FROM key k WHERE k.id = w.key)",
            )
            .bind(name)
            .fetch_all(&mut writer.connection)
            .await?;
            let damaged = |_| VaultError::Corrupt("a wrap's row".into());
            for row in &rows {
                let wrap = Wrap {
                    record: rows::record_id(row.try_get("record")?)?,
                    key: KeyId::try_from(row.try_get::<&[u8], _>("key")?).map_err(damaged)?,
                    suite: seal::wrap::SUITE_AGE_X25519,
                    sealed: row.try_get("sealed")?,
                };
                wraps.extend(grant_to(name, row.try_get("epoch")?).map(|to| (to, wrap)));
            }
        }
        let opened = self.open_wraps(writer, wraps.iter().map(|(_, wrap)| wrap), |_, _| ()).await?;
        // Their keys have numbers of their own; those of wraps that come lie among the wraps'.
        self.tally.seq += opened.len() as i64;
        sqlx::query("INSERT OR REPLACE INTO setting (name, value) VALUES ('tried', ?)")
            .bind(&tried)
            .execute(&mut writer.connection)
            .await?;
        writer.tried_before = Some(tried);
        writer.tried = (identities, names);
        Ok(opened)
    }

    /// Opens what the identities open, and keeps the keys; `failed` hears of the others.
    async fn open_wraps<'a>(
        &mut self,
        writer: &mut Writer,
        wraps: impl Iterator<Item = &'a Wrap> + Send,
        mut failed: impl FnMut(&'a Wrap, SealError) + Send,
    ) -> Result<Vec<KeyId>> {
        let identities = read(&self.vault.inner.identities).clone();
        let wraps: Vec<&Wrap> = wraps.collect();
        let mut known = rows::known_keys(writer, &wraps.iter().map(|wrap| wrap.key).collect::<Vec<_>>()).await?;
        let (mut keys, mut opened) = (Vec::new(), Vec::new());
        for wrap in wraps {
            if known.contains(&wrap.key) {
                continue;
            }
            match wrap.open(&identities.iter().collect::<Vec<_>>()) {
                Ok(key) => {
                    known.insert(wrap.key);
                    writer.keys.put(wrap.key, (wrap.record, key.clone()));
                    opened.push(wrap.key);
                    // In the order in which they came: the last one of a record is its newest.
                    keys.push((self.tally.seq + 1 + keys.len() as i64, wrap.record, key));
                }
                Err(error) => failed(wrap, error),
            }
        }
        rows::insert_keys(&mut writer.connection, &keys).await?;
        let records: Vec<RecordId> = keys.iter().map(|(_, record, _)| *record).collect();
        self.unnumbered.extend(rows::unnumbered(writer, &records).await?);
        Ok(opened)
    }

    /// Keeps wraps, and opens those that are for us.
    pub(super) async fn take_wraps(&mut self, writer: &mut Writer, wraps: Vec<(GrantTo, Wrap)>) -> Result<Vec<KeyId>> {
        if wraps.is_empty() {
            return Ok(Vec::new());
        }
        let own = self.own_names();
        let fits = |wrap: &Wrap| wrap.sealed.len() <= seal::wrap::MAX_WRAP;
        let over = wraps.iter().filter(|(_, wrap)| !fits(wrap)).count();
        self.outcome.refused.extend((0..over).map(|_| Refused::wrap("a wrap is over its bound")));
        let mut wraps: Vec<(String, u32, Wrap)> = wraps
            .into_iter()
            .filter(|(_, wrap)| fits(wrap))
            .map(|(to, wrap)| {
                let (who, epoch) = who_of(&to);
                (who, epoch, wrap)
            })
            .collect();
        let (mut waiting, mut bad) = (HashSet::new(), HashSet::new());
        let mine = wraps.iter().filter(|(who, ..)| own.contains(who)).map(|(.., wrap)| wrap);
        let opened = self
            .open_wraps(writer, mine, |wrap, error| {
                // Sealed to an epoch of our agency's recipient that has not reached us yet: kept.
                let set = if error == SealError::NoKey { &mut waiting } else { &mut bad };
                set.insert(wrap.hash());
            })
            .await?;
        if !waiting.is_empty() && self.too_many_unopened(writer, &own).await? {
            bad.extend(waiting);
        }
        self.outcome.refused.extend(bad.iter().map(|_| Refused::wrap("a key wrapped to us does not open")));
        wraps.retain(|(.., wrap)| !bad.contains(&wrap.hash()));
        let first = self.tally.seq + 1;
        self.tally.seq += wraps.len() as i64;
        let numbered = (first..).zip(wraps);
        let rows: Vec<WrapRow> = numbered.map(|(seq, (who, epoch, wrap))| WrapRow { seq, who, epoch, wrap }).collect();
        rows::insert_wraps(&mut writer.connection, &rows).await?;
        Ok(opened)
    }

    async fn too_many_unopened(&self, writer: &mut Writer, own: &[String]) -> Result<bool> {
        let mut total = 0;
        for name in own {
            let (count,): (i64,) = sqlx::query_as(
                "SELECT COUNT(*) FROM wrap w WHERE w.who = ? AND NOT EXISTS (SELECT 1 FROM key k WHERE k.id = w.key)",
            )
            .bind(name)
            .fetch_one(&mut writer.connection)
            .await?;
            total += count;
        }
        Ok(total >= MAX_UNOPENED)
    }
}
