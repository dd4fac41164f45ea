//! The file of map tiles that an operator supplies, read piece by piece. Nothing of it is kept.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{DeskError, Result};
use crate::session::Desk;

/// The window's setting that names the file.
const SETTING: &str = "tiles";
/// Bytes of one piece at most. Directories have 16 KiB and vector tiles are advised to stay below
/// 500 KB; what is eight times as long is no map for an operations centre.
pub const MAX_PIECE: u32 = 4 * 1024 * 1024;
/// How every PMTiles archive begins (PMTiles specification, version 3, section 3).
const MAGIC: &[u8; 7] = b"PMTiles";

impl Desk {
    /// A piece of the map file that the setting `tiles` names: `length` bytes from `offset`, fewer at
    /// the file's end. Only a PMTiles archive is read, so that the setting opens no other file.
    pub async fn ground_piece(&self, offset: u64, length: u32) -> Result<Vec<u8>> {
        let named = self.window_setting(SETTING).await?.filter(|path| !path.is_empty());
        let Some(path) = named else {
            return Err(DeskError::usage("no map file is chosen"));
        };
        let read = move || piece(Path::new(&path), offset, length);
        tokio::task::spawn_blocking(read).await.map_err(|_| DeskError::storage("reading the map file stopped"))?
    }
}

fn piece(path: &Path, offset: u64, length: u32) -> Result<Vec<u8>> {
    if length > MAX_PIECE {
        return Err(DeskError::usage("this piece of the map file is too long"));
    }
    // A pipe or a device would never end, and opening one may wait for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(foreign());
    }
    let mut file = std::fs::File::open(path)?;
    let mut magic = [0; MAGIC.len()];
    match file.read_exact(&mut magic) {
        Ok(()) if &magic == MAGIC => {}
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error.into()),
        _ => return Err(foreign()),
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(u64::from(length)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn foreign() -> DeskError {
    DeskError::usage("this file is no PMTiles archive")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_piece_is_what_the_archive_holds_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("town.pmtiles");
        std::fs::write(&path, b"PMTiles\x03and what follows").unwrap();
        assert_eq!(piece(&path, 0, 8).unwrap(), b"PMTiles\x03");
        assert_eq!(piece(&path, 8, 3).unwrap(), b"and");
        assert_eq!(piece(&path, 12, MAX_PIECE).unwrap(), b"what follows", "fewer at the end");
        assert!(piece(&path, 4000, 10).unwrap().is_empty());
        assert!(piece(&path, u64::MAX, 10).is_err(), "no file is that long");
        assert_eq!(piece(&path, 0, MAX_PIECE + 1).unwrap_err().code, Code::Usage);
    }

    #[test]
    fn no_other_file_is_opened_through_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("other");
        for other in [&b"root:x:0:0"[..], b"PM", b""] {
            std::fs::write(&path, other).unwrap();
            assert_eq!(piece(&path, 0, 10).unwrap_err().code, Code::Usage);
        }
        assert_eq!(piece(dir.path(), 0, 10).unwrap_err().code, Code::Usage);
        assert_eq!(piece(Path::new("/dev/zero"), 0, 10).unwrap_err().code, Code::Usage);
        assert_eq!(piece(&dir.path().join("nothing"), 0, 10).unwrap_err().code, Code::NotFound);
    }
}
