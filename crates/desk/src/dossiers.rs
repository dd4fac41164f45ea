//! Dossiers and trust files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use dossier::export::Original;
use dossier::{DossierSource, ExportError, SourceRecord, TrustFile, layout};
use logbook::AgencyId;
use seal::{BlobAddress, EntryId, Identity, Recipient};

use crate::error::{DeskError, Result};
use crate::files;
use crate::moment;
use crate::session::Desk;
use crate::staging::Staging;
use crate::wire::{DossierReport, TrustReport};

/// A JSON schema that every dossier carries: what its entries may say.
fn carried_schemas() -> Vec<(String, Vec<u8>)> {
    let wanted = |path: &str| path.starts_with("entry/");
    let all = crate::schemas::all().into_iter().filter(|(path, _)| wanted(path));
    all.map(|(path, text)| (path.rsplit('/').next().unwrap_or(path).to_owned(), text.into_bytes())).collect()
}

/// An exhibit's original, opened as it is read: a sealed file is decrypted piece by piece.
fn original(path: &Path, identity: &str) -> Option<Box<dyn Read + 'static>> {
    let identity = Identity::from_secret_str(identity).ok()?;
    let file = std::fs::File::open(path).ok()?;
    let reader = seal::wrap::open_reader(&[&identity], std::io::BufReader::new(file)).ok()?;
    Some(Box::new(reader))
}

/// Seals a folder as one file, durable when this returns.
fn seal_folder(folder: &Path, out: &Path, top: &str, to: &Recipient) -> Result<()> {
    let failed = |error: dossier::archive::ArchiveError| DeskError::storage(error.to_string());
    let tree = dossier::archive::Tree::open(folder).map_err(failed)?;
    let file = std::fs::File::create_new(out)?;
    let writer = std::io::BufWriter::new(&file);
    dossier::archive::write_sealed(&tree, top, std::slice::from_ref(to), writer).map_err(failed)?;
    Ok(file.sync_all()?)
}

/// What goes into a dossier, gathered before the writing starts.
struct Parts {
    records: Vec<SourceRecord>,
    links: Vec<(seal::Link, seal::Signature)>,
    originals: Vec<(EntryId, BlobAddress, String)>,
    addressee: Option<AgencyId>,
}

/// One sealed dossier at a time in this process, which alone has the vault: so leftovers can be told.
static SEALING: Mutex<()> = Mutex::new(());

impl Desk {
    /// Writes a dossier of these records, signed by this device.
    pub async fn export_dossier(
        &self,
        names: &[String],
        out: &Path,
        addressee: Option<&str>,
        seal: bool,
    ) -> Result<DossierReport> {
        let roster = self.roster();
        let addressee: Option<AgencyId> = match addressee {
            Some(name) => {
                let id: AgencyId = name.parse().map_err(|_| DeskError::not_found("institution", name))?;
                roster.agency(&id).ok_or_else(|| DeskError::not_found("institution", name))?;
                Some(id)
            }
            None => None,
        };
        let to = match (&addressee, seal) {
            (Some(id), true) => Some(self.sealed_to(id)?),
            (None, true) => return Err(DeskError::usage("name for whom it is sealed: --for AGENCY")),
            (_, false) => None,
        };
        let (mut records, mut devices, mut originals) = (Vec::new(), BTreeSet::new(), Vec::new());
        for name in names {
            let record = self.find("record", name).await?;
            devices.extend(record.entries().iter().map(|entry| entry.opened.link.device));
            // From the entries, not from the fold: what is quarantined is handed over too, labelled.
            for judged in record.entries() {
                if let Some(logbook::Action::Exhibit(exhibit)) = judged.entry.as_ref().map(|entry| &entry.action) {
                    originals.push((judged.opened.id, exhibit.address, exhibit.identity.clone()));
                }
            }
            let entries = record.entries().iter().map(|entry| entry.opened.clone()).collect();
            records.push(SourceRecord { id: record.id(), entries });
        }
        let mut links = Vec::new();
        for device in devices {
            links.extend(self.vault().links_of(&device).await?);
        }
        let parts = Parts { records, links, originals, addressee };
        let (desk, out) = (self.clone(), out.to_owned());
        let work = move || match to {
            Some(to) => desk.write_sealed(parts, &out, &to),
            None => desk.write_dossier(parts, &out),
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| DeskError::storage("writing the dossier was interrupted"))?
    }

