//! Reading a dossier where it lies: what the verifier says of it, without a copy being made.

use std::io::Read;
use std::path::{Path, PathBuf};

use dossier::{TrustFile, trust};

use crate::error::{DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::wire::VerdictReport;

/// How every age file begins.
const SEALED: &[u8] = b"age-encryption.org/";

impl Desk {
    /// Judges a dossier by this device's own roster, which came another way. A sealed one is first opened
    /// into the new folder `out`; without that it is only said that it is sealed.
    pub async fn read_dossier(&self, path: &Path, out: Option<&Path>) -> Result<VerdictReport> {
        let trust = TrustFile::new(&self.roster(), moment::now().wall_ms)
            .ok_or_else(|| DeskError::not_allowed("this device is not part of an operation yet"))?
            .to_json();
        let mut place = path.to_owned();
        if is_sealed(path)? {
            let Some(out) = out else { return Ok(still_sealed(path)) };
            self.open_dossier(path, out).await?;
            place = out.to_owned();
        }
        judged(place, trust).await
    }
}

/// Judges a dossier by a trust file that came another way; needs no vault. What is sealed stays so:
/// its key is in a vault.
pub async fn read_dossier_by(path: &Path, trust_file: &Path) -> Result<VerdictReport> {
    if is_sealed(path)? {
        return Ok(still_sealed(path));
    }
    let mut trust = Vec::new();
    // One byte more than allowed is read, so that the parser refuses it.
    std::fs::File::open(trust_file)?.take(trust::MAX_TRUST_FILE + 1).read_to_end(&mut trust)?;
    judged(path.to_owned(), trust).await
}

async fn judged(place: PathBuf, trust: Vec<u8>) -> Result<VerdictReport> {
    let shown = place.display().to_string();
    let verdict = tokio::task::spawn_blocking(move || dossier::verify(&place, &trust))
        .await
        .map_err(|_| DeskError::storage("reading the dossier was interrupted"))?;
    Ok(VerdictReport {
        dossier: shown,
        verdict: verdict.verdict.title().to_owned(),
        as_of: verdict.as_of.clone(),
        lines: verdict.text().lines().map(str::to_owned).collect(),
    })
}

fn still_sealed(path: &Path) -> VerdictReport {
    VerdictReport { dossier: path.display().to_string(), verdict: "SEALED".into(), as_of: None, lines: Vec::new() }
}

fn is_sealed(path: &Path) -> Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    let mut first = Vec::new();
    std::fs::File::open(path)?.take(SEALED.len() as u64).read_to_end(&mut first)?;
    Ok(first == SEALED)
}
