//! One function per command: decode, call the desk, encode. Authorisation is the desk's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use desk::found::{AgencyInput, DeviceInput};
use desk::wire::{
    AudienceReport, BoardPage, BoardQuery, EntryReport, ErrorReport, ExhibitReport, IncidentShow, InitReport,
    JoinReport, LogDraft, LogIncident, Logged, ReferralList, ReferralReport, RequestReport, RosterShow, VaultStatus,
};
use desk::{Desk, Passphrase};
use serde::Deserialize;
use tauri::{AppHandle, State};

use crate::carry::watch_changes;
use crate::state::{Window, report};

type Answer<T> = Result<T, ErrorReport>;

/// Bytes of a photo through the window; larger files go in on the command line, as streams.
const MAX_PHOTO: usize = 64 * 1024 * 1024;

/// Starting an operation.
#[derive(Deserialize)]
pub struct StartInput {
    operation_name: String,
    agency: String,
    kind: String,
    agency_name: String,
    operator: String,
    device: String,
    passphrase: String,
    #[serde(default)]
    exercise: bool,
}

/// Asking to take part.
#[derive(Deserialize)]
pub struct RequestInput {
    agency: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    agency_name: String,
    operator: String,
    device: String,
    passphrase: String,
    out: PathBuf,
    #[serde(default)]
    roles: Vec<String>,
}

#[tauri::command]
pub async fn vault_status(window: State<'_, Window>) -> Answer<VaultStatus> {
    let desk = window.desk.lock().await.clone();
    match desk {
        Some(desk) => desk.status().await.map_err(report),
        None => Ok(desk::closed_status(&window.dir)),
    }
}

async fn take(app: AppHandle, window: &Window, desk: Desk) {
    watch_changes(app, &desk);
    *window.desk.lock().await = Some(desk);
}

#[tauri::command]
pub async fn start_operation(app: AppHandle, window: State<'_, Window>, input: StartInput) -> Answer<InitReport> {
    let root_out = window.dir.with_extension("root");
    let agency = AgencyInput {
        id: input.agency,
        kind: input.kind,
        name: input.agency_name,
        operator: input.operator,
        device: input.device,
        root_out,
    };
    let pass = Passphrase::new(input.passphrase);
    let (desk, done) =
        Desk::init(&window.dir, &pass, &input.operation_name, agency, None, input.exercise).await.map_err(report)?;
    take(app, &window, desk).await;
    Ok(done)
}

#[tauri::command]
pub async fn request_agency(app: AppHandle, window: State<'_, Window>, input: RequestInput) -> Answer<RequestReport> {
    let agency = AgencyInput {
        id: input.agency,
        kind: input.kind,
        name: input.agency_name,
        operator: input.operator,
        device: input.device,
        root_out: window.dir.with_extension("root"),
    };
    let pass = Passphrase::new(input.passphrase);
    let (desk, done) = Desk::request_agency(&window.dir, &pass, agency, &input.out).await.map_err(report)?;
    take(app, &window, desk).await;
    Ok(done)
}

#[tauri::command]
pub async fn request_device(app: AppHandle, window: State<'_, Window>, input: RequestInput) -> Answer<RequestReport> {
    let device = DeviceInput {
        agency: input.agency,
        operator: input.operator,
        device: input.device,
        roles: input.roles,
        unit: None,
    };
    let pass = Passphrase::new(input.passphrase);
    let (desk, done) = Desk::request_device(&window.dir, &pass, device, &input.out).await.map_err(report)?;
    take(app, &window, desk).await;
    Ok(done)
}

#[tauri::command]
pub async fn join_operation(window: State<'_, Window>, path: PathBuf) -> Answer<JoinReport> {
    let desk = window.open().await?;
    let done = desk.join(&path, None).await.map_err(report)?;
    let fresh = desk.reopened().await.map_err(report)?;
    *window.desk.lock().await = Some(fresh);
    Ok(done)
}

#[tauri::command]
pub async fn unlock(app: AppHandle, window: State<'_, Window>, passphrase: String) -> Answer<VaultStatus> {
    let desk = Desk::open(&window.dir, &Passphrase::new(passphrase)).await.map_err(report)?;
    let status = desk.status().await.map_err(report)?;
    take(app, &window, desk).await;
    Ok(status)
}

#[tauri::command]
pub async fn lock(window: State<'_, Window>) -> Answer<()> {
    if let Some(desk) = window.desk.lock().await.take() {
        desk.close().await;
    }
    Ok(())
}

