//! Carrying by parcel: one file on a stick.

use std::path::Path;

use exchange::frame::{Ack, MAX_PART, operation_tag, store_name};
use exchange::parcel::{self, Checked, Head, ParcelError, ParcelWriter};
use exchange::{Frame, Store};
use logbook::AgencyId;
use logbook::record_state::Audience;
use seal::{Identity, Recipient};
use vault::{Origin, OutQuery, Way};

use crate::carry::Tally;
use crate::error::{DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::store::{PAGE, frames};
use crate::wire::{Moved, ParcelReport};

impl Desk {
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
        for (address, total) in
            self.vault().blobs_for(audience, device.as_ref(), head.after as i64, Way::Direct).await?
        {
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
        let file = writer
            .finish_signed(&self.inner.keys.signing)?
            .into_inner()
            .map_err(|error| DeskError::from(error.into_error()))?;
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
            Audience::Agency(id) => {
                roster.device(device).is_some_and(|d| d.agency == *id && d.is_desk() && d.revoked.is_none())
            }
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
    async fn acks_to_carry(&self) -> Result<Vec<Ack>> {
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
        let checked = parcel::check(std::io::BufReader::new(&opened), &identities, &operation)?;
        let tally = self.import_parcel(opened, &checked).await?;
        let head = checked.head;
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

    /// Takes a checked parcel's frames in, as they are read.
    async fn import_parcel(&self, file: std::fs::File, checked: &Checked) -> Result<Tally> {
        let operation = self.roster().operation().unwrap_or(seal::OperationId([0; 32]));
        let (to, mut from) = tokio::sync::mpsc::channel::<Frame>(4);
        let (identities, checked) = (self.identities(), checked.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let identities: Vec<&Identity> = identities.iter().collect();
            parcel::import(std::io::BufReader::new(file), &identities, &operation, &checked, |frame| {
                to.blocking_send(frame).map_err(|_| ParcelError::Io("it was given up".into()))
            })
        });
        let tally = self.take_parcel(&mut from).await;
        drop(from);
        let read = reading.await.map_err(|_| DeskError::storage("reading the parcel was interrupted"))?;
        // What the vault says went wrong comes before the reader's word that it was given up.
        let tally = tally?;
        read?;
        Ok(tally)
    }

    async fn take_parcel(&self, from: &mut tokio::sync::mpsc::Receiver<Frame>) -> Result<Tally> {
        let mut tally = Tally::default();
        let store = self.as_store(Origin::Parcel);
        let mut pending = Vec::new();
        while let Some(frame) = from.recv().await {
            match frame {
                Frame::BlobPart { .. } => {
                    self.take_pending(&mut pending, &mut tally).await?;
                    store.take_blob(frame).await.map_err(|error| DeskError::storage(error.to_string()))?;
                }
                Frame::Ack(ack) => self.take_ack(ack).await?,
                Frame::Roster(_) | Frame::Wrap(..) | Frame::Batch(_) => {
                    // One transaction per batch bounds memory; all of it was verified before.
                    let full = matches!(frame, Frame::Batch(_)) || pending.len() >= PAGE;
                    pending.push(frame);
                    if full {
                        self.take_pending(&mut pending, &mut tally).await?;
                    }
                }
                // What belongs into a conversation says nothing in a parcel.
                _ => {}
            }
        }
        self.take_pending(&mut pending, &mut tally).await?;
        Ok(tally)
    }

    async fn take_pending(&self, pending: &mut Vec<Frame>, tally: &mut Tally) -> Result<()> {
        if !pending.is_empty() {
            tally.add(self.take_frames(std::mem::take(pending), Origin::Parcel, None).await?);
        }
        Ok(())
    }

    /// Keeps an acknowledgement of this store by a device that the roster knows.
    async fn take_ack(&self, ack: Ack) -> Result<()> {
        let known = self.roster().device(&ack.by).is_some_and(|device| device.revoked.is_none());
        let ours = ack.store == store_name(&self.device(), &self.vault().store_id()) && ack.by != self.device();
        let end = self.vault().stats().await?.seq;
        if known && ours && ack.holds() && ack.up_to <= end as u64 {
            self.vault().put_ack(&ack.by, ack.up_to as i64, ack.at_ms).await?;
        }
        Ok(())
    }

    /// A parcel that continues what was taken from its writer moves the cursor.
    async fn finish_parcel(&self, head: &Head) -> Result<()> {
        let name = format!("from:{}", store_name(&head.from, &head.store));
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
