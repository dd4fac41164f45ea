//! Writing a dossier as a tar, and a tar out as a folder.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use super::{ArchiveError, Tree};

/// Writes every file of `tree` as a POSIX ustar: sorted, owners and times zero, so that the same dossier
/// always gives the same bytes. `top` is the one folder that holds everything, a plain name.
pub fn write_tar(tree: &Tree, top: &str, out: &mut impl Write) -> Result<(), ArchiveError> {
    let fail = |e| ArchiveError::io("the tar", e);
    for (path, size) in tree.files() {
        let mut header = tar::Header::new_ustar();
        header.set_path(format!("{top}/{path}")).map_err(fail)?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        out.write_all(header.as_bytes()).map_err(fail)?;
        let copied = io::copy(&mut tree.read(path)?, out).map_err(|e| ArchiveError::io(path.as_str(), e))?;
        let padding = (512 - copied % 512) % 512;
        io::copy(&mut io::repeat(0).take(padding), out).map_err(fail)?;
    }
    out.write_all(&[0; 1024]).map_err(fail)
}

/// Writes every file of `tree` under `into`, which must not exist or be empty; no file is ever replaced.
///
/// The paths were checked when the tree was listed, so nothing lands outside.
pub fn unpack(tree: &Tree, into: &Path) -> Result<(), ArchiveError> {
    fs::create_dir_all(into).map_err(|e| ArchiveError::io(into, e))?;
    let mut there = fs::read_dir(into).map_err(|e| ArchiveError::io(into, e))?;
    if there.next().is_some() {
        return Err(ArchiveError::io(into, io::ErrorKind::AlreadyExists.into()));
    }
    for (path, _) in tree.files() {
        let place = into.join(path.as_str());
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(|e| ArchiveError::io(folder, e))?;
        }
        let mut out = File::create_new(&place).map_err(|e| ArchiveError::io(&place, e))?;
        io::copy(&mut tree.read(path)?, &mut out).map_err(|e| ArchiveError::io(&place, e))?;
    }
    Ok(())
}
