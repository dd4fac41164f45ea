//! Taking in what others wrote: verified first, then opened, folded, projected, in one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use logbook::Record;
use logbook::action::GrantTo;
use seal::{DeviceId, Envelope, EnvelopeId, KeyId, Link, Opened, RecordId, RecordKey, Signature, Wrap};
use sqlx::Row;

use crate::chain::Watch;
use crate::error::{Result, VaultError};
use crate::rows::{self, EnvelopeRow, WrapRow};
use crate::store::{Grounds, Vault, Writer, read};

/// Bytes of refused envelopes kept aside for inspection.
const MAX_REFUSED: i64 = 4 * 1024 * 1024;

/// How something came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Written here.
    Own = 0,
    /// From a peer.
    Lan = 1,
    /// From a parcel.
    Parcel = 2,
    /// From a relay.
    Relay = 3,
}

/// A batch to take in.
#[derive(Default)]
pub struct Incoming {
    /// Links whose bodies this device does not get.
    pub links: Vec<(Link, Signature)>,
    /// Whole envelopes.
    pub envelopes: Vec<Envelope>,
    /// Wraps.
    pub wraps: Vec<(GrantTo, Wrap)>,
    /// When, by this device's clock, milliseconds.
    pub received_ms: i64,
    /// How.
    pub origin: Option<Origin>,
}

/// Something that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: String,
    /// Which envelope, where one is meant.
    pub envelope: Option<EnvelopeId>,
}

/// What came of a batch.
#[derive(Debug, Clone, Default)]
pub struct Ingested {
    /// Links that are new.
    pub links: usize,
    /// Bodies that are new.
    pub entries: usize,
    /// Records that new bodies touched.
    pub records: usize,
    /// Envelopes already here.
    pub known: usize,
    /// What was not taken.
    pub refused: Vec<Refused>,
    /// Records that changed.
    pub touched: Vec<RecordId>,
}

/// A recipient as the database spells it, and the epoch of an agency's recipient.
pub(crate) fn who_of(to: &GrantTo) -> (String, u32) {
    match to {
        GrantTo::Agency { id, epoch } => (format!("a:{id}"), *epoch),
        GrantTo::Device { id } => (format!("d:{id}"), 0),
    }
}

/// A recipient from the database's spelling.
pub(crate) fn grant_to(who: &str, epoch: u32) -> Option<GrantTo> {
    match who.split_at_checked(2)? {
        ("a:", id) => Some(GrantTo::Agency { id: id.parse().ok()?, epoch }),
        ("d:", id) => Some(GrantTo::Device { id: id.parse().ok()? }),
        _ => None,
    }
}

impl Vault {
    /// Takes a batch in. What is refused is reported, the rest is durable when this returns.
    pub async fn ingest(&self, incoming: Incoming) -> Result<Ingested> {
        let mut outcome = Ingested::default();
        let operation = self.roster().operation();
        let mut checked: Vec<Envelope> = Vec::with_capacity(incoming.links.len() + incoming.envelopes.len());
        let links = incoming.links.into_iter().map(|(link, signature)| Envelope { link, signature, body: None });
        // Signatures are the costly part; they are checked before the writer is taken.
        for envelope in links.chain(incoming.envelopes) {
            let refused = if Some(envelope.link.operation) != operation {
                Some("it belongs to another operation")
            } else if envelope.link.verify(&envelope.signature).is_err() {
                Some("its signature does not hold")
            } else if envelope.body.as_ref().is_some_and(|body| body.len() > seal::record_key::MAX_BODY) {
                Some("its body is over the bound")
            } else {
                None
            };
            match refused {
                None => checked.push(envelope),
                Some(reason) => {
                    let envelope = Some(envelope.id());
                    outcome.refused.push(Refused { reason: reason.into(), envelope });
                }
            }
        }
        let mut guard = self.writer().await?;
        let writer = guard.get()?;
        let origin = incoming.origin.unwrap_or(Origin::Lan) as i64;
        let mut work = Work {
            vault: self,
            grounds: Grounds::of(self),
            outcome,
            seq: writer.seq,
            next_record: writer.next_record,
            rows: Vec::new(),
            fresh: HashMap::new(),
            numbers: HashMap::new(),
            seen: HashSet::new(),
            watch: Watch::default(),
            received_ms: incoming.received_ms,
            origin,
            stale: false,
        };
        sqlx::query("BEGIN IMMEDIATE").execute(&mut writer.connection).await?;
        match work.run(writer, checked, incoming.wraps).await {
            Ok(records) => {
                let Work { outcome, seq, next_record, numbers, .. } = work;
                writer.seq = seq;
                writer.next_record = next_record;
                for (id, number) in numbers {
                    writer.records.put(id, number);
                }
                for record in records {
                    self.keep_open(record);
                }
                self.announce(outcome.touched.clone(), seq);
                Ok(outcome)
            }
            Err(error) => {
                let _ = sqlx::query("ROLLBACK").execute(&mut writer.connection).await;
                writer.keys.clear();
                writer.newest.clear();
                writer.words.clear();
                crate::append::reload_devices(writer).await?;
                Err(error)
            }
        }
    }
}

