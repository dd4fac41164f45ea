//! What is said when the call itself is wrong: in text, or as the JSON document of every other error.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use desk::DeskError;

use crate::output;

/// What the contract names and this release does not have: said so, instead of "unexpected argument".
const LATER: &[(&str, &str)] = &[
    ("--filed-at", EARLIER_FILING),
    ("--redact", "withholding fields from a dossier"),
    ("--tsa", "time stamps of dossiers"),
    ("--tsa-file", "time stamps of dossiers"),
    ("stix", "the import of STIX files"),
    ("misp", "the import of MISP files"),
    ("export", "exporting lists as CSV, GeoJSON, STIX, CAP or calendars"),
];

/// A filing date before the registration takes proof of lodging and a second registrar's word.
const EARLIER_FILING: &str = "an earlier filing date, confirmed by a second registrar";

/// Reports what clap found: help and version are no errors; everything else ends with status 2.
pub fn report(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that has seen enough is no error.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let json = json_asked(std::env::args_os().skip(1));
    match later(error) {
        Some(what) => output::error(&not_yet(what), json),
        None if json => output::error(&DeskError::usage(sentence(error)), true),
        None => {
            let _ = error.print();
        }
    }
    ExitCode::from(2)
}

/// Whether `--json` stands among the arguments; what follows `--` is data.
fn json_asked(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    arguments.by_ref().take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

/// The thing asked for that a later release brings.
fn later(error: &clap::Error) -> Option<&'static str> {
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => return None,
    };
    let Some(ContextValue::String(given)) = error.get(kind) else { return None };
    let name = given.split('=').next().unwrap_or(given);
    LATER.iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
}

/// The refusal of something that a later release brings.
pub fn not_yet(what: &str) -> DeskError {
    let error = DeskError::usage(format!("{what}: not part of this release"));
    if what != EARLIER_FILING {
        return error;
    }
    // A complaint must not wait for a release: what is known now is kept, and nothing is claimed.
    let advice = "Nothing was changed. File it without --filed-at: the time of registration is kept. Then add the proof of lodging with `intact exhibit add DOCKET FILE --description \"proof of lodging\"`.";
    DeskError::new(error.code, error.message, advice)
}

/// The first paragraph of clap's text, as one line.
fn sentence(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "the command is not complete: its --help lists what may follow".to_owned();
    }
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let line = first.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Cli;

    fn refused(arguments: &[&str]) -> clap::Error {
        let call = std::iter::once(&"intact").chain(arguments);
        Cli::try_parse_from(call).err().expect("a wrong call")
    }

    #[test]
    fn what_comes_later_is_named() {
        for call in [
            ["dossier", "export", "R", "--out", "D", "--redact", "summary"].as_slice(),
            &["dossier", "export", "R", "--out", "D", "--tsa=http://stamp.example"],
            &["dossier", "export", "R", "--out", "D", "--tsa-file", "F"],
            &["import", "stix", "F"],
            &["import", "misp", "F"],
            &["export", "csv"],
            &["complaint", "file", "--subject", "s", "--summary", "S", "--filed-at", "2026-11-24T10:00:00+01:00"],
        ] {
            assert!(later(&refused(call)).is_some(), "{call:?}");
        }
        assert!(later(&refused(&["dossier", "export", "R", "--out", "D", "--reduct"])).is_none());
        assert!(later(&refused(&["incident"])).is_none());
    }

    #[test]
    fn a_wrong_call_is_one_sentence() {
        let said = sentence(&refused(&["share", "EMB-1"]));
        assert!(
            said.starts_with("the following required arguments were not provided") && !said.contains('\n'),
            "{said}"
        );
        let said = sentence(&refused(&["incident"]));
        assert!(said.starts_with("the command is not complete"), "{said}");
        let words = |text: &str| text.split(' ').map(std::ffi::OsString::from).collect::<Vec<_>>().into_iter();
        assert!(json_asked(words("incident list --json")));
        assert!(!json_asked(words("incident note R --text x -- --json")));
    }
}
