//! The demo, the practice operation, schemas, completions, manual pages.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use desk::DeskError;

use super::Context;
use crate::args::Cli;
use crate::output::emit;

/// Tells the story in the terminal.
pub async fn demo(keep: Option<PathBuf>) -> Result<(), DeskError> {
    let mut out = std::io::stdout();
    desk::demo::tell(keep.as_deref(), &mut out).await
}

/// Makes a practice operation.
pub async fn practice(context: &Context, out: PathBuf) -> Result<(), DeskError> {
    let report = desk::practice::make(&out, &context.new_passphrase()?).await?;
    emit(context.json, &report, |report| {
        report.vaults.iter().map(|(agency, dir)| format!("{agency}: {dir}\n")).collect()
    })
}

/// Writes the JSON Schemas, or checks that they have not drifted.
pub fn schemas(out: &Path, check: bool) -> Result<(), DeskError> {
    let mut differing = Vec::new();
    for (path, text) in desk::schemas::all() {
        let path = out.join(path);
        if std::fs::read_to_string(&path).is_ok_and(|held| held == text) {
            continue;
        }
        if check {
            differing.push(path.display().to_string());
        } else {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&path, text)?;
        }
    }
    if differing.is_empty() {
        return Ok(());
    }
    Err(DeskError::usage(format!(
        "these schemas have drifted from the types (run `make schemas`): {}",
        differing.join(", ")
    )))
}

/// Prints a completion script.
pub fn completions(shell: clap_complete::Shell) -> Result<(), DeskError> {
    clap_complete::generate(shell, &mut Cli::command(), "intact", &mut std::io::stdout());
    Ok(())
}

/// Writes a manual page per command.
pub fn man(out: &Path) -> Result<(), DeskError> {
    std::fs::create_dir_all(out)?;
    Ok(clap_mangen::generate_to(Cli::command(), out)?)
}
