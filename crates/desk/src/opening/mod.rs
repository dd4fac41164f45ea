//! Opening a dossier that was sealed to this institution or device.
//!
//! Whoever knows the public key of an institution can seal something to it: what comes out is not
//! trusted. It is opened in a private folder beside its place, listed and checked as a bag, and only
//! then moved to its place, whole.

mod reading;

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use dossier::archive::{ArchiveError, Tree, unpack};
use dossier::bag::{BagError, Rules, examine};
use dossier::{TrustFile, Verdict};
use seal::{Identity, SealError};
use serde::Serialize;

use crate::error::{Code, DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::staging::{Staging, private_dir};

pub use reading::read_dossier_by;

/// A dossier that was opened.
#[derive(Debug, Clone, Serialize)]
pub struct OpenedDossier {
    /// Its folder.
    pub dossier: String,
    /// `INTACT`, `INTACT, WITH GAPS` or `NOT INTACT`, by the roster of this device; absent where the
    /// device is part of no operation.
    pub verdict: Option<String>,
    /// Up to when that roster is known.
    pub as_of: Option<String>,
    /// Entries in it.
    pub entries: u64,
    /// Exhibits in it, as they were acquired.
    pub exhibits: u64,
    /// What is wrong, in words.
    pub problems: Vec<String>,
}

impl Desk {
    /// Opens a sealed dossier into a new folder `out`: whole, or not at all.
    pub async fn open_dossier(&self, sealed: &Path, out: &Path) -> Result<OpenedDossier> {
        let (desk, sealed, out) = (self.clone(), sealed.to_owned(), out.to_owned());
        let work = move || {
            desk.unsealed_into(&sealed, &out)?;
            let judged = desk.own_trust().map(|trust| dossier::verify(&out, &trust));
            Ok(opened(&out, judged))
        };
        apart(work).await
    }

    /// Opens a sealed dossier; what comes out is not judged.
    fn unsealed_into(&self, sealed: &Path, out: &Path) -> Result<()> {
        let (parent, name) = place_for(out)?;
        let file = File::open(sealed)?;
        if !file.metadata()?.is_file() {
            return Err(DeskError::usage("a sealed dossier is a file; a folder can be read as it is"));
        }
        let keys = &self.inner.keys;
        let mut identities = vec![&keys.recipient];
        identities.extend(keys.agency.iter().rev().map(|(_, identity)| identity));
        // Before a byte is written: a wrong recipient leaves no trace.
        let plain = unsealed(&identities, file)?;
        let staging = Staging::make(&parent, &name)?;
        let (tar, folder) = (staging.join("dossier.tar"), staging.join("dossier"));
        copy(plain, &tar)?;
        let tree = Tree::open(&tar).map_err(refused)?;
        let findings = examine(&tree, Rules::Dossier, |_| false).map_err(unsound)?;
        if let Some(problem) = findings.problems.first() {
            return Err(damaged(&format!("the dossier does not hold: {}: {}", problem.path, problem.what)));
        }
        private_dir(&folder)?;
        unpack(&tree, &folder).map_err(refused)?;
        if out.exists() {
            // Seen to be an empty folder; this fails if something came meanwhile.
            std::fs::remove_dir(out)?;
        }
        Ok(std::fs::rename(&folder, out)?)
    }

    /// This device's own roster as a trust file: it came another way than any dossier.
    fn own_trust(&self) -> Option<Vec<u8>> {
        Some(TrustFile::new(&self.roster(), moment::now().wall_ms)?.to_json())
    }
}

/// Does what reads much, away from what answers.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| DeskError::storage("reading the dossier was interrupted"))?
}

fn opened(folder: &Path, judged: Option<Verdict>) -> OpenedDossier {
    let problems = judged.iter().flat_map(|verdict| &verdict.problems);
    OpenedDossier {
        dossier: folder.display().to_string(),
        verdict: judged.as_ref().map(|verdict| verdict.verdict.title().to_owned()),
        as_of: judged.as_ref().and_then(|verdict| verdict.as_of.clone()),
        entries: judged.as_ref().map_or(0, |verdict| verdict.entries as u64),
        exhibits: judged.as_ref().map_or(0, |verdict| verdict.exhibits as u64),
        problems: problems.map(|problem| format!("{}: {}", problem.path, problem.what)).collect(),
    }
}

/// Parent and name of a folder that does not exist, or is empty.
fn place_for(out: &Path) -> Result<(PathBuf, String)> {
    let name = out.file_name().ok_or_else(|| DeskError::usage("the path names no folder"))?;
    let is_free = match std::fs::read_dir(out) {
        Ok(mut items) => items.next().is_none(),
        Err(error) => error.kind() == ErrorKind::NotFound && out.symlink_metadata().is_err(),
    };
    if !is_free {
        return Err(DeskError::usage(format!("{} exists and is no empty folder", out.display())));
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((parent.to_owned(), name.to_string_lossy().into_owned()))
}

fn unsealed(identities: &[&Identity], file: File) -> Result<impl Read + use<>> {
    seal::wrap::open_reader(identities, BufReader::new(file)).map_err(|error| match error {
        SealError::NoKey => DeskError::new(
            Code::NotAllowed,
            "this dossier is not sealed to this institution or device",
            "Nothing was written. Give it unopened to whom it is for; if it is for you, its first bytes are damaged: ask for a new copy.",
        ),
        SealError::Malformed(_) => damaged("this is no sealed dossier, or its first bytes are damaged"),
        _ => damaged("the sealed dossier is damaged"),
    })
}

/// Copies what was unsealed: a failed read means damage, a failed write a full disk.
fn copy(mut from: impl Read, to: &Path) -> Result<()> {
    let mut out = File::create_new(to)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => out.write_all(&buffer[..read])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(damaged("the sealed dossier is damaged, or was cut short")),
        }
    }
    Ok(out.flush()?)
}

fn damaged(message: &str) -> DeskError {
    DeskError::new(
        Code::Integrity,
        message,
        "Nothing was written; what this device holds is untouched. Ask the sender for a new copy.",
    )
}

fn refused(error: ArchiveError) -> DeskError {
    match error {
        ArchiveError::Io { .. } => DeskError::storage(error.to_string()),
        other => damaged(&format!("what was sealed is no dossier: {other}")),
    }
}

fn unsound(error: BagError) -> DeskError {
    damaged(&format!("what was sealed is no dossier: {error}"))
}

#[cfg(test)]
mod tests;
