//! One batch, from the first wrap to the commit.

mod wraps;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use logbook::Record;
use logbook::action::GrantTo;
use seal::{DeviceId, Envelope, EnvelopeId, KeyId, Link, Opened, RecordId, RecordKey, Wrap};
use sqlx::Row;

use super::{Ingested, Refused};
use crate::chain::Watch;
use crate::error::{Result, VaultError};
use crate::project::Touched;
use crate::rows::{self, EnvelopeRow};
use crate::store::{Grounds, Vault, read};
use crate::writer::{Tally, Writer};

/// Bytes of refused bodies kept aside for inspection.
const MAX_REFUSED: i64 = 4 * 1024 * 1024;
/// Records loaded at once, with all their entries.
const LOADED: usize = 16;
/// What a body turned out to be.
enum Body {
    /// There is none.
    Absent,
    /// Its key is not here.
    Waits(KeyId),
    /// It was opened.
    Open(RecordId, KeyId, Box<Opened>),
    /// It does not hold.
    False(&'static str),
}

/// Where a batch comes from.
#[derive(Clone, Copy)]
pub(super) struct Source {
    /// When, by this device's clock, milliseconds.
    pub received_ms: i64,
    /// How.
    pub origin: i64,
    /// The device that handed it over itself.
    pub from: Option<DeviceId>,
}

pub(super) struct Work {
    vault: Vault,
    grounds: Grounds,
    outcome: Ingested,
    tally: Tally,
    rows: Vec<EnvelopeRow>,
    fresh: HashMap<RecordId, Vec<Arc<Opened>>>,
    /// Numbers of the records of this batch, and whether they are new.
    numbers: HashMap<RecordId, (i64, bool)>,
    /// Records of which it is known that the database has none.
    unnumbered: HashSet<RecordId>,
    seen: HashSet<EnvelopeId>,
    /// Envelopes of this batch without a body so far, and their place among the rows.
    bare: HashMap<EnvelopeId, usize>,
    watch: Watch,
    own: Option<DeviceId>,
    source: Source,
    via: Option<i64>,
    stale: bool,
}

impl Work {
    pub(super) fn new(vault: &Vault, writer: &Writer, refused: Vec<Refused>, source: Source) -> Self {
        Self {
            vault: vault.clone(),
            grounds: Grounds::of(vault),
            outcome: Ingested { refused, ..Ingested::default() },
            tally: writer.tally,
            rows: Vec::new(),
            fresh: HashMap::new(),
            numbers: HashMap::new(),
            unnumbered: HashSet::new(),
            seen: HashSet::new(),
            bare: HashMap::new(),
            watch: Watch::default(),
            own: read(&vault.inner.author).as_ref().map(|author| author.signing.device_id()),
            source,
            via: None,
            stale: false,
        }
    }

    /// Does it all in one transaction, or nothing.
    pub(super) async fn run(
        mut self,
        writer: &mut Writer,
        envelopes: Vec<Envelope>,
        wraps: Vec<(GrantTo, Wrap)>,
    ) -> Result<Ingested> {
        writer.begin().await?;
        match self.write(writer, envelopes, wraps).await {
            Ok(records) => {
                for (id, (number, _)) in self.numbers {
                    writer.records.put(id, number);
                }
                self.grounds.establish(&self.vault);
                records.into_iter().for_each(|record| self.vault.keep_open(record));
                if !self.outcome.touched.is_empty() || self.outcome.links > 0 {
                    self.vault.announce(self.outcome.touched.clone(), writer.tally.seq);
                }
                Ok(self.outcome)
            }
            Err(error) => {
                // The first failure is the one to tell; one of undoing shows itself at the next use.
                let _ = writer.undo().await;
                Err(error)
            }
        }
    }

    async fn write(
        &mut self,
        writer: &mut Writer,
        envelopes: Vec<Envelope>,
        wraps: Vec<(GrantTo, Wrap)>,
    ) -> Result<Vec<Arc<Record>>> {
        if let Some(from) = self.source.from.filter(|_| !envelopes.is_empty()) {
            self.via = Some(rows::device_number(writer, &from).await?);
        }
        let mut keys = self.unopened(writer).await?;
        keys.extend(self.take_wraps(writer, wraps).await?);
        self.open_waiting(writer, &keys).await?;
        // Asked once for all of them, because each statement goes to the database's thread and back.
        let needed = envelopes.iter().filter_map(|envelope| envelope.key_id().ok()?).collect();
        self.unnumbered.extend(rows::at_hand(writer, &needed).await?);
        for envelope in envelopes {
            self.take(writer, envelope).await?;
        }
        self.tally.links += self.outcome.links as i64;
        self.tally.entries += self.outcome.entries as i64;
        rows::insert_envelopes(&mut writer.connection, &self.rows).await?;
        let marks = self.watch.settle(writer, &self.grounds.roster).await?;
        let changed = marks.filter(|marks| *marks != *self.grounds.marks);
        let judge = changed.is_some();
        if let Some(marks) = changed {
            self.grounds.marks = Arc::new(marks);
        }
        let touched = self.fold(writer).await?;
        crate::project::project(&self.vault, writer, &touched, self.tally.seq).await?;
        if self.stale {
            sqlx::query("INSERT OR REPLACE INTO setting (name, value) VALUES ('stale', '1')")
                .execute(&mut writer.connection)
                .await?;
        }
        if judge {
            let also = crate::rosters::judge_suspects(&self.vault, writer, &self.grounds, self.tally.seq).await?;
            self.outcome.touched.extend(also);
            self.outcome.touched.sort();
            self.outcome.touched.dedup();
        }
        writer.commit(self.tally, &self.watch.heads).await?;
        for row in &self.rows {
            let highest = writer.highest.entry(row.link.device).or_insert(0);
            *highest = row.number.max(*highest);
        }
        writer.stale |= self.stale;
        // What was judged under the new marks must not come back from what was open before.
        Ok(if judge { Vec::new() } else { touched.into_iter().map(|one| one.record).collect() })
    }

