//! Dossiers and trust files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use dossier::export::Original;
use dossier::{DossierSource, ExportError, SourceRecord, TrustFile};
use logbook::AgencyId;
use seal::{BlobAddress, EntryId, Identity};

use crate::error::{DeskError, Result};
use crate::files;
use crate::moment;
use crate::session::Desk;
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
        if seal && addressee.is_none() {
            return Err(DeskError::usage("name for whom it is sealed: --for AGENCY"));
        }
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
        let work = {
            let (desk, out) = (self.clone(), out.to_owned());
            let target = if seal { out.with_extension("dossier-folder") } else { out.clone() };
            move || {
                desk.write_dossier(
                    records,
                    links,
                    originals,
                    addressee,
                    &target,
                    if seal { Some(out.as_path()) } else { None },
                )
            }
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| DeskError::storage("writing the dossier was interrupted"))?
    }

    fn write_dossier(
        &self,
        records: Vec<SourceRecord>,
        links: Vec<(seal::Link, seal::Signature)>,
        originals: Vec<(EntryId, BlobAddress, String)>,
        addressee: Option<AgencyId>,
        target: &Path,
        sealed: Option<&Path>,
    ) -> Result<DossierReport> {
        let roster = self.roster();
        let exhibits: BTreeMap<EntryId, Original<'_>> = originals
            .into_iter()
            .map(|(id, address, identity)| {
                let held = original(&self.vault().blob_path(&address), &identity);
                let missing = || Original::Missing("its bytes were not on the exporting device".to_owned());
                (id, held.map_or_else(missing, Original::Here))
            })
            .collect();
        let source = DossierSource {
            records,
            roster: roster.as_ref(),
            links,
            exhibits,
            elsewhere: Vec::new(),
            redact: None,
            open_names: true,
            schemas: carried_schemas(),
            interop: Vec::new(),
            addressee: addressee.clone(),
            at_ms: moment::now().wall_ms,
            exporter: &self.inner.keys.signing,
            stamp: None,
        };
        let exported = dossier::export(source, target).map_err(|error| match error {
            ExportError::Bag(error) => DeskError::storage(error.to_string()),
            ExportError::Source(what) => DeskError::usage(what),
            ExportError::Exhibit(_) => DeskError::integrity(error.to_string()),
        })?;
        let mut place = exported.path.clone();
        if let (Some(sealed), Some(addressee)) = (sealed, addressee) {
            self.seal_folder(&exported.path, sealed, &addressee)?;
            std::fs::remove_dir_all(&exported.path)?;
            place = sealed.to_owned();
        }
        Ok(DossierReport {
            dossier: place.display().to_string(),
            entries: exported.entries as u64,
            exhibits: exported.exhibits as u64,
        })
    }

    fn seal_folder(&self, folder: &Path, out: &Path, addressee: &AgencyId) -> Result<()> {
        let agency = self.roster().agency(addressee);
        let to = agency.and_then(|agency| agency.key_epochs.last().map(|(_, recipient)| recipient.clone()));
        let to = to.ok_or_else(|| DeskError::not_found("institution", addressee.as_str()))?;
        let failed = |error: dossier::archive::ArchiveError| DeskError::storage(error.to_string());
        let tree = dossier::archive::Tree::open(folder).map_err(failed)?;
        let top = out.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "dossier".into());
        let file = std::io::BufWriter::new(std::fs::File::create(out)?);
        dossier::archive::write_sealed(&tree, &top, &[to], file).map_err(failed)
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
}
