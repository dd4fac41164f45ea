//! Incidents, referrals, exhibits.

use desk::wire::{AudienceReport, BoardQuery, EntryReport, IncidentShow, LogIncident, ReferralItem};
use desk::{CustodyReport, Desk, DeskError};

use super::Context;
use crate::args::{ExhibitCommand, Incident, ListArgs, LogArgs, Refer, Referral, Step};
use crate::output::{emit, plain};
use crate::place::given;

const SEVERITY: [&str; 5] = ["–", "Minor", "Moderate", "Serious", "Critical"];

fn severity(number: i64) -> &'static str {
    usize::try_from(number).ok().and_then(|at| SEVERITY.get(at).copied()).unwrap_or("–")
}

fn kept(report: &EntryReport) -> String {
    format!("Signed and kept on this device: {}", report.entry)
}

pub async fn incident(context: &Context, command: Incident) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let done = incident_command(context, &desk, command).await;
    desk.close().await;
    done
}

async fn incident_command(context: &Context, desk: &Desk, command: Incident) -> Result<(), DeskError> {
    let json = context.json;
    match command {
        Incident::Log(args) => log(context, desk, *args).await,
        Incident::List(args) => list(context, desk, args).await,
        Incident::Show { record, as_of } => emit(json, &desk.show(&record, as_of.as_deref()).await?, incident_text),
        Incident::Note { record, text } => emit(json, &desk.note(&record, &text).await?, kept),
        Incident::Amend { record, set, settles } => {
            let set = set
                .iter()
                .map(|pair| {
                    pair.split_once('=')
                        .map(|(field, value)| (field.to_owned(), value.to_owned()))
                        .ok_or_else(|| DeskError::usage(format!("{pair}: write field=value")))
                })
                .collect::<Result<Vec<_>, _>>()?;
            emit(json, &desk.amend(&record, set, settles).await?, kept)
        }
        Incident::State { record, state, reason } => {
            emit(json, &desk.move_incident(&record, &state, reason).await?, kept)
        }
        Incident::Assign { record, to } => emit(json, &desk.assign(&record, &to).await?, kept),
        Incident::Likely { record } => emit(json, &desk.likely(&record).await?, |list| {
            let row = |found: &desk::wire::LikelyRow| {
                format!("{}  {}  ({})", found.row.reference, plain(&found.row.summary), found.common.join(", "))
            };
            list.items.iter().map(row).collect::<Vec<_>>().join("\n")
        }),
        Incident::Duplicate { record, of, undo } => {
            emit(json, &desk.duplicate(&record, of.as_deref(), undo).await?, kept)
        }
        Incident::Escalate { record, to, reason } => emit(json, &desk.escalate(&record, &to, &reason).await?, kept),
    }
}

async fn log(context: &Context, desk: &Desk, args: LogArgs) -> Result<(), DeskError> {
    let input = LogIncident {
        category: args.category,
        domains: args.domain,
        summary: args.summary,
        description: args.description,
        station: args.station,
        place: args.place,
        lat: args.lat,
        lon: args.lon,
        occurred: args.occurred,
        severity: args.severity,
        people: None,
        hazards: None,
        services: None,
        tlp: args.tlp,
        reporter: args.reporter,
        channel: args.channel,
        source: args.source,
        source_reliability: args.reliability,
    };
    if args.draft {
        let kept = desk.keep_draft_of(&input).await?;
        return emit(context.json, &kept, |draft| format!("Draft kept {}. It is not signed.", draft.kept_at));
    }
    let report = desk.log(input).await?;
    emit(context.json, &report, |report| {
        format!("Signed and kept on this device {}: {}", report.recorded_at, report.reference)
    })
}

async fn list(context: &Context, desk: &Desk, args: ListArgs) -> Result<(), DeskError> {
    let query = BoardQuery {
        view: None,
        state: args.state,
        category: args.category,
        severity: args.severity,
        search: args.search,
        since: None,
        until: None,
        references: Vec::new(),
        limit: args.limit,
        offset: args.offset,
    };
    emit(context.json, &desk.board(query).await?, |page| {
        let mut text = format!("{} incidents\n", page.total);
        for row in &page.items {
            text += &format!(
                "{:<9} {:<16} {:<12} {}  {}\n",
                severity(row.severity),
                plain(&row.reference),
                row.state,
                row.recorded_at,
                plain(&row.summary)
            );
        }
        text
    })
}