    /// An institution's newest key.
    fn sealed_to(&self, id: &AgencyId) -> Result<Recipient> {
        let agency = self.roster().agency(id);
        let newest = agency.and_then(|agency| agency.key_epochs.last().map(|(_, recipient)| recipient.clone()));
        newest.ok_or_else(|| DeskError::not_found("institution", id.as_str()))
    }

    fn write_dossier(&self, parts: Parts, target: &Path) -> Result<DossierReport> {
        let roster = self.roster();
        let exhibits: BTreeMap<EntryId, Original<'_>> = parts
            .originals
            .into_iter()
            .map(|(id, address, identity)| {
                let held = original(&self.vault().blob_path(&address), &identity);
                let missing = || Original::Missing("its bytes were not on the exporting device".to_owned());
                (id, held.map_or_else(missing, Original::Here))
            })
            .collect();
        let source = DossierSource {
            records: parts.records,
            roster: roster.as_ref(),
            links: parts.links,
            exhibits,
            elsewhere: Vec::new(),
            redact: None,
            open_names: true,
            schemas: carried_schemas(),
            interop: Vec::new(),
            addressee: parts.addressee,
            at_ms: moment::now().wall_ms,
            exporter: &self.inner.keys.signing,
            stamp: None,
        };
        let exported = dossier::export(source, target).map_err(|error| match error {
            ExportError::Bag(error) => DeskError::storage(error.to_string()),
            ExportError::Source(what) => DeskError::usage(what),
            ExportError::Exhibit(_) => DeskError::integrity(error.to_string()),
        })?;
        Ok(DossierReport {
            dossier: exported.path.display().to_string(),
            entries: exported.entries as u64,
            exhibits: exported.exhibits as u64,
        })
    }

    /// Writes a dossier that only its addressee can open.
    ///
    /// Its plain form is made inside the vault's folder: where the sealed file goes may be a stick,
    /// from which deleted files can be read again.
    fn write_sealed(&self, parts: Parts, out: &Path, to: &Recipient) -> Result<DossierReport> {
        let name = out.file_name().ok_or_else(|| DeskError::usage("the path names no file"))?.to_string_lossy();
        if out.symlink_metadata().is_ok() {
            return Err(DeskError::usage(format!("{} exists; choose another name", out.display())));
        }
        let _one = SEALING.lock().unwrap_or_else(PoisonError::into_inner);
        let staging = Staging::make_alone(self.dir(), "dossier")?;
        let folder = staging.join("dossier");
        let report = self.write_dossier(parts, &folder)?;
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let beside = Staging::make(parent, &name)?;
        let partial = beside.join("sealed");
        seal_folder(
            &folder,
            &partial,
            &layout::plain_name(&out.file_stem().unwrap_or_default().to_string_lossy()),
            to,
        )?;
        std::fs::rename(&partial, out)?;
        Ok(DossierReport { dossier: out.display().to_string(), ..report })
    }

    /// Writes the trust file: operation, roster to date.
    pub async fn export_trust(&self, out: &Path) -> Result<TrustReport> {
        let roster = self.roster();
        let now = moment::now().wall_ms;
        let trust = TrustFile::new(&roster, now)
            .ok_or_else(|| DeskError::not_allowed("this device is not part of an operation yet"))?;
        files::write(out, &trust.to_json())?;
        Ok(TrustReport {
            operation: trust.operation.to_string(),
            epoch: roster.epoch().map_or(0, |epoch| epoch.number),
            as_of: trust.as_of,
        })
    }

    /// Verifies the whole vault again; `progress` is told (done, of how many).
    pub async fn check(
        &self,
        rebuild: bool,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<crate::wire::CheckReport> {
        let check = self.vault().check(rebuild, &move |done, total| progress(done, total)).await?;
        Ok(crate::wire::CheckReport { entries: check.entries, records: check.records, problems: check.problems })
    }

    /// Verifies signatures, chains, contents and statuses alone; `progress` is told (done, of how many).
    pub async fn verify_trail(
        &self,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<crate::wire::CheckReport> {
        let check = self.vault().verify_trail(&move |done, total| progress(done, total)).await?;
        Ok(crate::wire::CheckReport { entries: check.entries, records: check.records, problems: check.problems })
    }
}
