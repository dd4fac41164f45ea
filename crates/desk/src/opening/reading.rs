//! Reading a dossier where it lies: what the verifier says of it, without a copy being made.

use std::path::Path;

use dossier::TrustFile;
use dossier::archive::is_sealed;

use super::apart;
use crate::error::{DeskError, Result};
use crate::session::Desk;
use crate::wire::VerdictReport;

impl Desk {
    /// Judges a dossier by this device's own roster, which came another way. A sealed one is first opened
    /// into the new folder `out`; without that it is only said that it is sealed.
    pub async fn read_dossier(&self, path: &Path, out: Option<&Path>) -> Result<VerdictReport> {
        let trust =
            self.own_trust().ok_or_else(|| DeskError::not_allowed("this device is not part of an operation yet"))?;
        let (desk, path, out) = (self.clone(), path.to_owned(), out.map(Path::to_owned));
        apart(move || match out {
            Some(out) if is_sealed(&path)? => {
                desk.unsealed_into(&path, &out)?;
                Ok(judged(&out, &trust))
            }
            None if is_sealed(&path)? => Ok(still_sealed(&path)),
            _ => Ok(judged(&path, &trust)),
        })
        .await
    }
}

/// Judges a dossier by a trust file that came another way; needs no vault. What is sealed stays so:
/// its key is in a vault.
pub async fn read_dossier_by(path: &Path, trust_file: &Path) -> Result<VerdictReport> {
    let (path, trust_file) = (path.to_owned(), trust_file.to_owned());
    apart(move || match is_sealed(&path)? {
        true => Ok(still_sealed(&path)),
        false => Ok(judged(&path, &TrustFile::bytes(&trust_file)?)),
    })
    .await
}

fn judged(place: &Path, trust: &[u8]) -> VerdictReport {
    let verdict = dossier::verify(place, trust);
    VerdictReport {
        dossier: place.display().to_string(),
        verdict: verdict.verdict.title().to_owned(),
        as_of: verdict.as_of.clone(),
        lines: verdict.text().lines().map(str::to_owned).collect(),
    }
}

fn still_sealed(path: &Path) -> VerdictReport {
    VerdictReport { dossier: path.display().to_string(), verdict: "SEALED".into(), as_of: None, lines: Vec::new() }
}
