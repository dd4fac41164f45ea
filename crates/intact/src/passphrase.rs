//! The passphrase: from a file or a prompt, never from an argument.

use std::io::Read;
use std::path::Path;

use desk::{DeskError, Passphrase};

use crate::place::given;

/// A passphrase file holds one line; more than this is not one.
const MAX_FILE: u64 = 4096;

/// Reads the passphrase from a file, or asks for it; twice when it is new.
pub fn read(file: Option<&Path>, new: bool) -> Result<Passphrase, DeskError> {
    if let Some(file) = file {
        let mut text = String::new();
        std::fs::File::open(given(file)?)?.take(MAX_FILE).read_to_string(&mut text)?;
        return Ok(Passphrase::new(text));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map_err(|_| {
            DeskError::usage("there is no terminal to ask for the passphrase; give --passphrase-file FILE")
        })
    };
    let given = ask("Passphrase: ")?;
    if new && ask("Once more: ")? != given {
        return Err(DeskError::usage("the two passphrases differ"));
    }
    Ok(Passphrase::new(given))
}
