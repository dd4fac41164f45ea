//! Authoring: signed, sealed, folded, projected and on the disk in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use logbook::action::{Action, GrantTo};
use logbook::authorise::Author;
use logbook::causality::Mark;
use logbook::roster::{Device, Role, RosterView};
use logbook::{AgencyKind, Entry, Record};
use seal::{
    ClockConfidence, DeviceId, EntryId, Envelope, EnvelopeId, Header, Link, OperationId, OperatorId, Parts, RecordId,
    RecordKey, SigningKey, Wrap,
};
use sqlx::Connection;
use tokio::sync::oneshot;

use crate::error::{Result, VaultError};
use crate::ingest::who_of;
use crate::rows::{self, EnvelopeRow, WrapRow};
use crate::store::{Grounds, Head, Vault, Writer, lock, read};

/// Who writes on this device.
pub struct AuthorKeys {
    /// Signs links.
    pub signing: SigningKey,
    /// The operation.
    pub operation: OperationId,
    /// The operator.
    pub operator: OperatorId,
    /// The operator's unit; empty where none.
    pub unit: String,
}

/// An entry to be made.
pub struct Draft {
    /// The record.
    pub record: RecordId,
    /// What is stated.
    pub action: Action,
    /// The role in which the operator acts.
    pub role: Role,
    /// Fresh random bytes.
    pub salt: [u8; 16],
    /// The device's wall time, milliseconds.
    pub wall_ms: i64,
    /// Minutes east of UTC.
    pub offset_min: i16,
    /// How far that time is trusted.
    pub clock: ClockConfidence,
    /// The key of a new record, or a new key of an old one; otherwise the newest held.
    pub key: Option<RecordKey>,
    /// Wraps that its grants commit to.
    pub wraps: Vec<(GrantTo, Wrap)>,
}

/// An entry that was made and is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The record.
    pub record: RecordId,
    /// The entry.
    pub entry: EntryId,
    /// Its envelope.
    pub envelope: EnvelopeId,
    /// The number in this device's chain.
    pub number: u64,
    /// The commit order.
    pub seq: i64,
}

/// An append that waits for the writer.
pub(crate) struct Waiting {
    drafts: Vec<Draft>,
    answer: oneshot::Sender<Result<Vec<Appended>>>,
}

impl Vault {
    /// Makes entries: all of them or none, in the order given; durable when this returns. Calls made
    /// at the same time share one commit.
    pub async fn append(&self, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        let (answer, done) = oneshot::channel();
        lock(&self.inner.queue).push(Waiting { drafts, answer });
        let mut guard = self.writer().await?;
        let waiting = std::mem::take(&mut *lock(&self.inner.queue));
        if !waiting.is_empty() {
            self.commit_group(guard.get()?, waiting).await;
        }
        drop(guard);
        done.await.map_err(|_| VaultError::Storage("the entry was not kept".into()))?
    }

    async fn commit_group(&self, writer: &mut Writer, waiting: Vec<Waiting>) {
        let mut batch = match Batch::begin(self, writer) {
            Ok(batch) => batch,
            Err(error) => {
                for one in waiting {
                    let _ = one.answer.send(Err(error.clone()));
                }
                return;
            }
        };
        let mut staged = Vec::new();
        for one in waiting {
            match batch.stage_all(writer, one.drafts).await {
                Ok(done) => staged.push((one.answer, done)),
                Err(error) => {
                    let _ = one.answer.send(Err(error));
                }
            }
        }
        if staged.is_empty() {
            return;
        }
        let outcome = batch.commit(self, writer).await;
        for (answer, done) in staged {
            let _ = answer.send(outcome.clone().map(|()| done));
        }
    }
}

/// Entries that will be committed together.
struct Batch {
    vault: Vault,
    author: Arc<AuthorKeys>,
    device: Device,
    kind: AgencyKind,
    view: RosterView,
    roles: Vec<Role>,
    grounds: Grounds,
    head: Option<Head>,
    seq: i64,
    next_record: i64,
    records: HashMap<RecordId, (i64, Arc<Record>)>,
    envelopes: Vec<EnvelopeRow>,
    wraps: Vec<WrapRow>,
    keys: Vec<(i64, RecordId, RecordKey)>,
    own_number: i64,
}

