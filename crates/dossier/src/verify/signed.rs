//! Whose signatures the dossier bears, and whether they count.

use logbook::Roster;
use seal::DeviceId;

use super::Verdict;
use crate::bag::Findings;
use crate::export::who;
use crate::layout::{self, Statement};
use crate::path::BagPath;
use crate::seal_file;
use crate::sshsig::{self, SshSig};

/// What may be there that this version does not interpret: time stamps and receipts.
const OTHERS: [&str; 3] = ["tagmanifest-sha256.txt.tsr", "tsa-chain.pem", "bundle.tlog-proof"];

/// Tag manifest and seal must be signed by the stated exporter, and the exporter must be a device in good
/// standing of the stated agency.
pub fn check(statement: &Statement, findings: &Findings, roster: &Roster, verdict: &mut Verdict) {
    let exporter = statement.exporter;
    let own = format!("signatures/{}", layout::signature_file(&statement.agency));
    verdict.exported_by = Some(who(roster, &exporter));
    verdict.fingerprint = Some(sshsig::fingerprint(&exporter.0));
    match roster.device(&exporter) {
        None => verdict.problem(&own, "it was signed by a device that the roster does not know"),
        Some(device) if device.agency.as_str() != statement.agency => {
            verdict.problem(layout::STATEMENT, "the exporting device belongs to another institution than stated");
        }
        Some(device) => {
            if let Some(revocation) = &device.revoked {
                let what = format!(
                    "the device that signed it was revoked ({}): ask the institution for a copy signed by another",
                    revocation.reason
                );
                verdict.problem(&own, what);
            }
        }
    }
    let sealed_by = seal_file::check(findings, &mut verdict.problems);
    if sealed_by.is_some_and(|key| key != exporter.0) {
        verdict.problem(seal_file::SEAL_SIGNATURE, "it is signed by another key than the exporter's");
    }
    let manifest = BagPath::parse("tagmanifest-sha256.txt").ok().and_then(|path| findings.kept.get(&path));
    let hash = manifest.map(|bytes| sshsig::sha512(bytes));
    let mut signed = false;
    for (path, bytes) in findings.kept.iter().filter(|(path, _)| path.is_in("signatures")) {
        signed |= file(path, bytes, hash.as_ref(), statement, roster, verdict);
    }
    if !signed {
        verdict.problem(own, "the exporter's signature over the whole is missing");
    }
}

/// One file of `signatures/`. Gives back whether it is the exporter's signature over the whole.
fn file(
    path: &BagPath,
    bytes: &[u8],
    hash: Option<&[u8; 64]>,
    statement: &Statement,
    roster: &Roster,
    verdict: &mut Verdict,
) -> bool {
    // A file in a folder below would bear the name of one that counts.
    let name = path.as_str().strip_prefix("signatures/").unwrap_or_default();
    if let Some(agency) = name.strip_prefix("tagmanifest-sha256.txt.").and_then(|rest| rest.strip_suffix(".sig")) {
        return match key_of(bytes, hash) {
            Ok(key) => signer(path, key, agency, statement, roster, verdict),
            Err(why) => {
                verdict.problem(path, why);
                false
            }
        };
    }
    if name == layout::ALLOWED_SIGNERS {
        let line = sshsig::allowed_signer(&statement.agency, &statement.exporter.0).into_bytes();
        if *bytes != line {
            let byte = crate::first_difference(bytes, &line) + 1;
            verdict.problem(path, format!("it is not the one line that names the exporter's key, at byte {byte}"));
        }
    } else if path.as_str() != seal_file::SEAL && path.as_str() != seal_file::SEAL_SIGNATURE && !OTHERS.contains(&name)
    {
        verdict.problem(path, "a dossier has no such file among its signatures");
    }
    false
}

fn key_of(bytes: &[u8], hash: Option<&[u8; 64]>) -> Result<DeviceId, String> {
    let hash = hash.ok_or("there is nothing that it signs")?;
    let parsed = SshSig::parse(bytes).map_err(|error| error.to_string())?;
    parsed.verify(hash).map_err(|error| error.to_string())?;
    Ok(DeviceId(parsed.key))
}

/// Whether a key may sign for an agency; that its device was revoked since is said of any but the exporter's,
/// of which it is a fault.
fn signer(
    path: &BagPath,
    key: DeviceId,
    agency: &str,
    statement: &Statement,
    roster: &Roster,
    verdict: &mut Verdict,
) -> bool {
    let Some(device) = roster.device(&key).filter(|device| device.agency.as_str() == agency) else {
        verdict.problem(path, "it is signed by a key that is not of this institution");
        return false;
    };
    if let Some(revocation) = device.revoked.as_ref().filter(|_| key != statement.exporter) {
        let by = who(roster, &key);
        verdict.notes.push(format!("{path}: the device that signed it, {by}, was revoked: {}", revocation.reason));
    }
    key == statement.exporter && agency == statement.agency
}