fn incident_text(show: &IncidentShow) -> String {
    let mut text = String::new();
    for gap in &show.gaps {
        text += &format!("GAP: {}\n", plain(gap));
    }
    text +=
        &format!("{}  {}  owner {}\n{}\n\n", plain(&show.reference), show.state, show.owner, show.audience_sentence);
    for (field, value) in &show.fields {
        let mark = if show.disputes.contains_key(field) { "  [disputed]" } else { "" };
        text += &format!("  {field:<18} {}{mark}\n", plain(&value.to_string()));
    }
    if let Some(reporter) = &show.reporter {
        text += &format!("  {:<18} {}  [sealed apart]\n", "reporter", plain(reporter));
    }
    for (field, values) in &show.disputes {
        text += &format!("\ndisputed: {field}\n");
        for value in values {
            text += &format!("  {}  ({}, {})\n", plain(&value.value.to_string()), value.agency, value.at);
        }
    }
    for referral in &show.referrals {
        text += &referral_text(referral);
    }
    for exhibit in &show.exhibits {
        text += &format!("exhibit {}  {}  {} bytes\n", &exhibit.id[..8], plain(&exhibit.name), exhibit.size);
    }
    text += "\n";
    for entry in &show.entries {
        text += &format!(
            "  {}  {:<10} {:<14} {}{}\n",
            entry.recorded_at,
            entry.agency,
            plain(&entry.device),
            plain(&entry.text),
            if entry.status == "valid" { String::new() } else { format!("  [{}]", entry.status) }
        );
    }
    text + &format!("\ndigest {}\n", show.digest)
}

fn referral_text(item: &ReferralItem) -> String {
    let due = item.respond_by.as_deref().map(|by| format!(", answer due {by}")).unwrap_or_default();
    let late = if item.overdue { " OVERDUE" } else { "" };
    format!("referral {}  {} → {}: {}, {}{due}{late}\n", &item.id[..8], item.from, item.to, item.ask, item.state)
}

pub async fn share(context: &Context, record: String, with: Vec<String>, give: bool) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let preview = if give { Some(desk.audience_preview(&record, &with).await?) } else { None };
    if let Some(preview) = preview.filter(|_| !context.json) {
        println_sentence(&preview)?;
    }
    let report = if give { desk.share(&record, &with).await } else { desk.unshare(&record, &with).await };
    desk.close().await;
    emit(context.json, &report?, |report| {
        if give {
            "Shared.".to_owned()
        } else {
            format!("{} What was read before cannot be recalled.", report.sentence)
        }
    })
}

fn println_sentence(report: &AudienceReport) -> Result<(), DeskError> {
    emit(false, report, |report| report.sentence.clone())
}

pub async fn refer(context: &Context, args: Refer) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let report = desk.refer(&args.record, &args.to, &args.ask, args.respond_by.as_deref(), args.text).await;
    desk.close().await;
    emit(context.json, &report?, |report| format!("Offered: {}", report.referral))
}

pub async fn referral(context: &Context, command: Referral) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let (step, args) = match command {
        Referral::List { inbox, outbox } => {
            let list = desk.referrals(inbox, outbox).await;
            desk.close().await;
            return emit(context.json, &list?, |list| list.items.iter().map(referral_text).collect());
        }
        Referral::Accept(args) => ("accepted", args),
        Referral::Decline(args) => ("declined", args),
        Referral::Done(args) => ("done", args),
        Referral::Return(args) => ("returned", args),
        Referral::Recall(args) => ("recalled", args),
        Referral::Close(args) => ("closed", args),
        Referral::Dispute(args) => ("disputed", args),
    };
    let Step { referral, reason, outcome } = args;
    let report = desk.answer(&referral, step, reason, outcome).await;
    desk.close().await;
    emit(context.json, &report?, kept)
}

fn custody_text(report: &CustodyReport) -> String {
    format!("Signed and kept on this device: {}\n{} bytes, SHA-256 {}", report.entry, report.size, report.sha256)
}

pub async fn exhibit(context: &Context, command: ExhibitCommand) -> Result<(), DeskError> {
    if let ExhibitCommand::Add { file, .. } = &command {
        given(file)?;
    }
    let desk = context.open().await?;
    let done = match command {
        ExhibitCommand::Add { record, file, description } => {
            let report = desk.add_exhibit_file(&record, &file, description).await;
            report.and_then(|report| {
                emit(context.json, &report, |r| format!("Signed and kept: {} bytes, SHA-256 {}", r.size, r.sha256))
            })
        }
        ExhibitCommand::Get { record, exhibit, out } => {
            let report = desk.get_exhibit(&record, &exhibit, &out).await;
            report.and_then(|report| emit(context.json, &report, |r| format!("Written; SHA-256 {} holds.", r.sha256)))
        }
        ExhibitCommand::Transfer { record, exhibit, to, remark } => {
            let report = desk.custody(&record, &exhibit, Some(&to), remark).await;
            report.and_then(|report| emit(context.json, &report, custody_text))
        }
        ExhibitCommand::Receive { record, exhibit, remark } => {
            let report = desk.custody(&record, &exhibit, None, remark).await;
            report.and_then(|report| emit(context.json, &report, custody_text))
        }
    };
    desk.close().await;
    done
}
