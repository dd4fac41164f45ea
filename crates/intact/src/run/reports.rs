//! Situation reports and handovers.

use std::io::Read;
use std::path::Path;

use clap::ValueEnum;
use desk::wire::{ReportShow, ReportStart};
use desk::{Desk, DeskError};

use super::Context;
use crate::args::Report;
use crate::output::{emit, plain};

/// Bytes of a text that is read: more than a report takes.
const MAX_TEXT: u64 = 64 * 1024;

/// The name of a choice, as it is typed.
fn name(choice: &impl ValueEnum) -> String {
    choice.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

pub async fn report(context: &Context, command: Report) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let done = report_command(context.json, &desk, command).await;
    desk.close().await;
    done
}

async fn report_command(json: bool, desk: &Desk, command: Report) -> Result<(), DeskError> {
    match command {
        Report::Start { kind, from, to } => {
            let start = ReportStart { kind: name(&kind), from, to };
            emit(json, &desk.start_report(start).await?, text)
        }
        Report::List => emit(json, &desk.reports().await?, |list| {
            let row = |row: &desk::wire::ReportRow| {
                format!("{:<20} {}  {} – {}", plain(&row.reference), row.kind, row.from, row.to)
            };
            list.items.iter().map(row).collect::<Vec<_>>().join("\n")
        }),
        Report::Show { report } => emit(json, &desk.report(&report).await?, text),
        Report::Write { report, section, file } => {
            let show = desk.report(&report).await?;
            let held = show.sections.iter().find(|held| held.name == section);
            let base = held.map(|held| held.base.clone()).unwrap_or_default();
            let written = desk.write_report(&report, &section, &base, &read(&file)?).await?;
            emit(json, &written, |written| match &written.entry {
                Some(entry) => format!("Signed and kept on this device: {entry}"),
                None => "The text is the same; nothing was written.".to_owned(),
            })
        }
        Report::Sign { report, capacity } => {
            let done = desk.sign_report(&report, &name(&capacity), None).await?;
            emit(json, &done, |done| format!("Signed and kept on this device: {}", done.entry))
        }
    }
}

fn read(file: &Path) -> Result<String, DeskError> {
    let mut text = String::new();
    let from: &mut dyn Read =
        if file == Path::new("-") { &mut std::io::stdin().lock() } else { &mut std::fs::File::open(file)? };
    let read = from.take(MAX_TEXT + 1).read_to_string(&mut text);
    read.map_err(|_| DeskError::usage("the text cannot be read as UTF-8"))?;
    if text.len() as u64 > MAX_TEXT { Err(DeskError::usage("the text is longer than any report")) } else { Ok(text) }
}

fn text(show: &ReportShow) -> String {
    let mut text = format!(
        "{}  {}\n{} – {}\n{}\n\n",
        plain(&show.row.reference),
        show.row.kind,
        show.row.from,
        show.row.to,
        show.audience_sentence
    );
    for figure in &show.figures {
        let rows: Vec<String> = figure.rows.iter().take(10).map(|row| plain(row)).collect();
        text += &format!("  {:<14} {:>6}  {}\n", figure.name, figure.count, rows.join(" "));
    }
    for section in &show.sections {
        text += &format!("\n{}\n", section.name);
        section.text.lines().for_each(|line| text += &format!("  {}\n", plain(line)));
    }
    for signature in &show.signatures {
        let changed = if signature.current { "" } else { "  (the text has changed since)" };
        text += &format!(
            "\n{}: {}, {}, {}{changed}",
            signature.capacity,
            plain(&signature.operator),
            signature.agency,
            signature.at
        );
    }
    text
}
