//! What a command prints: one JSON document, or text for people.

use std::io::Write;

use desk::DeskError;
use serde::Serialize;

/// Prints a report: JSON where asked, otherwise what `human` writes.
pub fn emit<T: Serialize>(json: bool, report: &T, human: impl FnOnce(&T) -> String) -> Result<(), DeskError> {
    let text = if json {
        serde_json::to_string(report).map_err(|_| DeskError::storage("the report cannot be written"))?
    } else {
        human(report)
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end()).or_else(|error| match error.kind() {
        // A reader that has seen enough, such as `head`, is no error.
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(DeskError::from(error)),
    })
}

/// Prints an error on standard error.
pub fn error(error: &DeskError, json: bool) {
    if json {
        let document = serde_json::json!({
            "error": { "code": error.code.name(), "message": error.message, "advice": error.advice }
        });
        eprintln!("{document}");
    } else {
        eprintln!("intact: {}\n  {}", error.message, error.advice);
    }
}

/// Text from elsewhere, made safe for a terminal: control and direction characters are shown, not obeyed.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}
