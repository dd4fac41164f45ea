//! Exercises.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use desk::DeskError;
use desk::exercise::{MAX_SCRIPT, NIGHT, Script};

use super::Context;
use crate::args::Exercise;
use crate::output::emit;

pub async fn exercise(context: &Context, command: Exercise) -> Result<(), DeskError> {
    match command {
        Exercise::Script { out } => {
            std::fs::write(&out, NIGHT)?;
            emit(context.json, &serde_json::json!({ "bytes": NIGHT.len() }), |_| format!("Wrote {}", out.display()))
        }
        Exercise::Play { script, speed, anew } => {
            let script = Script::parse(&script.as_deref().map_or_else(|| Ok(NIGHT.to_owned()), read)?)?;
            let desk = context.open().await?;
            let stop = async {
                // Without a way to hear of an interruption, it plays to the end.
                if tokio::signal::ctrl_c().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let json = context.json;
            let progress = |done: u64, total: u64| {
                if !json && (done == total || done.is_multiple_of(10)) {
                    eprintln!("{done} of {total}");
                }
            };
            let played = desk.play(&script, speed, anew, stop, progress).await;
            desk.close().await;
            emit(context.json, &played?, |played| {
                let ended = if played.stopped { "Stopped; play again to go on." } else { "Played to the end." };
                format!("{}: {} reports, {} notes. {ended}", played.name, played.logged, played.noted)
            })
        }
    }
}

fn read(file: &Path) -> Result<String, DeskError> {
    let mut text = String::new();
    let read = File::open(file)?.take(MAX_SCRIPT + 1).read_to_string(&mut text);
    read.map_err(|_| DeskError::usage("the script cannot be read as UTF-8"))?;
    if text.len() as u64 > MAX_SCRIPT { Err(DeskError::usage("the script is too large")) } else { Ok(text) }
}
