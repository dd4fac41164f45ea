//! `signatures/seal.txt` and `signatures/seal.txt.sig`: what holds the folder of signatures together.
//!
//! The manifests cannot list signatures over themselves. So `seal.txt` lists the SHA-256 of every other file
//! in `signatures/`, sorted, in one form, and `seal.txt.sig` signs it. That last file is the only one under no
//! hash; its encoding is unique, so every changed bit of it is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use seal::id::to_hex;
use seal::sign::SigningKey;

use crate::Problem;
use crate::bag::{BagError, Findings};
use crate::path::BagPath;
use crate::sshsig::{self, NAMESPACE, SshSig};

/// The list.
pub const SEAL: &str = "signatures/seal.txt";
/// The last signature.
pub const SEAL_SIGNATURE: &str = "signatures/seal.txt.sig";
/// Signatures, receipts and certificate chains; a chain of ten certificates has about 20 KiB.
pub const MAX_SIGNATURE_FILE: u64 = 1 << 20;

/// Writes `files` (names inside `signatures/`, and bytes), the list and the last signature, into a bag.
pub fn write(root: &Path, files: &[(String, Vec<u8>)], key: &SigningKey) -> Result<(), BagError> {
    let folder = root.join("signatures");
    fs::create_dir(&folder).map_err(|e| fail("signatures", &e))?;
    let mut hashes = BTreeMap::new();
    for (name, bytes) in files {
        let path = format!("signatures/{name}");
        let checked =
            BagPath::parse(&path).map_err(|fault| BagError::Write { path: path.clone(), why: fault.to_string() })?;
        hashes.insert(checked, seal::hash::sha256(bytes));
        put(root, &path, bytes)?;
    }
    let list = encode(hashes.iter().map(|(path, hash)| (path, *hash)));
    put(root, SEAL, list.as_bytes())?;
    let signature = SshSig::sign(key, NAMESPACE, &sshsig::sha512(list.as_bytes()));
    put(root, SEAL_SIGNATURE, signature.armor().as_bytes())
}

fn put(root: &Path, path: &str, bytes: &[u8]) -> Result<(), BagError> {
    let mut out = File::create_new(root.join(path)).map_err(|e| fail(path, &e))?;
    out.write_all(bytes).map_err(|e| fail(path, &e))
}

fn fail(path: &str, error: &std::io::Error) -> BagError {
    BagError::Write { path: path.to_owned(), why: error.to_string() }
}

/// Relative to the top of the dossier, so that `sha256sum -c signatures/seal.txt` checks it there.
fn encode<'a>(hashes: impl Iterator<Item = (&'a BagPath, [u8; 32])>) -> String {
    hashes.map(|(path, hash)| format!("{}  {path}\n", to_hex(&hash))).collect()
}

/// Whether `bag::examine` must keep a file for [`check`].
pub fn needs(path: &BagPath) -> bool {
    path.is_in("signatures")
}

/// Which files are not as the list says; empty if only its form is wrong.
fn differing(list: &[u8], others: &BTreeMap<&BagPath, [u8; 32]>) -> Vec<(String, &'static str)> {
    let text = String::from_utf8_lossy(list);
    let listed: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once("  ")).map(|(hash, path)| (path, hash)).collect();
    let mut found = Vec::new();
    for (path, hash) in others {
        match listed.get(path.as_str()) {
            None => found.push((path.to_string(), "it was added: seal.txt does not list it")),
            Some(stated) if *stated != to_hex(hash) => {
                found.push((path.to_string(), "it was changed: seal.txt has another hash of it"));
            }
            Some(_) => {}
        }
    }
    let here: BTreeSet<&str> = others.keys().map(|path| path.as_str()).collect();
    let missing = listed.keys().filter(|path| !here.contains(*path)).take(crate::MAX_PROBLEMS);
    found.extend(missing.map(|path| (crate::path::shown(path), "seal.txt lists it, but it is missing")));
    found
}

/// Checks the list and its signature over what was hashed and kept.
///
/// Returns the key that the last signature names, if it holds; whether that key may sign is for the caller.
pub fn check(findings: &Findings, problems: &mut Vec<Problem>) -> Option<[u8; 32]> {
    let mut problem = |path: &str, what: &str| {
        if problems.len() < crate::MAX_PROBLEMS {
            problems.push(Problem { path: path.to_owned(), what: what.to_owned() });
        }
    };
    let kept = |name: &str| BagPath::parse(name).ok().and_then(|path| findings.kept.get(&path));
    for name in [SEAL, SEAL_SIGNATURE].into_iter().filter(|name| kept(name).is_none()) {
        problem(name, "it is missing: without it, nothing holds the signatures together");
    }
    let (list, signature) = (kept(SEAL)?, kept(SEAL_SIGNATURE)?);
    let others = findings.digests.iter().filter(|(path, _)| path.is_in("signatures"));
    let others = others.filter(|(path, _)| path.as_str() != SEAL && path.as_str() != SEAL_SIGNATURE);
    let others: BTreeMap<&BagPath, [u8; 32]> =
        others.filter_map(|(path, digests)| Some((path, digests.sha256()?))).collect();
    let expected = encode(others.iter().map(|(path, hash)| (*path, *hash)));
    if expected.as_bytes() != list.as_slice() {
        let differing = differing(list, &others);
        if differing.is_empty() {
            let byte = crate::first_difference(expected.as_bytes(), list) + 1;
            problem(SEAL, &format!("not in the one form that a dossier has, at byte {byte}"));
        }
        for (path, what) in differing {
            problem(&path, what);
        }
    }
    let holds = SshSig::parse(signature).and_then(|parsed| parsed.verify(&sshsig::sha512(list)).map(|()| parsed.key));
    match holds {
        Ok(key) => Some(key),
        Err(why) => {
            problem(SEAL_SIGNATURE, &why.to_string());
            None
        }
    }
}
