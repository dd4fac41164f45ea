//! Founding, joining, enrolling, revoking.

use std::path::PathBuf;

use desk::found::{AgencyInput, DeviceInput};
use desk::{Desk, DeskError};

use super::Context;
use crate::args::{Agency, AgencyArgs, DeviceCommand, Init, Kind, RosterCommand};
use crate::output::{emit, plain};
use crate::place::given;

fn input(args: AgencyArgs) -> AgencyInput {
    let kind = match args.kind {
        Kind::Emb => "emb",
        Kind::Police => "police",
        Kind::Cert => "cert",
        Kind::Court => "court",
        Kind::Prosecutor => "prosecutor",
        Kind::Oversight => "oversight",
        Kind::Other => "other",
    };
    AgencyInput {
        id: args.id,
        kind: kind.to_owned(),
        name: args.agency_name,
        operator: args.operator,
        device: args.device,
        root_out: args.root_out,
    }
}

pub async fn init(context: &Context, args: Init) -> Result<(), DeskError> {
    let rules = args.rules.as_deref().map(|file| desk::found::read_rules(given(file)?)).transpose()?;
    let (dir, pass) = (context.dir()?, context.new_passphrase()?);
    let (desk, report) =
        Desk::init(&dir, &pass, &args.operation_name, input(args.agency), rules, args.exercise).await?;
    desk.close().await;
    emit(context.json, &report, |report| {
        format!(
            "Operation founded: {}\nInstitution {}, device {}.\nKeep the root file offline; it is sealed with your passphrase.",
            report.operation, report.agency, report.device
        )
    })
}

pub async fn agency(context: &Context, command: Agency) -> Result<(), DeskError> {
    let Agency::Request { agency, out } = command;
    let (desk, report) = Desk::request_agency(&context.dir()?, &context.new_passphrase()?, input(agency), &out).await?;
    desk.close().await;
    emit(context.json, &report, |report| {
        format!(
            "Request of {} written. Give it to whoever admits you; then `intact join` with their welcome.",
            report.agency
        )
    })
}

pub async fn device(context: &Context, command: DeviceCommand) -> Result<(), DeskError> {
    match command {
        DeviceCommand::Request { agency, operator, device, roles, unit, out } => {
            let input = DeviceInput { agency, operator, device, roles, unit };
            let (desk, report) = Desk::request_device(&context.dir()?, &context.new_passphrase()?, input, &out).await?;
            desk.close().await;
            emit(context.json, &report, |_| {
                "Request written. An administrator of your institution enrols it; then `intact join` with the welcome."
                    .into()
            })
        }
        DeviceCommand::Approve { device, last_good, request, out } => {
            let desk = context.open().await?;
            let done = approve(context, &desk, device.zip(last_good), request, out).await;
            desk.close().await;
            done
        }
        DeviceCommand::Reach { device, limit, offset } => {
            let desk = context.open().await?;
            let report = desk.reach(&device, limit, offset).await;
            desk.close().await;
            emit(context.json, &report?, reach_text)
        }
    }
}

async fn approve(
    context: &Context,
    desk: &Desk,
    named: Option<(String, u64)>,
    request: Option<PathBuf>,
    out: Option<PathBuf>,
) -> Result<(), DeskError> {
    let (device, last_good) = match (named, request) {
        (Some(named), _) => named,
        (None, Some(request)) => {
            let look = desk.look_at_approval(given(&request)?).await?;
            if out.is_none() {
                return emit(context.json, &look, approval_text);
            }
            (look.device, look.last_good)
        }
        (None, None) => return Err(DeskError::usage("name the device and --last-good, or give --request")),
    };
    let out = out.ok_or_else(|| DeskError::usage("say where the approval goes: --out FILE"))?;
    let report = desk.approve_revocation(&device, last_good, &out).await?;
    emit(context.json, &report, |report| format!("Approval of the revocation of {} written.", report.device))
}

fn approval_text(look: &desk::wire::ApprovalLook) -> String {
    format!(
        "{} asks to revoke {} ({}), id {}.\nReason: {}\nEntries up to number {} stay valid; {} known here are then kept apart. With --out FILE it is approved.",
        plain(&look.asked_by),
        plain(&look.name),
        plain(&look.operator),
        look.device,
        plain(&look.reason),
        look.last_good,
        look.apart
    )
}

fn request_text(look: &desk::wire::RequestLook) -> String {
    let known = if look.known { "\nIt is enrolled already." } else { "" };
    let key = if look.agency_key { "\nIt would be given the institution's key." } else { "" };
    format!(
        "{} for {}, roles: {}\nId {}: compare it with what that device shows.{key}{known}\nWith --out FILE it is enrolled.",
        plain(&look.name),
        plain(&look.operator),
        look.roles.join(","),
        look.device
    )
}

