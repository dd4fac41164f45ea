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
        DeviceCommand::Approve { device, last_good, out } => {
            let desk = context.open().await?;
            let report = desk.approve_revocation(&device, last_good, &out).await?;
            desk.close().await;
            emit(context.json, &report, |report| format!("Approval of the revocation of {} written.", report.device))
        }
    }
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
        RosterCommand::Show => emit(context.json, &desk.roster_show()?, |report| {
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
            let report = desk.enrol(given(&request)?, &out).await?;
            emit(context.json, &report, |report| format!("Enrolled {}. Bring it the welcome.", report.device))
        }
        RosterCommand::Revoke { device, reason, last_good, second } => {
            second.iter().try_for_each(|file| given(file).map(drop))?;
            let report = desk.revoke(&device, &reason, last_good, second.as_deref()).await?;
            emit(context.json, &report, |report| {
                format!(
                    "Revoked {}. Its entries up to number {} stay valid; later ones are kept apart. It spreads at the next contact.",
                    report.device,
                    report.cut.unwrap_or(0)
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
