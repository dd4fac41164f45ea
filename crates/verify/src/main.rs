//! `intact-verify DOSSIER --trust FILE [--json]`: the stand-alone verifier.
//!
//! Exit status: 0 INTACT, 1 INTACT, WITH GAPS, 2 NOT INTACT, 3 cannot be read, 64 wrong usage. It writes no
//! file, opens no connection and needs no key.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use dossier::{TrustFile, Verdict, verify};

/// The status for wrong usage (EX_USAGE of sysexits.h); 2 already says NOT INTACT.
const USAGE: u8 = 64;
/// The status for what cannot be read.
const UNREADABLE: u8 = 3;

/// Checks a dossier: is it unchanged since it was signed, by whom, and what is missing?
///
/// The first line of the answer is INTACT, INTACT, WITH GAPS, NOT INTACT, or CANNOT BE READ.
/// Exit status: 0 INTACT, 1 INTACT, WITH GAPS, 2 NOT INTACT, 3 cannot be read, 64 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "intact-verify", version, about, long_about)]
struct Arguments {
    /// The dossier: a folder, or a tar of one
    dossier: PathBuf,
    /// The trust file. It must come to you by another way than the dossier
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { 0 };
            // Nothing can be done if the terminal is gone.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let trust = match TrustFile::bytes(&arguments.trust) {
        Ok(trust) => trust,
        Err(error) => return answer(&Verdict::unreadable("trust file", error.to_string()), arguments.json),
    };
    answer(&verify(&arguments.dossier, &trust), arguments.json)
}

/// An answer that did not reach the reader whole must not pass for a good one.
fn answer(verdict: &Verdict, json: bool) -> ExitCode {
    let text =
        if json { serde_json::to_string(verdict).map(|text| text + "\n").unwrap_or_default() } else { verdict.text() };
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::from(verdict.verdict.exit_code()),
        Err(_) => ExitCode::from(UNREADABLE),
    }
}
