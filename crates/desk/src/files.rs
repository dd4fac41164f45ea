//! The small files that people carry: requests, welcomes, proposals, sealed roots.

use std::io::{Read, Write};
use std::path::Path;

use logbook::AgencyId;
use logbook::roster::{AgencyRecord, Enrol, NameOpening, SecondApproval, SignedChainEntry, SignedEpoch};
use seal::{DeviceId, Identity, KdfCost, Passphrase, Recipient, SealedBox, SigningKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{DeskError, Result};
use crate::moment;

/// Bytes of such a file at most: a welcome carries the whole roster of an operation.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// A new institution asks to take part.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyRequest {
    /// As it will stand in the epoch.
    pub agency: AgencyRecord,
    /// The first entry of its chain: its founding administrator enrols itself.
    pub chain: SignedChainEntry,
    /// The operator's name.
    pub name: NameOpening,
}

/// A new device asks to be enrolled.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRequest {
    /// The institution.
    pub agency: AgencyId,
    /// As it will stand in the chain.
    pub enrol: Enrol,
    /// The operator's name.
    pub name: NameOpening,
}

/// A proposed epoch that still needs signatures, with the requests that it answers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The epoch with the signatures so far.
    pub epoch: SignedEpoch,
    /// Who is admitted by it.
    pub requests: Vec<AgencyRequest>,
}

/// What a request is answered with; sealed to the requesting device.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// Roster objects, hex of their encoding, in an order that can be applied.
    pub roster: Vec<String>,
    /// For a new desk: its agency's secret recipients, `<epoch> AGE-SECRET-KEY-1…`.
    pub agency_keys: Vec<String>,
    /// For a new desk: the seed of its agency's mailboxes, hex.
    pub agency_mailbox: Option<String>,
}

/// A second administrator's approval of a revocation.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The device to be revoked.
    pub device: DeviceId,
    /// The last number accepted.
    pub last_good: u64,
    /// The approval.
    pub second: SecondApproval,
}

/// An administrator asks another to approve a revocation. Nobody signs it: whoever approves judges what
/// it says, and signs that.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRequest {
    /// The device to be revoked.
    pub device: DeviceId,
    /// The last number accepted.
    pub last_good: u64,
    /// Why.
    pub reason: String,
    /// The administrator's device that asks.
    pub by: DeviceId,
    /// When it was written, milliseconds.
    pub at_ms: i64,
}

/// Reads a bounded file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(DeskError::integrity("the file is larger than any of its kind"));
    }
    Ok(bytes)
}

/// Reads one of the JSON files above.
pub fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    serde_json::from_slice(&read(path)?)
        .map_err(|_| DeskError::integrity(format!("this file is not {what}, or is damaged")))
}

/// Writes a file whole or not at all, and makes it durable.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let name = path.file_name().ok_or_else(|| DeskError::usage("the path names no file"))?.to_string_lossy();
    let temporary = folder.join(format!(".{name}.part-{}", seal::id::to_hex(&moment::random::<4>())));
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        std::fs::File::open(folder)?.sync_all()
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        error.into()
    })
}

/// Writes one of the JSON files above.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(|_| DeskError::storage("the file cannot be written"))?;
    write(path, &text)
}

/// Seals a welcome to the device that asked.
pub fn write_welcome(path: &Path, welcome: &Welcome, to: &Recipient) -> Result<()> {
    let plain = serde_json::to_vec(welcome).map_err(|_| DeskError::storage("the welcome cannot be written"))?;
    write(path, &seal::wrap::seal_bytes(std::slice::from_ref(to), &plain)?)
}

/// Opens a welcome.
pub fn read_welcome(path: &Path, with: &Identity) -> Result<Welcome> {
    let plain = seal::wrap::open_bytes(&[with], &read(path)?, MAX_FILE as usize)?;
    serde_json::from_slice(&plain).map_err(|_| DeskError::integrity("the welcome is damaged"))
}

/// Writes a root key, sealed with the passphrase.
pub fn write_root(path: &Path, root: &SigningKey, pass: &Passphrase, cost: KdfCost) -> Result<()> {
    write(path, &SealedBox::seal(root.to_seed().as_slice(), pass, cost, &moment::random())?)
}

/// Opens a root key.
pub fn read_root(path: &Path, pass: &Passphrase) -> Result<SigningKey> {
    let seed = SealedBox::open(&read(path)?, pass)?;
    let seed: [u8; 32] = seed.as_slice().try_into().map_err(|_| DeskError::integrity("this file holds no root key"))?;
    Ok(SigningKey::from_seed(&seed))
}