    /// Opens bodies that waited for these keys.
    async fn open_waiting(&mut self, writer: &mut Writer, keys: &[KeyId]) -> Result<()> {
        let text = "SELECT seq, key, link, signature, body FROM envelope \
                    WHERE key IN ({}) AND record IS NULL AND body IS NOT NULL";
        for part in rows::parts(keys) {
            let query = sqlx::query(rows::about(text, part.len()));
            let query = part.iter().fold(query, |query, id| query.bind(id.0.as_slice()));
            for row in &query.fetch_all(&mut writer.connection).await? {
                let envelope = rows::envelope_of(row)?;
                let id = KeyId::try_from(row.try_get::<&[u8], _>("key")?);
                let id = id.map_err(|_| VaultError::Corrupt("an envelope's row".into()))?;
                let Some((record, key)) = rows::key(writer, &id).await? else { continue };
                let seq: i64 = row.try_get("seq")?;
                match open(&envelope, &record, &key) {
                    Ok(opened) => {
                        let number = self.number(writer, &record).await?;
                        sqlx::query("UPDATE envelope SET record = ? WHERE seq = ?")
                            .bind(number)
                            .bind(seq)
                            .execute(&mut writer.connection)
                            .await?;
                        self.opened(record, opened);
                    }
                    Err(reason) => {
                        // Its link stays counted, and the true body can still come.
                        self.refuse(writer, &envelope, reason).await?;
                        sqlx::query("UPDATE envelope SET body = NULL, key = NULL WHERE seq = ?")
                            .bind(seq)
                            .execute(&mut writer.connection)
                            .await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn number(&mut self, writer: &mut Writer, record: &RecordId) -> Result<i64> {
        if let Some((number, _)) = self.numbers.get(record) {
            return Ok(*number);
        }
        let held = if self.unnumbered.contains(record) { None } else { rows::record_number(writer, record).await? };
        let (number, fresh) = match held {
            Some(number) => (number, false),
            None => {
                self.tally.next_record += 1;
                (self.tally.next_record - 1, true)
            }
        };
        self.numbers.insert(*record, (number, fresh));
        Ok(number)
    }

    fn opened(&mut self, record: RecordId, opened: Opened) {
        self.outcome.entries += 1;
        self.fresh.entry(record).or_default().push(Arc::new(opened));
    }

    /// One envelope: new, known, or the body of a link that was only counted.
    async fn take(&mut self, writer: &mut Writer, envelope: Envelope) -> Result<()> {
        let id = envelope.id();
        if self.seen.contains(&id) && !(self.bare.contains_key(&id) && envelope.body.is_some()) {
            self.outcome.known += 1;
            return Ok(());
        }
        let device = rows::device_number(writer, &envelope.link.device).await?;
        let held = self.held(writer, device, &envelope.link, &id).await?;
        if held.is_some_and(|(_, has_body)| has_body || envelope.body.is_none()) {
            self.outcome.known += 1;
            return Ok(());
        }
        let body = self.body(writer, &envelope).await?;
        let holds = !matches!(body, Body::False(_));
        if let Body::False(reason) = &body {
            self.refuse(writer, &envelope, reason).await?;
        }
        if !self.seen.contains(&id) && held.is_none() {
            self.watch.see(writer, device, &envelope.link, &self.grounds.roster).await?;
            self.outcome.links += 1;
            self.stale |= Some(envelope.link.device) == self.own;
        } else if !holds {
            // What is counted stays as it is.
            return Ok(());
        }
        if let Some((seq, _)) = held {
            // The body of a link that was counted before: it gets its own place in the commit order.
            sqlx::query("DELETE FROM envelope WHERE seq = ?").bind(seq).execute(&mut writer.connection).await?;
        }
        self.seen.insert(id);
        self.keep(writer, device, id, envelope, body).await
    }

    /// Whether an envelope was held before this batch: its row, and whether with its body.
    async fn held(
        &self,
        writer: &mut Writer,
        device: i64,
        link: &Link,
        id: &EnvelopeId,
    ) -> Result<Option<(i64, bool)>> {
        // Beyond the highest number known of its device, nothing can be.
        if writer.highest.get(&link.device).is_none_or(|highest| link.number > *highest) {
            return Ok(None);
        }
        Ok(sqlx::query_as("SELECT seq, body IS NOT NULL FROM envelope WHERE device = ? AND number = ? AND id = ?")
            .bind(device)
            .bind(link.number as i64)
            .bind(id.0.as_slice())
            .fetch_optional(&mut writer.connection)
            .await?)
    }

    async fn body(&mut self, writer: &mut Writer, envelope: &Envelope) -> Result<Body> {
        let needed = match envelope.key_id() {
            Ok(Some(needed)) => needed,
            Ok(None) => return Ok(Body::Absent),
            Err(_) => return Ok(Body::False("its body is malformed")),
        };
        let Some((record, key)) = rows::key(writer, &needed).await? else { return Ok(Body::Waits(needed)) };
        Ok(match open(envelope, &record, &key) {
            Ok(opened) => Body::Open(record, needed, Box::new(opened)),
            Err(reason) => Body::False(reason),
        })
    }

    /// Puts an envelope among the rows; of a false body only the link, which is rightly signed.
    async fn keep(
        &mut self,
        writer: &mut Writer,
        device: i64,
        id: EnvelopeId,
        envelope: Envelope,
        body: Body,
    ) -> Result<()> {
        let (bytes, key, record) = match body {
            Body::Absent | Body::False(_) => (None, None, None),
            Body::Waits(key) => (envelope.body, Some(key), None),
            Body::Open(of, key, opened) => {
                let number = self.number(writer, &of).await?;
                self.opened(of, *opened);
                (envelope.body, Some(key), Some(number))
            }
        };
        if bytes.is_none() {
            self.bare.insert(id, self.rows.len());
        } else if let Some(row) = self.bare.remove(&id).and_then(|at| self.rows.get_mut(at)) {
            (row.body, row.key, row.record) = (bytes, key, record);
            return Ok(());
        }
        self.tally.seq += 1;
        self.rows.push(EnvelopeRow {
            seq: self.tally.seq,
            device,
            number: envelope.link.number,
            id,
            link: envelope.link,
            signature: envelope.signature,
            body: bytes,
            key,
            record,
            origin: self.source.origin,
            received_ms: self.source.received_ms,
            via: self.via,
        });
        Ok(())
    }

    async fn refuse(&mut self, writer: &mut Writer, envelope: &Envelope, reason: &'static str) -> Result<()> {
        self.outcome.refused.push(Refused::envelope(reason, envelope));
        // Each counts for something, or empty ones would come without end.
        let (size,): (i64,) = sqlx::query_as("SELECT IFNULL(SUM(LENGTH(bytes) + 256), 0) FROM refused")
            .fetch_one(&mut writer.connection)
            .await?;
        let body = envelope.body.as_deref().unwrap_or_default();
        if size + (body.len() as i64) + 256 < MAX_REFUSED {
            sqlx::query("INSERT INTO refused (reason, id, bytes, received_ms) VALUES (?, ?, ?, ?)")
                .bind(reason)
                .bind(envelope.id().0.as_slice())
                .bind(body)
                .bind(self.source.received_ms)
                .execute(&mut writer.connection)
                .await?;
        }
        Ok(())
    }

    /// Folds what was opened into its records.
    async fn fold(&mut self, writer: &mut Writer) -> Result<Vec<Touched>> {
        let (mut touched, mut closed) = (Vec::with_capacity(self.fresh.len()), Vec::new());
        for (id, opened) in std::mem::take(&mut self.fresh) {
            let Some((number, fresh)) = self.numbers.get(&id).copied() else { continue };
            let record = match (fresh, self.vault.take_open(&id)) {
                (true, _) => Arc::new(Record::fold(id, opened, &self.grounds.ground())),
                (false, Some(mut open)) => {
                    Arc::make_mut(&mut open).add_all(opened, &self.grounds.ground());
                    open
                }
                (false, None) => {
                    closed.push((number, id.0.to_vec()));
                    continue;
                }
            };
            touched.push(Touched { number, fresh, record });
        }
        // The rows are in already: records that are not open are loaded with them.
        for part in closed.chunks(LOADED) {
            for held in rows::held(&mut writer.connection, part).await? {
                let record = Arc::new(held.fold(&held.id.clone()?, &self.grounds)?);
                touched.push(Touched { number: held.number, fresh: false, record });
            }
        }
        touched.sort_by_key(|one| one.number);
        self.outcome.touched.extend(touched.iter().map(|one| one.record.id()));
        self.outcome.records = touched.len();
        Ok(touched)
    }
}

fn open(envelope: &Envelope, record: &RecordId, key: &RecordKey) -> std::result::Result<Opened, &'static str> {
    let opened = envelope.open(key).map_err(|_| "its body does not match its link")?;
    if opened.header.record == *record { Ok(opened) } else { Err("its body names another record") }
}
