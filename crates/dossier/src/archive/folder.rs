//! Listing a folder.

use std::fs::{self, File};
use std::path::Path;

use super::{ArchiveError, Names, Place, Source, Tree, checked};
use crate::path::{BagPath, shown};

/// Lists every plain file under `root`; a link or device anywhere is a refusal, never followed.
pub fn list(root: &Path) -> Result<Tree, ArchiveError> {
    let mut names = Names::default();
    // Folders still to be read, as paths from the root; BagPath bounds their depth.
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        let place = root.join(&folder);
        for item in fs::read_dir(&place).map_err(|e| ArchiveError::io(&place, e))? {
            let item = item.map_err(|e| ArchiveError::io(&place, e))?;
            let name = item.file_name();
            let Some(name) = name.to_str() else {
                return Err(ArchiveError::Path {
                    path: shown(&name.to_string_lossy()),
                    fault: crate::path::PathFault::NotAscii,
                });
            };
            let text = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let path = checked(&text)?;
            // Does not follow a link.
            let meta = item.metadata().map_err(|e| ArchiveError::io(item.path(), e))?;
            if meta.is_dir() {
                names.add_folder(&path)?;
                open.push(text);
            } else if meta.is_file() {
                names.add_file(path, Place { offset: 0, size: meta.len() })?;
            } else {
                return Err(ArchiveError::NotPlain(shown(&text)));
            }
        }
    }
    Ok(names.finish(Source::Folder(root.to_owned())))
}

/// Opens a listed file, and refuses it if it was replaced by something else since.
pub fn open(root: &Path, path: &BagPath) -> Result<File, ArchiveError> {
    let place = root.join(path.as_str());
    let file = File::open(&place).map_err(|e| ArchiveError::io(&place, e))?;
    let opened = file.metadata().map_err(|e| ArchiveError::io(&place, e))?;
    if !opened.is_file() || !is_same(&place, &opened) {
        return Err(ArchiveError::NotPlain(path.to_string()));
    }
    Ok(file)
}

#[cfg(unix)]
fn is_same(place: &Path, opened: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    // The name itself, without following a link, must be what was opened.
    fs::symlink_metadata(place).is_ok_and(|named| named.dev() == opened.dev() && named.ino() == opened.ino())
}

#[cfg(not(unix))]
fn is_same(place: &Path, _: &fs::Metadata) -> bool {
    fs::symlink_metadata(place).is_ok_and(|named| named.is_file())
}
