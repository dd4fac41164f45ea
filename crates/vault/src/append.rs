//! Authoring: signed, sealed, folded, projected and on the disk in one transaction.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use logbook::action::{Action, GrantTo};
use logbook::authorise::Author;
use logbook::causality::Mark;
use logbook::roster::{Device, Role};
use logbook::{AgencyKind, Entry, Record};
use seal::{
    ClockConfidence, EntryId, Envelope, EnvelopeId, Header, Link, OperationId, OperatorId, Parts, RecordId, RecordKey,
    RosterHash, SigningKey, Wrap,
};
use tokio::sync::oneshot;

use crate::error::{Result, VaultError};
use crate::ingest::who_of;
use crate::project::Touched;
use crate::rows::{self, EnvelopeRow, WrapRow};
use crate::store::{Grounds, Vault, lock, read};
use crate::writer::{Head, Tally, Writer};

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
    /// The key of a new record, or a new key of an old one; otherwise the best of those held, see
    /// [`logbook::record_state::RecordState::keys_to_write`].
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
    /// at the same time share one commit. A caller that goes away meanwhile breaks nothing off.
    pub async fn append(&self, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        let (answer, done) = oneshot::channel();
        lock(&self.inner.queue).push(Waiting { drafts, answer });
        let vault = self.clone();
        self.wholly(async move { vault.commit_queue().await }).await?;
        done.await.map_err(|_| VaultError::Storage("the entry was not kept".into()))?
    }

    /// Commits whatever waits; nothing, if another call did it already.
    async fn commit_queue(&self) -> Result<()> {
        let mut guard = self.writer().await?;
        let waiting = std::mem::take(&mut *lock(&self.inner.queue));
        if waiting.is_empty() {
            return Ok(());
        }
        let begun = match guard.get() {
            Ok(writer) => Batch::begin(self, writer).map(|batch| (writer, batch)),
            Err(error) => Err(error),
        };
        let (writer, mut batch) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                waiting.into_iter().for_each(|one| drop(one.answer.send(Err(error.clone()))));
                return Ok(());
            }
        };
        let mut staged = Vec::new();
        for one in waiting {
            match batch.stage_all(writer, one.drafts).await {
                Ok(done) => staged.push((one.answer, done)),
                Err(error) => drop(one.answer.send(Err(error))),
            }
        }
        let outcome = batch.commit(self, writer).await.map_err(|error| self.diagnosed(error));
        for (answer, done) in staged {
            // Whoever asked may be gone; the entry stands.
            let _ = answer.send(outcome.clone().map(|()| done));
        }
        Ok(())
    }
}

/// A record under way.
struct Open {
    number: i64,
    fresh: bool,
    record: Arc<Record>,
}

