//! Large batches as files: a database page cache is a poor place for exhibit chunks.
//!
//! A file is written under another name, synced, renamed, and its folder synced, all before the
//! row that names it is committed. A crash in between leaves a file without a row, which the next
//! opening removes; never a row without its file.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::mailbox::MailboxTag;

/// Batches above this many bytes go to the folder, if there is one. SQLite is faster than files
/// up to about 100 kB and holds entries well; exhibit chunks are far above.
pub(super) const INLINE: usize = 32 * 1024;

/// The folder of large batches.
#[derive(Clone)]
pub(super) struct BlobFolder(PathBuf);

/// The name of a batch's file: 64 hex digits. Mailbox and hash together, so that one batch in two
/// mailboxes is two files and the expiry of one does not take the other.
pub(super) fn name(mailbox: &MailboxTag, hash: &[u8; 32]) -> String {
    seal::id::to_hex(&seal::hash::tagged("intact/relay-blob/v1", &[&mailbox.0, hash]))
}

impl BlobFolder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self(path.to_owned()))
    }

    /// 256 folders by the first two digits, so that none grows into millions of entries.
    fn path(&self, name: &str) -> PathBuf {
        let shard = name.get(..2).unwrap_or(name);
        self.0.join(shard).join(name)
    }

    /// Durable when it returns. Blocking.
    pub(super) fn write(&self, name: &str, batch: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(&self.0);
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            sync_folder(&self.0)?;
        }
        let unfinished = path.with_extension("part");
        let mut file = fs::File::create(&unfinished)?;
        file.write_all(batch)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&unfinished, &path)?;
        sync_folder(folder)
    }

    /// Reads a batch and checks that it is the one. Blocking.
    pub(super) fn read(&self, name: &str, size: usize, hash: &[u8; 32]) -> io::Result<Vec<u8>> {
        let path = self.path(name);
        if fs::metadata(&path)?.len() != size as u64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a blob has another size"));
        }
        let batch = fs::read(path)?;
        if seal::hash::sha256(&batch) != *hash {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a blob has another hash"));
        }
        Ok(batch)
    }

    /// Removes a file; that it is gone already is no error. Blocking.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes every file that no row names: what a crash between file and row left behind.
    /// Only files in the shape that this code writes are touched. Blocking.
    pub(super) fn keep_only(&self, names: &BTreeSet<String>) -> io::Result<u64> {
        let mut removed = 0;
        for shard in fs::read_dir(&self.0)? {
            let shard = shard?;
            if !shard.file_type()?.is_dir() || !is_hex(&shard.file_name().to_string_lossy(), 2) {
                continue;
            }
            for file in fs::read_dir(shard.path())? {
                let file = file?;
                let name = file.file_name().to_string_lossy().into_owned();
                let stem = name.strip_suffix(".part").unwrap_or(&name);
                if is_hex(stem, 64) && file.file_type()?.is_file() && !names.contains(&name) {
                    fs::remove_file(file.path())?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Makes a rename durable. Windows keeps no handle on folders and journals renames itself.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_orphans_go() {
        let dir = tempfile::tempdir().unwrap();
        let folder = BlobFolder::open(dir.path()).unwrap();
        let batch = vec![5; 70_000];
        let hash = seal::hash::sha256(&batch);
        let kept = name(&MailboxTag([1; 32]), &hash);
        let orphan = name(&MailboxTag([2; 32]), &hash);
        folder.write(&kept, &batch).unwrap();
        folder.write(&orphan, &batch).unwrap();
        fs::write(folder.path(&kept).with_extension("part"), b"half").unwrap();
        fs::write(dir.path().join("readme"), b"not ours").unwrap();
        assert_eq!(folder.keep_only(&BTreeSet::from([kept.clone()])).unwrap(), 2);
        assert_eq!(folder.read(&kept, 70_000, &hash).unwrap(), batch);
        assert!(folder.read(&orphan, 70_000, &hash).is_err());
        assert!(folder.read(&kept, 69_999, &hash).is_err());
        assert!(folder.read(&kept, 70_000, &[0; 32]).is_err());
        assert!(dir.path().join("readme").exists());
        folder.remove(&kept).unwrap();
        folder.remove(&kept).unwrap();
    }
}