impl Batch {
    fn begin(vault: &Vault, writer: &Writer) -> Result<Self> {
        if writer.stale {
            return Err(VaultError::StaleClone);
        }
        let author = read(&vault.inner.author).clone().ok_or(VaultError::NoAuthor)?;
        let grounds = Grounds::of(vault);
        let id = author.signing.device_id();
        let device = grounds.roster.device(&id).cloned().ok_or(VaultError::NoAuthor)?;
        let view = grounds.roster.current_view().ok_or(VaultError::NoAuthor)?;
        let roles = grounds.roster.roles_at(&id, &view).ok_or(VaultError::NoAuthor)?;
        let kind = grounds.roster.agency(&device.agency).ok_or(VaultError::NoAuthor)?.record.kind;
        Ok(Self {
            vault: vault.clone(),
            device,
            kind,
            view,
            roles,
            grounds,
            head: writer.heads.get(&id).copied(),
            seq: writer.seq,
            next_record: writer.next_record,
            records: HashMap::new(),
            envelopes: Vec::new(),
            wraps: Vec::new(),
            keys: Vec::new(),
            own_number: writer.devices.get(&id).copied().unwrap_or(0),
            author,
        })
    }

    /// Stages drafts; on a refusal everything is as before.
    async fn stage_all(&mut self, writer: &mut Writer, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        let before = (self.head, self.seq, self.next_record, self.envelopes.len(), self.wraps.len(), self.keys.len());
        let mut saved: HashMap<RecordId, Option<(i64, Arc<Record>)>> = HashMap::new();
        let mut done = Vec::with_capacity(drafts.len());
        for draft in drafts {
            saved.entry(draft.record).or_insert_with(|| self.records.get(&draft.record).cloned());
            match self.stage(writer, draft).await {
                Ok(appended) => done.push(appended),
                Err(error) => {
                    (self.head, self.seq, self.next_record, ..) = before;
                    self.envelopes.truncate(before.3);
                    self.wraps.truncate(before.4);
                    self.keys.truncate(before.5);
                    for (id, held) in saved {
                        match held {
                            Some(held) => self.records.insert(id, held),
                            None => self.records.remove(&id),
                        };
                    }
                    return Err(error);
                }
            }
        }
        Ok(done)
    }

    async fn stage(&mut self, writer: &mut Writer, draft: Draft) -> Result<Appended> {
        if self.own_number == 0 {
            self.own_number = rows::device_number(writer, &self.device.id).await?;
        }
        let entry = Entry::new(draft.salt, draft.action);
        entry.action.validate().map_err(|invalid| VaultError::Invalid(invalid.to_string()))?;
        self.open_record(writer, draft.record).await?;
        let key = self.key_for(writer, &draft.record, draft.key).await?;
        self.seq += 1;
        for (to, wrap) in draft.wraps {
            let (who, epoch) = who_of(&to);
            self.wraps.push(WrapRow { seq: self.seq, who, epoch, wrap });
            self.seq += 1;
        }
        let (number, record) = self.records.get_mut(&draft.record).ok_or(VaultError::NoAuthor)?;
        let record = Arc::make_mut(record);
        let bytes = entry.encode();
        let header = Header {
            record: draft.record,
            number: record.next_number(&self.device.id),
            depth: record.next_depth(),
            heads: record.heads(),
            operator: self.author.operator,
            unit: self.author.unit.clone(),
            role: draft.role.to_string(),
            checkpoint: None,
            wall_ms: draft.wall_ms,
            offset_min: draft.offset_min,
            clock: draft.clock,
            fields_root: Entry::fields_root(&draft.salt, &bytes).map_err(|e| VaultError::Invalid(e.to_string()))?,
        };
        let who = Author { device: self.device.id, agency: &self.device.agency, kind: self.kind, roles: &self.roles };
        let mark = mark(&self.device.id, &self.device, &header);
        record.would(&entry.action, &who, &mark, &self.grounds.roster)?;
        let link = Link {
            operation: self.author.operation,
            device: self.device.id,
            number: self.head.map_or(1, |head| head.number + 1),
            prev: self.head.map_or(EnvelopeId([0; 32]), |head| head.id),
            roster: self.view.hash(),
            body: [0; 32],
        };
        let parts = Parts { header: &header, entry: &bytes };
        let (envelope, opened) = Envelope::seal(&key, &self.author.signing, link, parts)?;
        let appended = Appended {
            record: draft.record,
            entry: opened.id,
            envelope: opened.envelope,
            number: link.number,
            seq: self.seq,
        };
        self.head = Some(Head { number: link.number, id: opened.envelope, roster: link.roster });
        self.envelopes.push(EnvelopeRow {
            seq: self.seq,
            device: self.own_number,
            number: link.number,
            id: opened.envelope,
            link: envelope.link,
            signature: envelope.signature,
            body: envelope.body,
            key: Some(key.id(&draft.record)),
            record: Some(*number),
            origin: 0,
            received_ms: draft.wall_ms,
        });
        record.add(Arc::new(opened), &self.grounds.ground());
        Ok(appended)
    }

