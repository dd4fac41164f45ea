//! Evidence: in, out, and from hand to hand.

use std::io::{Read, Write};
use std::path::Path;

use logbook::action::{Action, Custody, CustodyAct, Exhibit};
use logbook::record_state::ExhibitState;
use logbook::{AgencyId, Record};
use seal::{EntryId, Hash32, Identity};
use serde::Serialize;

use crate::error::{DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::wire::ExhibitReport;

/// One half of a handover.
#[derive(Debug, Clone, Serialize)]
pub struct CustodyReport {
    /// The entry that states it.
    pub entry: String,
    /// The exhibit's id.
    pub exhibit: String,
    /// SHA-256 of the original.
    pub sha256: String,
    /// SHA-512 of the original.
    pub sha512: String,
    /// Bytes.
    pub size: u64,
}

impl Desk {
    /// Adds a file, bytes untouched.
    pub async fn add_exhibit_file(
        &self,
        record: &str,
        file: &Path,
        description: Option<String>,
    ) -> Result<ExhibitReport> {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let opened = std::fs::File::open(file)?;
        if !opened.metadata()?.is_file() {
            return Err(DeskError::usage("an exhibit is a file, not a folder"));
        }
        self.add_exhibit(record, &name, description, opened).await
    }

    /// Adds bytes as an exhibit: sealed, addressed, signed; durable when this returns.
    pub async fn add_exhibit(
        &self,
        record: &str,
        name: &str,
        description: Option<String>,
        from: impl Read + Send + 'static,
    ) -> Result<ExhibitReport> {
        let record = self.find("record", record).await?;
        let blob = self.vault().put_blob(from).await?;
        let exhibit = Exhibit {
            name: name.to_owned(),
            description: description.filter(|text| !text.trim().is_empty()),
            size: blob.original.size,
            sha256: Hash32(blob.original.sha256),
            sha512: seal::id::to_hex(&blob.original.sha512),
            address: blob.address,
            sealed_size: blob.sealed_size,
            identity: blob.identity.to_secret_str().to_string(),
            acquired_ms: moment::now().wall_ms,
        };
        Action::Exhibit(exhibit.clone()).validate().map_err(|error| DeskError::usage(error.to_string()))?;
        let report = ExhibitReport {
            exhibit: String::new(),
            sha256: exhibit.sha256.to_string(),
            sha512: exhibit.sha512.clone(),
            size: exhibit.size,
        };
        let done = self.state(record.id(), Action::Exhibit(exhibit), Self::WORK).await?;
        Ok(ExhibitReport { exhibit: done.entry.to_string(), ..report })
    }

    pub(crate) async fn find_exhibit(
        &self,
        record: &str,
        exhibit: &str,
    ) -> Result<(std::sync::Arc<Record>, EntryId, ExhibitState)> {
        let record = self.find("record", record).await?;
        let fits: Vec<EntryId> = record
            .state()
            .exhibits
            .iter()
            .filter(|(id, held)| {
                id.to_string() == exhibit
                    || held.exhibit.name == exhibit
                    || (exhibit.len() >= 4 && id.to_string().starts_with(exhibit))
            })
            .map(|(id, _)| *id)
            .collect();
        match fits.as_slice() {
            [one] => {
                let held = record.state().exhibits.get(one).cloned();
                let held = held.ok_or_else(|| DeskError::not_found("exhibit", exhibit))?;
                Ok((record.clone(), *one, held))
            }
            [] => Err(DeskError::not_found("exhibit", exhibit)),
            many => Err(DeskError::ambiguous(exhibit, &many.iter().map(ToString::to_string).collect::<Vec<_>>())),
        }
    }

    /// Writes the original out, once its hashes hold.
    pub async fn get_exhibit(&self, record: &str, exhibit: &str, out: &Path) -> Result<ExhibitReport> {
        let (_, id, held) = self.find_exhibit(record, exhibit).await?;
        let folder = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let temporary = folder.join(format!(".exhibit.part-{}", seal::id::to_hex(&moment::random::<4>())));
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let done = self.write_original(&held, file);
        let finished = done.and_then(|()| Ok(std::fs::rename(&temporary, out)?));
        if finished.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        finished?;
        Ok(ExhibitReport {
            exhibit: id.to_string(),
            sha256: held.exhibit.sha256.to_string(),
            sha512: held.exhibit.sha512.clone(),
            size: held.exhibit.size,
        })
    }

    /// Opens an exhibit into a writer; fails unless size and both hashes hold.
    pub(crate) fn write_original(&self, held: &ExhibitState, mut to: impl Write) -> Result<()> {
        let sealed = std::fs::File::open(self.vault().blob_path(&held.exhibit.address)).map_err(|_| {
            DeskError::new(
                crate::error::Code::NotFound,
                "the exhibit's bytes are not on this device yet",
                "The entry with its hashes is here. Exchange with a device that holds them.",
            )
        })?;
        let identity = Identity::from_secret_str(&held.exhibit.identity)?;
        let found = seal::blob::open_stream(&identity, std::io::BufReader::new(sealed), &mut to)?;
        to.flush()?;
        let holds = found.size == held.exhibit.size
            && Hash32(found.sha256) == held.exhibit.sha256
            && seal::id::to_hex(&found.sha512) == held.exhibit.sha512;
        if holds { Ok(()) } else { Err(DeskError::integrity("the exhibit's bytes do not match its entry")) }
    }

    /// Hands an exhibit over (`to`), or takes it over.
    pub async fn custody(
        &self,
        record: &str,
        exhibit: &str,
        to: Option<&str>,
        remark: Option<String>,
    ) -> Result<CustodyReport> {
        let (record, id, held) = self.find_exhibit(record, exhibit).await?;
        let (act, with) = match to {
            Some(to) => {
                let to: AgencyId = to.parse().map_err(|_| DeskError::not_found("institution", to))?;
                if self.roster().agency(&to).is_none() {
                    return Err(DeskError::not_found("institution", to.as_str()));
                }
                (CustodyAct::TransferredOut, to)
            }
            None => (CustodyAct::TransferredIn, held.holder.clone()),
        };
        let action = Action::Custody(Custody { exhibit: id, act, with: Some(with), remark });
        let done = self.state(record.id(), action, Self::WORK).await?;
        Ok(CustodyReport {
            entry: done.entry.to_string(),
            exhibit: id.to_string(),
            sha256: held.exhibit.sha256.to_string(),
            sha512: held.exhibit.sha512.clone(),
            size: held.exhibit.size,
        })
    }
}