/// Entries that will be committed together.
struct Batch {
    vault: Vault,
    author: Arc<AuthorKeys>,
    device: Device,
    kind: AgencyKind,
    cites: RosterHash,
    roles: Vec<Role>,
    grounds: Grounds,
    head: Option<Head>,
    tally: Tally,
    records: HashMap<RecordId, Open>,
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
            cites: view.hash(),
            roles,
            grounds,
            head: writer.heads.get(&id).copied(),
            tally: writer.tally,
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
        let before = (self.head, self.tally, self.envelopes.len(), self.wraps.len(), self.keys.len());
        let mut done = Vec::with_capacity(drafts.len());
        for draft in drafts {
            match self.stage(writer, draft).await {
                Ok(appended) => done.push(appended),
                Err(error) => {
                    (self.head, self.tally, ..) = before;
                    self.envelopes.truncate(before.2);
                    self.wraps.truncate(before.3);
                    self.forget_keys(writer, before.4);
                    self.unstage(&done);
                    return Err(error);
                }
            }
        }
        Ok(done)
    }

    /// Folds the records again without these entries.
    fn unstage(&mut self, done: &[Appended]) {
        let undone: BTreeSet<EnvelopeId> = done.iter().map(|one| one.envelope).collect();
        let ground = self.grounds.ground();
        for id in done.iter().map(|one| one.record).collect::<BTreeSet<_>>() {
            let Some(open) = self.records.get_mut(&id) else { continue };
            let kept = open.record.entries().iter().filter(|entry| !undone.contains(&entry.opened.envelope));
            let kept: Vec<_> = kept.map(|entry| entry.opened.clone()).collect();
            open.record = Arc::new(Record::fold(id, kept, &ground));
        }
        // A record without an entry has no number to keep; whoever writes it next gets one.
        self.records.retain(|_, open| !(open.fresh && open.record.entries().is_empty()));
    }

    fn forget_keys(&mut self, writer: &mut Writer, from: usize) {
        for (_, record, key) in self.keys.drain(from..) {
            writer.keys.pop(&key.id(&record));
        }
    }

    async fn stage(&mut self, writer: &mut Writer, draft: Draft) -> Result<Appended> {
        let entry = Entry::new(draft.salt, draft.action);
        entry.action.validate().map_err(|invalid| VaultError::Invalid(invalid.to_string()))?;
        self.open_record(writer, draft.record).await?;
        let key = self.key_for(writer, &draft.record, draft.key).await?;
        let open = self.records.get_mut(&draft.record).ok_or(VaultError::NoAuthor)?;
        let bytes = entry.encode();
        let header = Header {
            record: draft.record,
            number: open.record.next_number(&self.device.id),
            depth: open.record.next_depth(),
            heads: open.record.heads(),
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
        open.record.would(&entry.action, &who, &mark(&self.device, &header), &self.grounds.roster)?;
        let link = Link {
            operation: self.author.operation,
            device: self.device.id,
            number: self.head.map_or(1, |head| head.number + 1),
            prev: self.head.map_or(EnvelopeId([0; 32]), |head| head.id),
            roster: self.cites,
            body: [0; 32],
        };
        let parts = Parts { header: &header, entry: &bytes };
        let (envelope, opened) = Envelope::seal(&key, &self.author.signing, link, parts)?;
        // Wraps stand before the entry that grants them.
        for (to, wrap) in draft.wraps {
            let (who, epoch) = who_of(&to);
            self.tally.seq += 1;
            self.wraps.push(WrapRow { seq: self.tally.seq, who, epoch, wrap });
        }
        self.tally.seq += 1;
        let seq = self.tally.seq;
        let made =
            Appended { record: draft.record, entry: opened.id, envelope: opened.envelope, number: link.number, seq };
        self.head = Some(Head { number: link.number, id: opened.envelope, roster: link.roster });
        self.envelopes.push(EnvelopeRow {
            seq,
            device: self.own_number,
            number: link.number,
            id: opened.envelope,
            link: envelope.link,
            signature: envelope.signature,
            body: envelope.body,
            key: Some(key.id(&draft.record)),
            record: Some(open.number),
            origin: crate::Origin::Own as i64,
            received_ms: draft.wall_ms,
            via: None,
        });
        Arc::make_mut(&mut open.record).add(Arc::new(opened), &self.grounds.ground());
        Ok(made)
    }

    async fn open_record(&mut self, writer: &mut Writer, id: RecordId) -> Result<()> {
        if self.records.contains_key(&id) {
            return Ok(());
        }
        let open = match rows::record_number(writer, &id).await? {
            Some(number) => {
                let held = match self.vault.take_open(&id) {
                    Some(record) => record,
                    None => {
                        let load = rows::load(&mut writer.connection, &id, number, i64::MAX, &self.grounds);
                        Arc::new(load.await?)
                    }
                };
                Open { number, fresh: false, record: held }
            }
            None => {
                self.tally.next_record += 1;
                Open { number: self.tally.next_record - 1, fresh: true, record: Arc::new(Record::new(id)) }
            }
        };
        self.records.insert(id, open);
        Ok(())
    }

    async fn key_for(&mut self, writer: &mut Writer, record: &RecordId, given: Option<RecordKey>) -> Result<RecordKey> {
        if let Some(key) = given {
            let id = key.id(record);
            self.keys.push((self.tally.seq + 1, *record, key.clone()));
            writer.keys.put(id, (*record, key.clone()));
            return Ok(key);
        }
        let granted = self.records.get(record).map(|open| open.record.state().keys_to_write()).unwrap_or_default();
        for id in &granted {
            // Of this batch, where the cache was too small; else of the database.
            let staged = self.keys.iter().find(|(_, of, key)| of == record && key.id(of) == *id);
            if let Some((_, _, key)) = staged {
                return Ok(key.clone());
            }
            if let Some((_, key)) = rows::key(writer, id).await?.filter(|(of, _)| of == record) {
                return Ok(key);
            }
        }
        let missing = || VaultError::Invalid("this record's key is not here".into());
        if !granted.is_empty() {
            return Err(missing());
        }
        // A record of which no entry grants a key is its creator's alone.
        match self.keys.iter().rev().find(|(_, of, _)| of == record) {
            Some((_, _, key)) => Ok(key.clone()),
            None => rows::keys_of(&mut writer.connection, record).await?.pop().ok_or_else(missing),
        }
    }

    async fn commit(mut self, vault: &Vault, writer: &mut Writer) -> Result<()> {
        if self.envelopes.is_empty() {
            // Everything was refused: the records that were taken out go back as they were.
            self.give_back(vault);
            return Ok(());
        }
        self.tally.links += self.envelopes.len() as i64;
        self.tally.entries += self.envelopes.len() as i64;
        if let Err(error) = self.write(vault, writer).await {
            // The first failure is the one to tell; one of undoing shows itself at the next use.
            let _ = writer.undo().await;
            return Err(error);
        }
        let written: BTreeSet<i64> = self.envelopes.iter().filter_map(|row| row.record).collect();
        let touched = self.records.iter().filter(|(_, open)| written.contains(&open.number));
        let touched = touched.map(|(id, open)| (*id, open.number)).collect::<Vec<_>>();
        for (id, number) in &touched {
            writer.records.put(*id, *number);
        }
        self.give_back(vault);
        vault.announce(touched.into_iter().map(|(id, _)| id).collect(), writer.tally.seq);
        Ok(())
    }

    fn give_back(&mut self, vault: &Vault) {
        for (_, open) in self.records.drain() {
            if !open.record.entries().is_empty() {
                vault.keep_open(open.record);
            }
        }
    }

    async fn write(&mut self, vault: &Vault, writer: &mut Writer) -> Result<()> {
        writer.begin().await?;
        if self.own_number == 0 {
            self.own_number = rows::device_number(writer, &self.device.id).await?;
            self.envelopes.iter_mut().for_each(|row| row.device = self.own_number);
        }
        rows::insert_keys(&mut writer.connection, &self.keys).await?;
        rows::insert_wraps(&mut writer.connection, &self.wraps).await?;
        rows::insert_envelopes(&mut writer.connection, &self.envelopes).await?;
        let written: BTreeSet<i64> = self.envelopes.iter().filter_map(|row| row.record).collect();
        let touched: Vec<Touched> = self
            .records
            .values()
            .filter(|open| written.contains(&open.number))
            .map(|open| Touched { number: open.number, fresh: open.fresh, record: open.record.clone() })
            .collect();
        crate::project::project(vault, writer, &touched, self.tally.seq).await?;
        let heads = self.head.map(|head| (self.device.id, head)).into_iter().collect();
        writer.commit(self.tally, &heads).await
    }
}

fn mark(device: &Device, header: &Header) -> Mark {
    Mark {
        entry: EntryId([0; 32]),
        author: 0,
        number: header.number,
        device: device.id,
        agency: device.agency.clone(),
        operator: header.operator,
        wall_ms: header.wall_ms,
    }
}
