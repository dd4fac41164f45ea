//! Places: where the vault lies when none is named, and files that were named.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use desk::{Code, DeskError};

/// A file that must be there; an error that names it, where it is not.
pub fn given(file: &Path) -> Result<&Path, DeskError> {
    match file.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(DeskError::new(
            Code::NotFound,
            format!("there is no file {}", file.display()),
            "Nothing was changed. Check the path.",
        )),
        // Anything else is said when it is opened.
        _ => Ok(file),
    }
}

/// The place where a desktop keeps the data of its programs: `$XDG_DATA_HOME/intact/vault`, by default `~/.local/share/intact/vault`; the window uses the same.
pub fn default_vault() -> Option<PathBuf> {
    vault_below(std::env::var_os("XDG_DATA_HOME"), std::env::var_os("HOME"))
}

/// A relative `XDG_DATA_HOME` counts as unset, as the XDG specification asks.
fn vault_below(shared: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: Option<OsString>| path.map(PathBuf::from).filter(|path| path.is_absolute());
    let shared = absolute(shared).or_else(|| absolute(home).map(|home| home.join(".local/share")))?;
    Some(shared.join("intact/vault"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_place() {
        let place = |shared: &str, home: &str| {
            let given = |text: &str| Some(OsString::from(text)).filter(|text| !text.is_empty());
            vault_below(given(shared), given(home))
        };
        assert_eq!(place("/data", "/home/a"), Some("/data/intact/vault".into()));
        assert_eq!(place("", "/home/a"), Some("/home/a/.local/share/intact/vault".into()));
        assert_eq!(place("data", "/home/a"), Some("/home/a/.local/share/intact/vault".into()));
        assert_eq!(place("", ""), None);
    }
}
