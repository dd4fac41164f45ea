//! A dossier sealed with age to its addressee: the tar, as one age file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use seal::wrap::{Identity, Recipient, open_reader, seal_writer};

use super::{ArchiveError, Tree, write_tar};

/// Writes the tar of `tree`, sealed to these recipients.
pub fn write_sealed(tree: &Tree, top: &str, to: &[Recipient], out: impl Write) -> Result<(), ArchiveError> {
    let fail = |_| ArchiveError::NotADossier("it could not be sealed to these recipients");
    let mut writer = seal_writer(to, out).map_err(fail)?;
    write_tar(tree, top, &mut writer)?;
    writer.finish().map_err(fail)?.flush().map_err(|e| ArchiveError::io("the sealed dossier", e))
}

/// Opens a sealed dossier into a new file `into`, a tar that [`Tree::open`] reads; no file is replaced.
///
/// A ciphertext that was cut or changed leaves no file behind.
pub fn open_sealed(from: impl Read, with: &[&Identity], into: &Path) -> Result<(), ArchiveError> {
    let reader = open_reader(with, from);
    let mut reader = reader.map_err(|_| ArchiveError::NotADossier("no key at hand opens it, or it is damaged"))?;
    let mut out = File::create_new(into).map_err(|e| ArchiveError::io(into, e))?;
    let copied = io::copy(&mut reader, &mut out).and_then(|_| out.sync_all());
    copied.map_err(|error| {
        // The plaintext so far was authentic but is incomplete: worth nothing, and not to be taken for more.
        let _ = std::fs::remove_file(into);
        ArchiveError::io(into, error)
    })
}