    async fn open_record(&mut self, writer: &mut Writer, id: RecordId) -> Result<()> {
        if self.records.contains_key(&id) {
            return Ok(());
        }
        let held = match rows::record_number(writer, &id).await? {
            Some(number) => (number, crate::read::folded(&self.vault, writer, &id, number, &self.grounds).await?),
            None => {
                self.next_record += 1;
                (self.next_record - 1, Arc::new(Record::new(id)))
            }
        };
        self.records.insert(id, held);
        Ok(())
    }

    async fn key_for(&mut self, writer: &mut Writer, record: &RecordId, given: Option<RecordKey>) -> Result<RecordKey> {
        if let Some(key) = given {
            self.keys.push((self.seq + 1, *record, key.clone()));
            writer.keys.put(key.id(record), (*record, key.clone()));
            writer.newest.put(*record, key.id(record));
            return Ok(key);
        }
        if let Some((_, _, key)) = self.keys.iter().rev().find(|(_, of, _)| of == record) {
            return Ok(key.clone());
        }
        if let Some(id) = writer.newest.get(record).copied()
            && let Some((_, key)) = rows::key(writer, &id).await?
        {
            return Ok(key);
        }
        let keys = rows::keys_of(&mut writer.connection, record).await?;
        let key = keys.last().cloned().ok_or_else(|| VaultError::Invalid("this record's key is not here".into()))?;
        writer.newest.put(*record, key.id(record));
        writer.keys.put(key.id(record), (*record, key.clone()));
        Ok(key)
    }

    async fn commit(self, vault: &Vault, writer: &mut Writer) -> Result<()> {
        let outcome = self.write(vault, writer).await;
        if outcome.is_err() {
            // What was cached for records that were not written must not be believed.
            writer.newest.clear();
            writer.keys.clear();
            writer.words.clear();
            writer.devices.retain(|_, number| *number != self.own_number || self.head.is_some_and(|h| h.number > 1));
            let _ = sqlx::query("ROLLBACK").execute(&mut writer.connection).await;
            reload_devices(writer).await?;
            return outcome;
        }
        writer.seq = self.seq;
        writer.next_record = self.next_record;
        if let Some(head) = self.head {
            writer.heads.insert(self.device.id, head);
        }
        let mut touched = Vec::with_capacity(self.records.len());
        for (id, (number, record)) in self.records {
            writer.records.put(id, number);
            vault.keep_open(record);
            touched.push(id);
        }
        vault.announce(touched, writer.seq);
        Ok(())
    }

    async fn write(&self, vault: &Vault, writer: &mut Writer) -> Result<()> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut writer.connection).await?;
        rows::insert_keys(&mut writer.connection, &self.keys).await?;
        rows::insert_wraps(&mut writer.connection, &self.wraps).await?;
        rows::insert_envelopes(&mut writer.connection, &self.envelopes).await?;
        let touched: Vec<(i64, Arc<Record>)> = self.records.values().cloned().collect();
        crate::project::project(vault, writer, &touched, self.seq).await?;
        sqlx::query("COMMIT").execute(&mut writer.connection).await?;
        Ok(())
    }
}

/// Device numbers as the database has them, after a transaction was undone.
pub(crate) async fn reload_devices(writer: &mut Writer) -> Result<()> {
    // A connection that failed hard may not even answer; the next use reports it again.
    writer.connection.ping().await?;
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT n, id FROM device").fetch_all(&mut writer.connection).await?;
    writer.devices = rows
        .into_iter()
        .filter_map(|(number, id)| DeviceId::try_from(id.as_slice()).ok().map(|id| (id, number)))
        .collect();
    Ok(())
}

fn mark(id: &DeviceId, device: &Device, header: &Header) -> Mark {
    Mark {
        entry: EntryId([0; 32]),
        author: 0,
        number: header.number,
        device: *id,
        agency: device.agency.clone(),
        operator: header.operator,
        wall_ms: header.wall_ms,
    }
}