struct Work<'a> {
    vault: &'a Vault,
    grounds: Grounds,
    outcome: Ingested,
    seq: i64,
    next_record: i64,
    rows: Vec<EnvelopeRow>,
    fresh: HashMap<RecordId, Vec<Arc<Opened>>>,
    numbers: HashMap<RecordId, i64>,
    seen: HashSet<EnvelopeId>,
    watch: Watch,
    received_ms: i64,
    origin: i64,
    stale: bool,
}

impl Work<'_> {
    async fn run(
        &mut self,
        writer: &mut Writer,
        envelopes: Vec<Envelope>,
        wraps: Vec<(GrantTo, Wrap)>,
    ) -> Result<Vec<Arc<Record>>> {
        let new_keys = self.take_wraps(writer, wraps).await?;
        self.open_waiting(writer, &new_keys).await?;
        for envelope in envelopes {
            self.take(writer, envelope).await?;
        }
        rows::insert_envelopes(&mut writer.connection, &self.rows).await?;
        let watch = std::mem::take(&mut self.watch);
        let marks_changed = watch.settle(self.vault, writer).await?;
        if marks_changed {
            self.grounds = Grounds::of(self.vault);
        }
        let records = self.fold(writer).await?;
        let touched: Vec<(i64, Arc<Record>)> =
            records.iter().filter_map(|record| Some((*self.numbers.get(&record.id())?, record.clone()))).collect();
        crate::project::project(self.vault, writer, &touched, self.seq).await?;
        if self.stale {
            sqlx::query("INSERT OR REPLACE INTO setting (name, value) VALUES ('stale', '1')")
                .execute(&mut writer.connection)
                .await?;
        }
        let mut records = records;
        if marks_changed {
            let also = crate::rosters::judge_suspects(self.vault, writer, &self.grounds, self.seq).await?;
            self.outcome.touched.extend(also.iter().map(|record| record.id()));
            records.extend(also);
        }
        sqlx::query("COMMIT").execute(&mut writer.connection).await?;
        writer.stale |= self.stale;
        Ok(records)
    }

    /// Keeps wraps, and opens those that this device's identities open.
    async fn take_wraps(&mut self, writer: &mut Writer, wraps: Vec<(GrantTo, Wrap)>) -> Result<Vec<KeyId>> {
        let identities = read(&self.vault.inner.identities).clone();
        let identities: Vec<&seal::Identity> = identities.iter().collect();
        let own = self.own_names();
        let (mut rows, mut keys, mut opened) = (Vec::new(), Vec::new(), Vec::new());
        for (to, wrap) in wraps {
            if wrap.sealed.len() > seal::wrap::MAX_WRAP {
                self.outcome.refused.push(Refused { reason: "a wrap is over its bound".into(), envelope: None });
                continue;
            }
            let (who, epoch) = who_of(&to);
            let mine = own.contains(&who);
            self.seq += 1;
            if mine && rows::key(writer, &wrap.key).await?.is_none() {
                match wrap.open(&identities) {
                    Ok(key) => {
                        writer.keys.put(wrap.key, (wrap.record, key.clone()));
                        opened.push(wrap.key);
                        keys.push((self.seq, wrap.record, key));
                    }
                    Err(_) => {
                        self.outcome
                            .refused
                            .push(Refused { reason: "a key wrapped to us does not open".into(), envelope: None });
                        continue;
                    }
                }
            }
            rows.push(WrapRow { seq: self.seq, who, epoch, wrap });
        }
        for (_, record, _) in &keys {
            writer.newest.pop(record);
        }
        rows::insert_keys(&mut writer.connection, &keys).await?;
        rows::insert_wraps(&mut writer.connection, &rows).await?;
        Ok(opened)
    }

    /// How this device and its agency are spelt as recipients.
    fn own_names(&self) -> Vec<String> {
        let author = read(&self.vault.inner.author).clone();
        let Some(author) = author else { return Vec::new() };
        let id = author.signing.device_id();
        let mut names = vec![format!("d:{id}")];
        if let Some(device) = self.grounds.roster.device(&id) {
            names.push(format!("a:{}", device.agency));
        }
        names
    }

    fn own_device(&self) -> Option<DeviceId> {
        read(&self.vault.inner.author).as_ref().map(|author| author.signing.device_id())
    }

    /// Opens bodies that waited for these keys.
    async fn open_waiting(&mut self, writer: &mut Writer, keys: &[KeyId]) -> Result<()> {
        for id in keys {
            let Some((record, key)) = rows::key(writer, id).await? else { continue };
            let rows = sqlx::query(
                "SELECT seq, link, signature, body FROM envelope WHERE key = ? AND record IS NULL AND body IS NOT NULL",
            )
            .bind(id.0.as_slice())
            .fetch_all(&mut writer.connection)
            .await?;
            for row in &rows {
                let envelope = rows::envelope_of(row)?;
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
                    Err(reason) => self.refuse(writer, &envelope, reason).await?,
                }
            }
        }
        Ok(())
    }

    async fn number(&mut self, writer: &mut Writer, record: &RecordId) -> Result<i64> {
        if let Some(number) = self.numbers.get(record) {
            return Ok(*number);
        }
        let number = match rows::record_number(writer, record).await? {
            Some(number) => number,
            None => {
                self.next_record += 1;
                self.next_record - 1
            }
        };
        self.numbers.insert(*record, number);
        Ok(number)
    }

    fn opened(&mut self, record: RecordId, opened: Opened) {
        self.outcome.entries += 1;
        self.fresh.entry(record).or_default().push(Arc::new(opened));
    }

    /// One envelope: new, known, or the body of a link that was only counted.
    async fn take(&mut self, writer: &mut Writer, envelope: Envelope) -> Result<()> {
        let id = envelope.id();
        if !self.seen.insert(id) {
            self.outcome.known += 1;
            return Ok(());
        }
        let device = rows::device_number(writer, &envelope.link.device).await?;
        let ahead = writer.heads.get(&envelope.link.device).is_none_or(|head| envelope.link.number > head.number);
        let held = self.held(writer, device, &envelope.link, &id, ahead).await?;
        if let Some((seq, has_body)) = held {
            if has_body || envelope.body.is_none() {
                self.outcome.known += 1;
                return Ok(());
            }
            // The body of a link that was counted before: it gets its own place in the commit order.
            sqlx::query("DELETE FROM envelope WHERE seq = ?").bind(seq).execute(&mut writer.connection).await?;
        } else {
            self.watch.see(writer, device, &envelope.link, &self.grounds.roster).await?;
            self.outcome.links += 1;
            if Some(envelope.link.device) == self.own_device() {
                self.stale = true;
            }
        }
        self.keep(writer, device, id, envelope).await
    }

    async fn held(
        &mut self,
        writer: &mut Writer,
        device: i64,
        link: &Link,
        id: &EnvelopeId,
        ahead: bool,
    ) -> Result<Option<(i64, bool)>> {
        // Beyond the head and in order, nothing can be held; anything else is looked up.
        let next = self.watch.heads.get(&link.device).map(|head| head.number + 1);
        if ahead && next == Some(link.number) && !self.watch.unordered.contains(&link.device) {
            return Ok(None);
        }
        known(writer, device, link, id).await
    }

    async fn keep(&mut self, writer: &mut Writer, device: i64, id: EnvelopeId, envelope: Envelope) -> Result<()> {
        let key = match envelope.key_id() {
            Ok(key) => key,
            Err(_) => return self.keep_link(writer, device, id, envelope, "its body is malformed").await,
        };
        let mut record = None;
        if let Some(needed) = &key
            && let Some((of, key)) = rows::key(writer, needed).await?
        {
            match open(&envelope, &of, &key) {
                Ok(opened) => {
                    record = Some(self.number(writer, &of).await?);
                    self.opened(of, opened);
                }
                Err(reason) => return self.keep_link(writer, device, id, envelope, reason).await,
            }
        }
        self.seq += 1;
        self.rows.push(EnvelopeRow {
            seq: self.seq,
            device,
            number: envelope.link.number,
            id,
            link: envelope.link,
            signature: envelope.signature,
            body: envelope.body,
            key,
            record,
            origin: self.origin,
            received_ms: self.received_ms,
        });
        Ok(())
    }

    /// The link is rightly signed and stays counted; the body is refused and kept aside.
    async fn keep_link(
        &mut self,
        writer: &mut Writer,
        device: i64,
        id: EnvelopeId,
        envelope: Envelope,
        reason: &'static str,
    ) -> Result<()> {
        self.refuse(writer, &envelope, reason).await?;
        self.seq += 1;
        self.rows.push(EnvelopeRow {
            seq: self.seq,
            device,
            number: envelope.link.number,
            id,
            link: envelope.link,
            signature: envelope.signature,
            body: None,
            key: None,
            record: None,
            origin: self.origin,
            received_ms: self.received_ms,
        });
        Ok(())
    }

    async fn refuse(&mut self, writer: &mut Writer, envelope: &Envelope, reason: &'static str) -> Result<()> {
        self.outcome.refused.push(Refused { reason: reason.into(), envelope: Some(envelope.id()) });
        let (size,): (i64,) = sqlx::query_as("SELECT IFNULL(SUM(LENGTH(bytes)), 0) FROM refused")
            .fetch_one(&mut writer.connection)
            .await?;
        let body = envelope.body.as_deref().unwrap_or_default();
        if size + (body.len() as i64) < MAX_REFUSED {
            sqlx::query("INSERT INTO refused (reason, id, bytes, received_ms) VALUES (?, ?, ?, ?)")
                .bind(reason)
                .bind(envelope.id().0.as_slice())
                .bind(body)
                .bind(self.received_ms)
                .execute(&mut writer.connection)
                .await?;
        }
        Ok(())
    }

    async fn fold(&mut self, writer: &mut Writer) -> Result<Vec<Arc<Record>>> {
        let mut records = Vec::with_capacity(self.fresh.len());
        for (id, fresh) in std::mem::take(&mut self.fresh) {
            let number = self.number(writer, &id).await?;
            let known = writer.records.contains(&id);
            let record = if known {
                // The rows are in already: a record that is not open is loaded with them.
                match self.vault.cached(&id) {
                    Some(open) => {
                        let mut record = open.as_ref().clone();
                        record.add_all(fresh, &self.grounds.ground());
                        record
                    }
                    None => rows::load(&mut writer.connection, &id, number, i64::MAX, &self.grounds).await?,
                }
            } else {
                Record::fold(id, fresh, &self.grounds.ground())
            };
            self.outcome.touched.push(id);
            records.push(Arc::new(record));
        }
        self.outcome.records = self.outcome.touched.len();
        Ok(records)
    }
}

/// Whether an envelope is held: its row, and whether with its body.
async fn known(writer: &mut Writer, device: i64, link: &Link, id: &EnvelopeId) -> Result<Option<(i64, bool)>> {
    Ok(sqlx::query_as("SELECT seq, body IS NOT NULL FROM envelope WHERE device = ? AND number = ? AND id = ?")
        .bind(device)
        .bind(link.number as i64)
        .bind(id.0.as_slice())
        .fetch_optional(&mut writer.connection)
        .await?)
}

fn open(envelope: &Envelope, record: &RecordId, key: &RecordKey) -> std::result::Result<Opened, &'static str> {
    let opened = envelope.open(key).map_err(|_| "its body does not match its link")?;
    if opened.header.record == *record { Ok(opened) } else { Err("its body names another record") }
}

impl From<logbook::roster::RosterError> for VaultError {
    fn from(error: logbook::roster::RosterError) -> Self {
        Self::Invalid(error.to_string())
    }
}
