//! Plain text on its way to another place: a private folder that goes away, whatever happens.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::moment;

/// A folder that only this user can read; it is removed when this value is dropped.
pub struct Staging(PathBuf);

impl Staging {
    /// Makes `.<name>.part-<chance>` in `folder`, which is made if it is absent.
    pub fn make(folder: &Path, name: &str) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let place = folder.join(format!("{}{}", prefix(name), seal::id::to_hex(&moment::random::<4>())));
        private_dir(&place)?;
        Ok(Self(place))
    }

    /// As [`Staging::make`], after what interrupted runs left. Only where one process, one at a time,
    /// stages under this name.
    pub fn make_alone(folder: &Path, name: &str) -> Result<Self> {
        for item in std::fs::read_dir(folder)?.flatten() {
            if item.file_name().to_string_lossy().starts_with(&prefix(name)) {
                std::fs::remove_dir_all(item.path())?;
            }
        }
        Self::make(folder, name)
    }

    /// A place in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn prefix(name: &str) -> String {
    format!(".{name}.part-")
}

/// Makes a folder that only this user can read.
pub fn private_dir(place: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_away_and_so_do_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(".dossier.part-00000000");
        std::fs::create_dir(&left).unwrap();
        std::fs::write(left.join("plain"), "text").unwrap();
        let staging = Staging::make_alone(folder.path(), "dossier").unwrap();
        assert!(!left.exists());
        std::fs::write(staging.join("plain"), "text").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = staging.0.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        drop(staging);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