/// What is shown of the records; the JSON has the page that was asked for.
fn reach_text(report: &desk::wire::ReachReport) -> String {
    let mut text = format!(
        "{} ({}), {}. By the keys known here it could read {} records with {} exhibits; whether it did, nobody can know.\n",
        plain(&report.name),
        plain(&report.operator),
        report.status,
        report.total,
        report.exhibits
    );
    for of in &report.counted {
        let why = match of.why.as_str() {
            "wrote" => "it wrote in them",
            "granted" => "given to the device itself",
            "own" => "its own institution's, whose key it may hold",
            _ => "given to its institution",
        };
        text += &format!("  {:>6} of {:<12} {why}\n", of.records, of.owner);
    }
    for row in &report.items {
        text += &format!("  {:<7} {:<18} {}\n", row.why, plain(&row.reference), plain(&row.summary));
    }
    if report.items.len() as u64 != report.total {
        text += &format!("  ({} of {} listed)\n", report.items.len(), report.total);
    }
    if report.agency_key {
        text += "It may hold its institution's key, and open with it whatever is sealed to that key, later records too, where it gets the bytes.\n";
    }
    if report.later > 0 {
        text += &format!("{} records made since its revocation are not in this count.\n", report.later);
    }
    if report.absent > 0 {
        text += &format!("{} more were given to it that have not arrived here.\n", report.absent);
    }
    text += &format!("It wrote {} entries that are known here.\n", report.entries);
    if let Some(cut) = report.cut {
        text += &format!("They count up to number {cut}; {} after that are kept apart.\n", report.apart);
    }
    text + "What was read cannot be taken back: tell those whose records these are."
}

pub async fn join(context: &Context, welcome: PathBuf) -> Result<(), DeskError> {
    given(&welcome)?;
    let desk = context.open().await?;
    let pass = context.passphrase()?;
    let report = desk.join(&welcome, Some(&pass)).await?;
    desk.close().await;
    emit(context.json, &report, |report| {
        format!("This device now belongs to {}, as part of the operation.", report.agency)
    })
}

pub async fn roster(context: &Context, command: RosterCommand) -> Result<(), DeskError> {
    let desk = context.open().await?;
    let done = roster_command(context, &desk, command).await;
    desk.close().await;
    done
}

async fn roster_command(context: &Context, desk: &Desk, command: RosterCommand) -> Result<(), DeskError> {
    match command {
        RosterCommand::Show => emit(context.json, &desk.roster_show().await?, |report| {
            let mut text = format!(
                "{}, epoch {}, {} of {} signatures for the next\n",
                plain(&report.operation_name),
                report.epoch,
                report.threshold,
                report.agencies.len()
            );
            for agency in &report.agencies {
                text += &format!("  {:<12} {:<8} {}\n", agency.id, agency.kind, plain(&agency.name));
            }
            for device in &report.devices {
                text += &format!(
                    "  {}  {:<10} {:<16} {:<20} {} {}\n",
                    &device.id[..8],
                    device.agency,
                    plain(&device.name),
                    plain(&device.operator),
                    device.status,
                    device.roles.join(",")
                );
            }
            text
        }),
        RosterCommand::Admit { requests, root, out } => {
            requests.iter().chain([&root]).try_for_each(|file| given(file).map(drop))?;
            let report = desk.admit(&requests, &root, &context.passphrase()?, &out).await?;
            emit(context.json, &report, epoch_text)
        }
        RosterCommand::Sign { proposal, root, out } => {
            [&proposal, &root].into_iter().try_for_each(|file| given(file).map(drop))?;
            let report = desk.sign_epoch(&proposal, &root, &context.passphrase()?, &out).await?;
            emit(context.json, &report, epoch_text)
        }
        RosterCommand::Enrol { request, out } => {
            let Some(out) = out else {
                return emit(context.json, &desk.look_at_request(given(&request)?)?, request_text);
            };
            let report = desk.enrol(given(&request)?, &out).await?;
            emit(context.json, &report, |report| format!("Enrolled {}. Bring it the welcome.", report.device))
        }
        RosterCommand::Revoke { device, reason, last_good, doubtful_since, second, ask } => {
            second.iter().try_for_each(|file| given(file).map(drop))?;
            let last_good = match &doubtful_since {
                Some(time) => Some(desk.last_good_before(&device, time).await?),
                None => last_good,
            };
            if let Some(ask) = ask {
                let last_good = match last_good {
                    Some(number) => number,
                    None => desk.look_at_revoking(&device, None, None).await?.cut,
                };
                let report = desk.ask_approval(&device, &reason, last_good, &ask).await?;
                return emit(context.json, &report, |report| {
                    format!("Nothing was revoked. Another administrator is asked to approve that {} is.", report.device)
                });
            }
            let report = desk.revoke(&device, &reason, last_good, second.as_deref()).await?;
            emit(context.json, &report, |report| {
                format!(
                    "Revoked {}. Its entries up to number {} stay valid; later ones are kept apart. It spreads at the next contact.\nWhat it could read: `intact device reach {}`.",
                    report.device,
                    report.cut.unwrap_or(0),
                    report.device
                )
            })
        }
    }
}

fn epoch_text(report: &desk::wire::EpochReport) -> String {
    if report.needed.is_empty() {
        format!("Epoch {} is complete. The next one needs {} signatures.", report.epoch, report.threshold)
    } else {
        format!("Epoch {} is proposed; it still needs a signature of: {}.", report.epoch, report.needed.join(", "))
    }
}