#[tauri::command]
pub async fn board(window: State<'_, Window>, query: BoardQuery) -> Answer<BoardPage> {
    window.open().await?.board(query).await.map_err(report)
}

#[tauri::command]
pub async fn incident_show(window: State<'_, Window>, reference: String) -> Answer<IncidentShow> {
    window.open().await?.show(&reference, None).await.map_err(report)
}

#[tauri::command]
pub async fn incident_log(window: State<'_, Window>, input: LogIncident) -> Answer<Logged> {
    window.open().await?.log(input).await.map_err(report)
}

#[tauri::command]
pub async fn draft_get(window: State<'_, Window>) -> Answer<Option<LogDraft>> {
    window.open().await?.draft_kept().await.map_err(report)
}

#[tauri::command]
pub async fn draft_put(window: State<'_, Window>, form: BTreeMap<String, String>) -> Answer<LogDraft> {
    window.open().await?.keep_draft(form).await.map_err(report)
}

#[tauri::command]
pub async fn draft_clear(window: State<'_, Window>) -> Answer<()> {
    window.open().await?.drop_draft().await.map_err(report)
}

#[tauri::command]
pub async fn incident_note(window: State<'_, Window>, reference: String, text: String) -> Answer<EntryReport> {
    window.open().await?.note(&reference, &text).await.map_err(report)
}

#[tauri::command]
pub async fn incident_amend(
    window: State<'_, Window>,
    reference: String,
    set: BTreeMap<String, String>,
    settles: bool,
) -> Answer<EntryReport> {
    window.open().await?.amend(&reference, set.into_iter().collect(), settles).await.map_err(report)
}

#[tauri::command]
pub async fn incident_state(
    window: State<'_, Window>,
    reference: String,
    state: String,
    reason: Option<String>,
) -> Answer<EntryReport> {
    window.open().await?.move_incident(&reference, &state, reason).await.map_err(report)
}

#[tauri::command]
pub async fn incident_assign(window: State<'_, Window>, reference: String, to: String) -> Answer<EntryReport> {
    window.open().await?.assign(&reference, &to).await.map_err(report)
}

#[tauri::command]
pub async fn audience_preview(
    window: State<'_, Window>,
    reference: String,
    with: Vec<String>,
) -> Answer<AudienceReport> {
    window.open().await?.audience_preview(&reference, &with).await.map_err(report)
}

#[tauri::command]
pub async fn share(window: State<'_, Window>, reference: String, with: Vec<String>) -> Answer<AudienceReport> {
    window.open().await?.share(&reference, &with).await.map_err(report)
}

#[tauri::command]
pub async fn refer(
    window: State<'_, Window>,
    reference: String,
    to: String,
    ask: String,
    respond_by: Option<String>,
) -> Answer<ReferralReport> {
    window.open().await?.refer(&reference, &to, &ask, respond_by.as_deref(), None).await.map_err(report)
}

#[tauri::command]
pub async fn referral_list(window: State<'_, Window>, inbox: bool) -> Answer<ReferralList> {
    window.open().await?.referrals(inbox, !inbox).await.map_err(report)
}

#[tauri::command]
pub async fn referral_answer(
    window: State<'_, Window>,
    id: String,
    step: String,
    reason: Option<String>,
) -> Answer<EntryReport> {
    window.open().await?.answer(&id, &step, reason, None).await.map_err(report)
}

#[tauri::command]
pub async fn exhibit_add(
    window: State<'_, Window>,
    reference: String,
    name: String,
    description: Option<String>,
    bytes: Vec<u8>,
) -> Answer<ExhibitReport> {
    if bytes.len() > MAX_PHOTO {
        return Err(report(desk::DeskError::usage(
            "this file is too large for the window; add it with `intact exhibit add`",
        )));
    }
    let desk = window.open().await?;
    desk.add_exhibit(&reference, &name, description, std::io::Cursor::new(bytes)).await.map_err(report)
}

#[tauri::command]
pub async fn roster_show(window: State<'_, Window>) -> Answer<RosterShow> {
    window.open().await?.roster_show().map_err(report)
}

#[tauri::command]
pub async fn settings_get(window: State<'_, Window>, name: String) -> Answer<Option<String>> {
    window.open().await?.window_setting(&name).await.map_err(report)
}

#[tauri::command]
pub async fn settings_put(window: State<'_, Window>, name: String, value: String) -> Answer<()> {
    window.open().await?.put_window_setting(&name, &value).await.map_err(report)
}
