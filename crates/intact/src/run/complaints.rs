//! Complaints.

use desk::wire::{ComplaintShow, EntryReport};
use desk::{Desk, DeskError};
use serde::Serialize;

use super::Context;
use crate::args::{Complaint, FileArgs};
use crate::output::{emit, plain};
use crate::place::given;

/// A step that was signed, and how the complaint stands after it.
#[derive(Serialize)]
struct Stepped {
    entry: String,
    #[serde(flatten)]
    complaint: ComplaintShow,
}

pub async fn complaint(context: &Context, command: Complaint) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let done = run(context, &desk, command).await;
    desk.close().await;
    done
}

async fn run(context: &Context, desk: &Desk, command: Complaint) -> Result<(), DeskError> {
    let json = context.json;
    match command {
        Complaint::File(args) => file(context, desk, *args).await,
        Complaint::List => emit(json, &desk.complaints().await?, |list| {
            list.items.iter().map(|c| format!("{}  {:<20} {}\n", c.docket, c.state, plain(&c.summary))).collect()
        }),
        Complaint::Show { complaint } => emit(json, &desk.show_complaint(&complaint).await?, complaint_text),
        Complaint::Link { complaint, incident } => {
            let done = desk.link_incident(&complaint, &incident).await?;
            stepped(context, desk, &complaint, done).await
        }
        Complaint::Move { complaint, state, reason } => {
            let done = desk.move_complaint(&complaint, &state, reason).await?;
            stepped(context, desk, &complaint, done).await
        }
        Complaint::Decide { complaint, outcome, reasons, remedy } => {
            let done = desk.decide(&complaint, &outcome, &reasons, remedy).await?;
            stepped(context, desk, &complaint, done).await
        }
    }
}

async fn file(context: &Context, desk: &Desk, args: FileArgs) -> Result<(), DeskError> {
    let complainant = args.complainant_file.as_deref();
    let complainant = complainant.map(|file| desk::complaint::read_complainant(given(file)?)).transpose()?;
    let input = desk::complaint::Filing {
        subject: args.subject,
        summary: args.summary,
        complainant,
        challenges: args.challenges,
        remedy: args.remedy,
        incidents: args.incident,
    };
    emit(context.json, &desk.file_complaint(input).await?, complaint_text)
}

/// Prints a step with the complaint as it stands now: its state and the clocks that run.
async fn stepped(context: &Context, desk: &Desk, complaint: &str, done: EntryReport) -> Result<(), DeskError> {
    let complaint = desk.show_complaint(complaint).await?;
    emit(context.json, &Stepped { entry: done.entry, complaint }, |report| {
        format!("Signed and kept on this device: {}\n{}", report.entry, complaint_text(&report.complaint))
    })
}

fn complaint_text(show: &ComplaintShow) -> String {
    let mut text = format!("{}  {}\n{}\n", show.docket, show.state, plain(&show.summary));
    for due in &show.due {
        text += &format!("  {}: due {} ({})\n    {}\n", due.rule, due.at, plain(&due.citation), due.working);
    }
    if show.due.is_empty() {
        text += "  no rule configured\n";
    }
    for incident in &show.incidents {
        text += &format!("  relies on {}\n", plain(incident));
    }
    text
}
