//! Carrying: LAN, relay mailboxes, parcels.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use exchange::frame::{MAX_PART, operation_tag};
use exchange::lan::{self, LanError};
use exchange::mailbox::{self, MailboxKeys, PAST_WEEKS, Packer, week_of};
use exchange::parcel::{self, Head, ParcelError, ParcelWriter};
use exchange::relay::client::{ClientError, ConnectOptions, RelayClient};
use exchange::relay::wire::OperationTag;
use exchange::{Frame, Store};
use logbook::AgencyId;
use logbook::record_state::Audience;
use logbook::roster::MailboxOwner;
use seal::{Identity, Recipient};
use tokio::sync::broadcast;
use vault::{Ingested, Origin, OutQuery, Way};

use crate::error::{Code, DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::store::{PAGE, frames, is_own};
use crate::wire::{Bytes, Moved, ParcelReport, Refusal, SyncReport};

impl From<LanError> for DeskError {
    fn from(error: LanError) -> Self {
        match error {
            LanError::Stranger => Self::new(
                Code::NotAllowed,
                error.to_string(),
                "Nothing was sent to it. Check the address; a device that was enrolled lately may need a roster exchange first.",
            ),
            LanError::Store(ref failed) => Self::storage(failed.to_string()),
            other => Self::network(other.to_string()),
        }
    }
}

impl From<ClientError> for DeskError {
    fn from(error: ClientError) -> Self {
        Self::network(error.to_string())
    }
}

impl From<ParcelError> for DeskError {
    fn from(error: ParcelError) -> Self {
        match error {
            ParcelError::WrongRecipient | ParcelError::ForeignOperation => Self::new(
                Code::NotAllowed,
                error.to_string(),
                "Nothing was imported. Give it unopened to the institution that it is for.",
            ),
            ParcelError::Newer => Self::new(
                Code::Integrity,
                error.to_string(),
                "Nothing was imported. Update this software, then read it again.",
            ),
            ParcelError::Io(_) | ParcelError::Full => Self::storage(error.to_string()),
            ParcelError::NotAParcel | ParcelError::Damaged(_) => Self::integrity(error.to_string()),
        }
    }
}

/// Adds up what several batches brought.
#[derive(Default)]
struct Tally {
    records: BTreeSet<seal::RecordId>,
    entries: u64,
    refused: Vec<Refusal>,
}

impl Tally {
    fn add(&mut self, ingested: Ingested) {
        self.entries += ingested.entries as u64;
        self.records.extend(ingested.touched);
        self.refused.extend(ingested.refused.into_iter().map(|refused| Refusal { reason: refused.reason }));
    }
    fn moved(&self) -> Moved {
        // Records that only a roster touched brought no entry.
        let records = if self.entries == 0 { 0 } else { self.records.len() as u64 };
        Moved { records, entries: self.entries }
    }
}

impl Desk {
    fn check_member(&self) -> Result<()> {
        let roster = self.roster();
        self.me(&roster).map(|_| ())
    }

    /// A receiver of "something changed here", for conversations that stay.
    pub(crate) fn live(&self) -> broadcast::Receiver<()> {
        let (to, receiver) = broadcast::channel(16);
        let mut changes = self.vault().subscribe();
        tokio::spawn(async move {
            loop {
                match changes.recv().await {
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        if to.send(()).is_err() {
                            return;
                        }
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        });
        receiver
    }

    /// Answers other devices on the LAN until `stop` completes; `ready` is told address and endpoint id.
    pub async fn serve(
        &self,
        listen: SocketAddr,
        ready: impl FnOnce(SocketAddr, &str),
        stop: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        self.check_member()?;
        let server = lan::Server::bind(listen, &self.inner.keys.network).await?;
        ready(server.address().unwrap_or(listen), &server.id());
        let desk = self.clone();
        server.run(self.as_store(Origin::Lan), move || desk.live(), stop).await;
        Ok(())
    }

    /// One conversation with a device on the LAN; with `watch`, it stays until the peer leaves.
    pub async fn sync_peer(&self, peer: SocketAddr, watch: bool) -> Result<SyncReport> {
        self.check_member()?;
        let store = self.as_store(Origin::Lan);
        let live = watch.then(|| self.live());
        let report = lan::call(peer, &self.inner.keys.network, store.as_ref(), live).await?;
        self.note_contact().await?;
        let received = report.summary.received;
        Ok(SyncReport {
            received: Moved { records: received.records, entries: received.entries },
            sent: Moved { records: report.summary.sent_records, entries: report.summary.sent_entries },
            refused: received.refused.into_iter().map(|reason| Refusal { reason }).collect(),
            bytes: Bytes { r#in: report.bytes_in, out: report.bytes_out },
        })
    }

    /// One exchange through a relay: posts what is new to each mailbox, takes in what lies in ours.
    pub async fn sync_relay(&self, url: &str, token: Option<&str>) -> Result<SyncReport> {
        self.check_member()?;
        let client = self.connect_relay(url, token).await?;
        let report = self.exchange_with(&client).await;
        client.close().await;
        let report = report?;
        self.note_contact().await?;
        Ok(report)
    }

    async fn connect_relay(&self, url: &str, token: Option<&str>) -> Result<RelayClient> {
        let mut options = ConnectOptions::default();
        if let Some(token) = token {
            options.operation_tag =
                OperationTag::new(token).map_err(|_| DeskError::usage("the access token is too long"))?;
        }
        Ok(RelayClient::connect(url, &options).await?)
    }

    async fn exchange_with(&self, client: &RelayClient) -> Result<SyncReport> {
        self.publish_mailboxes().await?;
        let mut sent = self.post_all(client).await?;
        let tally = self.read_all(client).await?;
        self.receive_referrals(&tally.records.iter().copied().collect::<Vec<_>>()).await?;
        // What answering made, such as "received", goes out at once.
        let more = self.post_all(client).await?;
        sent.records += more.records;
        sent.entries += more.entries;
        let traffic = client.traffic();
        Ok(SyncReport {
            received: tally.moved(),
            sent,
            refused: tally.refused,
            bytes: Bytes { r#in: traffic.bytes_in, out: traffic.bytes_out },
        })
    }

    /// Everyone who has a mailbox that this device may write to.
    fn correspondents(&self) -> Vec<(Audience, bool)> {
        let roster = self.roster();
        let mut all: Vec<(Audience, bool)> =
            roster.agencies().into_iter().map(|agency| (Audience::Agency(agency.record.id), true)).collect();
        // Field devices have no agency key: they read what they made at a mailbox of their own.
        let devices = roster.devices().filter(|device| !device.is_desk() && device.revoked.is_none());
        all.extend(devices.map(|device| (Audience::Device(device.id), false)));
        all.retain(|(member, desk)| {
            // A desk's own agency has other desks too, which read the same mailbox.
            !is_own(self, member) || (*desk && self.has_fellow_desks())
        });
        all
    }

    fn has_fellow_desks(&self) -> bool {
        let roster = self.roster();
        roster
            .devices()
            .any(|d| d.agency == *self.agency() && d.id != self.device() && d.is_desk() && d.revoked.is_none())
            || !roster.device(&self.device()).is_some_and(logbook::roster::Device::is_desk)
    }

    async fn post_all(&self, client: &RelayClient) -> Result<Moved> {
        let week = week_of(moment::now().wall_ms);
        let roster = self.roster();
        let store = seal::id::to_hex(&client.store());
        let mut sent = Moved { records: 0, entries: 0 };
        for (member, desk) in self.correspondents() {
            let owner = match &member {
                Audience::Agency(id) => MailboxOwner::Agency(id.clone()),
                Audience::Device(id) => MailboxOwner::Device(*id),
            };
            let Some(public) = roster.mailbox(&owner, week) else { continue };
            let name = match &member {
                Audience::Agency(id) => format!("posted:{store}:a:{id}"),
                Audience::Device(id) => format!("posted:{store}:d:{id}"),
            };
            let moved = self.post_to(client, &member, desk, public, &name).await?;
            sent.records += moved.records;
            sent.entries += moved.entries;
        }
        Ok(sent)
    }

    async fn post_to(
        &self,
        client: &RelayClient,
        member: &Audience,
        desk: bool,
        public: (Recipient, [u8; 32]),
        cursor: &str,
    ) -> Result<Moved> {
        let tag = mailbox::tag_of(&public);
        let mut after = self.vault().cursor(cursor).await?;
        let from = after;
        let mut moved = Moved { records: 0, entries: 0 };
        loop {
            let device = if let Audience::Device(id) = member { Some(*id) } else { None };
            let query = OutQuery { to: member.clone(), device, desk, after, through: Way::Relay, limit: PAGE };
            let page = self.vault().outgoing(&query).await?;
            let (out, records, entries) = frames(page.items);
            let mut packer = Packer::new(public.0.clone());
            for frame in &out {
                packer.add(frame)?;
            }
            for batch in packer.finish()? {
                client.post(tag, batch).await?;
            }
            moved.records += records;
            moved.entries += entries;
            after = page.next;
            // The cursor moves once the relay has made the page durable.
            self.vault().put_cursor(cursor, after).await?;
            if page.done {
                break;
            }
        }
        for (address, total) in self.vault().blobs_for(member, None, from).await? {
            self.post_blob(client, tag, &public.0, address, total, cursor).await?;
        }
        Ok(moved)
    }

    /// Posts an exhibit once per mailbox, part by part.
    async fn post_blob(
        &self,
        client: &RelayClient,
        tag: exchange::relay::mailbox::MailboxTag,
        to: &Recipient,
        address: seal::BlobAddress,
        total: u64,
        mailbox: &str,
    ) -> Result<()> {
        let name = format!("{mailbox}:blob:{address}");
        let mut offset = self.vault().cursor(&name).await? as u64;
        while offset < total {
            let bytes = self.vault().read_blob_part(&address, offset, MAX_PART).await?;
            if bytes.is_empty() {
                break;
            }
            let next = offset + bytes.len() as u64;
            let mut packer = Packer::new(to.clone());
            packer.add(&Frame::BlobPart { address, offset, total, bytes })?;
            for batch in packer.finish()? {
                client.post(tag, batch).await?;
            }
            offset = next;
            self.vault().put_cursor(&name, offset as i64).await?;
        }
        Ok(())
    }

    /// The seeds of the mailboxes that this device reads.
    fn own_mailboxes(&self) -> Vec<(&'static str, [u8; 32])> {
        let keys = &self.inner.keys;
        let mut seeds = vec![("device", keys.device_mailbox)];
        seeds.extend(keys.agency_mailbox.map(|seed| ("agency", seed)));
        seeds
    }

    async fn read_all(&self, client: &RelayClient) -> Result<Tally> {
        let now = week_of(moment::now().wall_ms);
        let mut tally = Tally::default();
        for (name, seed) in self.own_mailboxes() {
            // The week before ours too: another clock may already stand in the next.
            for week in now.saturating_sub(PAST_WEEKS)..=now + 1 {
                let keys = MailboxKeys::derive(&seed, week)?;
                self.read_mailbox(client, name, week, &keys, &mut tally).await?;
            }
        }
        Ok(tally)
    }

    async fn read_mailbox(
        &self,
        client: &RelayClient,
        name: &str,
        week: u32,
        keys: &MailboxKeys,
        tally: &mut Tally,
    ) -> Result<()> {
        let store = seal::id::to_hex(&client.store());
        let cursor = format!("read:{store}:{name}:{week}");
        let reading = keys.read_keys();
        let mut after = self.vault().cursor(&cursor).await? as u64;
        loop {
            let page = client.read(&reading, after, 64).await?;
            for item in &page.items {
                self.take_batch(&item.batch, keys, tally).await?;
                self.vault().put_cursor(&cursor, item.seq as i64).await?;
            }
            after = page.next;
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Takes one sealed batch in; one that does not open is reported and skipped.
    async fn take_batch(&self, batch: &[u8], keys: &MailboxKeys, tally: &mut Tally) -> Result<()> {
        let operation = self.roster().operation().unwrap_or(seal::OperationId([0; 32]));
        let taken = match mailbox::open(batch, keys, &operation) {
            Ok(taken) => taken,
            Err(error) => {
                tally.refused.push(Refusal { reason: error.to_string() });
                return Ok(());
            }
        };
        let (parts, rest): (Vec<Frame>, Vec<Frame>) =
            taken.into_iter().partition(|frame| matches!(frame, Frame::BlobPart { .. }));
        if !rest.is_empty() {
            tally.add(self.take_frames(rest, Origin::Relay).await?);
        }
        for part in parts {
            let store = self.as_store(Origin::Relay);
            store.take_blob(part).await.map_err(|error| DeskError::storage(error.to_string()))?;
        }
        Ok(())
    }

    /// Stays with a relay: posts what is new the moment it is durable here, takes in what arrives the
    /// moment it is durable there. Ends with the connection's end, or when `stop` completes.
    pub async fn watch_relay(
        &self,
        url: &str,
        token: Option<&str>,
        connected: impl Fn(&SyncReport),
        stop: impl Future<Output = ()>,
    ) -> Result<()> {
        self.check_member()?;
        let client = self.connect_relay(url, token).await?;
        connected(&self.exchange_with(&client).await?);
        self.note_contact().await?;
        let mut changes = self.live();
        let (arrived, mut arrivals) = tokio::sync::mpsc::channel(64);
        let store = seal::id::to_hex(&client.store());
        let now = week_of(moment::now().wall_ms);
        let mut mailboxes = BTreeMap::new();
        let mut tasks = tokio::task::JoinSet::new();
        for (name, seed) in self.own_mailboxes() {
            for week in [now, now + 1] {
                let keys = MailboxKeys::derive(&seed, week)?;
                let cursor = format!("read:{store}:{name}:{week}");
                let after = self.vault().cursor(&cursor).await? as u64;
                let mut subscription = client.subscribe(&keys.read_keys(), after);
                mailboxes.insert((name, week), (keys, cursor));
                let arrived = arrived.clone();
                tasks.spawn(async move {
                    loop {
                        let item = subscription.next().await;
                        let over = item.is_err();
                        if arrived.send(((name, week), item)).await.is_err() || over {
                            return;
                        }
                    }
                });
            }
        }
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = changes.recv() => { self.post_all(&client).await?; }
                Some((mailbox, item)) = arrivals.recv() => {
                    let item = item?;
                    let Some((keys, cursor)) = mailboxes.get(&mailbox) else { continue };
                    let mut tally = Tally::default();
                    self.take_batch(&item.batch, keys, &mut tally).await?;
                    self.vault().put_cursor(cursor, item.seq as i64).await?;
                    let touched: Vec<_> = tally.records.iter().copied().collect();
                    self.receive_referrals(&touched).await?;
                    self.note_contact().await?;
                }
            }
        }
        drop(tasks);
        client.close().await;
        Ok(())
    }

    /// The recipients and the audience that a parcel's addressee means.
    fn addressee(&self, name: &str) -> Result<(Audience, Vec<Recipient>, bool)> {
        let roster = self.roster();
        if let Ok(id) = name.parse::<AgencyId>()
            && let Some(agency) = roster.agency(&id)
        {
            let newest = agency.key_epochs.into_iter().last().map(|(_, recipient)| recipient);
            return Ok((Audience::Agency(id), newest.into_iter().collect(), true));
        }
        let id = self.find_device(name)?;
        let device = roster.device(&id).ok_or_else(|| DeskError::not_found("device", name))?;
        let peer = self.peer_of(device);
        Ok((peer.audience(), vec![device.recipient.clone()], peer.desk))
    }

    /// Writes a parcel: everything that the addressee has not acknowledged.
    pub async fn write_parcel(&self, to: &str, out: &Path) -> Result<ParcelReport> {
        self.check_member()?;
        let (audience, recipients, desk) = self.addressee(to)?;
        let after = self.acknowledged_by(&audience).await?;
        let roster = self.roster();
        let operation = roster.operation().ok_or_else(|| DeskError::not_allowed("there is no operation here yet"))?;
        let up_to = self.vault().stats().await?.seq;
        let head = Head {
            operation: operation_tag(&operation),
            from: self.device(),
            store: self.vault().store_id(),
            after: after as u64,
            up_to: up_to as u64,
            made_ms: moment::now().wall_ms,
        };
        let folder = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let temporary = folder.join(format!(".parcel.part-{}", seal::id::to_hex(&moment::random::<4>())));
        let written = self.fill_parcel(&temporary, &audience, &recipients, desk, &head).await;
        let done = written.and_then(|report| {
            std::fs::rename(&temporary, out)?;
            Ok(report)
        });
        if done.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        done
    }

    async fn fill_parcel(
        &self,
        path: &Path,
        audience: &Audience,
        recipients: &[Recipient],
        desk: bool,
        head: &Head,
    ) -> Result<ParcelReport> {
        let file = std::fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        let mut writer = ParcelWriter::start(std::io::BufWriter::new(file), recipients, head)?;
        let device = if let Audience::Device(id) = audience { Some(*id) } else { None };
        let mut after = head.after as i64;
        let mut sent = Moved { records: 0, entries: 0 };
        loop {
            let query = OutQuery { to: audience.clone(), device, desk, after, through: Way::Direct, limit: PAGE };
            let page = self.vault().outgoing(&query).await?;
            let (out, records, entries) = frames(page.items);
            for frame in &out {
                writer.add(frame)?;
            }
            sent.records += records;
            sent.entries += entries;
            after = page.next;
            if page.done {
                break;
            }
        }
        for (address, total) in self.vault().blobs_for(audience, device.as_ref(), head.after as i64).await? {
            let mut offset = 0;
            while offset < total {
                let bytes = self.vault().read_blob_part(&address, offset, MAX_PART).await?;
                if bytes.is_empty() {
                    return Err(DeskError::integrity("an exhibit on this device is shorter than its entry says"));
                }
                let next = offset + bytes.len() as u64;
                writer.add(&Frame::BlobPart { address, offset, total, bytes })?;
                offset = next;
            }
        }
        for ack in self.acks_to_carry().await? {
            writer.add(&Frame::Ack(ack))?;
        }
        let file = writer.finish()?.into_inner().map_err(|error| DeskError::from(error.into_error()))?;
        file.sync_all()?;
        let size = file.metadata()?.len();
        Ok(ParcelReport { received: Moved { records: 0, entries: 0 }, sent, refused: Vec::new(), size })
    }

    /// How far the addressee has signed that it holds this store: the least of its devices that ever
    /// acknowledged, since a parcel may be opened by any of them.
    async fn acknowledged_by(&self, audience: &Audience) -> Result<i64> {
        let roster = self.roster();
        let acks = self.vault().acks().await?;
        let theirs = acks.iter().filter(|(device, ..)| match audience {
            Audience::Agency(id) => roster.device(device).is_some_and(|d| d.agency == *id && d.is_desk()),
            Audience::Device(id) => device == id,
        });
        let desks = match audience {
            Audience::Agency(id) => {
                roster.devices().filter(|d| d.agency == *id && d.is_desk() && d.revoked.is_none()).count()
            }
            Audience::Device(_) => 1,
        };
        let held: Vec<i64> = theirs.map(|(_, up_to, _)| *up_to).collect();
        Ok(if held.len() < desks { 0 } else { held.into_iter().min().unwrap_or(0) })
    }

    /// Signed acknowledgements of every store that this one has taken something from.
    async fn acks_to_carry(&self) -> Result<Vec<exchange::frame::Ack>> {
        let held = self.vault().cursors("from:").await?;
        let store = self.as_store(Origin::Parcel);
        let acks = held.into_iter().filter_map(|(name, up_to)| {
            let from = name.strip_prefix("from:")?.parse().ok()?;
            Some(store.ack(from, u64::try_from(up_to).ok()?))
        });
        Ok(acks.collect())
    }

    /// Takes a parcel in: whole, or not at all.
    pub async fn read_parcel(&self, file: &Path) -> Result<ParcelReport> {
        self.check_member()?;
        let operation = self.roster().operation().unwrap_or(seal::OperationId([0; 32]));
        let opened = std::fs::File::open(file)?;
        let size = opened.metadata()?.len();
        let identities = self.identities();
        let identities: Vec<&Identity> = identities.iter().collect();
        // The first pass checks all of it and takes in nothing.
        parcel::read(std::io::BufReader::new(&opened), &identities, &operation, |_, _| Ok(()))?;
        let (to, mut from) = tokio::sync::mpsc::channel::<(Head, Frame)>(64);
        let path = file.to_owned();
        let reading = {
            let identities = self.identities();
            tokio::task::spawn_blocking(move || {
                let identities: Vec<&Identity> = identities.iter().collect();
                let file = std::io::BufReader::new(std::fs::File::open(path)?);
                parcel::read(file, &identities, &operation, |head, frame| {
                    to.blocking_send((head.clone(), frame)).map_err(|_| ParcelError::Io("it was given up".into()))
                })
            })
        };
        let tally = self.take_parcel(&mut from).await;
        drop(from);
        let head = reading.await.map_err(|_| DeskError::storage("reading the parcel was interrupted"))?;
        let tally = tally?;
        let head = head?;
        self.finish_parcel(&head).await?;
        self.receive_referrals(&tally.records.iter().copied().collect::<Vec<_>>()).await?;
        self.note_contact().await?;
        Ok(ParcelReport {
            received: tally.moved(),
            sent: Moved { records: 0, entries: 0 },
            refused: tally.refused,
            size,
        })
    }

    fn identities(&self) -> Vec<Identity> {
        let keys = &self.inner.keys;
        let mut identities = vec![keys.recipient.clone()];
        identities.extend(keys.agency.iter().rev().map(|(_, identity)| identity.clone()));
        identities
    }

    async fn take_parcel(&self, from: &mut tokio::sync::mpsc::Receiver<(Head, Frame)>) -> Result<Tally> {
        let mut tally = Tally::default();
        let store: Arc<crate::store::DeskStore> = self.as_store(Origin::Parcel);
        let mut pending = Vec::new();
        while let Some((_, frame)) = from.recv().await {
            match frame {
                Frame::BlobPart { .. } => {
                    tally.add(self.take_frames(std::mem::take(&mut pending), Origin::Parcel).await?);
                    store.take_blob(frame).await.map_err(|error| DeskError::storage(error.to_string()))?;
                }
                Frame::Ack(ack) => self.take_ack(ack).await?,
                Frame::Batch(_) => {
                    pending.push(frame);
                    // One transaction per batch frame bounds memory; all of it was verified before.
                    tally.add(self.take_frames(std::mem::take(&mut pending), Origin::Parcel).await?);
                }
                other => pending.push(other),
            }
        }
        if !pending.is_empty() {
            tally.add(self.take_frames(pending, Origin::Parcel).await?);
        }
        Ok(tally)
    }

    /// Keeps an acknowledgement of this store by a device that the roster knows.
    async fn take_ack(&self, ack: exchange::frame::Ack) -> Result<()> {
        let known = self.roster().device(&ack.by).is_some_and(|device| device.revoked.is_none());
        let ours = ack.store == self.vault().store_id() && ack.by != self.device();
        let end = self.vault().stats().await?.seq;
        if known && ours && ack.holds() && ack.up_to <= end as u64 {
            self.vault().put_ack(&ack.by, ack.up_to as i64, ack.at_ms).await?;
        }
        Ok(())
    }

    /// A parcel that continues what was taken from its writer moves the cursor.
    async fn finish_parcel(&self, head: &Head) -> Result<()> {
        let name = format!("from:{}", head.store);
        let held = self.vault().cursor(&name).await?;
        if held as u64 >= head.after && head.up_to > held as u64 {
            self.vault().put_cursor(&name, head.up_to as i64).await?;
        }
        Ok(())
    }

    /// What a parcel is: its size, and, where it is for this device, who wrote it.
    pub fn inspect_parcel(&self, file: &Path) -> Result<ParcelReport> {
        let mut opened = std::io::BufReader::new(std::fs::File::open(file)?);
        let size = parcel::check_outside(&mut opened)?;
        let nothing = Moved { records: 0, entries: 0 };
        Ok(ParcelReport { received: nothing.clone(), sent: nothing, refused: Vec::new(), size })
    }
}
