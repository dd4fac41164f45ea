//! Carrying through a relay: what is new is posted to each reader's mailbox of this week, and what
//! lies in the own mailboxes is taken in.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange::Frame;
use exchange::Store;
use exchange::frame::MAX_PART;
use exchange::mailbox::{self, MailboxKeys, PAST_WEEKS, Packer, week_of};
use exchange::relay::client::{ClientError, ConnectOptions, RelayClient};
use exchange::relay::store::Item;
use exchange::relay::wire::OperationTag;
use logbook::record_state::Audience;
use logbook::roster::MailboxOwner;
use seal::Recipient;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use vault::{Origin, OutQuery, Way};

use crate::carry::Tally;
use crate::error::{DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::store::{PAGE, frames, is_own};
use crate::wire::{Bytes, Moved, SyncReport};

/// How often a standing connection looks whether a new week has begun.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);

/// A mailbox of ours in one week.
type Mailbox = (&'static str, u32);

/// Mailboxes that are being followed at a relay.
struct Following {
    /// Keys, and the name of the cursor.
    mailboxes: BTreeMap<Mailbox, (MailboxKeys, String)>,
    arrived: mpsc::Sender<(Mailbox, std::result::Result<Item, ClientError>)>,
    tasks: JoinSet<()>,
}

impl Desk {
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

    pub(crate) fn has_fellow_desks(&self) -> bool {
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
        let (from, mut kept) = (after, after);
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
            // The cursor moves once the relay has made the page durable. Over a short stretch that holds
            // nothing for this mailbox it stays: looking again costs less than a commit for everybody.
            if !out.is_empty() || page.next - kept > PAGE as i64 {
                kept = page.next;
                self.vault().put_cursor(cursor, kept).await?;
            }
            after = page.next;
            if page.done {
                break;
            }
        }
        for (address, total) in self.vault().blobs_for(member, None, from, Way::Relay).await? {
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
                tally.refuse([error.to_string()]);
                return Ok(());
            }
        };
        let (parts, rest): (Vec<Frame>, Vec<Frame>) =
            taken.into_iter().partition(|frame| matches!(frame, Frame::BlobPart { .. }));
        if !rest.is_empty() {
            tally.add(self.take_frames(rest, Origin::Relay, None).await?);
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
        let (arrived, mut arrivals) = mpsc::channel(64);
        let mut following = Following { mailboxes: BTreeMap::new(), arrived, tasks: JoinSet::new() };
        tokio::pin!(stop);
        loop {
            // A conversation may last through Sunday night: the next week is followed before it begins.
            self.follow(&client, &mut following).await?;
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(LOOK_AGAIN) => self.publish_mailboxes().await?,
                _ = changes.recv() => { self.post_all(&client).await?; }
                Some((mailbox, item)) = arrivals.recv() => {
                    let item = item?;
                    let Some((keys, cursor)) = following.mailboxes.get(&mailbox) else { continue };
                    let mut tally = Tally::default();
                    self.take_batch(&item.batch, keys, &mut tally).await?;
                    self.vault().put_cursor(cursor, item.seq as i64).await?;
                    let touched: Vec<_> = tally.records.iter().copied().collect();
                    self.receive_referrals(&touched).await?;
                    self.note_contact().await?;
                }
            }
        }
        drop(following);
        client.close().await;
        Ok(())
    }

    /// Follows this week's mailboxes and the next's, those that are not followed yet.
    async fn follow(&self, client: &RelayClient, following: &mut Following) -> Result<()> {
        let store = seal::id::to_hex(&client.store());
        let now = week_of(moment::now().wall_ms);
        for (name, seed) in self.own_mailboxes() {
            for week in [now, now + 1] {
                let mailbox: Mailbox = (name, week);
                if following.mailboxes.contains_key(&mailbox) {
                    continue;
                }
                let keys = MailboxKeys::derive(&seed, week)?;
                let cursor = format!("read:{store}:{name}:{week}");
                let after = self.vault().cursor(&cursor).await? as u64;
                let mut subscription = client.subscribe(&keys.read_keys(), after);
                following.mailboxes.insert(mailbox, (keys, cursor));
                let arrived = following.arrived.clone();
                following.tasks.spawn(async move {
                    loop {
                        let item = subscription.next().await;
                        let over = item.is_err();
                        if arrived.send((mailbox, item)).await.is_err() || over {
                            return;
                        }
                    }
                });
            }
        }
        Ok(())
    }
}
